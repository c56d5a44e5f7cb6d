// What happens where rays ended: `shade` at surfaces, a pipeline for each class of materials, and
// `shade_misses` where there was none. The physics is that of transport/scatter; here it is only
// fetched and put back.
//#import wavefront/state
//#import transport/scatter

/// Which materials this pipeline is for (CLASS_*); the features of the others are compiled away.
override CLASS: u32 = 0u;

const HIT_TRIANGLE = 0x3fffffffu;

fn load_crossing(path: u32) -> Crossing {
  let row = state[at(ROW_HIT, path)];
  let point = row_vector(row);
  let triangle = row.w & HIT_TRIANGLE;
  var hit = Hit(point.x, triangle, point.y, point.z, triangles[triangle].primitive, NONE);
  if (INSTANCED) {
    hit.instance = state[at(ROW_SHADOW_LIGHT, path)].w;
    if (hit.instance != NONE) { hit.primitive += load_instance(hit.instance).first_primitive; }
  }
  var media = vec4u(0u);
  if (CARRIES_MEDIA) { media = state[at(ROW_CROSSING, path)]; }
  return Crossing(hit, vec3f(1.0), media.xy, media.zw, 0u, 0.0);
}

fn load_receiver(path: u32) -> Receiver {
  if (!LIGHT_TREE || !EMISSIVE || stage.vertex == 0u) { return Receiver(vec3f(0.0), vec3f(0.0)); }
  return Receiver(row_vector(state[at(ROW_RECEIVER_POSITION, path)]), row_vector(state[at(ROW_RECEIVER_NORMAL, path)]));
}

fn store_receiver(to: Receiver, path: u32) {
  if (!LIGHT_TREE || !EMISSIVE) { return; }
  state[at(ROW_RECEIVER_POSITION, path)] = pack_row(to.position, 0u);
  state[at(ROW_RECEIVER_NORMAL, path)] = pack_row(to.normal, 0u);
}

/// May this material add light by itself? Then the slot is fetched, for sums to be made in their order.
fn shines(material: u32) -> bool {
  return (materials[material].flags & MATERIAL_UNLIT) != 0u || any(materials[material].emissive > vec3f(0.0));
}

/// The layers of the guide, where it is not done yet.
fn load_open_guide(p: ptr<function, Path>, path: u32) {
  if ((*p).guide.done && !DISPERSIVE) { return; }
  load_guide(p, path);
  if (!(*p).guide.done) { load_layers(p, path); }
}

fn store_open_guide(p: Path, was_done: bool, path: u32) {
  if ((!p.guide.done || DISPERSIVE) && p.alive) { store_guide(p, path); }
  if (!was_done) { store_layers(p.guide, path); }
}

/// Rays to be traced next.
fn store_rays(p: Path, path: u32) {
  let shadow = max3(p.shadow_light) > 0.0;
  if (p.alive) {
    store_core(p, path);
    store_ray(p, path);
    store_receiver(p.receiver, path);
  } else {
    state[at(ROW_CORE, path)].w = p.signature;
  }
  if (shadow) {
    state[at(ROW_SHADOW_ORIGIN, path)] = pack_row(p.shadow.origin, bitcast<u32>(p.shadow.reach));
    state[at(ROW_SHADOW_DIRECTION, path)] = pack_row(p.shadow.direction, p.shadow.skip);
    state[at(ROW_SHADOW_LIGHT, path)] = pack_row(p.shadow_light, 0u);
  }
  if (CARRIES_MEDIA && (p.alive || shadow)) { state[at(ROW_MEDIA, path)] = vec4u(p.media, p.shadow_media); }
  state[at(ROW_HIT, path)].w = select(0u, GOES_ON, p.alive) | select(0u, SENDS_SHADOW, shadow);
}

@compute @workgroup_size(GROUP)
fn shade(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= queue_count(QUEUE_PLAIN + CLASS)) { return; }
  let path = queued(class_word(CLASS, id.x));
  var p: Path;
  p.key = key_of(path);
  load_core(&p, path);
  load_direction(&p, path);
  load_open_guide(&p, path);
  p.receiver = load_receiver(path);
  let met = load_crossing(path);
  let was_done = p.guide.done;
  let lit = shines(triangles[met.hit.triangle].material & TRIANGLE_MATERIAL);
  if (lit) { p.light = row_vector(state[at(ROW_LIGHT, path)]); }
  scatter(&p, met, stage.vertex);
  if (lit) { state[at(ROW_LIGHT, path)] = pack_row(p.light, state[at(ROW_LIGHT, path)].w); }
  if (!p.alive) { state[at(ROW_LIGHT, path)].w += stage.vertex + 1u; }
  store_open_guide(p, was_done, path);
  store_rays(p, path);
}

@compute @workgroup_size(GROUP)
fn shade_misses(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= queue_count(QUEUE_MISS)) { return; }
  let path = queued(class_word(CLASS_MISS, id.x));
  let slot = state[at(ROW_LIGHT, path)];
  var p: Path;
  load_core(&p, path);
  load_direction(&p, path);
  p.light = row_vector(slot);
  let was_done = p.guide.done;
  if (!was_done) {
    load_guide(&p, path);
    load_layers(&p, path);
  }
  add_miss(&p, stage.vertex > 0u);
  state[at(ROW_LIGHT, path)] = pack_row(p.light, slot.w + stage.vertex + 1u);
  state[at(ROW_CORE, path)].w = p.signature;
  if (!was_done) { store_layers(p.guide, path); }
}
