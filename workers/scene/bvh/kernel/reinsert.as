// Moves subtrees to where they cost the least surface (Meister and Bittner 2018, "Parallel
// Reinsertion for Bounding Volume Hierarchy Optimization"), one after the other, those with the
// largest boxes first. Never makes the tree deeper than it may be.
import { area, copyBox, DIGITS, FAR, HEIGHT, isInner, joinTally, pairCount, pairOf, pairs, parents, ROOT, sorted, STACK } from './memory';

/** The box that refers to the pair in which a box lies. */
// @ts-ignore: decorator
@inline
function parentOf(box: usize): usize {
  return <usize>load<u32>(parents + (((box - pairs) >> 6) << 2));
}

// @ts-ignore: decorator
@inline
function adopt(box: usize): void {
  if (isInner(box)) store<u32>(parents + (<usize>load<u32>(box, 12) << 2), <u32>box);
}

// @ts-ignore: decorator
@inline
function areaOf(box: usize): f32 {
  return area(v128.load(box), v128.load(box, 16));
}

/** Box, count and height from the pair below. @returns false when nothing changed. */
// @ts-ignore: decorator
@inline
function measure(box: usize): bool {
  const pair = pairOf(box);
  const least = i32x4.replace_lane(f32x4.pmin(v128.load(pair), v128.load(pair, 32)), 3, load<u32>(box, 12));
  const tally = joinTally(load<u32>(pair, 28), load<u32>(pair, 60));
  const largest = i32x4.replace_lane(f32x4.pmax(v128.load(pair, 16), v128.load(pair, 48)), 3, tally);
  if (!v128.any_true(v128.or(v128.xor(least, v128.load(box)), v128.xor(largest, v128.load(box, 16))))) return false;
  v128.store(box, least);
  v128.store(box, largest, 16);
  return true;
}

/** Boxes of the upper tree, whose pairs precede those below them, and everybody's parent. */
export function measureAll(): void {
  for (let pair = pairs + (<usize>pairCount << 6); pair > pairs; ) {
    pair -= 64;
    for (let box = pair; box < pair + 64; box += 32) {
      if (!isInner(box)) continue;
      if (pairOf(box) > pair) measure(box);
      adopt(box);
    }
  }
  measure(ROOT);
  adopt(ROOT);
}

function settle(box: usize): void {
  while (measure(box) && box != ROOT) box = parentOf(box);
}

let gain: f32 = 0;
let target: usize = 0;

/** Looks below `sibling` for a place that saves more than `gain`; `freed` is what was saved on the way. */
function searchBelow(sibling: usize, freed: f32, least: v128, largest: v128, own: f32, forbidden: usize): void {
  store<f32>(STACK, freed);
  store<u32>(STACK, <u32>sibling, 4);
  for (let top = STACK + 8; top > STACK; ) {
    top -= 8;
    const saved = load<f32>(top);
    // Even where the subtree fits without growing anything its own box must be paid.
    if (!(saved - own > gain)) continue;
    const box = <usize>load<u32>(top, 4);
    const low = v128.load(box);
    const high = v128.load(box, 16);
    const left = saved - area(f32x4.pmin(low, least), f32x4.pmax(high, largest));
    if (left > gain && box != forbidden) {
      gain = left;
      target = box;
    }
    if (!isInner(box)) continue;
    const below = left + area(low, high);
    if (!(below - own > gain)) continue;
    const pair = <u32>pairOf(box);
    store<f32>(top, below);
    store<u32>(top, pair, 4);
    store<f32>(top, below, 8);
    store<u32>(top, pair + 32, 12);
    top += 16;
  }
}

/** Searches all siblings of the way to the root. @returns whether there is a better place. */
function search(box: usize): bool {
  const least = v128.load(box);
  const largest = v128.load(box, 16);
  const own = area(least, largest);
  const parent = parentOf(box);
  let sibling = box ^ 32;
  let freed = areaOf(parent);
  let low = v128.load(sibling);
  let high = v128.load(sibling, 16);
  gain = 0;
  target = 0;
  for (let pivot = parent; ; ) {
    searchBelow(sibling, freed, least, largest, own, box ^ 32);
    if (pivot != parent) {
      low = f32x4.pmin(low, v128.load(sibling));
      high = f32x4.pmax(high, v128.load(sibling, 16));
      freed += areaOf(pivot) - area(low, high);
    }
    if (pivot == ROOT) break;
    sibling = pivot ^ 32;
    pivot = parentOf(pivot);
  }
  return target != 0;
}

