/**
 * Builds the binary bounding volume hierarchy: binned surface-area heuristic over all three axes
 * (Wald 2007, "On fast Construction of SAH-based Bounding Volume Hierarchies"), depth-first layout,
 * leaves of at most four triangles, depth at most BVH_DEPTH_MAX so that a fixed traversal stack
 * suffices. Bounds are f32 rounded outward. Plain comparisons on doubles: the same tree everywhere.
 */
import { BvhNode } from '#shaders/layout.ts';
import { BVH_DEPTH_MAX } from '#lib/protocol/limits.ts';
import { roundDown, roundUp } from './exact-math.ts';

export const LEAF_TRIANGLES_MAX = 4;
const BINS = 16;
const PAUSE_EVERY_TRIANGLES = 2_000_000;

export interface Bvh {
  /** BvhNode[]. */
  readonly nodes: Uint8Array<ArrayBuffer>;
  /** Triangle of the input for each place in leaf order. */
  readonly order: Uint32Array<ArrayBuffer>;
  readonly depth: number;
}

/** @param triangles 9 numbers each (corner, two edges). @param pause awaited now and then; throws to abort. */
export async function buildBvh(triangles: Float32Array, pause: () => Promise<void>): Promise<Bvh> {
  const builder = new Builder(triangles);
  while (builder.step(PAUSE_EVERY_TRIANGLES)) await pause();
  return builder.finish();
}

/** Levels of inner nodes that halving needs for n triangles. */
function halvingLevels(n: number): number {
  let levels = 0;
  for (let rest = n; rest > LEAF_TRIANGLES_MAX; rest = Math.ceil(rest / 2)) levels += 1;
  return levels;
}

