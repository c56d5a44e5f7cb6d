// The material model of glTF 2.0, appendix B, as a set of lobes with the chance of each: GGX over
// Lambert or transmission, metal by the same GGX, clearcoat above all, sheen between.
//
// Contract with transport. load_surface fills Surface.eta from the material alone, as if vacuum lay
// outside; for nested dielectrics and dispersion the caller overwrites it before make_lobes, which
// takes the Fresnel terms and the refraction from it (any value > 0 except that 1 is read as 1.001).
// Where the caller let paths go straight through a thin wall with the chance max3(thin_pass(..)) and
// this path did not go, it sets Surface.passed: make_lobes then leaves the thin lobe out, and the
// caller divides what scatter brings by the chance of not going.
//#import scene/surface
//#import bsdf/ggx
//#import bsdf/sheen

const LOBE_DIFFUSE = 0u;
const LOBE_SPECULAR = 1u;
const LOBE_THIN = 2u;
const LOBE_REFRACT = 3u;
const LOBE_COAT = 4u;
const LOBE_SHEEN = 5u;
const LOBE_NONE = 6u;

/// Probability of each lobe; no array, because a dynamic index would keep it out of registers.
struct Chances {
  diffuse: f32,
  specular: f32,
  thin: f32,
  refract: f32,
  coat: f32,
  sheen: f32,
}

struct Lobes {
  frame: mat3x3f,      // shading frame
  coat_frame: mat3x3f, // of the interpolated normal
  wo: vec3f,           // local to `frame`
  alpha: f32,
  f0: vec3f,           // dielectric, at normal incidence
  f90: f32,
  base: vec3f,
  metallic: f32,
  transmission: f32,   // share of the dielectric base
  eta: f32,            // ior beyond the surface over ior before it; 0: thin wall
  coat: f32,
  coat_alpha: f32,
  sheen: vec3f,
  sheen_alpha: f32,
  under_coat: f32,     // what clearcoat and sheen leave to the layers below
  chance: Chances,
}

/// Dielectric Fresnel term of glTF at half-vector cosine, with total reflection inside a volume.
fn dielectric_fresnel(l: Lobes, cosine: f32) -> vec3f {
  var c = cosine;
  if (l.eta > 0.0 && l.eta < 1.0) {
    let sin2 = (1.0 - c * c) / (l.eta * l.eta);
    if (sin2 >= 1.0) { return vec3f(1.0); }
    c = sqrt(1.0 - sin2);
  }
  return l.f0 + (vec3f(l.f90) - l.f0) * schlick(c);
}

fn reflectance(l: Lobes, cosine: f32, dielectric: vec3f) -> vec3f {
  return mix(dielectric, l.base + (vec3f(1.0) - l.base) * schlick(cosine), l.metallic);
}

fn coat_fresnel(l: Lobes, cosine: f32) -> f32 {
  return l.coat * (0.04 + 0.96 * schlick(cosine));
}

fn make_lobes(s: Surface, wo: vec3f) -> Lobes {
  let m = materials[s.material];
  var l: Lobes;
  l.frame = basis_around(s.normal);
  l.wo = to_local(l.frame, wo);
  l.alpha = s.alpha;
  let ior = select(m.ior, s.eta, s.eta > 0.0);
  let r = (ior - 1.0) / (ior + 1.0);
  l.f0 = min(vec3f(r * r) * m.specular_color, vec3f(1.0)) * m.specular;
  l.f90 = m.specular;
  l.base = s.base;
  l.metallic = s.metallic;
  l.transmission = s.transmission;
  l.eta = s.eta;
  // At 1 the half vector of refraction has no direction.
  if (abs(l.eta - 1.0) < 0.001) { l.eta = select(0.999, 1.001, s.front); }
  if (s.passed) { l.transmission = 0.0; }
  l.coat = m.clearcoat;
  l.coat_alpha = max(m.clearcoat_roughness * m.clearcoat_roughness, ALPHA_MIN);
  l.sheen = m.sheen_color;
  l.sheen_alpha = max(m.sheen_roughness * m.sheen_roughness, 0.0625);
  l.under_coat = 1.0;
  if (l.coat > 0.0) {
    l.coat_frame = basis_around(s.smooth_normal);
    l.under_coat = 1.0 - coat_fresnel(l, dot(s.smooth_normal, wo));
  }
  if (max3(l.sheen) > 0.0) { l.under_coat *= 1.0 - max3(l.sheen) * sheen_albedo(l.wo.z, l.sheen_alpha); }
  weigh_lobes(&l);
  return l;
}

/// Chances in proportion to each lobe's albedo as seen from wo.
fn weigh_lobes(l: ptr<function, Lobes>) {
  let dielectric = dielectric_fresnel(*l, (*l).wo.z);
  let below = (1.0 - max3(dielectric)) * (1.0 - (*l).metallic) * luminance((*l).base) * (*l).under_coat;
  let through = below * (*l).transmission;
  let thin = (*l).eta == 0.0;
  var c = Chances(below - through, luminance(reflectance(*l, (*l).wo.z, dielectric)) * (*l).under_coat, 0.0, 0.0, 0.0, 0.0);
  c.thin = select(0.0, through, thin);
  c.refract = select(through, 0.0, thin);
  if ((*l).coat > 0.0) { c.coat = coat_fresnel(*l, (*l).wo.z); }
  if (max3((*l).sheen) > 0.0) { c.sheen = luminance((*l).sheen) * sheen_albedo((*l).wo.z, (*l).sheen_alpha); }
  let sum = c.diffuse + c.specular + c.thin + c.refract + c.coat + c.sheen;
  let scale = select(0.0, 1.0 / sum, sum > 1e-9);
  (*l).chance = Chances(c.diffuse * scale, c.specular * scale, c.thin * scale, c.refract * scale, c.coat * scale, c.sheen * scale);
}

/// @returns the lobe that u in [0,1) falls to; LOBE_NONE for a black surface.
fn pick_lobe(c: Chances, u: f32) -> u32 {
  if (c.diffuse + c.specular + c.thin + c.refract + c.coat + c.sheen <= 0.0) { return LOBE_NONE; }
  var edge = c.diffuse;
  if (u < edge) { return LOBE_DIFFUSE; }
  edge += c.thin;
  if (u < edge) { return LOBE_THIN; }
  edge += c.refract;
  if (u < edge) { return LOBE_REFRACT; }
  edge += c.coat;
  if (u < edge) { return LOBE_COAT; }
  edge += c.sheen;
  return select(LOBE_SPECULAR, LOBE_SHEEN, u < edge);
}
