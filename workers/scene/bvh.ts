/**
 * Builds the binary bounding volume hierarchy: binned surface-area heuristic over all three axes
 * (Wald 2007, "On fast Construction of SAH-based Bounding Volume Hierarchies"), depth-first layout,
 * leaves of at most four triangles, depth at most BVH_DEPTH_MAX so that a fixed traversal stack
 * suffices. Plain comparisons on doubles: the same tree everywhere.
 */
import { BvhNode } from '#shaders/layout.ts';
import { BVH_DEPTH_MAX } from '#lib/protocol/limits.ts';
import { SahBins } from './sah-bins.ts';

export const LEAF_TRIANGLES_MAX = 4;
const PAUSE_EVERY_TRIANGLES = 2_000_000;

export interface Bvh {
  /** BvhNode[]. */
  readonly nodes: Uint8Array<ArrayBuffer>;
  /** Triangle of the input for each place in leaf order. */
  readonly order: Uint32Array<ArrayBuffer>;
  readonly depth: number;
}

/** @param triangles three corners of 3 numbers each. @param pause awaited now and then; throws to abort. */
export function buildBvh(triangles: Float32Array, pause: () => Promise<void>, depthMax = BVH_DEPTH_MAX): Promise<Bvh> {
  return buildOverBoxes(triangleBounds(triangles), LEAF_TRIANGLES_MAX, depthMax, pause);
}

/** @param bounds least x, y, z and largest of each thing, reordered along with `order`. @param depthMax must suffice for halving. */
export async function buildOverBoxes(bounds: Float32Array, leafMax: number, depthMax: number, pause: () => Promise<void>): Promise<Bvh> {
  const builder = new Builder(bounds, leafMax, depthMax);
  while (builder.step(PAUSE_EVERY_TRIANGLES)) await pause();
  return builder.finish();
}

/** Levels of inner nodes that halving needs for n things. */
export function halvingLevels(n: number, leafMax: number): number {
  let levels = 0;
  for (let rest = n; rest > leafMax; rest = Math.ceil(rest / 2)) levels += 1;
  return levels;
}

/** min x, y, z, max x, y, z of each triangle: exact, for corners are f32. */
function triangleBounds(triangles: Float32Array): Float32Array {
  const count = triangles.length / 9;
  const bounds = new Float32Array(count * 6);
  for (let t = 0; t < count; t++) {
    for (let axis = 0; axis < 3; axis++) {
      const a = triangles[t * 9 + axis] as number;
      const b = triangles[t * 9 + 3 + axis] as number;
      const c = triangles[t * 9 + 6 + axis] as number;
      bounds[t * 6 + axis] = Math.min(a, b, c);
      bounds[t * 6 + 3 + axis] = Math.max(a, b, c);
    }
  }
  return bounds;
}

const AT = {
  min: [BvhNode.offsets.left_min / 4, BvhNode.offsets.right_min / 4],
  max: [BvhNode.offsets.left_max / 4, BvhNode.offsets.right_max / 4],
  ref: [BvhNode.offsets.left_ref / 4, BvhNode.offsets.right_ref / 4],
  count: [BvhNode.offsets.left_count / 4, BvhNode.offsets.right_count / 4],
} as const;
const NODE_WORDS = BvhNode.size / 4;
const EMPTY_MIN = 3e38;

/** A range of `order` waiting to become a node, and where its index is to be written. */
interface Task {
  readonly start: number;
  readonly end: number;
  readonly depth: number;
  /** Word of the parent's reference; -1 for the root. */
  readonly slot: number;
  /** As SahBins.setRange takes them. */
  readonly middles: Float64Array;
}

class Builder {
  readonly #bounds: Float32Array;
  readonly #leafMax: number;
  readonly #depthMax: number;
  readonly #order: Uint32Array<ArrayBuffer>;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #floats: Float32Array;
  readonly #stack: Task[];
  readonly #bins = new SahBins();
  /** Box of the range measured last, then the box of its doubled middles. */
  readonly #box = new Float64Array(12);
  #nodes = 0;
  #depth = 0;
  #work = 0;

  constructor(bounds: Float32Array, leafMax: number, depthMax: number) {
    const count = bounds.length / 6;
    this.#bounds = bounds;
    this.#leafMax = leafMax;
    this.#depthMax = depthMax;
    this.#order = Uint32Array.from({ length: count }, (_, i) => i);
    // A binary tree with n leaves has n - 1 inner nodes; one more for a scene of a single leaf.
    this.#words = new Uint32Array(Math.max(1, count) * NODE_WORDS);
    this.#floats = new Float32Array(this.#words.buffer);
    this.#measure(0, count);
    this.#stack = [{ start: 0, end: count, depth: 1, slot: -1, middles: this.#box.slice(6) }];
  }

  /** Works through about `budget` triangle visits. @returns false when the tree is complete. */
  step(budget: number): boolean {
    this.#work = 0;
    while (this.#work < budget) {
      const task = this.#stack.pop();
      if (!task) return false;
      this.#split(task);
    }
    return true;
  }

