// The door to traversal: `search` of the tree that the program walks, and what must be known of a hit
// to tell whether a ray may go on behind it.
//#import scene/search
//#import scene/texture
//#import scene/vertex
//#import common/random

fn alpha_at(triangle: u32, material: u32, u: f32, v: f32) -> f32 {
  let c = corners_of(triangle);
  let w = vec3f(1.0 - u - v, u, v);
  var alpha = materials[material].base_color.a * opacity_at(c, w);
  if (!TEXTURED_BASE) { return alpha; }
  let point = TexturePoint(uv0_at(c, w), uv1_at(c, w), vec2f(0.0));
  let texture = materials[material].base_color_texture;
  if (texture != NONE) { alpha *= read_alpha_filtered(texture, point); }
  return alpha;
}
