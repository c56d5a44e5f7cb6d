// Traces the shadow rays that shading left and adds what they bring.
//#import wavefront/state

@compute @workgroup_size(GROUP)
fn trace_shadows(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= queue_count(QUEUE_SHADOW)) { return; }
  let path = queued(shadow_word(id.x));
  let origin = state[at(ROW_SHADOW_ORIGIN, path)];
  let direction = state[at(ROW_SHADOW_DIRECTION, path)];
  var p: Path;
  p.key = key_of(path);
  p.shadow = Ray(row_vector(origin), bitcast<f32>(origin.w), row_vector(direction), direction.w);
  if (CARRIES_MEDIA) { p.shadow_media = state[at(ROW_MEDIA, path)].zw; }
  let met = trace_ray(p.shadow, ray_key(p.key, stage.vertex + 1u, true), p.shadow_media, true);
  let seen = met.hit.t >= FAR;
  if (seen) {
    p.shadow_light = row_vector(state[at(ROW_SHADOW_LIGHT, path)]);
    p.light = row_vector(state[at(ROW_LIGHT, path)]);
  }
  p.segments = state[at(ROW_LIGHT, path)].w;
  p.signature = state[at(ROW_CORE, path)].w;
  take_shadow(&p, met);
  if (seen) { state[at(ROW_LIGHT, path)] = pack_row(p.light, p.segments); } else { state[at(ROW_LIGHT, path)].w = p.segments; }
  state[at(ROW_CORE, path)].w = p.signature;
  note_fault(path);
}