  finish(): Bvh {
    return { nodes: new Uint8Array(this.#words.buffer.slice(0, this.#nodes * BvhNode.size)), order: this.#order, depth: this.#depth };
  }

  #split(task: Task): void {
    const { start, end, depth, slot } = task;
    const node = this.#nodes++;
    this.#depth = Math.max(this.#depth, depth);
    this.#work += end - start;
    if (slot >= 0) this.#words[slot] = node;
    if (end - start <= this.#leafMax && slot < 0) {
      this.#child(node, 0, start, end, depth);
      this.#child(node, 1, end, end, depth);
      return;
    }
    const middle = this.#partition(task);
    // The left child is popped first and so lies right behind its parent.
    this.#child(node, 1, middle, end, depth);
    this.#child(node, 0, start, middle, depth);
  }

  /** Writes bounds of a child and either its leaf or the task that will make its node. */
  #child(node: number, side: 0 | 1, start: number, end: number, depth: number): void {
    const base = node * NODE_WORDS;
    const empty = end === start;
    this.#measure(start, end);
    for (let axis = 0; axis < 3; axis++) {
      // WGSL may assume that infinities do not occur, so an empty box is finite and inside out.
      this.#floats[base + AT.min[side] + axis] = empty ? EMPTY_MIN : (this.#box[axis] as number);
      this.#floats[base + AT.max[side] + axis] = empty ? -EMPTY_MIN : (this.#box[3 + axis] as number);
    }
    const leaf = end - start <= this.#leafMax;
    this.#words[base + AT.count[side]] = leaf ? end - start : 0;
    this.#words[base + AT.ref[side]] = start;
    if (!leaf) this.#stack.push({ start, end, depth: depth + 1, slot: base + AT.ref[side], middles: this.#box.slice(6) });
  }

  /** One pass for both boxes; half of the build is reading memory. */
  #measure(start: number, end: number): void {
    const b = this.#bounds;
    let x0 = Infinity;
    let y0 = Infinity;
    let z0 = Infinity;
    let x1 = -Infinity;
    let y1 = -Infinity;
    let z1 = -Infinity;
    let u0 = Infinity;
    let v0 = Infinity;
    let w0 = Infinity;
    let u1 = -Infinity;
    let v1 = -Infinity;
    let w1 = -Infinity;
    for (let at = start * 6; at < end * 6; at += 6) {
      const ax = b[at] as number;
      const ay = b[at + 1] as number;
      const az = b[at + 2] as number;
      const bx = b[at + 3] as number;
      const by = b[at + 4] as number;
      const bz = b[at + 5] as number;
      if (ax < x0) x0 = ax;
      if (ay < y0) y0 = ay;
      if (az < z0) z0 = az;
      if (bx > x1) x1 = bx;
      if (by > y1) y1 = by;
      if (bz > z1) z1 = bz;
      const u = ax + bx;
      const v = ay + by;
      const w = az + bz;
      if (u < u0) u0 = u;
      if (v < v0) v0 = v;
      if (w < w0) w0 = w;
      if (u > u1) u1 = u;
      if (v > v1) v1 = v;
      if (w > w1) w1 = w;
    }
    this.#box.set([x0, y0, z0, x1, y1, z1, u0, v0, w0, u1, v1, w1]);
  }

  /** Orders start..end so that one child comes before the other. @returns where the second begins. */
  #partition({ start, end, depth, middles }: Task): number {
    const n = end - start;
    const bins = this.#bins;
    bins.setRange(this.#bounds, start, end, middles);
    if (depth + halvingLevels(n - 1, this.#leafMax) > this.#depthMax || !bins.findPlane()) return this.#halve(start, end);
    return this.#arrange(start, end);
  }

  #arrange(start: number, end: number): number {
    const bins = this.#bins;
    let left = start;
    let right = end - 1;
    while (left <= right) {
      if (bins.isLeft(this.#bounds, left)) left += 1;
      else this.#swap(left, right--);
    }
    return left;
  }

  /** Boxes move along with the order: passes over a range then read memory in sequence. */
  #swap(i: number, j: number): void {
    const order = this.#order;
    const b = this.#bounds;
    const triangle = order[i] as number;
    order[i] = order[j] as number;
    order[j] = triangle;
    for (let k = 0; k < 6; k++) {
      const value = b[i * 6 + k] as number;
      b[i * 6 + k] = b[j * 6 + k] as number;
      b[j * 6 + k] = value;
    }
  }

  /** Splits at the median of the widest axis, ties by index; for coinciding centres and deep trees. */
  #halve(start: number, end: number): number {
    const axis = this.#bins.widestAxis();
    const order = this.#order.slice(start, end);
    const bounds = this.#bounds.slice(start * 6, end * 6);
    const middle = (i: number): number => (bounds[i * 6 + axis] as number) + (bounds[i * 6 + 3 + axis] as number);
    const sorted = Array.from(order, (_, i) => i).sort((i, j) => middle(i) - middle(j) || (order[i] as number) - (order[j] as number));
    sorted.forEach((from, i) => {
      this.#order[start + i] = order[from] as number;
      this.#bounds.set(bounds.subarray(from * 6, from * 6 + 6), (start + i) * 6);
    });
    return start + Math.ceil((end - start) / 2);
  }
}
