// The door to traversal: `search` of the tree that the program walks, and what must be known of a hit
// to tell whether a ray may go on behind it.
//#import scene/search
//#import scene/texture
//#import common/random

fn alpha_at(triangle: u32, material: u32, u: f32, v: f32) -> f32 {
  let c = corners[triangle].corners;
  let w = 1.0 - u - v;
  let point = TexturePoint(
    w * vertices[c.x].uv0 + u * vertices[c.y].uv0 + v * vertices[c.z].uv0,
    w * vertices[c.x].uv1 + u * vertices[c.y].uv1 + v * vertices[c.z].uv1,
    vec2f(0.0),
  );
  let corner_alpha = vec3f(vec3u(vertices[c.x].color.y, vertices[c.y].color.y, vertices[c.z].color.y) >> vec3u(16u)) * (1.0 / 65535.0);
  var alpha = materials[material].base_color.a * dot(vec3f(w, u, v), corner_alpha);
  let texture = materials[material].base_color_texture;
  if (texture != NONE) { alpha *= read_alpha_filtered(texture, point); }
  return alpha;
}
