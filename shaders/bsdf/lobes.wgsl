// The material model of glTF 2.0, appendix B, as a set of lobes with the chance of each: GGX over
// Lambert, diffuse transmission or refraction, metal by the same GGX, sheen above, clearcoat above all.
// Every layer takes what its directional albedo says and leaves the rest to the layers below, and GGX
// gets back what single scattering loses (Turquin 2019, "Practical multiple scattering compensation
// for microfacet models"): what is white everywhere is invisible in uniform light.
//
// Contract with transport. load_surface fills Surface.eta from the material alone, as if vacuum lay
// outside; for nested dielectrics and dispersion the caller overwrites it before make_lobes, which
// takes the Fresnel terms and the refraction from it (any value > 0, close to 1 it is read as 1.001).
// Where the caller let paths go straight through a thin wall with the chance max3(thin_pass(..)) and
// this path did not go, it sets Surface.passed: make_lobes then leaves the thin lobe out, and the
// caller divides what scatter brings by the chance of not going.
//#import scene/surface
//#import bsdf/albedo
//#import bsdf/film
//#import bsdf/ggx
//#import bsdf/sheen

const LOBE_DIFFUSE = 0u;
const LOBE_SPECULAR = 1u;
const LOBE_THIN = 2u;
const LOBE_REFRACT = 3u;
const LOBE_COAT = 4u;
const LOBE_SHEEN = 5u;
const LOBE_NONE = 6u;
const LOBE_BEYOND = 7u; // diffuse transmission

/// Probability of each lobe; no array, because a dynamic index would keep it out of registers.
struct Chances {
  diffuse: f32,
  specular: f32,
  thin: f32,
  refract: f32,
  coat: f32,
  sheen: f32,
  beyond: f32,
}

struct Lobes {
  frame: mat3x3f,      // shading frame; x along the greater width
  coat_frame: mat3x3f,
  wo: vec3f,           // local to `frame`
  alpha: f32,
  widths: vec2f,
  eta: f32,            // ior beyond the surface over ior before it; 0: thin wall
  // Reflection of the dielectric: Schlick's two values, all that lies above it and the compensation included.
  f0: vec3f,
  f90: vec3f,
  total: f32,          // the same for total reflection
  metal0: vec3f,
  metal90: vec3f,
  diffuse: vec3f,      // albedos of the two Lambert lobes
  beyond: vec3f,
  through: vec3f,      // what the lobe of thin or refracted light is multiplied by, besides 1 - Fresnel
  bare0: vec3f,        // Schlick's two values of the bare dielectric
  bare90: vec3f,
  sheen: vec3f,
  sheen_alpha: f32,
  coat: f32,
  coat_alpha: f32,
  chance: Chances,
}

/// Schlick's (1 - cos)^5 on the thinner side of an interface; -1: total reflection.
fn interface_schlick(eta: f32, cosine: f32) -> f32 {
  if (!VOLUMES || eta <= 0.0 || eta >= 1.0) { return schlick(cosine); }
  let sin2 = (1.0 - cosine * cosine) / (eta * eta);
  return select(schlick(sqrt(max(1.0 - sin2, 0.0))), -1.0, sin2 >= 1.0);
}

/// Share of light that the bare dielectric lets through.
fn open_share(l: Lobes, cosine: f32) -> f32 {
  let s = interface_schlick(l.eta, cosine);
  return select(1.0 - max3(l.bare0 + (l.bare90 - l.bare0) * s), 0.0, s < 0.0);
}

/// What the layers above let through to the base.
fn lay_coat_and_sheen(l: ptr<function, Lobes>, s: Surface, wo: vec3f) -> f32 {
  var under = 1.0;
  if (COATED && s.coat > 0.0) {
    (*l).coat_frame = basis_around(s.coat_normal);
    (*l).coat_alpha = s.coat_alpha;
    let albedo = mirror_albedo(dot(s.coat_normal, wo), s.coat_alpha);
    let whole = albedo.x + albedo.y;
    (*l).coat = s.coat * (1.0 + 0.04 * (1.0 - whole) / whole);
    (*l).chance.coat = (*l).coat * (0.04 * albedo.x + albedo.y);
    under = 1.0 - (*l).chance.coat;
  }
  if (SHEEN && max3(s.sheen) > 0.0) {
    let albedo = sheen_albedo((*l).wo.z, s.sheen_alpha);
    (*l).sheen = s.sheen * (under / max(albedo, 1.0));
    (*l).sheen_alpha = s.sheen_alpha;
    (*l).chance.sheen = luminance((*l).sheen) * albedo;
    under *= 1.0 - max3(s.sheen) * min(albedo, 1.0);
  }
  return under;
}

