// The first and the last kernel: `generate` sets paths out from the camera, `finish` turns what they
// left into slots.
//#import wavefront/state

@group(1) @binding(3) var<storage, read_write> slots: array<PathSlot>;

@compute @workgroup_size(GROUP)
fn generate(@builtin(global_invocation_id) id: vec3u) {
  let path = id.x;
  if (path >= dispatched_paths()) { return; }
  let p = start_path(stage.first + path);
  store_ray(p, path);
  store_core(p, path);
  store_guide(p, path);
  if (CARRIES_MEDIA) { state[at(ROW_MEDIA, path)] = vec4u(p.media, p.media); }
  state[at(ROW_LIGHT, path)] = pack_row(p.light, 0u);
  store_layers(p.guide, path);
}

@compute @workgroup_size(GROUP)
fn finish(@builtin(global_invocation_id) id: vec3u) {
  let path = id.x;
  if (path >= dispatched_paths()) { return; }
  let light = state[at(ROW_LIGHT, path)];
  let layers = state[at(ROW_LAYERS, path)];
  let tally = pack_tally(state[at(ROW_CORE, path)].w, light.w & ~RAY_FAULT, (light.w & RAY_FAULT) != 0u);
  slots[stage.first + path] = PathSlot(row_vector(light), tally, bitcast<f32>(layers.x), layers.y, layers.z, layers.w);
}
