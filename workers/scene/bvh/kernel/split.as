// The upper tree, from above: cells are split where the surface area heuristic over at most 16 slices
// of each axis is least (Wald 2007), down to bunches that are clustered from below. Halves where
// no plane divides, and where the depth that is left would not suffice otherwise.
import { area, BIN_COSTS, BIN_COUNTS, BINS, FAR, HEIGHT, pairCount, pairs, STACK, takePair, triangles } from './memory';
import { cluster } from './cluster';

/** Slices per axis of many cells, and of few. */
const SLICES: u32 = 16;
const FEW: u32 = 64;
const SLICES_FEW: u32 = 8;
/** Of more cells than this only some are looked at, never fewer than half as many. */
const SAMPLE: u32 = 4096;
/** A task on the stack: cells, where the box goes, triangles, depth; then the box of the doubled middles. */
const TASK: usize = 64;

let planeAxis: u32 = 0;
/** Last slice on the left; -1 where no plane divides. */
let planeSlice: i32 = -1;

// @ts-ignore: decorator
@inline
function scaleOf(low: v128, high: v128, slices: f32): v128 {
  const extent = f32x4.sub(high, low);
  return v128.and(f32x4.div(f32x4.splat(slices), extent), f32x4.gt(extent, f32x4.splat(0)));
}

/** The slice of a doubled middle on each axis; what is no number falls into the last. */
// @ts-ignore: decorator
@inline
function sliceOf(middle: v128, low: v128, scale: v128, last: v128): v128 {
  return f32x4.pmin(last, f32x4.floor(f32x4.mul(f32x4.sub(middle, low), scale)));
}

// @ts-ignore: decorator
@inline
function grow(slice: usize, least: v128, largest: v128, count: u32): void {
  const at = BINS + (slice << 5);
  v128.store(at, f32x4.pmin(v128.load(at), least));
  v128.store(at, f32x4.pmax(v128.load(at, 16), largest), 16);
  const tally = BIN_COUNTS + (slice << 2);
  store<u32>(tally, load<u32>(tally) + count);
}

function fill(cells: usize, end: usize, step: usize, low: v128, high: v128, slices: u32): void {
  for (let slice: usize = 0; slice < 48; slice += 16) {
    for (let at = BINS + (slice << 5), stop = at + (slices << 5); at < stop; at += 32) {
      v128.store(at, f32x4.splat(FAR));
      v128.store(at, f32x4.splat(-FAR), 16);
    }
  }
  for (let at: usize = BIN_COUNTS; at < BIN_COSTS; at += 16) v128.store(at, i32x4.splat(0));
  const scale = scaleOf(low, high, <f32>slices);
  const last = f32x4.splat(<f32>slices - 1);
  for (let cell = cells; cell < end; cell += step) {
    const least = v128.load(cell);
    const largest = v128.load(cell, 16);
    // 2^23 more leaves the integer in the low bits.
    const slice = f32x4.add(sliceOf(f32x4.add(least, largest), low, scale, last), f32x4.splat(8388608));
    const count = i32x4.extract_lane(largest, 3);
    grow(i32x4.extract_lane(slice, 0) & 15, least, largest, count);
    grow((i32x4.extract_lane(slice, 1) & 15) + 16, least, largest, count);
    grow((i32x4.extract_lane(slice, 2) & 15) + 32, least, largest, count);
  }
}

/** The cheapest plane: from the right for the costs of that side, then from the left. */
function sweep(slices: u32): void {
  let cheapest = FAR;
  planeSlice = -1;
  for (let axis: u32 = 0; axis < 3; axis++) {
    const boxes = BINS + (axis << 9);
    const counts = BIN_COUNTS + (axis << 6);
    let least = f32x4.splat(FAR);
    let largest = f32x4.splat(-FAR);
    let count: u32 = 0;
    for (let slice = slices - 1; slice > 0; slice--) {
      least = f32x4.pmin(least, v128.load(boxes + (slice << 5)));
      largest = f32x4.pmax(largest, v128.load(boxes + (slice << 5), 16));
      count += load<u32>(counts + (slice << 2));
      store<f32>(BIN_COSTS + (slice << 2), count == 0 ? FAR : area(least, largest) * <f32>count);
    }
    least = f32x4.splat(FAR);
    largest = f32x4.splat(-FAR);
    count = 0;
    for (let slice: u32 = 0; slice < slices - 1; slice++) {
      least = f32x4.pmin(least, v128.load(boxes + (slice << 5)));
      largest = f32x4.pmax(largest, v128.load(boxes + (slice << 5), 16));
      count += load<u32>(counts + (slice << 2));
      if (count == 0) continue;
      const cost = area(least, largest) * <f32>count + load<f32>(BIN_COSTS + (slice << 2), 4);
      if (cost >= cheapest || cost != cost) continue;
      cheapest = cost;
      planeAxis = axis;
      planeSlice = slice;
    }
  }
}

let leftLow: v128 = f32x4.splat(0);
let leftHigh: v128 = f32x4.splat(0);
let rightLow: v128 = f32x4.splat(0);
let rightHigh: v128 = f32x4.splat(0);
let leftTriangles: u32 = 0;

