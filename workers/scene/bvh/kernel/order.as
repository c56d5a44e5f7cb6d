// Boxes of the triangles, sorted along a Morton curve of 10 bits per axis and gathered into cells:
// runs of at most a few triangles that share the longest possible prefix of their keys. In short
// functions, because an engine replaces a function by its fast version only between calls.
import { DIGITS, FAR, pairs, pairsEnd, sorted, triangles } from './memory';

const CHUNK: u32 = 8192;
const GRID: f32 = 1023.99;

let least: v128 = f32x4.splat(0);
let largest: v128 = f32x4.splat(0);

// Unsorted boxes lie in the upper half of the pairs' memory, keys in two arrays in the lower.
// @ts-ignore: decorator
@inline
function unsorted(): usize {
  return pairs + (<usize>triangles << 5);
}

// @ts-ignore: decorator
@inline
function keys(turn: u32): usize {
  return pairs + (turn & 1 ? <usize>triangles << 3 : 0);
}

/** @param from first, @param to behind the last triangle; corners lie where the sorted boxes will. */
function boxes(from: u32, to: u32): void {
  let low = least;
  let high = largest;
  for (let i = from; i < to; i++) {
    const t = sorted + <usize>i * 36;
    const a = v128.load(t);
    const b = v128.load(t, 12);
    const end = v128.load(t, 20);
    const c = i8x16.shuffle(end, end, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 12, 13, 14, 15);
    const min = f32x4.pmin(f32x4.pmin(a, b), c);
    const max = f32x4.pmax(f32x4.pmax(a, b), c);
    const middle = f32x4.add(min, max);
    low = f32x4.pmin(low, middle);
    high = f32x4.pmax(high, middle);
    const out = unsorted() + (<usize>i << 5);
    v128.store(out, i32x4.replace_lane(min, 3, i));
    v128.store(out, i32x4.replace_lane(max, 3, 1), 16);
  }
  least = low;
  largest = high;
}

// @ts-ignore: decorator
@inline
function spread(x: u32): u32 {
  x = (x | (x << 16)) & 0x030000ff;
  x = (x | (x << 8)) & 0x0300f00f;
  x = (x | (x << 4)) & 0x030c30c3;
  return (x | (x << 2)) & 0x09249249;
}

// @ts-ignore: decorator
@inline
function tally(at: usize): void {
  store<u32>(at, load<u32>(at) + 1);
}

function makeKeys(from: u32, to: u32, scale: v128): void {
  for (let i = from; i < to; i++) {
    const box = unsorted() + (<usize>i << 5);
    const place = f32x4.mul(f32x4.sub(f32x4.add(v128.load(box), v128.load(box, 16)), least), scale);
    // 2^23 more leaves the integer in the low bits; the order of the operands sends what is no number to the last cell.
    const bits = f32x4.add(f32x4.pmin(f32x4.splat(1023), place), f32x4.splat(8388608));
    const x = spread(i32x4.extract_lane(bits, 0) & 1023);
    const y = spread(i32x4.extract_lane(bits, 1) & 1023) << 1;
    const z = spread(i32x4.extract_lane(bits, 2) & 1023) << 2;
    const key = x | y | z;
    store<u64>(keys(0) + (<usize>i << 3), (<u64>key << 32) | i);
    tally(DIGITS + ((key & 1023) << 2));
    tally(DIGITS + 4096 + (((key >> 10) & 1023) << 2));
    tally(DIGITS + 8192 + ((key >> 20) << 2));
  }
}

function scatter(turn: u32, from: u32, to: u32): void {
  const digits = DIGITS + (turn << 12);
  const shift = <u64>(32 + turn * 10);
  const source = keys(turn);
  const target = keys(turn + 1);
  for (let i = from; i < to; i++) {
    const key = load<u64>(source + (<usize>i << 3));
    const digit = digits + ((<u32>(key >> shift) & 1023) << 2);
    const at = load<u32>(digit);
    store<u32>(digit, at + 1);
    store<u64>(target + (<usize>at << 3), key);
  }
}

