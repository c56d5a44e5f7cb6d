// One invocation per path, or per few of them in a row, from the camera to its end. A path sees `bounces` scatterings after the
// first surface, and one closing ray for the light that its last scattering meets; going straight
// through a pane, a cut-out or a hidden interface is no scattering. Twin of the counting rule:
// segmentsPerPathMax in src/lib/job/plan.ts. The kernels of shaders/wavefront do the same in stages.
//#import transport/scatter

@group(1) @binding(0) var<storage, read_write> slots: array<PathSlot>;

/// Paths that an invocation traces, one after the other. Where the invocations of a group go in step, as on processors, those
/// whose path is short would wait for the longest; so they take the next one instead. On GPUs the hardware has other groups to run.
override RELAY: u32 = 1u;

fn begin_path(index: u32) -> Path {
  path_fault = false;
  node_visits = 0u;
  triangle_tests = 0u;
  shading_calls = 0u;
  texel_reads = 0u;
  return start_path(index);
}

fn finish_path(p: Path) -> PathSlot {
  let tally = pack_tally(p.signature, p.segments, path_fault);
  if (COUNT) {
    let counts = vec3f(vec3u(node_visits, triangle_tests, shading_calls));
    return PathSlot(counts, tally, f32(texel_reads), node_visits, triangle_tests, shading_calls);
  }
  return PathSlot(p.light, tally, p.guide.depth, pack_albedo(p.guide.albedo), pack_guide_normal(p.guide.normal), p.guide.object);
}

/// Traces the shadow ray, or the path's own. @returns what it met.
fn trace_one(p: ptr<function, Path>, vertex: u32, shadow: bool) -> Crossing {
  var ray = (*p).ray;
  var media = (*p).media;
  if (shadow) {
    ray = (*p).shadow;
    media = (*p).shadow_media;
  }
  let met = trace_ray(ray, ray_key((*p).key, vertex, shadow), media, shadow);
  if (shadow) { take_shadow(p, met); } else { take_ray(p, met); }
  return met;
}

@compute @workgroup_size(GROUP)
fn trace(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  // Invocations side by side trace paths side by side, which stay together for longer.
  let first = group.x * GROUP * RELAY;
  let end = min(first + GROUP * RELAY, frame.pixels << frame.samples_log2);
  var index = first + lane;
  if (index >= end) { return; }
  var p = begin_path(index);
  var vertex = 0u;
  loop {
    var met = Crossing(no_hit(), vec3f(1.0), Media(0u), Media(0u), 0u, 0.0);
    // The shadow ray, then the path's own, by one call of the traversal; and where that met nothing, the next path's, until
    // one meets a surface: scattering is long, and rays that leave the scene are short. Loops ask at their end: at its head
    // a loop has software adapters go through its body once more than it has turns.
    var turn = 0u;
    loop {
      let shadow = turn == 0u;
      if (!shadow && !p.alive) {
        slots[index] = finish_path(p);
        index += GROUP;
        if (RELAY > 1u && index < end) {
          p = begin_path(index);
          vertex = 0u;
        }
      }
      if (select(p.alive, max3(p.shadow_light) > 0.0, shadow)) {
        met = trace_one(&p, vertex, shadow);
        if (!shadow && met.hit.t >= FAR) {
          add_miss(&p, vertex > 0u);
          p.alive = false;
        }
      }
      continuing {
        turn++;
        break if turn > 1u && (p.alive || index >= end);
      }
    }
    if (index >= end) { break; }
    p.alive = false;
    p.shadow_light = vec3f(0.0);
    scatter(&p, met, vertex);
    vertex++;
  }
}
