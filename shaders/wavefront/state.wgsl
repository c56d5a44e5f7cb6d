// A path between two kernels, bit for bit: rows of 16 bytes (shaders/wavefront/layout.ts), each
// read and written by the kernels that need it. What a kernel does not load stays as it is.
//#import wavefront/queues
//#import transport/path

@group(1) @binding(0) var<storage, read_write> state: array<vec4u>;
/// The control buffer: workgroups x, y, z and the count of each queue.
@group(1) @binding(1) var<uniform> queue_rows: array<vec4u, CONTROL_ROWS>;

/// The scene has volumes, whether this kernel knows their materials or not.
override CARRIES_MEDIA: bool = true;

/// Bit of the count of rays: one of them met a bound.
const RAY_FAULT = 0x80000000u;
/// Bit of a density: the guide is done.
const GUIDE_DONE = 0x80000000u;
/// Verdicts of shading.
const GOES_ON = 1u;
const SENDS_SHADOW = 2u;

fn at(row: u32, path: u32) -> u32 {
  return row * stage.capacity + path;
}

fn pack_row(v: vec3f, word: u32) -> vec4u {
  return vec4u(bitcast<vec3u>(v), word);
}

fn row_vector(row: vec4u) -> vec3f {
  return bitcast<vec3f>(row.xyz);
}

fn key_of(path: u32) -> PathKey {
  return path_key(stage.first + path);
}

fn queued(word: u32) -> u32 {
  return state[word >> 2u][word & 3u];
}

fn queue_count(queue: u32) -> u32 {
  return queue_rows[stage.queues + queue].w;
}

fn load_core(p: ptr<function, Path>, path: u32) {
  let row = state[at(ROW_CORE, path)];
  (*p).throughput = row_vector(row);
  (*p).signature = row.w;
}

fn store_core(p: Path, path: u32) {
  state[at(ROW_CORE, path)] = pack_row(p.throughput, p.signature);
}

/// Weight and wavelength, with whatever the guide holds already.
fn load_guide(p: ptr<function, Path>, path: u32) {
  let row = state[at(ROW_GUIDE, path)];
  (*p).guide.weight = row_vector(row);
  (*p).wavelength = bitcast<f32>(row.w);
}

fn store_guide(p: Path, path: u32) {
  state[at(ROW_GUIDE, path)] = pack_row(p.guide.weight, bitcast<u32>(p.wavelength));
}

/// Direction, density and whether the guide is done.
fn load_direction(p: ptr<function, Path>, path: u32) {
  let row = state[at(ROW_RAY_DIRECTION, path)];
  (*p).ray.direction = row_vector(row);
  (*p).pdf = bitcast<f32>(row.w & ~GUIDE_DONE);
  (*p).guide.done = (row.w & GUIDE_DONE) != 0u;
}

fn store_ray(p: Path, path: u32) {
  let done = select(0u, GUIDE_DONE, p.guide.done);
  state[at(ROW_RAY_ORIGIN, path)] = pack_row(p.ray.origin, p.ray.skip);
  state[at(ROW_RAY_DIRECTION, path)] = pack_row(p.ray.direction, bitcast<u32>(p.pdf) | done);
}

/// The layers of a guide that is done, and what the first surface left.
fn store_layers(g: Guide, path: u32) {
  state[at(ROW_LAYERS, path)] = vec4u(bitcast<u32>(g.depth), pack_albedo(g.albedo), pack_guide_normal(g.normal), g.object);
}

/// Depth and object come at the first surface, albedo and normal where the chain of mirrors ends.
fn load_layers(p: ptr<function, Path>, path: u32) {
  let row = state[at(ROW_LAYERS, path)];
  (*p).guide.depth = bitcast<f32>(row.x);
  (*p).guide.object = row.w;
}

/// A ray of this path met a bound.
fn note_fault(path: u32) {
  if (path_fault) { state[at(ROW_LIGHT, path)].w |= RAY_FAULT; }
}