/** min x, y, z, max x, y, z of each triangle; corners are v0, v0 + e1, v0 + e2 exactly. */
function triangleBounds(triangles: Float32Array): Float32Array {
  const count = triangles.length / 9;
  const bounds = new Float32Array(count * 6);
  for (let t = 0; t < count; t++) {
    for (let axis = 0; axis < 3; axis++) {
      const a = triangles[t * 9 + axis] as number;
      const b = a + (triangles[t * 9 + 3 + axis] as number);
      const c = a + (triangles[t * 9 + 6 + axis] as number);
      bounds[t * 6 + axis] = roundDown(Math.min(a, b, c));
      bounds[t * 6 + 3 + axis] = roundUp(Math.max(a, b, c));
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

/** A range of `order` waiting to become a node, and where its index is to be written. */
interface Task {
  readonly start: number;
  readonly end: number;
  readonly depth: number;
  /** Word of the parent's reference; -1 for the root. */
  readonly slot: number;
}

class Builder {
  readonly #bounds: Float32Array;
  readonly #order: Uint32Array<ArrayBuffer>;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #floats: Float32Array;
  readonly #stack: Task[];
  readonly #bins = new Float64Array(3 * BINS * 6);
  readonly #binCounts = new Int32Array(3 * BINS);
  readonly #rightCosts = new Float64Array(BINS);
  readonly #center = new Float64Array(6);
  #nodes = 0;
  #depth = 0;
  #work = 0;

  constructor(triangles: Float32Array) {
    const count = triangles.length / 9;
    this.#bounds = triangleBounds(triangles);
    this.#order = Uint32Array.from({ length: count }, (_, i) => i);
    // A binary tree with n leaves has n - 1 inner nodes; one more for a scene of a single leaf.
    this.#words = new Uint32Array(Math.max(1, count) * NODE_WORDS);
    this.#floats = new Float32Array(this.#words.buffer);
    this.#stack = [{ start: 0, end: count, depth: 1, slot: -1 }];
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

  #split({ start, end, depth, slot }: Task): void {
    const node = this.#nodes++;
    this.#depth = Math.max(this.#depth, depth);
    this.#work += end - start;
    if (slot >= 0) this.#words[slot] = node;
    if (end - start <= LEAF_TRIANGLES_MAX && slot < 0) {
      this.#child(node, 0, start, end, depth);
      this.#child(node, 1, end, end, depth);
      return;
    }
    const middle = this.#partition(start, end, depth);
    // The left child is popped first and so lies right behind its parent.
    this.#child(node, 1, middle, end, depth);
    this.#child(node, 0, start, middle, depth);
  }

  /** Writes bounds of a child and either its leaf or the task that will make its node. */
  #child(node: number, side: 0 | 1, start: number, end: number, depth: number): void {
    const base = node * NODE_WORDS;
    const box = [Infinity, Infinity, Infinity, -Infinity, -Infinity, -Infinity];
    const b = this.#bounds;
    for (let i = start; i < end; i++) {
      const at = (this.#order[i] as number) * 6;
      for (let axis = 0; axis < 3; axis++) {
        if ((b[at + axis] as number) < (box[axis] as number)) box[axis] = b[at + axis] as number;
        if ((b[at + 3 + axis] as number) > (box[3 + axis] as number)) box[3 + axis] = b[at + 3 + axis] as number;
      }
    }
    // WGSL may assume that infinities do not occur, so an empty box is finite and inside out.
    for (let axis = 0; axis < 3; axis++) {
      this.#floats[base + AT.min[side] + axis] = end > start ? (box[axis] as number) : 3e38;
      this.#floats[base + AT.max[side] + axis] = end > start ? (box[3 + axis] as number) : -3e38;
    }
    const leaf = end - start <= LEAF_TRIANGLES_MAX;
    this.#words[base + AT.count[side]] = leaf ? end - start : 0;
    this.#words[base + AT.ref[side]] = start;
    if (!leaf) this.#stack.push({ start, end, depth: depth + 1, slot: base + AT.ref[side] });
  }

  /** Orders start..end so that one child comes before the other. @returns where the second begins. */
  #partition(start: number, end: number, depth: number): number {
    const n = end - start;
    this.#centers(start, end);
    if (depth + halvingLevels(n - 1) > BVH_DEPTH_MAX) return this.#halve(start, end);
    const bins = n <= 32 ? 8 : BINS;
    const best = this.#bestPlane(start, end, bins);
    return best < 0 ? this.#halve(start, end) : this.#arrange(start, end, Math.floor(best / BINS), best % BINS, bins);
  }

  /** Bounds of the doubled box centres, which is what bins divide. */
  #centers(start: number, end: number): void {
    const b = this.#bounds;
    let [x0, y0, z0, x1, y1, z1] = [Infinity, Infinity, Infinity, -Infinity, -Infinity, -Infinity];
    for (let i = start; i < end; i++) {
      const at = (this.#order[i] as number) * 6;
      const x = (b[at] as number) + (b[at + 3] as number);
      const y = (b[at + 1] as number) + (b[at + 4] as number);
      const z = (b[at + 2] as number) + (b[at + 5] as number);
      if (x < x0) x0 = x;
      if (x > x1) x1 = x;
      if (y < y0) y0 = y;
      if (y > y1) y1 = y;
      if (z < z0) z0 = z;
      if (z > z1) z1 = z;
    }
    this.#center.set([x0, y0, z0, x1, y1, z1]);
  }

  #scale(axis: number, bins: number): number {
    const extent = (this.#center[axis + 3] as number) - (this.#center[axis] as number);
    return extent > 0 ? bins / extent : 0;
  }

  /** @returns axis * BINS + last bin of the left side of the cheapest split; -1 when all centres coincide. */
  #bestPlane(start: number, end: number, bins: number): number {
    this.#fillBins(start, end, bins);
    let best = -1;
    let bestCost = Infinity;
    for (let axis = 0; axis < 3; axis++) {
      if (this.#scale(axis, bins) === 0) continue;
      const cost = this.#sweep(axis, bins);
      if (cost.value < bestCost) {
        bestCost = cost.value;
        best = axis * BINS + cost.bin;
      }
    }
    return best;
  }

  #fillBins(start: number, end: number, bins: number): void {
    const [b, order, box, counts, center] = [this.#bounds, this.#order, this.#bins, this.#binCounts, this.#center];
    counts.fill(0);
    for (let i = 0; i < box.length; i += 6) {
      box[i] = box[i + 1] = box[i + 2] = Infinity;
      box[i + 3] = box[i + 4] = box[i + 5] = -Infinity;
    }
    const scales = [this.#scale(0, bins), this.#scale(1, bins), this.#scale(2, bins)];
    for (let axis = 0; axis < 3; axis++) {
      const scale = scales[axis] as number;
      if (scale === 0) continue;
      const origin = center[axis] as number;
      for (let i = start; i < end; i++) {
        const at = (order[i] as number) * 6;
        const x0 = b[at] as number;
        const y0 = b[at + 1] as number;
        const z0 = b[at + 2] as number;
        const x1 = b[at + 3] as number;
        const y1 = b[at + 4] as number;
        const z1 = b[at + 5] as number;
        const middle = axis === 0 ? x0 + x1 : axis === 1 ? y0 + y1 : z0 + z1;
        let bin = ((middle - origin) * scale) | 0;
        if (bin >= bins) bin = bins - 1;
        bin += axis * BINS;
        counts[bin] = (counts[bin] as number) + 1;
        const q = bin * 6;
        if (x0 < (box[q] as number)) box[q] = x0;
        if (y0 < (box[q + 1] as number)) box[q + 1] = y0;
        if (z0 < (box[q + 2] as number)) box[q + 2] = z0;
        if (x1 > (box[q + 3] as number)) box[q + 3] = x1;
        if (y1 > (box[q + 4] as number)) box[q + 4] = y1;
        if (z1 > (box[q + 5] as number)) box[q + 5] = z1;
      }
    }
  }

  /** The cheapest plane of one axis by area × triangles of both sides. */
  #sweep(axis: number, bins: number): { value: number; bin: number } {
    const [box, counts, costs] = [this.#bins, this.#binCounts, this.#rightCosts];
    let value = Infinity;
    let bin = 0;
    for (const left of [false, true]) {
      let [x0, y0, z0, x1, y1, z1, n] = [Infinity, Infinity, Infinity, -Infinity, -Infinity, -Infinity, 0];
      for (let step = 0; step < bins - 1; step++) {
        const k = left ? step : bins - 1 - step;
        const at = axis * BINS + k;
        const q = at * 6;
        n += counts[at] as number;
        x0 = Math.min(x0, box[q] as number);
        y0 = Math.min(y0, box[q + 1] as number);
        z0 = Math.min(z0, box[q + 2] as number);
        x1 = Math.max(x1, box[q + 3] as number);
        y1 = Math.max(y1, box[q + 4] as number);
        z1 = Math.max(z1, box[q + 5] as number);
        const [dx, dy, dz] = [x1 - x0, y1 - y0, z1 - z0];
        const cost = n === 0 ? Infinity : (dx * dy + dy * dz + dz * dx) * n;
        if (!left) costs[k] = cost;
        else if (cost + (costs[k + 1] as number) < value) {
          value = cost + (costs[k + 1] as number);
          bin = k;
        }
      }
    }
    return { value, bin };
  }

  #arrange(start: number, end: number, axis: number, lastLeft: number, bins: number): number {
    const [b, order] = [this.#bounds, this.#order];
    const origin = this.#center[axis] as number;
    const scale = this.#scale(axis, bins);
    let left = start;
    let right = end - 1;
    while (left <= right) {
      const triangle = order[left] as number;
      const middle = (b[triangle * 6 + axis] as number) + (b[triangle * 6 + 3 + axis] as number);
      const bin = Math.min(bins - 1, ((middle - origin) * scale) | 0);
      if (bin <= lastLeft) left += 1;
      else {
        order[left] = order[right] as number;
        order[right--] = triangle;
      }
    }
    return left;
  }

  /** Splits at the median of the widest axis, ties by index; for coinciding centres and deep trees. */
  #halve(start: number, end: number): number {
    const width = (axis: number): number => (this.#center[axis + 3] as number) - (this.#center[axis] as number);
    const axis = width(0) >= width(1) && width(0) >= width(2) ? 0 : width(1) >= width(2) ? 1 : 2;
    const middle = (t: number): number => (this.#bounds[t * 6 + axis] as number) + (this.#bounds[t * 6 + 3 + axis] as number);
    const sorted = Array.from(this.#order.subarray(start, end)).sort((a, b) => middle(a) - middle(b) || a - b);
    this.#order.set(sorted, start);
    return start + Math.ceil((end - start) / 2);
  }
}
