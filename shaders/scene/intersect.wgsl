// Ray against box and triangle. The triangle test is that of Woop, Benthin and Wald, "Watertight
// Ray/Triangle Intersection", JCGT 2(1), 2013: corners are sheared so that the ray becomes the z axis,
// and two triangles that share an edge see the very same two points, so no ray slips between them.
//#import scene/bindings
//#import scene/tree
//#import common/math

struct Ray {
  origin: vec3f,
  reach: f32,      // distance up to which hits count
  direction: vec3f,
  skip: u32,       // id of the primitive the ray starts on (Hit.primitive), never hit again; NONE for none
}

/// A ray as the tests see it, in the space of a mesh or of the world; distances are in lengths of its direction.
struct Sight {
  origin: vec3f,
  axis: u32,      // along which the direction is longest
  inverse: vec3f, // 1 / direction
  shear: vec3f,   // of the other two axes, in cyclic order, and 1 / the longest component
  slack: vec3f,   // distance by which boxes are widened: a triangle may be met where rounding puts it
}

/// Towards the side from which the corners run counter-clockwise; twice the area long. In the triangle's own space.
fn triangle_cross(t: Triangle) -> vec3f {
  return cross(t.v1 - t.v0, t.v2 - t.v0);
}

/// The point with these weights of the second and third corner.
fn triangle_point(t: Triangle, weights: vec2f) -> vec3f {
  return t.v0 + weights.x * (t.v1 - t.v0) + weights.y * (t.v2 - t.v0);
}

/// 1 / direction with zeros replaced, so that no lane computes inf * 0.
fn inverse_direction(d: vec3f) -> vec3f {
  let tiny = vec3f(1e-20);
  return 1.0 / select(select(-greater3(-d, tiny), greater3(d, tiny), d >= vec3f(0.0)), d, abs(d) > tiny);
}

/// The axes in cyclic order, `axis` last: windings stay.
fn axis_last(v: vec3f, axis: u32) -> vec3f {
  return select(select(v, v.zxy, axis == 1u), v.yzx, axis == 0u);
}

/// `root`: index of the node that bounds everything the ray may meet in this space.
fn sight_along(origin: vec3f, direction: vec3f, root: u32) -> Sight {
  let length = abs(direction);
  let axis = select(select(2u, 1u, length.y > length.z), 0u, length.x >= length.y && length.x >= length.z);
  let turned = axis_last(direction, axis);
  let inverse = inverse_direction(direction);
  let far = farthest_corner(root, origin);
  // Of the farthest corner's own and sheared coordinate (their section 4).
  let slack = (far + max3(far)) * BOX_SLACK;
  return Sight(origin, axis, inverse, vec3f(turned.xy, 1.0) / turned.z, slack * abs(inverse));
}

/// Entry distance, or FAR when the box is missed or lies beyond `limit`. The exit is widened by
/// 1 + 2 gamma(3), after Ize, "Robust BVH Ray Traversal", JCGT 2(2), 2013.
fn box_entry(low: vec3f, high: vec3f, s: Sight, limit: f32) -> f32 {
  let a = (low - s.origin) * s.inverse;
  let b = (high - s.origin) * s.inverse;
  let near = lesser3(a, b) - s.slack;
  let far = greater3(a, b) + s.slack;
  let enter = greater(greater(near.x, near.y), greater(near.z, 0.0));
  let leave = lesser(lesser(far.x, far.y), far.z) * 1.0000004;
  return select(FAR, enter, enter <= leave && enter <= limit);
}

/// (t, weight of v1, weight of v2); t < 0 when missed, or met from behind where the triangle has TRIANGLE_CULL.
fn triangle_entry(triangle: Triangle, s: Sight) -> vec3f {
  let a = axis_last(triangle.v0 - s.origin, s.axis);
  let b = axis_last(triangle.v1 - s.origin, s.axis);
  let c = axis_last(triangle.v2 - s.origin, s.axis);
  let depth = vec3f(a.z, b.z, c.z);
  let x = vec3f(a.x, b.x, c.x) - s.shear.x * depth;
  let y = vec3f(a.y, b.y, c.y) - s.shear.y * depth;
  // Rounded products are compared, not subtracted: a driver may fuse a subtraction with one of its two
  // products, and then the neighbour, which has them in the other order, could disagree about the edge.
  let p = x.zxy * y.yzx;
  let q = y.zxy * x.yzx;
  let inside = all(p >= q) || all(p <= q);
  // Of one sign even where the subtraction was fused, so that what is met lies between the corners.
  let areas = select(lesser3(p - q, vec3f(0.0)), greater3(p - q, vec3f(0.0)), all(p >= q));
  let sum = areas.x + areas.y + areas.z;
  let behind = ((sum < 0.0) != (s.shear.z < 0.0)) != ((triangle.material & TRIANGLE_MIRRORED) != 0u);
  let there = inside && sum != 0.0 && !(behind && (triangle.material & TRIANGLE_CULL) != 0u);
  let weights = areas / select(1.0, sum, sum != 0.0);
  return vec3f(select(-1.0, dot(weights, depth) * s.shear.z, there), weights.y, weights.z);
}
