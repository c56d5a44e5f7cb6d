// Variance of each pixel's mean, estimated together with the like pixels around it: from the second
// moments of their paths, and from how the pixels differ where one sample each tells nothing else.
//#import atrous/surface

@group(0) @binding(1) var<storage, read> guides: array<vec4f>;
@group(0) @binding(2) var<storage, read> light: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> judged: array<vec4f>;

@compute @workgroup_size(WORKGROUP_PX, WORKGROUP_PX)
fn judge(@builtin(global_invocation_id) id: vec3u) {
  let x = id.x;
  let y = strip.first_row + id.y;
  if (x >= strip.width || y >= strip.end_row) { return; }
  let p = y * strip.width + x;
  let here = surface_of(guides[p * 2u], guides[p * 2u + 1u]);
  // Weights, weighted luminance and its square; weights and known variances.
  var seen = vec3f(0.0);
  var known = vec2f(0.0);
  let middle = luminance(light[p].xyz);
  for (var row = max(y, VARIANCE_REACH) - VARIANCE_REACH; row <= min(y + VARIANCE_REACH, strip.height - 1u); row++) {
    for (var column = max(x, VARIANCE_REACH) - VARIANCE_REACH; column <= min(x + VARIANCE_REACH, strip.width - 1u); column++) {
      let q = row * strip.width + column;
      let apart = length(vec2f(f32(column) - f32(x), f32(row) - f32(y)));
      let w = exp(-difference(here, surface_of(guides[q * 2u], guides[q * 2u + 1u]), apart));
      let there = light[q];
      // Less the middle one's, lest squares of bright light drown their difference.
      let l = luminance(there.xyz) - middle;
      seen += w * vec3f(1.0, l, l * l);
      known += select(vec2f(0.0), w * vec2f(1.0, there.w), there.w >= 0.0);
    }
  }
  let mean = seen.y / seen.x;
  let spread = max(seen.z / seen.x - mean * mean, 0.0);
  let own = light[p];
  judged[p] = vec4f(own.xyz, select(spread, known.y / max(known.x, 1e-30), own.w >= 0.0));
}
