// One invocation per path, from the camera to its end. A path sees `bounces` scatterings after the
// first surface, and one closing ray for the light that its last scattering meets; going straight
// through a pane, a cut-out or a hidden interface is no scattering. Twin of the counting rule:
// segmentsPerPathMax in src/lib/job/plan.ts. The kernels of shaders/wavefront do the same in stages.
//#import transport/scatter

@group(1) @binding(0) var<storage, read_write> slots: array<PathSlot>;

/// Traces the shadow ray, then the path's own. @returns what the latter met.
fn advance(p: ptr<function, Path>, vertex: u32) -> Crossing {
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
    met = trace_ray(ray, ray_key((*p).key, vertex, shadow), media, shadow);
    if (shadow) { take_shadow(p, met); } else { take_ray(p, met); }
  }
  return met;
}

fn finish_path(p: Path) -> PathSlot {
  let tally = pack_tally(p.signature, p.segments, path_fault);
  if (COUNT) {
    let counts = vec3f(vec3u(node_visits, triangle_tests, shading_calls));
    return PathSlot(counts, tally, 0.0, node_visits, triangle_tests, shading_calls);
  }
  return PathSlot(p.light, tally, p.guide.depth, pack_albedo(p.guide.albedo), pack_guide_normal(p.guide.normal), p.guide.object);
}

@compute @workgroup_size(GROUP)
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
