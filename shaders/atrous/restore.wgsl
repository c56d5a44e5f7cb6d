// Puts light and what surfaces return of it together again.
//#import atrous/surface

@group(0) @binding(1) var<storage, read> guides: array<vec4f>;
@group(0) @binding(2) var<storage, read> light: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> image: array<f32>;

@compute @workgroup_size(WORKGROUP_PX, WORKGROUP_PX)
fn restore(@builtin(global_invocation_id) id: vec3u) {
  let y = strip.first_row + id.y;
  if (id.x >= strip.width || y >= strip.end_row) { return; }
  let p = y * strip.width + id.x;
  let c = max(light[p].xyz * guides[p * 2u + 1u].xyz, vec3f(0.0));
  image[p * 3u] = c.x;
  image[p * 3u + 1u] = c.y;
  image[p * 3u + 2u] = c.z;
}
