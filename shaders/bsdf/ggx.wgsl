// GGX in the local frame of the shading normal (z up), with a width along x and one along y. Half
// vectors enter unnormalised cosines as x^2, y^2 and z^2, which keeps narrow lobes exact where
// 1 - cos^2 would cancel.
//#import common/math

/// Distribution of normals at unit half vector h.
fn ggx_distribution(h: vec3f, alpha: vec2f) -> f32 {
  let d = h.x * h.x * (alpha.y / alpha.x) + h.y * h.y * (alpha.x / alpha.y) + alpha.x * alpha.y * h.z * h.z;
  return alpha.x * alpha.y * INV_PI / greater(d * d, 1e-30);
}

/// Length of w in the space where the surface is a hemisphere.
fn ggx_stretch(w: vec3f, alpha: vec2f) -> f32 {
  let s = w.xy * alpha;
  return sqrt(dot(s, s) + w.z * w.z);
}

/// Smith G1 for one direction.
fn ggx_masking(w: vec3f, alpha: vec2f) -> f32 {
  let z = abs(w.z);
  return 2.0 * z / (z + ggx_stretch(w, alpha));
}

/// G2 / (4 |wo.z| |wi.z|), height correlated (Heitz 2014), both above.
fn ggx_visibility(wo: vec3f, wi: vec3f, alpha: vec2f) -> f32 {
  return 0.5 / greater(wi.z * ggx_stretch(wo, alpha) + wo.z * ggx_stretch(wi, alpha), 1e-20);
}

/// Schlick's (1 - cos)^5.
fn schlick(cosine: f32) -> f32 {
  let m = within(1.0 - cosine, 0.0, 1.0);
  let m2 = m * m;
  return m2 * m2 * m;
}

/// How far below the horizon the spherical cap of bounded sampling reaches; 1: not bounded.
fn cap_bound(wo: vec3f, alpha: vec2f) -> f32 {
  let a = lesser(lesser(alpha.x, alpha.y), 1.0);
  let a2 = a * a;
  let s = 1.0 + sqrt(wo.x * wo.x + wo.y * wo.y);
  let s2 = s * s;
  return (1.0 - a2) * s2 / (s2 + a2 * wo.z * wo.z);
}

/// A half vector seen from wo. `bound` is 1 for plain VNDF sampling (Dupuy & Benyoub 2023), or
/// cap_bound for reflections that stay above the horizon (Eto & Tokuyoshi 2023).
fn sample_half_vector(wo: vec3f, alpha: vec2f, bound: f32, u: vec2f) -> vec3f {
  let stretched = normalize(vec3f(wo.xy * alpha, wo.z));
  let z = fma(1.0 - u.y, 1.0 + bound * stretched.z, -bound * stretched.z);
  let r = sqrt(within(1.0 - z * z, 0.0, 1.0));
  let m = vec3f(r * cos_sin_turns(u.x), z) + stretched;
  return normalize(vec3f(m.xy * alpha, greater(m.z, 1e-9)));
}

/// Density of reflected directions under bounded sampling, at half vector h.
fn reflection_pdf(wo: vec3f, h: vec3f, alpha: vec2f) -> f32 {
  return ggx_distribution(h, alpha) / (2.0 * (cap_bound(wo, alpha) * wo.z + ggx_stretch(wo, alpha)));
}

/// Density of half vectors under plain VNDF sampling.
fn half_vector_pdf(wo: vec3f, h: vec3f, alpha: vec2f) -> f32 {
  return ggx_distribution(h, alpha) * ggx_masking(wo, alpha) * abs(dot(wo, h)) / greater(wo.z, 1e-9);
}

/// Cosine-weighted direction, density cos / pi.
fn sample_cosine(u: vec2f) -> vec3f {
  return vec3f(sqrt(u.x) * cos_sin_turns(u.y), sqrt(greater(1.0 - u.x, 0.0)));
}

/// Direction of the upper hemisphere, density 1 / (2 pi).
fn sample_hemisphere(u: vec2f) -> vec3f {
  return vec3f(sqrt(greater(1.0 - u.x * u.x, 0.0)) * cos_sin_turns(u.y), u.x);
}
