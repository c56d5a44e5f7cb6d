// KHR_materials_sheen: Charlie distribution (Estevez & Kulla 2017) with Ashikhmin's visibility.
//#import common/math

/// Charlie D times visibility.
fn sheen_value(wo: vec3f, wi: vec3f, alpha: f32) -> f32 {
  let h = normalize(wo + wi);
  let inverse = 1.0 / alpha;
  let sin2 = within(h.x * h.x + h.y * h.y, 1e-7, 1.0);
  let d = (2.0 + inverse) * exp2_poly(0.5 * inverse * log2_poly(sin2)) * (0.5 * INV_PI);
  return d / (4.0 * greater(wo.z + wi.z - wo.z * wi.z, 1e-6));
}
