// Numbers of the field as bytes, and their powers.
import { copy, mul, square, squares } from './field';

const POWER_2: usize = memory.data(40);
const POWER_9: usize = memory.data(40);
const POWER_T: usize = memory.data(40);

// @ts-ignore: decorator
@inline
function bitOf(limb: u32): u32 {
  return (51 * limb + 1) >> 1;
}

/** Little endian; the top bit is left out. */
export function fromBytes(out: usize, bytes: usize): void {
  for (let i: u32 = 0; i < 10; i++) {
    const bit = bitOf(i);
    // The words of the last limbs would reach beyond the end.
    const from = min<u32>(bit >> 3, 24);
    const word = load<u64>(bytes + from) >> (bit - 8 * from);
    store<i32>(out + (i << 2), <i32>(word & ((1 << (bitOf(i + 1) - bit)) - 1)));
  }
}

export function fromWords(out: usize, w0: u64, w1: u64, w2: u64, w3: u64): void {
  store<u64>(POWER_T, w0);
  store<u64>(POWER_T, w1, 8);
  store<u64>(POWER_T, w2, 16);
  store<u64>(POWER_T, w3, 24);
  fromBytes(out, POWER_T);
}

/** Of a product, or what two of them add up to. The least form, little endian: numbers are equal if their bytes are. */
export function toBytes(bytes: usize, a: usize): void {
  // How often the prime goes into it: what is carried out at the top once 19 is added.
  let over = (19 * load<i32>(a, 36) + (1 << 24)) >> 25;
  for (let i: u32 = 0; i < 10; i++) over = (load<i32>(a + (i << 2)) + over) >> (bitOf(i + 1) - bitOf(i));
  let carried = 19 * over;
  memory.fill(bytes, 0, 32);
  for (let i: u32 = 0; i < 10; i++) {
    const bit = bitOf(i);
    const width = bitOf(i + 1) - bit;
    const limb = load<i32>(a + (i << 2)) + carried;
    carried = limb >> width;
    const from = min<u32>(bit >> 3, 24);
    const word = <u64>(limb & ((1 << width) - 1)) << (bit - 8 * from);
    store<u64>(bytes + from, load<u64>(bytes + from) | word);
  }
}

/** a^(2^252 - 3), by which a root is found. `out` is none of the others. */
export function rootPower(out: usize, a: usize): void {
  square(POWER_2, a);
  squares(POWER_9, POWER_2, 2);
  mul(POWER_9, POWER_9, a);
  mul(POWER_2, POWER_2, POWER_9);
  square(POWER_2, POWER_2);
  // a^(2^5 - 1), and from there on to 2^10, 20, 40, 50, 100, 200 and 250, each less one.
  mul(out, POWER_2, POWER_9);
  lengthen(out, out, 5);
  copy(POWER_2, out);
  lengthen(out, out, 10);
  lengthen(out, out, 20);
  squares(out, out, 10);
  mul(POWER_2, out, POWER_2);
  copy(POWER_9, POWER_2);
  lengthen(POWER_9, POWER_9, 50);
  copy(out, POWER_9);
  lengthen(out, out, 100);
  squares(out, out, 50);
  mul(out, out, POWER_2);
  squares(out, out, 2);
  mul(out, out, a);
}

/** From a power of 2^n - 1 to that of 2^2n - 1. */
function lengthen(out: usize, a: usize, n: i32): void {
  squares(POWER_T, a, n);
  mul(out, POWER_T, a);
}

/** a^(2^255 - 21), the inverse. `out` is not `a`. */
export function invert(out: usize, a: usize): void {
  rootPower(out, a);
  squares(out, out, 3);
  mul(out, out, a);
  mul(out, out, a);
  mul(out, out, a);
}
