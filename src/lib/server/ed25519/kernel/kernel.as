// Do all of some Ed25519 signatures hold? For random numbers z of 128 bits they do, but for a chance of 2^-128,
// if 8 (Σ zS B - Σ zR - Σ zh A) is the neutral point ("High-speed high-security signatures", section 5). With
// the cofactor, so by the same rule as a single verification with it. Sums of many points are made by buckets
// (Pippenger): a signature costs a fifth of its verification alone. Refuses to say which of them does not hold.
import { addPoint, addReady, begin, double, isNeutral, neutral, POINT, read, READY, ready, scale } from './curve';
import { addProduct, addWideProduct, negate, SCALAR } from './scalar';

/** Signatures of one batch, and keys that are kept; the first is the base point. */
const BATCH_MAX: i32 = 512;
const KEYS_MAX: i32 = 4096;
/** Points of one batch: an R of each signature; each key, and the base, in halves. */
const POINTS_MAX: i32 = 3 * BATCH_MAX + 2;
/** Bits of a window at most, and how many windows 128 bits have at most. */
const WINDOW_MAX: i32 = 7;
const WINDOWS_MAX: i32 = 33;
const HALF: usize = 16;

/** A key: 32 bytes. A signature: R, S, the hash of 64 bytes, z of 16. */
const INPUT: usize = memory.data(144);
const Z: usize = memory.data(32);
const P: usize = memory.data(160);
const SUM: usize = memory.data(160);
const RUN: usize = memory.data(160);
const BUCKETS: usize = memory.data(64 * 160);
/** Of each key: it, and 2^128 times it, both ready. */
const KEYS: usize = memory.data(4096 * 240);
/** Of each key, its factor, and whether it has one in this batch. */
const FACTORS: usize = memory.data(4096 * 32);
const USED: usize = memory.data(4096);
/** Keys used in this batch. */
const USES: usize = memory.data(513 * 4);
const RS: usize = memory.data(512 * 120);
/** Where each point of the sum is, its factor of 128 bits, and that cut into windows. */
const POINTS: usize = memory.data(1538 * 4);
const TIMES: usize = memory.data(1538 * 16);
const DIGITS: usize = memory.data(1538 * 33);

let uses: i32 = 0;
let count: i32 = 0;
let points: i32 = 0;

export function input(): usize {
  return INPUT;
}
export function batchMax(): i32 {
  return BATCH_MAX;
}
export function keysMax(): i32 {
  return KEYS_MAX;
}

/** Before anything else; then the base point is to be kept in place 0. */
export function start(): void {
  begin();
}

/** Keeps the key that stands in the input. @returns false when it is no point. */
export function keep(place: i32): bool {
  if (!read(P, INPUT)) return false;
  const kept = KEYS + <usize>place * (2 * READY);
  ready(kept, P);
  for (let i = 0; i < 128; i++) double(P, P);
  scale(P);
  ready(kept + READY, P);
  return true;
}

/** Forgets the signatures so far. */
export function clear(): void {
  for (let i = 0; i < uses; i++) store<u8>(USED + load<u32>(USES + (<usize>i << 2)), 0);
  uses = 0;
  count = 0;
}

function use(key: i32): usize {
  const factor = FACTORS + <usize>key * SCALAR;
  if (load<u8>(USED + <usize>key)) return factor;
  store<u8>(USED + <usize>key, 1);
  store<u32>(USES + (<usize>(uses++) << 2), key);
  memory.fill(factor, 0, SCALAR);
  return factor;
}

/** Takes the signature that stands in the input, of a key that is kept. @returns false when its R is no point: it is left out. */
export function add(key: i32): bool {
  if (!read(P, INPUT)) return false;
  memory.fill(Z, 0, SCALAR);
  memory.copy(Z, INPUT + 128, HALF);
  ready(RS + <usize>count * READY, P);
  memory.copy(TIMES + <usize>count * HALF, Z, HALF);
  count++;
  addProduct(use(0), INPUT + 32, Z);
  addWideProduct(use(key), INPUT + 64, Z);
  return true;
}

/** Do all that were taken hold? */
export function holds(): bool {
  points = 0;
  for (let i = 0; i < count; i++) point(RS + <usize>i * READY);
  for (let i = 0; i < uses; i++) {
    const key = <usize>load<u32>(USES + (<usize>i << 2));
    const factor = FACTORS + key * SCALAR;
    // R and A are added up, so that the base is what has to be taken off.
    if (key == 0) negate(factor);
    for (let half: usize = 0; half < 2; half++) {
      memory.copy(TIMES + <usize>points * HALF, factor + half * HALF, HALF);
      point(KEYS + (2 * key + half) * READY);
    }
  }
  sum(points < 48 ? 4 : points < 224 ? 5 : points < 768 ? 6 : WINDOW_MAX);
  for (let i = 0; i < 3; i++) double(SUM, SUM);
  return isNeutral(SUM);
}

function point(place: usize): void {
  store<u32>(POINTS + (<usize>(points++) << 2), <u32>place);
}

/** Cuts the factors into digits between -2^(width-1) and 2^(width-1), so that half of the buckets suffice. @returns how many. */
function cut(width: i32): i32 {
  const windows = 128 / width + 1;
  const all = 1 << width;
  for (let i = 0; i < points; i++) {
    let low = load<u64>(TIMES + <usize>i * HALF);
    let high = load<u64>(TIMES + <usize>i * HALF, 8);
    let carried = 0;
    for (let window = 0; window < windows; window++) {
      let digit = (<i32>low & (all - 1)) + carried;
      carried = digit > all >> 1 ? 1 : 0;
      if (carried) digit -= all;
      store<i8>(DIGITS + <usize>(i * WINDOWS_MAX + window), <i8>digit);
      low = (low >> width) | (high << (64 - width));
      high >>= width;
    }
  }
  return windows;
}

/** Adds up all points, each as often as its factor says. @param width of a window, in bits. */
function sum(width: i32): void {
  const windows = cut(width);
  const buckets = 1 << (width - 1);
  neutral(SUM);
  for (let window = windows - 1; window >= 0; window--) {
    for (let i = 0; i < width; i++) double(SUM, SUM);
    for (let i = 0; i < buckets; i++) neutral(BUCKETS + <usize>i * POINT);
    for (let i = 0; i < points; i++) {
      const digit = <i32>load<i8>(DIGITS + <usize>(i * WINDOWS_MAX + window));
      if (digit == 0) continue;
      const bucket = BUCKETS + <usize>(abs(digit) - 1) * POINT;
      addReady(bucket, <usize>load<u32>(POINTS + (<usize>i << 2)), digit < 0);
    }
    // Each bucket as often as its number says: it is in all partial sums from the top down to itself.
    neutral(RUN);
    for (let i = buckets - 1; i >= 0; i--) {
      addPoint(RUN, BUCKETS + <usize>i * POINT);
      addPoint(SUM, RUN);
    }
  }
}
