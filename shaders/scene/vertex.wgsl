// What the vertices of a triangle carry, blended at a point of it: `c` are the indices of its vertices,
// `w` the weights of its corners. What no vertex of a scene has takes no memory and no time.
//#import scene/bindings
//#import features
//#import common/frame

fn corners_of(triangle: u32) -> vec3u {
  let row = corners[triangle];
  return vec3u(row.a, row.b, row.c);
}

/// The words of a Vertex.
fn vertex_row(index: u32) -> vec4u {
  if (VERTEX_EXTRAS) { return vertices[index * 2u]; }
  return vertices[index];
}

/// The words of its VertexExtra, in scenes that have them.
fn extra_row(index: u32) -> vec4u {
  return vertices[index * 2u + 1u];
}

fn uv0_at(c: vec3u, w: vec3f) -> vec2f {
  return w.x * bitcast<vec2f>(vertex_row(c.x).zw) + w.y * bitcast<vec2f>(vertex_row(c.y).zw) + w.z * bitcast<vec2f>(vertex_row(c.z).zw);
}

fn uv1_at(c: vec3u, w: vec3f) -> vec2f {
  if (!VERTEX_EXTRAS) { return vec2f(0.0); }
  return w.x * bitcast<vec2f>(extra_row(c.x).xy) + w.y * bitcast<vec2f>(extra_row(c.y).xy) + w.z * bitcast<vec2f>(extra_row(c.z).xy);
}

fn normal_at(c: vec3u, w: vec3f) -> vec3f {
  return w.x * unpack_normal(vertex_row(c.x).x) + w.y * unpack_normal(vertex_row(c.y).x) + w.z * unpack_normal(vertex_row(c.z).x);
}

/// The linear rgb of VertexExtra.color.
fn unpack_color(words: vec2u) -> vec3f {
  return vec3f(f32(words.x & 65535u), f32(words.x >> 16u), f32(words.y & 65535u)) * (1.0 / 65535.0);
}

fn color_at(c: vec3u, w: vec3f) -> vec3f {
  if (!VERTEX_EXTRAS) { return vec3f(1.0); }
  return w.x * unpack_color(extra_row(c.x).zw) + w.y * unpack_color(extra_row(c.y).zw) + w.z * unpack_color(extra_row(c.z).zw);
}

/// COLOR_0's alpha.
fn opacity_at(c: vec3u, w: vec3f) -> f32 {
  if (!VERTEX_EXTRAS) { return 1.0; }
  return dot(w, vec3f(vec3u(extra_row(c.x).w, extra_row(c.y).w, extra_row(c.z).w) >> vec3u(16u)) * (1.0 / 65535.0));
}
