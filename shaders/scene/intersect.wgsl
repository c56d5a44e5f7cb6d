// Ray against box and triangle.
//#import scene/bindings
//#import common/math

struct Ray {
  origin: vec3f,
  reach: f32,      // distance up to which hits count
  direction: vec3f,
  skip: u32,       // triangle the ray starts on, never hit again; NONE for none
}

/// 1 / direction with zeros replaced, so that no lane computes inf * 0.
fn inverse_direction(d: vec3f) -> vec3f {
  let tiny = vec3f(1e-20);
  return 1.0 / select(select(-max(-d, tiny), max(d, tiny), d >= vec3f(0.0)), d, abs(d) > tiny);
}

/// Entry distance, or FAR when the box is missed or lies beyond `limit`. The exit is widened by
/// 1 + 2 gamma(3), after Ize, "Robust BVH Ray Traversal", JCGT 2(2), 2013.
fn box_entry(low: vec3f, high: vec3f, origin: vec3f, inverse: vec3f, limit: f32) -> f32 {
  let a = (low - origin) * inverse;
  let b = (high - origin) * inverse;
  let near = min(a, b);
  let far = max(a, b);
  let enter = max(max(near.x, near.y), max(near.z, 0.0));
  let leave = min(min(far.x, far.y), far.z) * 1.0000004;
  return select(FAR, enter, enter <= leave && enter <= limit);
}

/// (t, u, v) of Möller-Trumbore; t < 0 when missed, or met from behind where `material` has TRIANGLE_CULL.
fn triangle_entry(v0: vec3f, e1: vec3f, e2: vec3f, material: u32, ray: Ray) -> vec3f {
  let p = cross(ray.direction, e2);
  let determinant = dot(e1, p);
  let behind = (determinant < 0.0) != ((material & TRIANGLE_MIRRORED) != 0u);
  let inverse = 1.0 / select(determinant, 1.0, abs(determinant) < 1e-30);
  let s = ray.origin - v0;
  let u = dot(s, p) * inverse;
  let q = cross(s, e1);
  let v = dot(ray.direction, q) * inverse;
  let there = abs(determinant) >= 1e-30 && !(behind && (material & TRIANGLE_CULL) != 0u);
  let inside = there && u >= 0.0 && v >= 0.0 && u + v <= 1.0;
  return vec3f(select(-1.0, dot(e2, q) * inverse, inside), u, v);
}
