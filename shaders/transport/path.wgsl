// The state of a path between two vertices: how it starts, what its rays bring it on their way, and
// what it leaves behind.
//#import transport/camera
//#import transport/straight
//#import transport/guide
//#import transport/count
//#import common/signature
//#import light/tree

struct Path {
  ray: Ray,
  key: PathKey,
  light: vec3f,
  throughput: vec3f,
  pdf: f32,           // of the direction of `ray`; 0 for the camera's
  receiver: Receiver, // where `ray` was scattered: what light sampling knew there
  wavelength: f32,    // nanometres; 0: the path is still white
  media: Media,       // where `ray` starts
  signature: u32,
  segments: u32,
  alive: bool,        // `ray` is still to be traced
  shadow: Ray,        // towards the light sampled last; traced together with `ray`, so that the kernel holds one traversal
  shadow_light: vec3f, // what it brings when nothing stands before it; black: nothing to trace
  shadow_media: Media, // where `shadow` starts
  guide: Guide,
}

fn path_pixel(index: u32) -> vec2u {
  let local = frame.first_pixel + (index >> frame.samples_log2);
  return vec2u(frame.rect_x + local % frame.rect_width, frame.rect_y + local / frame.rect_width);
}

/// What the path in this place of the dispatch draws its numbers by.
fn path_key(index: u32) -> PathKey {
  let pixel = path_pixel(index);
  return PathKey(pixel_key(pixel.x, pixel.y, frame.seed), frame.first_sample + (index & ((1u << frame.samples_log2) - 1u)));
}

fn start_path(index: u32) -> Path {
  var p: Path;
  p.key = path_key(index);
  p.ray = camera_ray(path_pixel(index), p.key);
  if (VOLUMES) { p.media = frame.media.xy; }
  p.throughput = vec3f(1.0);
  p.signature = SIGNATURE_START;
  p.alive = true;
  p.guide = new_guide();
  return p;
}

fn ray_key(path: PathKey, vertex: u32, shadow: bool) -> RayKey {
  return RayKey(path, vertex * 2u + select(1u, 0u, shadow), sample_unit(path, vertex_pair(vertex, PAIR_TEXTURE)));
}

/// What is left of light after its way along a ray with this reach, up to what the ray met.
fn kept_light(met: Crossing, reach: f32) -> vec3f {
  return met.tint * absorption(met.before, lesser(met.hit.t, reach) - met.since);
}

/// The shadow ray was traced.
fn take_shadow(p: ptr<function, Path>, met: Crossing) {
  (*p).segments++;
  if (met.passes != 0u) { (*p).signature = fold_signature((*p).signature, met.passes); }
  let seen = met.hit.t >= FAR;
  (*p).light += select(vec3f(0.0), (*p).shadow_light * kept_light(met, (*p).shadow.reach), seen);
  (*p).signature = fold_signature((*p).signature, select(EVENT_SHADOWED, EVENT_LIT, seen));
}

/// The path's own ray was traced.
fn take_ray(p: ptr<function, Path>, met: Crossing) {
  (*p).segments++;
  if (met.passes != 0u) { (*p).signature = fold_signature((*p).signature, met.passes); }
  let kept = kept_light(met, (*p).ray.reach);
  (*p).throughput *= kept;
  (*p).guide.weight *= kept;
}

/// PathSlot.tally.
fn pack_tally(signature: u32, segments: u32, fault: bool) -> u32 {
  return (select(segments, TALLY_FAULT, fault) << 16u) | finish_signature(fold_signature(signature, EVENT_END));
}