function fits(box: usize, depthMax: u32): bool {
  let depth: u32 = 1;
  for (let at = target; at != ROOT; at = parentOf(at)) depth++;
  return depth + max(load<u32>(box, 28) >> HEIGHT, load<u32>(target, 28) >> HEIGHT) <= depthMax;
}

/** The pair that held the box and its sibling becomes that of the box and its target. */
function move(box: usize): void {
  const parent = parentOf(box);
  const pair = pairOf(parent);
  const least = v128.load(box);
  const largest = v128.load(box, 16);
  const id = load<u32>(parent, 12);
  copyBox(box ^ 32, parent);
  adopt(parent);
  copyBox(target, pair);
  v128.store(pair, least, 32);
  v128.store(pair, largest, 48);
  adopt(pair);
  adopt(pair + 32);
  store<u32>(target, id, 12);
  store<u32>(target, 1 << HEIGHT, 28);
  adopt(target);
  if (parent != ROOT) settle(parentOf(parent));
  settle(target);
}

/** Areas as digits of 11 bits, largest last: exponent and three bits of what follows. */
// @ts-ignore: decorator
@inline
function digitOf(box: usize): usize {
  const a = areaOf(box);
  return <usize>(reinterpret<u32>(a < FAR ? a : FAR) >> 20) << 2;
}

/** Least digit of about so many boxes, judged by every `stride`-th pair. */
function leastDigit(wanted: u32, stride: u32): usize {
  memory.fill(DIGITS, 0, 2048 << 2);
  for (let pair = pairs, end = pairs + (<usize>pairCount << 6); pair < end; pair += <usize>stride << 6) {
    tally(DIGITS + digitOf(pair));
    tally(DIGITS + digitOf(pair + 32));
  }
  let sum: u32 = 0;
  let digit: usize = 2048 << 2;
  while (digit > 0 && sum * stride < wanted) {
    digit -= 4;
    sum += load<u32>(DIGITS + digit);
  }
  return digit;
}

// @ts-ignore: decorator
@inline
function tally(at: usize): void {
  store<u32>(at, load<u32>(at) + 1);
}

/** Lists at `sorted` about so many boxes, the largest first. @returns how many. */
function listLargest(wanted: u32): u32 {
  const least = leastDigit(wanted, max<u32>(1, pairCount >> 12));
  memory.fill(DIGITS, 0, 2048 << 2);
  // Boxes and their digits first; there are half as many bytes as all boxes would need twice.
  const found = sorted + (<usize>pairCount << 3);
  let end = found;
  for (let box = pairs, last = pairs + (<usize>pairCount << 6); box < last; box += 32) {
    const digit = digitOf(box);
    if (digit < least) continue;
    tally(DIGITS + digit);
    store<u64>(end, (<u64>digit << 32) | <u64>box);
    end += 8;
  }
  let sum: u32 = 0;
  for (let digit: usize = 2048 << 2; digit > least; ) {
    digit -= 4;
    const count = load<u32>(DIGITS + digit);
    store<u32>(DIGITS + digit, sum);
    sum += count;
  }
  for (let at = found; at < end; at += 8) {
    const digit = DIGITS + <usize>load<u32>(at, 4);
    const place = load<u32>(digit);
    store<u32>(digit, place + 1);
    store<u32>(sorted + (<usize>place << 2), load<u32>(at));
  }
  return sum;
}

/** Tries the largest boxes once. @param wanted how many, about; more where many are equally large. */
export function reinsert(wanted: u32, depthMax: u32): void {
  const count = listLargest(wanted);
  for (let i: u32 = 0; i < count; i++) {
    const box = <usize>load<u32>(sorted + (<usize>i << 2));
    // Below the root there is no other place.
    if (parentOf(box) != ROOT && search(box) && fits(box, depthMax)) move(box);
  }
}
