// The wide tree and the triangles that rays test in textures, a row of texels for so many of theirs: some
// software adapters read four words of a texture at once, and a buffer word by word and lane by lane.
//#import scene/wide-node

@group(0) @binding(1) var node_texels: texture_2d<u32>;
@group(0) @binding(14) var triangle_texels: texture_2d<u32>;

fn load_node(index: u32) -> WideNode {
  let x = (index % NODES_PER_ROW) * NODE_TEXELS;
  let y = index / NODES_PER_ROW;
  let a = textureLoad(node_texels, vec2u(x, y), 0);
  let b = textureLoad(node_texels, vec2u(x + 1u, y), 0);
  let c = textureLoad(node_texels, vec2u(x + 2u, y), 0);
  let d = textureLoad(node_texels, vec2u(x + 3u, y), 0);
  let e = textureLoad(node_texels, vec2u(x + 4u, y), 0);
  return WideNode(bitcast<vec3f>(a.xyz), a.w, b.x, b.y, b.z, b.w, c.xy, c.zw, d.xy, d.zw, e.xy, e.zw);
}

fn load_triangle(index: u32) -> Triangle {
  let x = (index % TRIANGLES_PER_ROW) * TRIANGLE_TEXELS;
  let y = index / TRIANGLES_PER_ROW;
  let a = textureLoad(triangle_texels, vec2u(x, y), 0);
  let b = textureLoad(triangle_texels, vec2u(x + 1u, y), 0);
  let c = textureLoad(triangle_texels, vec2u(x + 2u, y), 0);
  return Triangle(bitcast<vec3f>(a.xyz), a.w, bitcast<vec3f>(b.xyz), b.w, bitcast<vec3f>(c.xyz), c.w);
}
