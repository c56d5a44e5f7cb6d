// The binary tree as rays read it: an array of BvhNode, in which rows of Instance lie too.
//#import layout

@group(0) @binding(1) var<storage, read> nodes: array<BvhNode>;

/// Distances are widened by so many of the scene's lengths: 5 units of rounding (scene/intersect).
const BOX_SLACK = 3e-7;

fn load_node(index: u32) -> BvhNode {
  return nodes[index];
}

fn load_instance(index: u32) -> Instance {
  let row = nodes[index];
  return Instance(
    row.left_min, row.left_ref, row.left_max, row.left_count,
    row.right_min, row.right_ref, row.right_max, row.right_count,
  );
}

/// Along each axis, how far from `origin` anything below a node may lie.
fn farthest_corner(node: u32, origin: vec3f) -> vec3f {
  let root = nodes[node];
  let left = greater3(abs(root.left_min - origin), abs(root.left_max - origin));
  let right = greater3(abs(root.right_min - origin), abs(root.right_max - origin));
  return select(left, greater3(left, right), root.right_min.x <= root.right_max.x);
}

fn load_triangle(index: u32) -> Triangle {
  return triangles[index];
}
