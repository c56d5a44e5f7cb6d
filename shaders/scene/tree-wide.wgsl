// The wide tree as rays read it: an array of WideNode, with rows of WideInstance among them.
//#import layout

@group(0) @binding(1) var<storage, read> nodes: array<WideNode>;

/// Distances are widened by so many of the scene's lengths: 5 units of rounding of the triangle test
/// (scene/intersect), and as much again for a box that is put together from grid and steps, twice.
const BOX_SLACK = 9e-7;

fn load_instance(index: u32) -> Instance {
  let row = nodes[index];
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
  let low = nodes[node].origin - origin;
  return max(abs(low), abs(low + 255.0 * grid_step(nodes[node].grid)));
}
