// What a surface is to light: the parameters of its lobes and the chance of each. make_lobes
// (bsdf/lobes.wgsl) fills it, bsdf/evaluate.wgsl reads it.
//#import features
//#import common/math
//#import bsdf/fresnel

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
  // Reflection by the clear share of the dielectric: at normal and at grazing incidence, all that lies
  // above it and the compensation included; and the same for total reflection.
  f0: vec3f,
  f90: vec3f,
  total: f32,
  opaque0: vec3f,      // the same for the opaque share
  opaque90: vec3f,
  metal0: vec3f,       // and for metal
  metal90: vec3f,
  diffuse: vec3f,      // albedos of the two Lambert lobes
  beyond: vec3f,
  through: vec3f,      // what the lobe of thin or refracted light is multiplied by, besides 1 - Fresnel
  bare0: vec3f,        // the two values of the bare dielectric
  bare90: vec3f,
  rise_ior: f32,       // whose rise the clear share follows
  sheen: vec3f,
  sheen_alpha: f32,
  coat: f32,
  coat_alpha: f32,
  chance: Chances,
}

/// Rise of the clear share's reflectance; -1: total reflection.
fn clear_rise(l: Lobes, cosine: f32) -> f32 {
  var sin2 = 0.0;
  var c = cosine;
  if (VOLUMES && l.eta > 0.0 && l.eta < 1.0) {
    sin2 = (1.0 - cosine * cosine) / (l.eta * l.eta);
    c = sqrt(greater(1.0 - sin2, 0.0));
  }
  return select(dielectric_rise(l.rise_ior, c), -1.0, sin2 >= 1.0);
}

/// Share of light that the bare dielectric lets through.
fn open_share(l: Lobes, cosine: f32) -> f32 {
  let s = clear_rise(l, cosine);
  return select(1.0 - max3(l.bare0 + (l.bare90 - l.bare0) * s), 0.0, s < 0.0);
}
