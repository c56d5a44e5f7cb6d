// The wide tree in a storage buffer: rows of WideNode, with rows of WideInstance among them.
//#import scene/wide-node

@group(0) @binding(1) var<storage, read> nodes: array<WideNode>;

fn load_node(index: u32) -> WideNode {
  return nodes[index];
}

fn load_triangle(index: u32) -> Triangle {
  return triangles[index];
}
