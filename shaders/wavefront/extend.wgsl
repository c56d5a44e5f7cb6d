// Traces the waiting rays of paths and keeps what they met; holds no shading code at all.
//#import wavefront/state

fn waiting_path(n: u32) -> u32 {
  if (stage.vertex == 0u) { return n; }
  return queued(extend_word(stage.parity, n));
}

fn load_ray(p: ptr<function, Path>, path: u32) {
  let row = state[at(ROW_RAY_ORIGIN, path)];
  load_direction(p, path);
  (*p).ray.origin = row_vector(row);
  (*p).ray.reach = FAR;
  (*p).ray.skip = row.w;
  if (CARRIES_MEDIA) { (*p).media = state[at(ROW_MEDIA, path)].xy; }
}

/// Colour and signature of a ray that went through something. What met nothing on its way stays as it is.
fn keep_way(p: ptr<function, Path>, met: Crossing, path: u32) {
  let tinted = (TRANSMISSIVE || VOLUMES) && (any(met.tint != vec3f(1.0)) || present_medium(met.before) != 0u);
  let passed = (SEE_THROUGH || TRANSMISSIVE || VOLUMES) && met.passes != 0u;
  if (!tinted && !passed) { return; }
  load_core(p, path);
  load_guide(p, path);
  take_ray(p, met);
  store_core(*p, path);
  store_guide(*p, path);
}

@compute @workgroup_size(GROUP)
fn extend_rays(@builtin(global_invocation_id) id: vec3u) {
  var waiting = dispatched_paths();
  if (stage.vertex > 0u) { waiting = queue_count(QUEUE_EXTEND); }
  if (id.x >= waiting) { return; }
  let path = waiting_path(id.x);
  var p: Path;
  p.key = key_of(path);
  load_ray(&p, path);
  let met = trace_ray(p.ray, ray_key(p.key, stage.vertex, false), p.media, false);
  keep_way(&p, met, path);
  var verdict = CLASS_MISS << 30u;
  if (met.hit.t < FAR) { verdict = met.hit.triangle | (((triangles[met.hit.triangle].material >> TRIANGLE_CLASS_SHIFT) & 3u) << 30u); }
  state[at(ROW_HIT, path)] = vec4u(bitcast<vec3u>(vec3f(met.hit.t, met.hit.u, met.hit.v)), verdict);
  if (INSTANCED) { state[at(ROW_SHADOW_LIGHT, path)].w = met.hit.instance; }
  if (CARRIES_MEDIA) { state[at(ROW_CROSSING, path)] = vec4u(met.before, met.after); }
  note_fault(path);
}