function startDigits(turn: u32): void {
  let sum: u32 = 0;
  for (let digit: u32 = 0; digit < 1024; digit++) {
    const at = DIGITS + (turn << 12) + (digit << 2);
    const count = load<u32>(at);
    store<u32>(at, sum);
    sum += count;
  }
}

function gather(from: u32, to: u32): void {
  for (let i = from; i < to; i++) {
    const box = unsorted() + (<usize>load<u32>(keys(1) + (<usize>i << 3)) << 5);
    const out = sorted + (<usize>i << 5);
    v128.store(out, v128.load(box));
    v128.store(out, v128.load(box, 16), 16);
  }
}

/** Sorts the boxes of all triangles. */
export function sortBoxes(): void {
  least = f32x4.splat(FAR);
  largest = f32x4.splat(-FAR);
  for (let i: u32 = 0; i < triangles; i += CHUNK) boxes(i, min(i + CHUNK, triangles));
  const extent = f32x4.sub(largest, least);
  const widest = max(f32x4.extract_lane(extent, 0), max(f32x4.extract_lane(extent, 1), f32x4.extract_lane(extent, 2)));
  const scale = f32x4.splat(widest > 0 ? GRID / widest : 0);
  memory.fill(DIGITS, 0, 3 << 12);
  for (let i: u32 = 0; i < triangles; i += CHUNK) makeKeys(i, min(i + CHUNK, triangles), scale);
  for (let turn: u32 = 0; turn < 3; turn++) {
    startDigits(turn);
    for (let i: u32 = 0; i < triangles; i += CHUNK) scatter(turn, i, min(i + CHUNK, triangles));
  }
  for (let i: u32 = 0; i < triangles; i += CHUNK) gather(i, min(i + CHUNK, triangles));
}

/** Leading bits that the keys of two places share; 32 where they are equal, -1 beyond the end. */
// @ts-ignore: decorator
@inline
function shared(i: u32, j: u32): i32 {
  if (j >= triangles) return -1;
  return <i32>clz(load<u32>(keys(1) + (<usize>i << 3), 4) ^ load<u32>(keys(1) + (<usize>j << 3), 4));
}

let cellEnd: usize = 0;
let before: i32 = -1;

/** Cells of places from `from` until one ends at or behind `to`. @returns where it ends. */
function cut(from: u32, to: u32, most: u32): u32 {
  let i = from;
  while (i < to) {
    const level = max(before, shared(i, i + most)) + 1;
    let low = v128.load(sorted + (<usize>i << 5));
    let high = v128.load(sorted + (<usize>i << 5), 16);
    let j = i + 1;
    let along: i32 = -1;
    while (j < triangles) {
      along = shared(j - 1, j);
      // Equal keys cannot be told apart by any level: those are cut by number.
      if (j - i >= most || (along < level && along < 32)) break;
      low = f32x4.pmin(low, v128.load(sorted + (<usize>j << 5)));
      high = f32x4.pmax(high, v128.load(sorted + (<usize>j << 5), 16));
      j++;
    }
    before = along >= 32 ? -1 : along;
    v128.store(cellEnd, i32x4.replace_lane(low, 3, i));
    v128.store(cellEnd, i32x4.replace_lane(high, 3, j - i), 16);
    cellEnd += 32;
    i = j;
  }
  return i;
}

/**
 * Cells of at most `most` triangles: box, first place, number. They end where the pairs' memory ends,
 * which the pairs reach only when all cells are used up. @returns where they begin.
 */
export function makeCells(most: u32): usize {
  const start = unsorted();
  cellEnd = start;
  before = -1;
  for (let i: u32 = 0; i < triangles; ) i = cut(i, min(i + CHUNK, triangles), most);
  const bytes = cellEnd - start;
  memory.copy(pairsEnd - bytes, start, bytes);
  return pairsEnd - bytes;
}
