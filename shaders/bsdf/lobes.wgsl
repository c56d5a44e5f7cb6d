// The material model of glTF 2.0, appendix B, as a set of lobes with the chance of each: GGX over
// Lambert, diffuse transmission or refraction, metal by the same GGX, sheen above, clearcoat above all.
// GGX gets back what single scattering loses (Turquin 2019, "Practical multiple scattering compensation
// for microfacet models"), dielectrics reflect by the exact Fresnel equations, and what is white
// everywhere is invisible in uniform light.
//
// Contract with transport. load_surface fills Surface.eta from the material alone, as if vacuum lay
// outside; for nested dielectrics and dispersion the caller overwrites it before make_lobes, which
// takes the Fresnel terms and the refraction from it (any value > 0, close to 1 it is read as 1.0005).
// Where the caller let paths go straight through a thin wall with the chance max3(thin_pass(..)) and
// this path did not go, it sets Surface.passed: make_lobes then leaves the thin lobe out, and the
// caller divides what scatter brings by the chance of not going.
//#import bsdf/layers
//#import bsdf/ggx
//#import bsdf/sheen

fn make_lobes(surface: Surface, wo: vec3f) -> Lobes {
  var s = surface;
  // At 1 the half vector of refraction has no direction. From inside too it is read as more than 1: where
  // there is no interface, nothing is totally reflected.
  if (s.eta > 0.0 && abs(s.eta - 1.0) < 0.0005) { s.eta = 1.0005; }
  var l: Lobes;
  l.frame = basis_around(s.normal);
  l.widths = vec2f(s.alpha);
  if (ANISOTROPIC && s.anisotropy > 0.0) {
    l.frame = mat3x3f(s.tangent, cross(s.normal, s.tangent), s.normal);
    l.widths.x = mix(s.alpha, 1.0, s.anisotropy * s.anisotropy);
  }
  l.wo = to_local(l.frame, wo);
  l.alpha = s.alpha;
  l.eta = s.eta;
  set_fresnel(&l, s);
  share_base(&l, s, lay_coat_and_sheen(&l, s, wo));
  let c = l.chance;
  let sum = c.diffuse + c.specular + c.thin + c.refract + c.coat + c.sheen + c.beyond;
  let k = select(0.0, 1.0 / sum, sum > 1e-9);
  l.chance = Chances(c.diffuse * k, c.specular * k, c.thin * k, c.refract * k, c.coat * k, c.sheen * k, c.beyond * k);
  return l;
}
