// From path slots to film: `pack` writes two signatures per word, then `reduce` adds the samples of
// each pixel as a balanced binary tree over the aligned block. The sum of a pass of 64 is thus the
// same bits as four passes of 16 summed by src/lib/job/accumulator.ts.
//#import layout

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<storage, read_write> slots: array<PathSlot>;
@group(0) @binding(2) var<storage, read_write> light: array<PathSlot>; // tally: segments of the pixel
@group(0) @binding(3) var<storage, read_write> signatures: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn pack(@builtin(global_invocation_id) id: vec3u) {
  let word = id.x;
  let paths = frame.pixels << frame.samples_log2;
  if (word * 2u >= paths) { return; }
  var high = 0u;
  if (word * 2u + 1u < paths) { high = slots[word * 2u + 1u].tally << 16u; }
  signatures[word] = (slots[word * 2u].tally & 0xffffu) | high;
}

@compute @workgroup_size(WORKGROUP)
fn reduce(@builtin(global_invocation_id) id: vec3u) {
  let pixel = id.x;
  if (pixel >= frame.pixels) { return; }
  let samples = 1u << frame.samples_log2;
  let first = pixel << frame.samples_log2;
  var segments = 0u;
  var fault = false;
  for (var i = first; i < first + samples; i++) {
    let count = slots[i].tally >> 16u;
    segments += count;
    fault = fault || count == TALLY_FAULT;
  }
  for (var stride = 1u; stride < samples; stride *= 2u) {
    for (var i = first; i < first + samples; i += 2u * stride) {
      slots[i].light += slots[i + stride].light;
    }
  }
  light[pixel] = PathSlot(slots[first].light, select(segments, NONE, fault));
}
