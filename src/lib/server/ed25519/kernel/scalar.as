// Numbers modulo the order of the group, as eight words of 32 bits in Montgomery's form (1985): a product
// comes out divided by 2^256, which a factor of 2^512 makes up for. Not in constant time.

export const SCALAR: usize = 32;

const ORDER: usize = memory.data<u64>([0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000]);
/** 2^512 and 2^768 modulo the order. */
const TO_FORM: usize = memory.data<u64>([0xa40611e3449c0f01, 0xd00e1ba768859347, 0xceec73d217f5be65, 0x399411b7c309a3d]);
const HIGH_TO_FORM: usize = memory.data<u64>([0x2a9e49687b83a2db, 0x278324e6aef7f3ec, 0x8065dc6c04ec5b65, 0xe530b773599cec7]);
/** -1/order modulo 2^32. */
const FACTOR: u64 = 0x12547e1b;

const T: usize = memory.data(48);
const LOW: usize = memory.data(32);
const HIGH: usize = memory.data(32);
const WIDE: usize = memory.data(32);

// @ts-ignore: decorator
@inline
function word(place: usize, i: usize): u64 {
  return <u64>load<u32>(place + (i << 2));
}

/** a·b / 2^256 modulo the order. @param a any 256 bits. @param b below the order. */
function product(out: usize, a: usize, b: usize): void {
  memory.fill(T, 0, 48);
  for (let i: usize = 0; i < 8; i++) {
    const by = word(a, i);
    let held: u64 = 0;
    for (let j: usize = 0; j < 8; j++) {
      held += word(T, j) + by * word(b, j);
      store<u32>(T + (j << 2), <u32>held);
      held >>= 32;
    }
    held += word(T, 8);
    store<u32>(T, <u32>held, 32);
    store<u32>(T, <u32>(held >> 32), 36);
    const times = (word(T, 0) * FACTOR) & 0xffffffff;
    held = (word(T, 0) + times * word(ORDER, 0)) >> 32;
    for (let j: usize = 1; j < 8; j++) {
      held += word(T, j) + times * word(ORDER, j);
      store<u32>(T + ((j - 1) << 2), <u32>held);
      held >>= 32;
    }
    held += word(T, 8);
    store<u32>(T, <u32>held, 28);
    store<u32>(T, <u32>(held >> 32) + load<u32>(T, 36), 32);
  }
  // Below a·b / 2^256 + order, so below twice the order.
  reduce(out, T);
}

/** Takes the order off where it goes in. @param a below twice the order. */
function reduce(out: usize, a: usize): void {
  let held: i64 = 0;
  for (let j: usize = 0; j < 8; j++) {
    held += <i64>word(a, j) - <i64>word(ORDER, j);
    store<u32>(LOW + (j << 2), <u32>held);
    held >>= 32;
  }
  memory.copy(out, held < 0 ? a : LOW, SCALAR);
}

/** out + a. Both are below the order, and so is the sum. */
function addTo(out: usize, a: usize): void {
  let held: u64 = 0;
  for (let j: usize = 0; j < 8; j++) {
    held += word(out, j) + word(a, j);
    store<u32>(out + (j << 2), <u32>held);
    held >>= 32;
  }
  reduce(out, out);
}

/** Adds a·b. @param a 256 bits. @param b any 256 bits. */
export function addProduct(out: usize, a: usize, b: usize): void {
  product(HIGH, a, TO_FORM);
  product(HIGH, b, HIGH);
  addTo(out, HIGH);
}

/** Adds a·b. @param a 512 bits, those of a hash. @param b any 256 bits. */
export function addWideProduct(out: usize, a: usize, b: usize): void {
  product(WIDE, a + 32, HIGH_TO_FORM);
  product(HIGH, a, TO_FORM);
  addTo(HIGH, WIDE);
  product(HIGH, b, HIGH);
  addTo(out, HIGH);
}

/** The order less `a`, which is below it. */
export function negate(a: usize): void {
  let held: i64 = 0;
  for (let j: usize = 0; j < 8; j++) {
    held += <i64>word(ORDER, j) - <i64>word(a, j);
    store<u32>(a + (j << 2), <u32>held);
    held >>= 32;
  }
}
