// Meshes that are traced in their own space: their rows in the node array, and points and directions
// on the way there and back. `NONE` stands for the world, where nothing changes.
//#import scene/bindings
//#import scene/tree
//#import features

fn direction_to_object(placed: Instance, d: vec3f) -> vec3f {
  return placed.x_axis * d.x + placed.y_axis * d.y + placed.z_axis * d.z;
}

fn point_to_object(placed: Instance, p: vec3f) -> vec3f {
  return direction_to_object(placed, p) + placed.translation;
}

/// A normal of the mesh in the world, by the inverse transpose; not unit. Its front stays its front, mirrored or not.
fn normal_to_world(instance: u32, n: vec3f) -> vec3f {
  if (!INSTANCED || instance == NONE) { return n; }
  let placed = load_instance(instance);
  return vec3f(dot(placed.x_axis, n), dot(placed.y_axis, n), dot(placed.z_axis, n));
}

/// A direction along the surface of the mesh in the world: by the inverse of the matrix that the row holds.
fn direction_to_world(instance: u32, d: vec3f) -> vec3f {
  if (!INSTANCED || instance == NONE) { return d; }
  let placed = load_instance(instance);
  let yz = cross(placed.y_axis, placed.z_axis);
  let zx = cross(placed.z_axis, placed.x_axis);
  let xy = cross(placed.x_axis, placed.y_axis);
  return vec3f(dot(yz, d), dot(zx, d), dot(xy, d)) / dot(placed.x_axis, yz);
}

fn point_to_world(instance: u32, p: vec3f) -> vec3f {
  if (!INSTANCED || instance == NONE) { return p; }
  return direction_to_world(instance, p - load_instance(instance).translation);
}

/// Does the surface lie in a mirror: by its own bits in the world, by the placement in an instance?
fn is_mirrored(instance: u32, material: u32) -> bool {
  if (!INSTANCED || instance == NONE) { return (material & TRIANGLE_MIRRORED) != 0u; }
  return (load_instance(instance).flags & INSTANCE_MIRRORED) != 0u;
}
