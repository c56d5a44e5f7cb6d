// A row of the wide tree against a ray, wherever the program reads rows from: `load_node` of scene/tree.
//#import layout

/// Distances are widened by so many of the scene's lengths: 5 units of rounding of the triangle test
/// (scene/intersect), and as much again for a box that is put together from grid and steps, twice.
const BOX_SLACK = 9e-7;

fn load_instance(index: u32) -> Instance {
  let row = load_node(index);
  return Instance(
    row.origin, row.child_base,
    bitcast<vec3f>(vec3u(row.low_x, row.low_y.x)), row.triangle_base,
    bitcast<vec3f>(vec3u(row.low_y.y, row.low_z)), row.meta_low,
    bitcast<vec3f>(vec3u(row.high_x, row.high_y.x)), 0u,
  );
}

/// Width of a step of a node's grid along each axis.
fn grid_step(grid: u32) -> vec3f {
  return bitcast<vec3f>((vec3u(grid, grid >> 8u, grid >> 16u) & vec3u(0xffu)) << vec3u(23u));
}

/// Along each axis, how far from `origin` anything below a node may lie.
fn farthest_corner(node: u32, origin: vec3f) -> vec3f {
  let root = load_node(node);
  let low = root.origin - origin;
  return greater3(abs(low), abs(low + 255.0 * grid_step(root.grid)));
}

/// The bytes of a word, lowest first.
fn bytes_of(word: u32) -> vec4u {
  return (vec4u(word) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu);
}

/// What `meta` of four slots adds to the bits of a group and of the triangles below.
fn slot_bits(meta_word: u32) -> vec4u {
  let bytes = bytes_of(meta_word);
  return (bytes >> vec4u(5u)) << (bytes & vec4u(31u));
}

/// Planes of four children across one axis, as distances along the ray: `step` and `start` are of the grid.
fn plane_entries(steps: u32, step: f32, start: f32) -> vec4f {
  // Signed, because many processors convert only those at once.
  return vec4f(bitcast<vec4i>(bytes_of(steps))) * step + start;
}

/// Which of four children the ray meets, not beyond `limit`; per axis the words of the nearer and the farther planes.
fn met_boxes(x: vec2u, y: vec2u, z: vec2u, step: vec3f, start: vec3f, slack: vec3f, limit: f32) -> vec4<bool> {
  let enter_x = plane_entries(x.x, step.x, start.x - slack.x);
  let enter_y = plane_entries(y.x, step.y, start.y - slack.y);
  let enter_z = plane_entries(z.x, step.z, start.z - slack.z);
  let leave_x = plane_entries(x.y, step.x, start.x + slack.x);
  let leave_y = plane_entries(y.y, step.y, start.y + slack.y);
  let leave_z = plane_entries(z.y, step.z, start.z + slack.z);
  let enter = greater4(greater4(enter_x, enter_y), greater4(enter_z, vec4f(0.0)));
  return enter <= lesser4(lesser4(leave_x, leave_y), lesser4(leave_z, vec4f(limit)));
}

/// Bits of a group and of the triangles below, of the children that the ray meets not beyond `limit`.
fn met_children(n: WideNode, s: Sight, limit: f32) -> u32 {
  let start = (n.origin - s.origin) * s.inverse;
  let step = grid_step(n.grid) * s.inverse;
  let back = s.inverse < vec3f(0.0);
  let near_x = select(n.low_x, n.high_x, back.x);
  let near_y = select(n.low_y, n.high_y, back.y);
  let near_z = select(n.low_z, n.high_z, back.z);
  let far_x = select(n.high_x, n.low_x, back.x);
  let far_y = select(n.high_y, n.low_y, back.y);
  let far_z = select(n.high_z, n.low_z, back.z);
  let low = met_boxes(vec2u(near_x.x, far_x.x), vec2u(near_y.x, far_y.x), vec2u(near_z.x, far_z.x), step, start, s.slack, limit);
  let high = met_boxes(vec2u(near_x.y, far_x.y), vec2u(near_y.y, far_y.y), vec2u(near_z.y, far_z.y), step, start, s.slack, limit);
  let bits = select(vec4u(0u), slot_bits(n.meta_low), low) | select(vec4u(0u), slot_bits(n.meta_high), high);
  return bits.x | bits.y | bits.z | bits.w;
}
