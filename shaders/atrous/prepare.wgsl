// Takes light apart into what falls on a surface and how much of it the surface returns, so that the
// filter can blur the one and keep the texture of the other, and notes what tells surfaces apart.
// Numbers that are none count as zero; light is never clamped.
//#import atrous/surface

@group(0) @binding(1) var<storage, read> color: array<f32>;
@group(0) @binding(2) var<storage, read> albedo: array<f32>;
@group(0) @binding(3) var<storage, read> normal: array<f32>;
@group(0) @binding(4) var<storage, read> depth: array<f32>;
@group(0) @binding(5) var<storage, read> moment: array<f32>;
@group(0) @binding(6) var<storage, read> samples: array<f32>;
@group(0) @binding(7) var<storage, read_write> light: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> guides: array<vec4f>;

/// Which of the buffers hold something.
override ALBEDO: bool = true;
override NORMAL: bool = true;
override DEPTH: bool = true;
override MOMENT: bool = true;

/// A dielectric returns so much whatever its colour is, so nothing is divided by less.
const ALBEDO_LEAST = 0.04;

/// Zero for what is no number, and for infinities.
fn finite(v: f32) -> f32 {
  // By its bits: a compiler may assume that comparisons meet no such number.
  return select(v, 0.0, (bitcast<u32>(v) & 0x7f800000u) == 0x7f800000u);
}

fn finite3(x: f32, y: f32, z: f32) -> vec3f {
  return vec3f(finite(x), finite(y), finite(z));
}

/// What light is divided by; one where nothing was seen.
fn share_returned(p: u32) -> vec3f {
  if (!ALBEDO) { return vec3f(1.0); }
  let a = finite3(albedo[p * 3u], albedo[p * 3u + 1u], albedo[p * 3u + 2u]);
  if (all(a <= vec3f(0.0))) { return vec3f(1.0); }
  return clamp(a, vec3f(ALBEDO_LEAST), vec3f(1.0));
}

/// How much depth changes between two neighbours; the smaller of both sides, so that an edge counts for neither.
fn step_of_depth(p: u32, before: bool, after: bool, stride: u32) -> f32 {
  let here = finite(depth[p]);
  var least = 1e30;
  if (before) { least = abs(here - finite(depth[p - stride])); }
  if (after) { least = min(least, abs(here - finite(depth[p + stride]))); }
  return select(least, 0.0, least >= 1e30);
}

fn slope(x: u32, y: u32) -> f32 {
  let p = y * strip.width + x;
  let across = step_of_depth(p, x > 0u, x + 1u < strip.width, 1u);
  return max(across, step_of_depth(p, y > 0u, y + 1u < strip.height, strip.width));
}

/// Whether paths of this pixel left the scene at once: what they brought has no grain, whatever its texture.
fn is_sky(p: u32, n: vec3f) -> bool {
  if (!ALBEDO || !NORMAL || !DEPTH) { return false; }
  let a = finite3(albedo[p * 3u], albedo[p * 3u + 1u], albedo[p * 3u + 2u]);
  return all(a == vec3f(0.0)) && all(n == vec3f(0.0)) && finite(depth[p]) == 0.0;
}

/// Variance of a pixel's mean, of its luminance as `returned` leaves it; negative where its samples don't tell.
fn variance_known(p: u32, c: vec3f, n: vec3f, returned: f32) -> f32 {
  if (is_sky(p, n)) { return 0.0; }
  if (!MOMENT) { return -1.0; }
  let paths = samples[p];
  if (paths < 2.0) { return -1.0; }
  let mean = luminance(c);
  return max(finite(moment[p]) - mean * mean, 0.0) / ((paths - 1.0) * returned * returned);
}

@compute @workgroup_size(WORKGROUP_PX, WORKGROUP_PX)
fn prepare(@builtin(global_invocation_id) id: vec3u) {
  let x = id.x;
  let y = strip.first_row + id.y;
  if (x >= strip.width || y >= strip.end_row) { return; }
  let p = y * strip.width + x;
  let c = finite3(color[p * 3u], color[p * 3u + 1u], color[p * 3u + 2u]);
  let returned = share_returned(p);
  var n = vec3f(0.0);
  if (NORMAL) { n = finite3(normal[p * 3u], normal[p * 3u + 1u], normal[p * 3u + 2u]); }
  light[p] = vec4f(c / returned, variance_known(p, c, n, luminance(returned)));
  var z = 0.0;
  var steepness = 0.0;
  if (DEPTH) {
    z = finite(depth[p]);
    steepness = slope(x, y);
  }
  guides[p * 2u] = vec4f(n, z);
  guides[p * 2u + 1u] = vec4f(returned, steepness);
}
