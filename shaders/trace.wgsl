// One invocation per path: camera ray, then per vertex emission, one light sample and one BSDF
// sample, combined by the power heuristic; Russian roulette after bounce 3; nothing is clamped.
// A path sees `bounces` scatterings after the first surface, and one closing ray for the light that
// its last scattering meets. Twin of the counting rule: segmentsPerPathMax in src/lib/job/plan.ts.
//#import common/signature
//#import bsdf/evaluate
//#import light/sample

@group(1) @binding(0) var<storage, read_write> slots: array<PathSlot>;

/// 0: both estimators; 1: BSDF sampling alone; 2: light sampling alone. Tests compare their means.
override ESTIMATOR: u32 = 0u;

const ROULETTE_FROM = 4u;

struct Path {
  ray: Ray,
  key: PathKey,
  light: vec3f,
  throughput: vec3f,
  pdf: f32,       // of the direction of `ray`; 0 for the camera's
  receiver: Receiver, // where `ray` was scattered: what light sampling knew there
  signature: u32,
  segments: u32,
  alive: bool,       // `ray` is still to be traced
  shadow: Ray,       // towards the light sampled last; traced together with `ray`, so that the kernel holds one traversal
  shadow_light: vec3f, // what it brings when nothing stands before it; black: nothing to trace
}

fn camera_ray(pixel: vec2u, key: PathKey) -> Ray {
  let at = (vec2f(pixel) + sample_unit(key, 0u)) / vec2f(f32(frame.width), f32(frame.height));
  let direction = frame.forward + frame.right * (2.0 * at.x - 1.0) + frame.up * (1.0 - 2.0 * at.y);
  return Ray(frame.eye, FAR, normalize(direction), NONE);
}

/// Weight of light that a BSDF-sampled ray met, when light sampling would have met it with `light_pdf`.
fn met_weight(bsdf_pdf: f32, light_pdf: f32) -> f32 {
  if (bsdf_pdf == 0.0 || ESTIMATOR == 1u) { return 1.0; }
  if (ESTIMATOR == 2u) { return select(0.0, 1.0, light_pdf == 0.0); }
  return 1.0 / (1.0 + sqr(light_pdf / bsdf_pdf));
}

fn sampled_weight(light_pdf: f32, bsdf_pdf: f32) -> f32 {
  if (ESTIMATOR != 0u) { return select(1.0, 0.0, ESTIMATOR == 1u); }
  return 1.0 / (1.0 + sqr(bsdf_pdf / light_pdf));
}

fn add_miss(p: ptr<function, Path>) {
  let environment = environment_towards((*p).ray.direction);
  (*p).light += (*p).throughput * environment.radiance * met_weight((*p).pdf, environment.pdf * frame.env_pick);
  (*p).signature = fold_signature((*p).signature, EVENT_MISS);
}

fn add_emission(p: ptr<function, Path>, s: Surface, distance: f32) {
  if (max3(s.emission) <= 0.0 || !emits_towards(s.triangle, (*p).ray.direction)) { return; }
  let light_pdf = triangle_light_pdf(s.triangle, distance, (*p).ray.direction, (*p).receiver);
  (*p).light += (*p).throughput * s.emission * met_weight((*p).pdf, light_pdf);
}

/// Samples one light and leaves the shadow ray to be traced.
fn add_direct(p: ptr<function, Path>, s: Surface, l: Lobes, distance: f32, vertex: u32, jitter: vec2f) {
  if (frame.lights == 0u) { return; }
  let key = (*p).key;
  let bits = sample_bits(key, vertex_pair(vertex, PAIR_LIGHT));
  let light = sample_light((*p).receiver, bits, sample_bits(key, vertex_pair(vertex, PAIR_LIGHT_POINT)), jitter);
  if (max3(light.radiance) <= 0.0 || light.pdf < 1e-20) { return; }
  let bsdf = evaluate_bsdf(s, l, -(*p).ray.direction, light.direction);
  let weight = select(sampled_weight(light.pdf, bsdf.pdf), 1.0, light.point_like);
  let reach = select(light.distance * 0.9999, FAR, light.distance >= FAR);
  (*p).shadow = Ray(leave_surface(s, distance, light.direction), reach, light.direction, s.primitive);
  (*p).shadow_light = (*p).throughput * bsdf.value * light.radiance * (weight / light.pdf);
}

/// Attenuates inside a volume: the ray met the far wall of one from within.
fn absorb(p: ptr<function, Path>, s: Surface, distance: f32) {
  let m = s.material;
  if (s.front || materials[m].thickness <= 0.0 || s.transmission <= 0.0) { return; }
  (*p).throughput *= exp_poly(-materials[m].attenuation * distance);
}

