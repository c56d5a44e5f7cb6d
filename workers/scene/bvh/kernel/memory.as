// Where everything lies in the kernel's one memory while it builds the tree of one part of a scene,
// and the few operations on boxes that all steps share. 104 bytes per triangle and half a megabyte.
//
// A box is two vectors, 32 bytes: least corner, largest corner, each with a word of payload in its
// fourth lane. Leaves carry their first triangle, which names the next, and how many they are; inner
// nodes carry the index of the pair of their children and the number of triangles, with the height of
// the tree below in the top byte, which is 0 for leaves. A pair is two boxes side by side, 64 bytes,
// which is also how BvhNode of shaders/layout.ts lies in memory.

/** Triangles of one call at most: their count has to leave the top byte free. */
export const PART_MAX: u32 = 1 << 18;
export const HEIGHT: u32 = 24;
export const COUNT: u32 = (1 << 24) - 1;
export const FAR: f32 = 3.4028234663852886e38;

/** The root's box, which has no pair to lie in. */
export const ROOT: usize = 1024;
/** Stacks of whatever walks the tree. */
export const STACK: usize = 4096;
/** Bins: 3 axes × 16 boxes, their counts, and the cost of what lies right of each. */
export const BINS: usize = 1 << 16;
export const BIN_COUNTS: usize = BINS + 48 * 32;
export const BIN_COSTS: usize = BIN_COUNTS + 48 * 4;
/** Three histograms of 1024 digits; later one of the areas. */
export const DIGITS: usize = 80 << 10;
/** The bunch that is being clustered: boxes, then the same by coordinate, then the best partner of each. */
export const BUNCH: usize = 96 << 10;
export const LANES: usize = 128 << 10;
/** Bytes between one coordinate and the next. */
export const LANE: usize = 2048;
const HEAP: usize = 160 << 10;
/** Pairs that wait on the way down from the root have no triangles yet; this keeps regions that share memory apart. */
const SLACK: usize = 16 << 10;

/** The triangles' boxes in Morton order; before that the triangles themselves. */
export let sorted: usize = 0;
export let pairs: usize = 0;
/** The box that refers to each pair. */
export let parents: usize = 0;
export let pairsEnd: usize = 0;
/** Next triangle of the same leaf. */
export let nexts: usize = 0;
export let triangles: u32 = 0;
export let pairCount: u32 = 0;

/** @returns where the triangles' corners are to be written, or 0 when there is no memory. */
export function place(count: u32): usize {
  triangles = count;
  pairCount = 0;
  sorted = HEAP;
  pairs = sorted + (<usize>count << 5);
  pairs = (pairs + 63) & ~63;
  pairsEnd = pairs + (<usize>count << 6) + SLACK;
  parents = pairsEnd;
  nexts = parents + (<usize>count << 2);
  return reach(nexts + (<usize>count << 2) + 64) ? sorted : 0;
}

/** Grows the memory until an address is in it. */
export function reach(end: usize): bool {
  const missing = <i32>((end + 0xffff) >> 16) - memory.size();
  return missing <= 0 || memory.grow(missing) >= 0;
}

// @ts-ignore: decorator
@inline
export function takePair(): u32 {
  return pairCount++;
}

/** Half the surface of a box. */
// @ts-ignore: decorator
@inline
export function area(least: v128, largest: v128): f32 {
  const d = f32x4.sub(largest, least);
  const p = f32x4.mul(d, i8x16.shuffle(d, d, 4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 12, 13, 14, 15));
  return f32x4.extract_lane(p, 0) + f32x4.extract_lane(p, 1) + f32x4.extract_lane(p, 2);
}

// @ts-ignore: decorator
@inline
export function copyBox(from: usize, to: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
}

// @ts-ignore: decorator
@inline
export function pairOf(box: usize): usize {
  return pairs + (<usize>load<u32>(box, 12) << 6);
}

// @ts-ignore: decorator
@inline
export function isInner(box: usize): bool {
  return load<u8>(box, 31) > 0;
}

/** Payload of a box around two: triangles add up, the taller child decides. */
// @ts-ignore: decorator
@inline
export function joinTally(a: u32, b: u32): u32 {
  return ((a & COUNT) + (b & COUNT)) | ((max(a >> HEIGHT, b >> HEIGHT) + 1) << HEIGHT);
}
