// Numbers modulo 2^255 - 19 in ten signed limbs of 26 and 25 bits in turn, as in "High-speed high-security
// signatures" (Bernstein et al. 2011) and its reference code. A product takes limbs up to twice as large as
// it makes, so sums and differences of products need no carrying. Not in constant time: nothing here is secret.

/** Bytes of a number in memory: ten i32. */
export const FIELD: usize = 40;

// @ts-ignore: decorator
@inline
function at(place: usize, i: usize): i64 {
  return <i64>load<i32>(place + (i << 2));
}

export function copy(out: usize, a: usize): void {
  memory.copy(out, a, FIELD);
}

/** A small number. */
export function set(out: usize, value: i32): void {
  memory.fill(out, 0, FIELD);
  store<i32>(out, value);
}

// @ts-ignore: decorator
@inline
export function add(out: usize, a: usize, b: usize): void {
  v128.store(out, i32x4.add(v128.load(a), v128.load(b)));
  v128.store(out, i32x4.add(v128.load(a, 16), v128.load(b, 16)), 16);
  v128.store_lane<i64>(out, i32x4.add(v128.load_zero<i64>(a, 32), v128.load_zero<i64>(b, 32)), 0, 32);
}

// @ts-ignore: decorator
@inline
export function sub(out: usize, a: usize, b: usize): void {
  v128.store(out, i32x4.sub(v128.load(a), v128.load(b)));
  v128.store(out, i32x4.sub(v128.load(a, 16), v128.load(b, 16)), 16);
  v128.store_lane<i64>(out, i32x4.sub(v128.load_zero<i64>(a, 32), v128.load_zero<i64>(b, 32)), 0, 32);
}

export function mul(out: usize, a: usize, b: usize): void {
  const f0 = at(a, 0), f1 = at(a, 1), f2 = at(a, 2), f3 = at(a, 3), f4 = at(a, 4), f5 = at(a, 5), f6 = at(a, 6), f7 = at(a, 7), f8 = at(a, 8), f9 = at(a, 9);
  const g0 = at(b, 0), g1 = at(b, 1), g2 = at(b, 2), g3 = at(b, 3), g4 = at(b, 4), g5 = at(b, 5), g6 = at(b, 6), g7 = at(b, 7), g8 = at(b, 8), g9 = at(b, 9);
  const d1 = 2 * f1, d3 = 2 * f3, d5 = 2 * f5, d7 = 2 * f7, d9 = 2 * f9;
  const w1 = 19 * g1, w2 = 19 * g2, w3 = 19 * g3, w4 = 19 * g4, w5 = 19 * g5, w6 = 19 * g6, w7 = 19 * g7, w8 = 19 * g8, w9 = 19 * g9;
  let h0: i64 = f0 * g0 + d1 * w9 + f2 * w8 + d3 * w7 + f4 * w6 + d5 * w5 + f6 * w4 + d7 * w3 + f8 * w2 + d9 * w1;
  let h1: i64 = f0 * g1 + f1 * g0 + f2 * w9 + f3 * w8 + f4 * w7 + f5 * w6 + f6 * w5 + f7 * w4 + f8 * w3 + f9 * w2;
  let h2: i64 = f0 * g2 + d1 * g1 + f2 * g0 + d3 * w9 + f4 * w8 + d5 * w7 + f6 * w6 + d7 * w5 + f8 * w4 + d9 * w3;
  let h3: i64 = f0 * g3 + f1 * g2 + f2 * g1 + f3 * g0 + f4 * w9 + f5 * w8 + f6 * w7 + f7 * w6 + f8 * w5 + f9 * w4;
  let h4: i64 = f0 * g4 + d1 * g3 + f2 * g2 + d3 * g1 + f4 * g0 + d5 * w9 + f6 * w8 + d7 * w7 + f8 * w6 + d9 * w5;
  let h5: i64 = f0 * g5 + f1 * g4 + f2 * g3 + f3 * g2 + f4 * g1 + f5 * g0 + f6 * w9 + f7 * w8 + f8 * w7 + f9 * w6;
  let h6: i64 = f0 * g6 + d1 * g5 + f2 * g4 + d3 * g3 + f4 * g2 + d5 * g1 + f6 * g0 + d7 * w9 + f8 * w8 + d9 * w7;
  let h7: i64 = f0 * g7 + f1 * g6 + f2 * g5 + f3 * g4 + f4 * g3 + f5 * g2 + f6 * g1 + f7 * g0 + f8 * w9 + f9 * w8;
  let h8: i64 = f0 * g8 + d1 * g7 + f2 * g6 + d3 * g5 + f4 * g4 + d5 * g3 + f6 * g2 + d7 * g1 + f8 * g0 + d9 * w9;
  let h9: i64 = f0 * g9 + f1 * g8 + f2 * g7 + f3 * g6 + f4 * g5 + f5 * g4 + f6 * g3 + f7 * g2 + f8 * g1 + f9 * g0;
  carry(out, h0, h1, h2, h3, h4, h5, h6, h7, h8, h9);
}