/// @returns false when the path ends here.
fn roulette(p: ptr<function, Path>, vertex: u32, u: f32) -> bool {
  if (max3((*p).throughput) <= 0.0) { return false; }
  if (vertex < ROULETTE_FROM) { return true; }
  let survive = min(sqrt(max3((*p).throughput)), 1.0);
  if (u >= survive) { return false; }
  (*p).throughput /= survive;
  return true;
}

/// Everything at one vertex; leaves the next ray, or a path that is no longer alive.
fn scatter(p: ptr<function, Path>, hit: Hit, vertex: u32) {
  let wo = -(*p).ray.direction;
  let jitter = sample_unit((*p).key, vertex_pair(vertex, PAIR_TEXTURE));
  let s = load_surface(hit, (*p).ray.direction, jitter);
  (*p).signature = fold_signature((*p).signature, hit.primitive);
  absorb(p, s, hit.t);
  if ((materials[s.material].flags & MATERIAL_UNLIT) != 0u) {
    (*p).light += (*p).throughput * s.base;
    (*p).signature = fold_signature((*p).signature, EVENT_UNLIT);
    return;
  }
  add_emission(p, s, hit.t);
  if (vertex > frame.bounces) { return; }
  let l = make_lobes(s, wo);
  (*p).receiver = Receiver(s.position, select(s.geometric, vec3f(0.0), s.transmission > 0.0));
  add_direct(p, s, l, hit.t, vertex, jitter);
  let choice = sample_unit((*p).key, vertex_pair(vertex, PAIR_LOBE));
  let next = sample_bsdf(s, l, wo, choice.x, sample_unit((*p).key, vertex_pair(vertex, PAIR_DIRECTION)));
  (*p).signature = fold_signature((*p).signature, next.lobe);
  if (next.lobe == LOBE_NONE) { return; }
  (*p).throughput *= next.weight;
  (*p).pdf = next.pdf;
  (*p).ray = Ray(leave_surface(s, hit.t, next.direction), FAR, next.direction, s.primitive);
  (*p).alive = roulette(p, vertex, choice.y);
  if (!(*p).alive) { (*p).signature = fold_signature((*p).signature, EVENT_ROULETTE); }
}

/// Traces the shadow ray, then the path's own. @returns the hit of the latter.
fn advance(p: ptr<function, Path>) -> Hit {
  var hit = no_hit();
  for (var turn = 0u; turn < 2u; turn++) {
    let shadow = turn == 0u;
    if (!select((*p).alive, max3((*p).shadow_light) > 0.0, shadow)) { continue; }
    var ray = (*p).ray;
    if (shadow) { ray = (*p).shadow; }
    hit = trace_ray(ray, (*p).key, shadow);
    (*p).segments++;
    if (shadow) {
      let seen = hit.t >= FAR;
      (*p).light += select(vec3f(0.0), (*p).shadow_light, seen);
      (*p).signature = fold_signature((*p).signature, select(EVENT_SHADOWED, EVENT_LIT, seen));
    }
  }
  return hit;
}

@compute @workgroup_size(WORKGROUP)
fn trace(@builtin(global_invocation_id) id: vec3u) {
  let index = id.x;
  if (index >= (frame.pixels << frame.samples_log2)) { return; }
  let local = frame.first_pixel + (index >> frame.samples_log2);
  let pixel = vec2u(frame.rect_x + local % frame.rect_width, frame.rect_y + local / frame.rect_width);
  let sample = frame.first_sample + (index & ((1u << frame.samples_log2) - 1u));
  var p: Path;
  p.key = PathKey(pixel_key(pixel.x, pixel.y, frame.seed), sample);
  p.ray = camera_ray(pixel, p.key);
  p.throughput = vec3f(1.0);
  p.signature = SIGNATURE_START;
  p.alive = true;
  for (var vertex = 0u; vertex <= frame.bounces + 2u; vertex++) {
    let hit = advance(&p);
    if (!p.alive) { break; }
    p.alive = false;
    p.shadow_light = vec3f(0.0);
    if (hit.t >= FAR) {
      add_miss(&p);
      break;
    }
    scatter(&p, hit, vertex);
  }
  p.signature = fold_signature(p.signature, EVENT_END);
  let tally = (select(p.segments, TALLY_FAULT, path_fault) << 16u) | finish_signature(p.signature);
  slots[index] = PathSlot(p.light, tally, 0.0, 0u, 0u, NONE);
}
