// KHR_materials_sheen: Charlie distribution (Estevez & Kulla 2017) with Ashikhmin's visibility.
//#import common/math

/// Charlie D times visibility.
fn sheen_value(wo: vec3f, wi: vec3f, alpha: f32) -> f32 {
  let h = normalize(wo + wi);
  let inverse = 1.0 / alpha;
  let sin2 = clamp(1.0 - h.z * h.z, 1e-7, 1.0);
  let d = (2.0 + inverse) * exp2_poly(0.5 * inverse * log2_poly(sin2)) * (0.5 * INV_PI);
  return d / (4.0 * max(wo.z + wi.z - wo.z * wi.z, 1e-6));
}

/// Directional albedo of a white sheen layer, by which KHR_materials_sheen scales the layers below:
/// 2^polynomial in cosine and roughness, fitted to the integral of sheen_value for roughness >= 0.25.
fn sheen_albedo(cosine: f32, alpha: f32) -> f32 {
  let r = sqrt(alpha);
  let c = cosine;
  let constant = fma(r, fma(r, fma(r, 0.28032341599464417, 1.7804471254348755), -4.114603042602539), 1.3916046619415283);
  let linear = fma(r, fma(r, -12.61973762512207, 20.630664825439453), -11.539740562438965);
  let square = fma(r, 2.893131732940674, 0.23534807562828064);
  return min(exp2_poly(fma(c, fma(c, fma(c, -1.944307565689087, square), linear), constant)), 1.0);
}
