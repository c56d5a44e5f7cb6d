// Points of edwards25519 as in RFC 8032: read, doubled and added. A point is X, Y, Z, T with x = X/Z,
// y = Y/Z, xy = T/Z. One that is added often is kept as y+x, y-x, 2dxy, which spares a product. All formulas
// are complete (Hisil et al. 2008): they hold for equal points and for the neutral one.
import { add, FIELD, mul, set, square, sub } from './field';
import { fromBytes, fromWords, invert, rootPower, toBytes } from './number';

export const POINT: usize = 160;
export const READY: usize = 120;

const D: usize = memory.data(40);
const TWICE_D: usize = memory.data(40);
const ROOT: usize = memory.data(40);
const ONE: usize = memory.data(40);
const A: usize = memory.data(40);
const B: usize = memory.data(40);
const C: usize = memory.data(40);
const E: usize = memory.data(40);
const F: usize = memory.data(40);
const G: usize = memory.data(40);
const BYTES: usize = memory.data(32);
const OTHER: usize = memory.data(32);

/** Before anything else. */
export function begin(): void {
  fromWords(D, 0x75eb4dca135978a3, 0x00700a4d4141d8ab, 0x8cc740797779e898, 0x52036cee2b6ffe73);
  fromWords(TWICE_D, 0xebd69b9426b2f159, 0x00e0149a8283b156, 0x198e80f2eef3d130, 0x2406d9dc56dffce7);
  // A root of -1.
  fromWords(ROOT, 0xc4ee1b274a0ea0b0, 0x2f431806ad2fe478, 0x2b4d00993dfbd7a7, 0x2b8324804fc1df0b);
  set(ONE, 1);
}

export function neutral(out: usize): void {
  set(out, 0);
  set(out + FIELD, 1);
  set(out + 2 * FIELD, 1);
  set(out + 3 * FIELD, 0);
}

export function isNeutral(p: usize): bool {
  toBytes(BYTES, p);
  memory.fill(OTHER, 0, 32);
  if (memory.compare(BYTES, OTHER, 32) != 0) return false;
  toBytes(BYTES, p + FIELD);
  toBytes(OTHER, p + 2 * FIELD);
  return memory.compare(BYTES, OTHER, 32) == 0;
}

/** @returns false when the 32 bytes are not the canonical form of a point (RFC 8032 section 5.1.3). */
export function read(out: usize, bytes: usize): bool {
  const y = out + FIELD;
  const z = out + 2 * FIELD;
  fromBytes(y, bytes);
  toBytes(BYTES, y);
  const sign = load<u8>(bytes, 31) >> 7;
  store<u8>(BYTES, load<u8>(BYTES, 31) | (sign << 7), 31);
  if (memory.compare(BYTES, bytes, 32) != 0) return false;
  // u = y² - 1, v = dy² + 1, x = uv³ (uv⁷)^((p-5)/8), and perhaps times the root of -1.
  square(A, y);
  mul(B, A, D);
  sub(A, A, ONE);
  add(B, B, ONE);
  square(C, B);
  mul(C, C, B);
  square(E, C);
  mul(E, E, B);
  mul(E, E, A);
  rootPower(F, E);
  mul(F, F, C);
  mul(out, F, A);
  square(C, out);
  mul(C, C, B);
  toBytes(BYTES, C);
  mul(E, A, ONE);
  toBytes(OTHER, E);
  if (memory.compare(BYTES, OTHER, 32) != 0) {
    set(G, 0);
    sub(G, G, E);
    toBytes(OTHER, G);
    if (memory.compare(BYTES, OTHER, 32) != 0) return false;
    mul(out, out, ROOT);
  }
  toBytes(BYTES, out);
  if ((load<u8>(BYTES) & 1) != sign) {
    set(G, 0);
    sub(out, G, out);
    // Zero has no other sign.
    toBytes(OTHER, out);
    if (memory.compare(BYTES, OTHER, 32) == 0) return false;
  }
  set(z, 1);
  mul(out + 3 * FIELD, out, y);
  return true;
}

/** @param p with Z = 1. */
export function ready(out: usize, p: usize): void {
  add(out, p + FIELD, p);
  sub(out + FIELD, p + FIELD, p);
  mul(out + 2 * FIELD, p + 3 * FIELD, TWICE_D);
}

/** Brings Z to 1. */
export function scale(p: usize): void {
  invert(G, p + 2 * FIELD);
  mul(p, p, G);
  mul(p + FIELD, p + FIELD, G);
  set(p + 2 * FIELD, 1);
  mul(p + 3 * FIELD, p, p + FIELD);
}

/** From E, F, G and H, the last in A. */
// @ts-ignore: decorator
@inline
function finish(out: usize): void {
  mul(out, E, F);
  mul(out + FIELD, G, A);
  mul(out + 2 * FIELD, F, G);
  mul(out + 3 * FIELD, E, A);
}

export function double(out: usize, p: usize): void {
  add(E, p, p + FIELD);
  square(E, E);
  square(A, p);
  square(B, p + FIELD);
  square(C, p + 2 * FIELD);
  add(C, C, C);
  sub(G, A, B);
  add(A, A, B);
  sub(E, A, E);
  add(F, C, G);
  finish(out);
}

/** Adds a point that is ready, or takes it off, to `p` itself. */
export function addReady(p: usize, q: usize, negative: bool): void {
  const y = p + FIELD;
  sub(A, y, p);
  add(B, y, p);
  mul(A, A, negative ? q : q + FIELD);
  mul(B, B, negative ? q + FIELD : q);
  mul(C, q + 2 * FIELD, p + 3 * FIELD);
  add(F, p + 2 * FIELD, p + 2 * FIELD);
  sub(E, B, A);
  add(A, B, A);
  if (negative) {
    sub(G, F, C);
    add(F, F, C);
  } else {
    add(G, F, C);
    sub(F, F, C);
  }
  finish(p);
}

/** Adds `q` to `p` itself. */
export function addPoint(p: usize, q: usize): void {
  sub(A, p + FIELD, p);
  sub(B, q + FIELD, q);
  mul(A, A, B);
  add(B, p + FIELD, p);
  add(C, q + FIELD, q);
  mul(B, B, C);
  mul(C, p + 3 * FIELD, q + 3 * FIELD);
  mul(C, C, TWICE_D);
  mul(F, p + 2 * FIELD, q + 2 * FIELD);
  add(F, F, F);
  sub(E, B, A);
  add(A, B, A);
  add(G, F, C);
  sub(F, F, C);
  finish(p);
}
