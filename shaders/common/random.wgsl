// Owen-scrambled Sobol points in pairs, counter based: the point depends on (pixel, sample,
// dimension pair) only, integers throughout, so every device draws the same bits. Each pair is the
// two-dimensional Sobol sequence (a (0,2)-sequence) with its own shuffle and scrambles, after
// Burley, "Practical Hash-based Owen Scrambling", JCGT 9(4), 2020; hash constants by N. Vegdahl.
// Twin: tests/reference/random.ts.

struct PathKey {
  pixel: u32,  // hash of pixel and seed
  sample: u32, // global sample index
}

// The fixed map of dimension pairs: CAMERA_PAIRS of the whole path, then PAIRS_PER_VERTEX for each vertex.
const PAIR_PIXEL = 0u;
const PAIR_LENS = 1u;
const PAIR_WAVELENGTH = 2u; // x
const CAMERA_PAIRS = 3u;
const PAIRS_PER_VERTEX = 5u;
const PAIR_LOBE = 0u;      // x: which lobe, y: Russian roulette
const PAIR_DIRECTION = 1u; // direction inside the lobe
const PAIR_LIGHT = 2u;     // x: which light, y: alias row of the environment
const PAIR_LIGHT_POINT = 3u;
const PAIR_TEXTURE = 4u;   // stochastic bilinear

fn vertex_pair(vertex: u32, which: u32) -> u32 {
  return CAMERA_PAIRS + vertex * PAIRS_PER_VERTEX + which;
}

/// A bijective mix of 32 bits (C. Wellons' lowbias32).
fn hash_word(value: u32) -> u32 {
  var x = value;
  x ^= x >> 16u;
  x *= 0x21f0aaadu;
  x ^= x >> 15u;
  x *= 0xd35a2d97u;
  x ^= x >> 15u;
  return x;
}

fn hash_pair(a: u32, b: u32) -> u32 {
  return hash_word(a ^ (hash_word(b) + 0x9e3779b9u));
}

fn pixel_key(x: u32, y: u32, seed: u32) -> u32 {
  return hash_pair(x | (y << 16u), seed);
}

/// Owen scrambling of bit-reversed words.
fn scramble_reversed(value: u32, seed: u32) -> u32 {
  var x = value;
  x ^= x * 0x3d20adeau;
  x += seed;
  x *= (seed >> 16u) | 1u;
  x ^= x * 0x05526c56u;
  x ^= x * 0x53a22864u;
  return x;
}

/// Second Sobol dimension, bit-reversed: the Pascal matrix, that is p(z) -> p(z + 1) over GF(2).
fn sobol_second_reversed(index: u32) -> u32 {
  var x = index;
  x ^= x >> 16u;
  x ^= (x & 0xff00ff00u) >> 8u;
  x ^= (x & 0xf0f0f0f0u) >> 4u;
  x ^= (x & 0xccccccccu) >> 2u;
  x ^= (x & 0xaaaaaaaau) >> 1u;
  return x;
}

/// 2 × 32 uniform bits.
fn sample_bits(key: PathKey, pair: u32) -> vec2u {
  let seed = hash_pair(key.pixel, pair);
  let index = reverseBits(scramble_reversed(reverseBits(key.sample), seed));
  let x = scramble_reversed(index, hash_word(seed ^ 0x68bc21ebu));
  let y = scramble_reversed(sobol_second_reversed(index), hash_word(seed ^ 0x02e5be93u));
  return vec2u(reverseBits(x), reverseBits(y));
}

/// [0, 1), 24 bits, exact.
fn unit(bits: u32) -> f32 {
  return f32(bits >> 8u) * 5.9604644775390625e-8;
}

fn sample_unit(key: PathKey, pair: u32) -> vec2f {
  let bits = sample_bits(key, pair);
  return vec2f(unit(bits.x), unit(bits.y));
}
