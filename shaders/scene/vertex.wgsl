// What the vertices of a triangle carry, blended at a point of it: `c` are the indices of its vertices,
// `w` the weights of its corners. What no vertex of a scene has takes no memory and no time.
//#import scene/bindings
//#import features
//#import common/frame

fn corners_of(triangle: u32) -> vec3u {
  let row = corners[triangle];
  return vec3u(row.a, row.b, row.c);
}

/// Where the words of a Vertex lie; those of its VertexExtra follow, in scenes that have them. Words are loaded one by one:
/// software adapters take them apart lane by lane, and most of a row is mostly not asked for.
fn vertex_row(index: u32) -> u32 {
  return select(index, index * 2u, VERTEX_EXTRAS);
}

fn uv0_of(index: u32) -> vec2f {
  return bitcast<vec2f>(vertices[vertex_row(index)].zw);
}

fn uv1_of(index: u32) -> vec2f {
  return bitcast<vec2f>(vertices[vertex_row(index) + 1u].xy);
}

fn normal_of(index: u32) -> vec3f {
  return unpack_normal(vertices[vertex_row(index)].x);
}

fn tangent_of(index: u32) -> u32 {
  return vertices[vertex_row(index)].y;
}

fn color_of(index: u32) -> vec2u {
  return vertices[vertex_row(index) + 1u].zw;
}

fn uv0_at(c: vec3u, w: vec3f) -> vec2f {
  return w.x * uv0_of(c.x) + w.y * uv0_of(c.y) + w.z * uv0_of(c.z);
}

fn uv1_at(c: vec3u, w: vec3f) -> vec2f {
  if (!VERTEX_EXTRAS) { return vec2f(0.0); }
  return w.x * uv1_of(c.x) + w.y * uv1_of(c.y) + w.z * uv1_of(c.z);
}

fn normal_at(c: vec3u, w: vec3f) -> vec3f {
  return w.x * normal_of(c.x) + w.y * normal_of(c.y) + w.z * normal_of(c.z);
}

/// The linear rgb of VertexExtra.color.
fn unpack_color(words: vec2u) -> vec3f {
  return vec3f(f32(words.x & 65535u), f32(words.x >> 16u), f32(words.y & 65535u)) * (1.0 / 65535.0);
}

fn color_at(c: vec3u, w: vec3f) -> vec3f {
  if (!VERTEX_EXTRAS) { return vec3f(1.0); }
  return w.x * unpack_color(color_of(c.x)) + w.y * unpack_color(color_of(c.y)) + w.z * unpack_color(color_of(c.z));
}

/// COLOR_0's alpha.
fn opacity_at(c: vec3u, w: vec3f) -> f32 {
  if (!VERTEX_EXTRAS) { return 1.0; }
  return dot(w, vec3f(vec3u(color_of(c.x).y, color_of(c.y).y, color_of(c.z).y) >> vec3u(16u)) * (1.0 / 65535.0));
}
