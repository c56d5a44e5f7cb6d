// One invocation per path: camera ray, then per vertex emission, one light sample and one BSDF
// sample, combined by the power heuristic; Russian roulette after bounce 3; nothing is clamped.
// A path sees `bounces` scatterings after the first surface, and one closing ray for the light that
// its last scattering meets; going straight through a pane, a cut-out or a hidden interface is no
// scattering. Twin of the counting rule: segmentsPerPathMax in src/lib/job/plan.ts.
//#import transport/camera
//#import transport/path
//#import bsdf/evaluate

@group(1) @binding(0) var<storage, read_write> slots: array<PathSlot>;

fn add_miss(p: ptr<function, Path>, seen: bool) {
  (*p).signature = fold_signature((*p).signature, EVENT_MISS);
  let environment = environment_towards((*p).ray.direction);
  if (seen) { (*p).guide = ended_guide((*p).guide, environment.radiance, vec3f(0.0)); }
  if (!seen && (frame.flags & FRAME_TRANSPARENT) != 0u) { return; }
  (*p).light += (*p).throughput * environment.radiance * met_weight((*p).pdf, environment.pdf * frame.env_pick);
}

fn add_emission(p: ptr<function, Path>, s: Surface, distance: f32) {
  if (max3(s.emission) <= 0.0 || !emits_towards(s.triangle, (*p).ray.direction)) { return; }
  let light_pdf = triangle_light_pdf(s.triangle, distance, (*p).ray.direction, (*p).receiver);
  (*p).light += (*p).throughput * s.emission * met_weight((*p).pdf, light_pdf);
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
  add_emission(p, s, met.hit.t);
  if (vertex <= frame.bounces) {
    resolve_interface(p, &s, met);
    let l = make_lobes(s, -(*p).ray.direction);
    (*p).receiver = receiver_at(s);
    add_direct(p, s, l, met, vertex, jitter);
    extend(p, s, l, met, vertex);
  }
  if (!(*p).alive) { (*p).guide = ended_guide((*p).guide, s.base, s.normal); }
}

/// Traces the shadow ray, then the path's own. @returns what the latter met.
fn advance(p: ptr<function, Path>, vertex: u32) -> Crossing {
  let jitter = sample_unit((*p).key, vertex_pair(vertex, PAIR_TEXTURE));
  var met = Crossing(no_hit(), vec3f(1.0), Media(0u), Media(0u), 0u, 0.0);
  for (var turn = 0u; turn < 2u; turn++) {
    let shadow = turn == 0u;
    if (!select((*p).alive, max3((*p).shadow_light) > 0.0, shadow)) { continue; }
    var ray = (*p).ray;
    var media = (*p).media;
    if (shadow) {
      ray = (*p).shadow;
      media = (*p).shadow_media;
    }
    met = trace_ray(ray, RayKey((*p).key, vertex * 2u + turn, jitter), media, shadow);
    (*p).segments++;
    if (met.passes != 0u) { (*p).signature = fold_signature((*p).signature, met.passes); }
    let kept = met.tint * absorption(met.before, min(met.hit.t, ray.reach) - met.since);
    if (shadow) {
      let seen = met.hit.t >= FAR;
      (*p).light += select(vec3f(0.0), (*p).shadow_light * kept, seen);
      (*p).signature = fold_signature((*p).signature, select(EVENT_SHADOWED, EVENT_LIT, seen));
    } else {
      (*p).throughput *= kept;
      (*p).guide.weight *= kept;
    }
  }
  return met;
}

fn start_path(index: u32) -> Path {
  let local = frame.first_pixel + (index >> frame.samples_log2);
  let pixel = vec2u(frame.rect_x + local % frame.rect_width, frame.rect_y + local / frame.rect_width);
  var p: Path;
  p.key = PathKey(pixel_key(pixel.x, pixel.y, frame.seed), frame.first_sample + (index & ((1u << frame.samples_log2) - 1u)));
  p.ray = camera_ray(pixel, p.key);
  if (VOLUMES) { p.media = frame.media.xy; }
  p.throughput = vec3f(1.0);
  p.signature = SIGNATURE_START;
  p.alive = true;
  p.guide = new_guide();
  return p;
}

fn finish_path(p: Path) -> PathSlot {
  let signature = finish_signature(fold_signature(p.signature, EVENT_END));
  let tally = (select(p.segments, TALLY_FAULT, path_fault) << 16u) | signature;
  if (COUNT) {
    let counts = vec3f(vec3u(node_visits, triangle_tests, shading_calls));
    return PathSlot(counts, tally, 0.0, node_visits, triangle_tests, shading_calls);
  }
  return PathSlot(p.light, tally, p.guide.depth, pack_albedo(p.guide.albedo), pack_guide_normal(p.guide.normal), p.guide.object);
}

@compute @workgroup_size(WORKGROUP)
fn trace(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= (frame.pixels << frame.samples_log2)) { return; }
  var p = start_path(id.x);
  for (var vertex = 0u; vertex <= frame.bounces + 2u; vertex++) {
    let met = advance(&p, vertex);
    if (!p.alive) { break; }
    p.alive = false;
    p.shadow_light = vec3f(0.0);
    if (met.hit.t >= FAR) {
      add_miss(&p, vertex > 0u);
      break;
    }
    scatter(&p, met, vertex);
  }
  slots[id.x] = finish_path(p);
}
