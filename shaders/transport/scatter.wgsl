// What happens where a ray ends: emission, one light sample and one BSDF sample, combined by the power
// heuristic; Russian roulette after bounce 3; nothing is clamped. Leaves the rays to be traced next.
//#import transport/path
//#import bsdf/evaluate
//#import light/sample

/// 0: both estimators; 1: BSDF sampling alone; 2: light sampling alone. Tests compare their means.
override ESTIMATOR: u32 = 0u;

/// Scatterings before Russian roulette begins.
const ROULETTE_FROM = 4u;

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

/// @returns false when the path ends here. Throughput holds no 1/eta^2 (see evaluate_refraction), so
/// glass needs no correction of its own.
fn roulette(p: ptr<function, Path>, vertex: u32, u: f32) -> bool {
  if (max3((*p).throughput) <= 0.0) { return false; }
  if (vertex < ROULETTE_FROM) { return true; }
  let survive = lesser(sqrt(max3((*p).throughput)), 1.0);
  if (u >= survive) { return false; }
  (*p).throughput /= survive;
  return true;
}

/// Makes a white path one of a single wavelength, once.
fn draw_wavelength(p: ptr<function, Path>) {
  if ((*p).wavelength > 0.0) { return; }
  (*p).wavelength = sample_wavelength(sample_unit((*p).key, PAIR_WAVELENGTH).x);
  (*p).throughput *= wavelength_weight((*p).wavelength);
}

/// The relative ior of the surface met, from the media on its two sides.
fn resolve_interface(p: ptr<function, Path>, s: ptr<function, Surface>, met: Crossing) {
  if (!is_volume((*s).material)) { return; }
  let near = present_medium(met.before);
  let far = present_medium(met.after);
  if (DISPERSIVE && (disperses(near) || disperses(far))) { draw_wavelength(p); }
  (*s).eta = medium_ior(far, (*p).wavelength) / medium_ior(near, (*p).wavelength);
}

/// What light sampling may rely on at a surface.
fn receiver_at(s: Surface) -> Receiver {
  let both = (TRANSMISSIVE && materials[s.material].transmission > 0.0)
    || (DIFFUSE_TRANSMISSIVE && materials[s.material].diffuse_transmission > 0.0);
  return Receiver(s.position, select(s.geometric, vec3f(0.0), both));
}

/// Does the lobe hand on what lies in the mirror's direction (see transport/guide)?
fn is_mirror(lobe: u32, l: Lobes) -> bool {
  if (lobe == LOBE_DIFFUSE || lobe == LOBE_SHEEN) { return false; }
  return select(l.alpha, l.coat_alpha, lobe == LOBE_COAT) <= GUIDE_ALPHA;
}

fn add_miss(p: ptr<function, Path>, seen: bool) {
  (*p).signature = fold_signature((*p).signature, EVENT_MISS);
  var environment = EnvironmentValue(vec3f(0.0), 0.0);
  if (ENVIRONMENT) { environment = environment_towards((*p).ray.direction); }
  if (seen) { (*p).guide = ended_guide((*p).guide, environment.radiance, vec3f(0.0)); }
  if (!ENVIRONMENT || (!seen && (frame.flags & FRAME_TRANSPARENT) != 0u)) { return; }
  (*p).light += (*p).throughput * environment.radiance * met_weight((*p).pdf, environment.pdf * frame.env_pick);
}

fn add_emission(p: ptr<function, Path>, s: Surface, hit: Hit) {
  let direction = (*p).ray.direction;
  if (!GLOWING || max3(s.emission) <= 0.0) { return; }
  let triangle = load_triangle(s.triangle);
  if (!emits_towards(triangle, direction)) { return; }
  let light_pdf = triangle_light_pdf(triangle, hit.t, direction, (*p).receiver);
  let radiance = s.emission * coat_opening(s.triangle, vec2f(hit.u, hit.v), direction, s.coat);
  (*p).light += (*p).throughput * radiance * met_weight((*p).pdf, light_pdf);
}

