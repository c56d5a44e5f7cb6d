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
  signature: u32,
  segments: u32,
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
  let light_pdf = triangle_light_pdf(s.triangle, distance, (*p).ray.direction);
  (*p).light += (*p).throughput * s.emission * met_weight((*p).pdf, light_pdf);
}

/// Samples one light. @returns 1 when it is seen, 2 when something stands before it, 0 when nothing was traced.
fn add_direct(p: ptr<function, Path>, s: Surface, l: Lobes, distance: f32, vertex: u32, jitter: vec2f) -> u32 {
  if (frame.lights == 0u) { return 0u; }
  let key = (*p).key;
  let bits = sample_bits(key, vertex_pair(vertex, PAIR_LIGHT));
  let light = sample_light(s.position, bits, sample_bits(key, vertex_pair(vertex, PAIR_LIGHT_POINT)), jitter);
  if (max3(light.radiance) <= 0.0 || light.pdf < 1e-20) { return 0u; }
  let wo = -(*p).ray.direction;
  let bsdf = evaluate_bsdf(s, l, wo, light.direction);
  if (max3(bsdf.value) <= 0.0) { return 0u; }
  var weight = 1.0;
  if (!light.point_like) { weight = sampled_weight(light.pdf, bsdf.pdf); }
  let origin = leave_surface(s, distance, light.direction);
  let reach = select(light.distance * 0.9999, FAR, light.distance >= FAR);
  (*p).segments++;
  if (trace_ray(Ray(origin, reach, light.direction, s.triangle), key, true).t < FAR) { return 2u; }
  (*p).light += (*p).throughput * bsdf.value * light.radiance * (weight / light.pdf);
  return 1u;
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

/// Everything at one vertex. @returns false when the path ends here.
fn scatter(p: ptr<function, Path>, hit: Hit, vertex: u32) -> bool {
  let wo = -(*p).ray.direction;
  let jitter = sample_unit((*p).key, vertex_pair(vertex, PAIR_TEXTURE));
  let s = load_surface(hit, (*p).ray.direction, jitter);
  (*p).signature = fold_signature((*p).signature, triangles[hit.triangle].primitive);
  absorb(p, s, hit.t);
  if ((materials[s.material].flags & MATERIAL_UNLIT) != 0u) {
    (*p).light += (*p).throughput * s.base;
    (*p).signature = fold_signature((*p).signature, EVENT_UNLIT);
    return false;
  }
  add_emission(p, s, hit.t);
  if (vertex > frame.bounces) { return false; }
  let l = make_lobes(s, wo);
  let seen = add_direct(p, s, l, hit.t, vertex, jitter);
  let choice = sample_unit((*p).key, vertex_pair(vertex, PAIR_LOBE));
  let next = sample_bsdf(s, l, wo, choice.x, sample_unit((*p).key, vertex_pair(vertex, PAIR_DIRECTION)));
  (*p).signature = fold_signature((*p).signature, next.lobe | (seen << 4u));
  if (next.lobe == LOBE_NONE) { return false; }
  (*p).throughput *= next.weight;
  (*p).pdf = next.pdf;
  (*p).ray = Ray(leave_surface(s, hit.t, next.direction), FAR, next.direction, s.triangle);
  if (roulette(p, vertex, choice.y)) { return true; }
  (*p).signature = fold_signature((*p).signature, EVENT_ROULETTE);
  return false;
}

@compute @workgroup_size(WORKGROUP)
fn trace(@builtin(global_invocation_id) id: vec3u) {
  let index = id.x;
  if (index >= (frame.pixels << frame.samples_log2)) { return; }
  let local = frame.first_pixel + (index >> frame.samples_log2);
  let pixel = vec2u(frame.rect_x + local % frame.rect_width, frame.rect_y + local / frame.rect_width);
  let sample = frame.first_sample + (index & ((1u << frame.samples_log2) - 1u));
  let key = PathKey(pixel_key(pixel.x, pixel.y, frame.seed), sample);
  var p = Path(camera_ray(pixel, key), key, vec3f(0.0), vec3f(1.0), 0.0, SIGNATURE_START, 0u);
  for (var vertex = 0u; vertex <= frame.bounces + 1u; vertex++) {
    p.segments++;
    let hit = trace_ray(p.ray, key, false);
    if (hit.t >= FAR) {
      add_miss(&p);
      break;
    }
    if (!scatter(&p, hit, vertex)) { break; }
  }
  p.signature = fold_signature(p.signature, EVENT_END);
  slots[index] = PathSlot(p.light, (select(p.segments, TALLY_FAULT, path_fault) << 16u) | finish_signature(p.signature));
}
