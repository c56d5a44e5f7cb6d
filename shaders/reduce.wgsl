// From path slots to film: `pack` writes two signatures per word, then `reduce` adds the samples of
// each pixel. Integers add in any order; f32 as a balanced binary tree over the aligned block, so
// that the sum of a pass of 64 is the same bits as four passes of 16 summed by
// src/lib/job/accumulator.ts.
//#import layout

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<storage, read_write> slots: array<PathSlot>;
@group(0) @binding(2) var<storage, read_write> film: array<FilmPixel>;
@group(0) @binding(3) var<storage, read_write> signatures: array<u32>;

/// The slots carry counters (PathSlot): their sums lie in albedo_rg, albedo_b, normal_xy and depth.
override COUNT: bool = false;

const LUMINANCE = vec3f(0.2126, 0.7152, 0.0722);
const LUMINANCE_MAX = 1e12;

@compute @workgroup_size(WORKGROUP)
fn pack(@builtin(global_invocation_id) id: vec3u) {
  let word = id.x;
  let paths = frame.pixels << frame.samples_log2;
  if (word * 2u >= paths) { return; }
  var high = 0u;
  if (word * 2u + 1u < paths) { high = slots[word * 2u + 1u].tally << 16u; }
  signatures[word] = (slots[word * 2u].tally & 0xffffu) | high;
}

/// The integers of one path, added to those of its pixel.
fn add_counts(sum: FilmPixel, slot: PathSlot) -> FilmPixel {
  var out = sum;
  let segments = slot.tally >> 16u;
  out.segments = select(sum.segments + segments, NONE, segments == TALLY_FAULT || sum.segments == NONE);
  if (COUNT) {
    out.albedo_rg += slot.albedo;
    out.albedo_b += slot.normal;
    out.normal_xy += slot.object;
    return out;
  }
  // At most 64 × 1023 per u16 and 64 × 511 per i16: nothing carries from one field into the next.
  out.albedo_rg += extractBits(slot.albedo, 0u, 10u) | (extractBits(slot.albedo, 10u, 10u) << 16u);
  out.albedo_b += extractBits(slot.albedo, 20u, 10u);
  let normal = bitcast<i32>(slot.normal);
  let x = bitcast<u32>(extractBits(normal, 0u, 10u) + extractBits(bitcast<i32>(sum.normal_xy), 0u, 16u));
  let y = bitcast<u32>(extractBits(normal, 10u, 10u) + extractBits(bitcast<i32>(sum.normal_xy), 16u, 16u));
  let z = bitcast<u32>(extractBits(normal, 20u, 10u) + extractBits(bitcast<i32>(sum.normal_z), 0u, 16u));
  let covered = select(0u, 1u, slot.object != NONE);
  out.normal_xy = (x & 0xffffu) | (y << 16u);
  out.normal_z = (z & 0xffffu) | (((sum.normal_z >> 16u) + covered) << 16u);
  out.object = select(sum.object, slot.object, sum.object == NONE);
  return out;
}

@compute @workgroup_size(WORKGROUP)
fn reduce(@builtin(global_invocation_id) id: vec3u) {
  let pixel = id.x;
  if (pixel >= frame.pixels) { return; }
  let samples = 1u << frame.samples_log2;
  let first = pixel << frame.samples_log2;
  var sum: FilmPixel;
  sum.object = NONE;
  for (var i = first; i < first + samples; i++) {
    sum = add_counts(sum, slots[i]);
    let luminance = min(dot(slots[i].light, LUMINANCE), LUMINANCE_MAX);
    // `pack` and the line above are done with these bits; the tree needs a place per path.
    slots[i].tally = bitcast<u32>(luminance * luminance);
  }
  for (var stride = 1u; stride < samples; stride *= 2u) {
    for (var i = first; i < first + samples; i += 2u * stride) {
      slots[i].light += slots[i + stride].light;
      slots[i].depth += slots[i + stride].depth;
      slots[i].tally = bitcast<u32>(bitcast<f32>(slots[i].tally) + bitcast<f32>(slots[i + stride].tally));
    }
  }
  sum.light = slots[first].light;
  sum.depth = slots[first].depth;
  sum.moment = bitcast<f32>(slots[first].tally);
  film[pixel] = sum;
}
