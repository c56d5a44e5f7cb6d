// One pass of the wavelet transform: a B3 spline of 5 x 5 taps, `step` pixels apart, each tap weighed
// by how alike the pixels are in surface and, as far as their noise lets one tell, in light.
//#import atrous/surface

@group(0) @binding(1) var<storage, read> guides: array<vec4f>;
@group(0) @binding(2) var<storage, read> light: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> smoothed: array<vec4f>;

/// Standard deviations of the difference of two pixels that weigh 1 / e.
const LIGHT_ROOM = 2.0;
/// Share of light that rounding alone may make.
const LIGHT_LEAST = 1e-6;

/// The B3 spline's taps.
fn spline(apart: i32) -> f32 {
  let far = abs(apart);
  return select(select(0.0625, 0.25, far == 1), 0.375, far == 0);
}

@compute @workgroup_size(WORKGROUP_PX, WORKGROUP_PX)
fn smooth_light(@builtin(global_invocation_id) id: vec3u) {
  let x = id.x;
  let y = strip.first_row + id.y;
  if (x >= strip.width || y >= strip.end_row) { return; }
  let p = y * strip.width + x;
  let here = surface_of(guides[p * 2u], guides[p * 2u + 1u]);
  let mine = light[p];
  let bright = luminance(mine.xyz);
  var sum = vec3f(0.0);
  var variance = 0.0;
  var weights = 0.0;
  for (var dy = -TAPS_REACH; dy <= TAPS_REACH; dy++) {
    for (var dx = -TAPS_REACH; dx <= TAPS_REACH; dx++) {
      let offset = vec2i(dx, dy) * i32(strip.step);
      let at = vec2i(i32(x), i32(y)) + offset;
      if (any(at < vec2i(0)) || at.x >= i32(strip.width) || at.y >= i32(strip.height)) { continue; }
      let q = u32(at.y) * strip.width + u32(at.x);
      let theirs = light[q];
      let luminous = luminance(theirs.xyz);
      let room = LIGHT_ROOM * sqrt(mine.w + theirs.w) + LIGHT_LEAST * (abs(bright) + abs(luminous)) + 1e-30;
      let unlike = difference(here, surface_of(guides[q * 2u], guides[q * 2u + 1u]), length(vec2f(offset)));
      let w = spline(dx) * spline(dy) * exp(-unlike - abs(bright - luminous) / room);
      sum += w * theirs.xyz;
      variance += w * w * theirs.w;
      weights += w;
    }
  }
  smoothed[p] = vec4f(sum / weights, variance / (weights * weights));
}