/// Schlick's two values of the bare dielectric and of the metal, with a film over both.
fn set_fresnel(l: ptr<function, Lobes>, s: Surface) {
  let ior = select(materials[s.material].ior, s.eta, s.eta > 0.0);
  let r = (ior - 1.0) / (ior + 1.0);
  let given = (materials[s.material].flags & MATERIAL_SPECULAR_GLOSSINESS) != 0u;
  (*l).bare0 = min(select(vec3f(r * r), vec3f(1.0), given) * s.specular_color, vec3f(1.0)) * s.specular;
  (*l).bare90 = vec3f(s.specular);
  (*l).metal0 = s.base;
  (*l).metal90 = vec3f(1.0);
  if (!IRIDESCENT || s.film <= 0.0) { return; }
  // Outside the film, also when seen from inside the volume below it.
  var cosine = (*l).wo.z;
  if (VOLUMES && s.eta > 0.0 && s.eta < 1.0) { cosine = sqrt(max(1.0 - (1.0 - cosine * cosine) / (s.eta * s.eta), 0.0)); }
  for (var metal = 0u; metal < 2u; metal++) {
    let f0 = select((*l).bare0, (*l).metal0, metal == 1u);
    let pair = schlick_through(film_reflectance(f0, cosine, materials[s.material].iridescence_ior, s.film_thickness), cosine);
    if (metal == 0u) {
      (*l).bare0 = mix((*l).bare0, pair.f0, s.film);
      (*l).bare90 = mix((*l).bare90, pair.f90, s.film);
    } else {
      (*l).metal0 = mix((*l).metal0, pair.f0, s.film);
      (*l).metal90 = mix((*l).metal90, pair.f90, s.film);
    }
  }
}

/// Shares out what reaches the base: `under` of the light. Sets the chances of its lobes to their albedos.
fn share_base(l: ptr<function, Lobes>, s: Surface, under: f32) {
  let table = surface_albedo(s, *l);
  let whole = table.x + table.y;
  let gain = (1.0 - whole) / whole;
  let dielectric = under * (1.0 - s.metallic);
  var boost = vec3f(1.0) + (*l).bare0 * gain;
  var bare = (*l).bare0 * table.x + (*l).bare90 * table.y; // reflected, before `boost`
  let smooth_open = open_share(*l, (*l).wo.z);
  var open = 1.0 - max3(bare * boost);
  var likely = open; // of refraction
  var through = open / max(whole - max3(bare), 1e-3);
  if (VOLUMES && s.eta > 0.0) {
    let glass = glass_albedo((*l).wo.z, s.alpha, s.eta);
    let filled = 1.0 / mix(glass.y, glass.x, s.specular);
    boost = vec3f(filled);
    if (s.eta < 1.0) { bare = vec3f(glass.z); }
    open = 1.0 - min(max3(bare) * filled, 1.0);
    likely = 0.5 * (open + smooth_open);
    through = filled;
  }
  (*l).f0 = (*l).bare0 * boost * dielectric;
  (*l).f90 = (*l).bare90 * boost * dielectric;
  (*l).total = max3(boost) * dielectric;
  let metal_boost = (vec3f(1.0) + (*l).metal0 * gain) * (under * s.metallic);
  (*l).metal0 *= metal_boost;
  (*l).metal90 *= metal_boost;
  (*l).through = s.base * (dielectric * s.transmission * through);
  let matte = dielectric * open * (1.0 - s.transmission);
  (*l).diffuse = s.base * (matte * (1.0 - s.beyond_share));
  (*l).beyond = s.beyond * (matte * s.beyond_share);
  (*l).chance.specular = luminance(bare * boost * dielectric + (*l).metal0 * table.x + (*l).metal90 * table.y);
  let passing = luminance(s.base) * dielectric * s.transmission * likely;
  (*l).chance.thin = select(passing, 0.0, s.eta > 0.0 || s.passed);
  (*l).chance.refract = select(0.0, passing, s.eta > 0.0);
  (*l).chance.diffuse = luminance((*l).diffuse);
  (*l).chance.beyond = luminance((*l).beyond);
}

/// (A, B) of the base's own reflection.
fn surface_albedo(s: Surface, l: Lobes) -> vec2f {
  return mirror_albedo(l.wo.z, s.alpha);
}

fn make_lobes(surface: Surface, wo: vec3f) -> Lobes {
  var s = surface;
  // At 1 the half vector of refraction has no direction.
  if (s.eta > 0.0 && abs(s.eta - 1.0) < 0.001) { s.eta = select(0.999, 1.001, s.front); }
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