/** Orders cells by their side of the plane and otherwise as they were. @returns where the right side begins. */
function part(cells: usize, end: usize, low: v128, high: v128, slices: u32): usize {
  const scale = scaleOf(low, high, <f32>slices);
  const last = f32x4.splat(<f32>slices - 1);
  const axis = planeAxis == 0 ? i32x4(-1, 0, 0, 0) : planeAxis == 1 ? i32x4(0, -1, 0, 0) : i32x4(0, 0, -1, 0);
  const limit = f32x4.splat(<f32>planeSlice);
  let lowA = f32x4.splat(FAR);
  let highA = f32x4.splat(-FAR);
  let lowB = lowA;
  let highB = highA;
  let count: u32 = 0;
  let left = cells;
  // Between the pairs made so far and the cells that are left there is always room for those.
  const aside = pairs + (<usize>pairCount << 6);
  let right = aside;
  for (let cell = cells; cell < end; cell += 32) {
    const least = v128.load(cell);
    const largest = v128.load(cell, 16);
    const middle = f32x4.add(least, largest);
    if (v128.any_true(v128.and(f32x4.gt(sliceOf(middle, low, scale, last), limit), axis))) {
      lowB = f32x4.pmin(lowB, middle);
      highB = f32x4.pmax(highB, middle);
      v128.store(right, least);
      v128.store(right, largest, 16);
      right += 32;
    } else {
      lowA = f32x4.pmin(lowA, middle);
      highA = f32x4.pmax(highA, middle);
      count += i32x4.extract_lane(largest, 3);
      v128.store(left, least);
      v128.store(left, largest, 16);
      left += 32;
    }
  }
  for (let from = aside, to = left; from < right; from += 16, to += 16) v128.store(to, v128.load(from));
  leftLow = lowA;
  leftHigh = highA;
  rightLow = lowB;
  rightHigh = highB;
  leftTriangles = count;
  return left;
}

function halve(cells: usize, end: usize): usize {
  const middle = cells + ((((end - cells) >> 5) >> 1) << 5);
  leftTriangles = 0;
  for (let cell = cells; cell < middle; cell += 32) leftTriangles += load<u32>(cell, 28);
  measure(cells, middle);
  leftLow = rightLow;
  leftHigh = rightHigh;
  measure(middle, end);
  return middle;
}

/** Sets the right box of middles. */
function measure(cells: usize, end: usize): void {
  let low = f32x4.splat(FAR);
  let high = f32x4.splat(-FAR);
  for (let cell = cells; cell < end; cell += 32) {
    const middle = f32x4.add(v128.load(cell), v128.load(cell, 16));
    low = f32x4.pmin(low, middle);
    high = f32x4.pmax(high, middle);
  }
  rightLow = low;
  rightHigh = high;
}

function divide(cells: usize, end: usize, low: v128, high: v128, mustHalve: bool): usize {
  const count = <u32>((end - cells) >> 5);
  if (mustHalve || count == 2) return halve(cells, end);
  const slices = count <= FEW ? SLICES_FEW : SLICES;
  const step = (count > SAMPLE ? <usize>(count / (SAMPLE / 2)) : 1) << 5;
  fill(cells, end, step, low, high, slices);
  sweep(slices);
  return planeSlice < 0 ? halve(cells, end) : part(cells, end, low, high, slices);
}

// @ts-ignore: decorator
@inline
function push(task: usize, cells: usize, end: usize, box: usize, count: u32, depth: u32, low: v128, high: v128): usize {
  store<u32>(task, <u32>cells);
  store<u32>(task, <u32>end, 4);
  store<u32>(task, <u32>box, 8);
  store<u32>(task, count, 12);
  v128.store(task, low, 16);
  v128.store(task, high, 32);
  store<u32>(task, depth, 48);
  return task + TASK;
}

/** Levels that halving needs for so many things. */
// @ts-ignore: decorator
@inline
function levels(count: u32): u32 {
  return 32 - <u32>clz(count - 1);
}

/**
 * The tree over the cells up to `end`; boxes of pairs made here are left to be measured afterwards.
 * @param spare levels that a bunch may need. @param balanced halve always.
 */
export function splitCells(first: usize, end: usize, root: usize, bunch: u32, leafMax: u32, depthMax: u32, spare: u32, balanced: bool): void {
  measure(first, end);
  let top = push(STACK, first, end, root, triangles, 1, rightLow, rightHigh);
  while (top > STACK) {
    top -= TASK;
    const cells = <usize>load<u32>(top);
    const stop = <usize>load<u32>(top, 4);
    const box = <usize>load<u32>(top, 8);
    const count = load<u32>(top, 12);
    const depth = load<u32>(top, 48);
    if (count <= bunch || stop - cells == 32) {
      cluster(cells, stop, box, leafMax);
      continue;
    }
    const mustHalve = balanced || depth + levels(<u32>((stop - cells) >> 5)) + spare > depthMax;
    const middle = divide(cells, stop, v128.load(top, 16), v128.load(top, 32), mustHalve);
    const left = leftTriangles;
    const id = takePair();
    const pair = pairs + (<usize>id << 6);
    store<u32>(box, id, 12);
    store<u32>(box, count | (1 << HEIGHT), 28);
    top = push(top, middle, stop, pair + 32, count - left, depth + 1, rightLow, rightHigh);
    top = push(top, cells, middle, pair, left, depth + 1, leftLow, leftHigh);
  }
}
