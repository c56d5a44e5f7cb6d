// The path signature: a running integer hash of what the path decided. Only integers enter, so two
// devices that made the same decisions hold the same bits.

const SIGNATURE_START = 0x811c9dc5u;
// Events folded beside primitive ids.
const EVENT_MISS = 0xfffffff0u;
const EVENT_END = 0xfffffff1u;
const EVENT_ROULETTE = 0xfffffff2u;
const EVENT_UNLIT = 0xfffffff3u;
const EVENT_LIT = 0xfffffff4u;
const EVENT_SHADOWED = 0xfffffff5u;

fn fold_signature(state: u32, event: u32) -> u32 {
  var x = (state ^ event) * 0x9e3779b1u;
  x ^= x >> 15u;
  return x * 0x85ebca77u + 0x27d4eb2fu;
}

fn finish_signature(state: u32) -> u32 {
  let x = (state ^ (state >> 15u)) * 0x2c1b3c6du;
  return (x ^ (x >> 16u)) & 0xffffu;
}