/// The media on the side of the surface that `direction` leaves to.
fn media_towards(s: Surface, met: Crossing, direction: vec3f) -> Media {
  return select(met.before, met.after, dot(s.geometric, direction) < 0.0);
}

/// Samples one light and leaves the shadow ray to be traced.
fn add_direct(p: ptr<function, Path>, s: Surface, l: Lobes, met: Crossing, vertex: u32, jitter: vec2f) {
  if (frame.lights == 0u) { return; }
  let key = (*p).key;
  let bits = sample_bits(key, vertex_pair(vertex, PAIR_LIGHT));
  let light = sample_light((*p).receiver, bits, sample_bits(key, vertex_pair(vertex, PAIR_LIGHT_POINT)), jitter);
  if (max3(light.radiance) <= 0.0 || light.pdf < 1e-20) { return; }
  let bsdf = evaluate_bsdf(s, l, -(*p).ray.direction, light.direction);
  let weight = select(sampled_weight(light.pdf, bsdf.pdf), 1.0, light.point_like);
  (*p).shadow = shadow_ray(s, light);
  (*p).shadow_light = (*p).throughput * bsdf.value * light.radiance * (weight / light.pdf);
  (*p).shadow_media = media_towards(s, met, light.direction);
}

/// Samples the next direction and leaves its ray to be traced, or ends the path.
fn extend(p: ptr<function, Path>, s: Surface, l: Lobes, met: Crossing, vertex: u32) {
  let choice = sample_unit((*p).key, vertex_pair(vertex, PAIR_LOBE));
  let next = sample_bsdf(s, l, -(*p).ray.direction, choice.x, sample_unit((*p).key, vertex_pair(vertex, PAIR_DIRECTION)));
  (*p).signature = fold_signature((*p).signature, next.lobe);
  if (next.lobe == LOBE_NONE || !is_mirror(next.lobe, l)) { (*p).guide = ended_guide((*p).guide, s.base, s.normal); }
  if (next.lobe == LOBE_NONE) { return; }
  (*p).throughput *= next.weight;
  (*p).guide.weight *= next.weight;
  (*p).pdf = next.pdf;
  (*p).ray = Ray(leave_surface(s, next.direction), FAR, next.direction, s.primitive);
  (*p).media = media_towards(s, met, next.direction);
  (*p).alive = roulette(p, vertex, choice.y);
  if (!(*p).alive) { (*p).signature = fold_signature((*p).signature, EVENT_ROULETTE); }
}

/// Everything at one vertex; leaves the next ray, or a path that is no longer alive.
fn scatter(p: ptr<function, Path>, met: Crossing, vertex: u32) {
  if (COUNT) { shading_calls++; }
  let jitter = sample_unit((*p).key, vertex_pair(vertex, PAIR_TEXTURE));
  var s = load_surface(met.hit, (*p).ray.direction, jitter);
  s.passed = s.alpha <= ALPHA_MIN && lets_straight_through(s.material);
  (*p).signature = fold_signature((*p).signature, met.hit.primitive);
  if (vertex == 0u) {
    (*p).guide.depth = met.hit.t;
    (*p).guide.object = met.hit.primitive;
  }
  if ((materials[s.material].flags & MATERIAL_UNLIT) != 0u) {
    (*p).light += (*p).throughput * s.base;
    (*p).guide = ended_guide((*p).guide, s.base, s.normal);
    (*p).signature = fold_signature((*p).signature, EVENT_UNLIT);
    return;
  }
  add_emission(p, s, met.hit);
  if (vertex <= frame.bounces) {
    resolve_interface(p, &s, met);
    let l = make_lobes(s, -(*p).ray.direction);
    (*p).receiver = receiver_at(s);
    add_direct(p, s, l, met, vertex, jitter);
    extend(p, s, l, met, vertex);
  }
  if (!(*p).alive) { (*p).guide = ended_guide((*p).guide, s.base, s.normal); }
}
