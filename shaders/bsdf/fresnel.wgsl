// How much a smooth dielectric interface reflects, by the exact equations: Schlick's approximation is
// a fifth too low at 60 degrees for an ior of 1.5, and several times too high for one near 1.
//#import common/math

/// Reflectance at normal incidence of a relative ior; 1 for 0, as KHR_materials_ior wants it.
fn normal_reflectance(ior: f32) -> f32 {
  return sqr((ior - 1.0) / (ior + 1.0));
}

/// Its rise from normal incidence (0) to grazing (1): what Schlick's (1 - cos)^5 approximates. `ior` at
/// least 1, seen from the thinner side; unpolarised light (pbrt-v4, section 9.3.5).
fn dielectric_rise(ior: f32, cosine: f32) -> f32 {
  let n = greater(ior, 1.0005);
  let g = sqrt(n * n - 1.0 + cosine * cosine);
  let a = (g - cosine) / (g + cosine);
  let b = (cosine * (g + cosine) - 1.0) / (cosine * (g - cosine) + 1.0);
  let r2 = normal_reflectance(n);
  return within((0.5 * a * a * (1.0 + b * b) - r2) / (1.0 - r2), 0.0, 1.0);
}

/// The ior whose rise stands for that of every opaque dielectric, so that one table holds its albedo.
const COMMON_IOR = 1.5;