export function square(out: usize, a: usize): void {
  const f0 = at(a, 0), f1 = at(a, 1), f2 = at(a, 2), f3 = at(a, 3), f4 = at(a, 4), f5 = at(a, 5), f6 = at(a, 6), f7 = at(a, 7), f8 = at(a, 8), f9 = at(a, 9);
  const d0 = 2 * f0, d1 = 2 * f1, d2 = 2 * f2, d3 = 2 * f3, d4 = 2 * f4, d5 = 2 * f5, d6 = 2 * f6, d7 = 2 * f7, d8 = 2 * f8, d9 = 2 * f9;
  const q1 = 4 * f1, q3 = 4 * f3, q5 = 4 * f5, q7 = 4 * f7;
  const w5 = 19 * f5, w6 = 19 * f6, w7 = 19 * f7, w8 = 19 * f8, w9 = 19 * f9;
  let h0: i64 = f0 * f0 + q1 * w9 + d2 * w8 + q3 * w7 + d4 * w6 + d5 * w5;
  let h1: i64 = d0 * f1 + d2 * w9 + d3 * w8 + d4 * w7 + d5 * w6;
  let h2: i64 = d0 * f2 + d1 * f1 + q3 * w9 + d4 * w8 + q5 * w7 + f6 * w6;
  let h3: i64 = d0 * f3 + d1 * f2 + d4 * w9 + d5 * w8 + d6 * w7;
  let h4: i64 = d0 * f4 + q1 * f3 + f2 * f2 + q5 * w9 + d6 * w8 + d7 * w7;
  let h5: i64 = d0 * f5 + d1 * f4 + d2 * f3 + d6 * w9 + d7 * w8;
  let h6: i64 = d0 * f6 + q1 * f5 + d2 * f4 + d3 * f3 + q7 * w9 + f8 * w8;
  let h7: i64 = d0 * f7 + d1 * f6 + d2 * f5 + d3 * f4 + d8 * w9;
  let h8: i64 = d0 * f8 + q1 * f7 + d2 * f6 + q3 * f5 + f4 * f4 + d9 * w9;
  let h9: i64 = d0 * f9 + d1 * f8 + d2 * f7 + d3 * f6 + d4 * f5;
  carry(out, h0, h1, h2, h3, h4, h5, h6, h7, h8, h9);
}

/** Squares `times` times. */
export function squares(out: usize, a: usize, times: i32): void {
  square(out, a);
  for (let i = 1; i < times; i++) square(out, out);
}

// @ts-ignore: decorator
@inline
function carry(out: usize, h0: i64, h1: i64, h2: i64, h3: i64, h4: i64, h5: i64, h6: i64, h7: i64, h8: i64, h9: i64): void {
  let c: i64;
  c = (h0 + (1 << 25)) >> 26;
  h1 += c;
  h0 -= c << 26;
  c = (h4 + (1 << 25)) >> 26;
  h5 += c;
  h4 -= c << 26;
  c = (h1 + (1 << 24)) >> 25;
  h2 += c;
  h1 -= c << 25;
  c = (h5 + (1 << 24)) >> 25;
  h6 += c;
  h5 -= c << 25;
  c = (h2 + (1 << 25)) >> 26;
  h3 += c;
  h2 -= c << 26;
  c = (h6 + (1 << 25)) >> 26;
  h7 += c;
  h6 -= c << 26;
  c = (h3 + (1 << 24)) >> 25;
  h4 += c;
  h3 -= c << 25;
  c = (h7 + (1 << 24)) >> 25;
  h8 += c;
  h7 -= c << 25;
  c = (h4 + (1 << 25)) >> 26;
  h5 += c;
  h4 -= c << 26;
  c = (h8 + (1 << 25)) >> 26;
  h9 += c;
  h8 -= c << 26;
  c = (h9 + (1 << 24)) >> 25;
  h0 += 19 * c;
  h9 -= c << 25;
  c = (h0 + (1 << 25)) >> 26;
  h1 += c;
  h0 -= c << 26;
  store<i32>(out, <i32>h0, 0);
  store<i32>(out, <i32>h1, 4);
  store<i32>(out, <i32>h2, 8);
  store<i32>(out, <i32>h3, 12);
  store<i32>(out, <i32>h4, 16);
  store<i32>(out, <i32>h5, 20);
  store<i32>(out, <i32>h6, 24);
  store<i32>(out, <i32>h7, 28);
  store<i32>(out, <i32>h8, 32);
  store<i32>(out, <i32>h9, 36);
}
