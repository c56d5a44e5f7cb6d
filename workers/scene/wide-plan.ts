/**
 * Decides which nodes of the binary tree become nodes of the wide one: the collapse of least expected
 * cost by dynamic programming over how many children a subtree may stand for (Ylitie, Karras and Laine,
 * "Efficient Incoherent Ray Traversal on GPUs Through Compressed Wide BVHs", HPG 2017, section 3.2).
 * Plain sums and products, so every peer decides alike. Reads the binary tree and writes nothing of it.
 */
import { BvhNode, Instance, NODE_INSTANCE, WIDE_LEAF_TRIANGLES } from '#shaders/layout.ts';

/** Of a visit to an instance, and of a test of a triangle, in visits to a wide node. */
const INSTANCE_COST = 2;
const TRIANGLE_COST = 0.3;
export const WIDTH = 8;

/** What stands in a slot of a wide node. */
export const INNER = 0;
export const LEAF = 1;
export const PLACED = 2;

const NODE_WORDS = BvhNode.size / 4;
/** A child of a binary node: its box, reference and count. Its number is 2 · node + side. */
const CHILD_WORDS = NODE_WORDS / 2;
const MAX = BvhNode.offsets.left_max / 4;
const REF = BvhNode.offsets.left_ref / 4;
const COUNT = BvhNode.offsets.left_count / 4;

export class WidePlan {
  /** Nodes of the binary tree that are roots: the world's first, then those of meshes as they are met. */
  readonly roots: readonly number[];
  /** Least triangle under each root. */
  readonly firsts: readonly number[];
  /** Of each child of what was opened last: INNER, LEAF or PLACED. */
  readonly kinds = new Uint8Array(WIDTH);
  /** The child of a binary node whose box holds it. */
  readonly boxes = new Int32Array(WIDTH);
  /** What to open of an inner child. */
  readonly inner = new Int32Array(WIDTH);
  /** Triangles of a leaf, and how many of the box's triangles come before them. */
  readonly counts = new Uint8Array(WIDTH);
  readonly skipped = new Uint8Array(WIDTH);
  readonly #words: Uint32Array;
  readonly #floats: Float32Array;
  /** At 8 · node + j the cost of standing for at most j children, 1 ≤ j < 8. */
  readonly #costs: Float32Array;
  /** At 8 · node + j how many of j children the left side takes, 0: as j - 1; at 8 · node of as many as a wide node holds; at + 1 whether it is a leaf. */
  readonly #choices: Uint8Array;
  /** Children the subtree can stand for, at most 8, and triangles below, at most 4 (an instance: 4). */
  readonly #parts: Uint8Array;
  readonly #sizes: Uint8Array;
  /** Costs of both sides of a node, at j and 8 + j. */
  readonly #sides = new Float64Array(2 * WIDTH + 1);
  readonly #pending = new Int32Array(4 * WIDTH);

  constructor(nodes: Uint8Array<ArrayBuffer>) {
    const count = nodes.byteLength / BvhNode.size;
    this.#words = new Uint32Array(nodes.buffer, nodes.byteOffset, count * NODE_WORDS);
    this.#floats = new Float32Array(nodes.buffer, nodes.byteOffset, count * NODE_WORDS);
    this.#costs = new Float32Array(count * WIDTH);
    this.#choices = new Uint8Array(count * WIDTH);
    this.#parts = new Uint8Array(count);
    this.#sizes = new Uint8Array(count);
    const order = new Uint32Array(count);
    const { roots, firsts, listed } = this.#list(order);
    this.roots = roots;
    this.firsts = firsts;
    for (let i = listed - 1; i >= 0; i--) this.#solve(order[i] as number);
  }

  /** First triangle of a leaf child of a binary node. */
  reference(child: number): number {
    return this.#words[child * CHILD_WORDS + REF] as number;
  }

  triangles(child: number): number {
    return this.#words[child * CHILD_WORDS + COUNT] as number;
  }

  low(child: number, axis: number): number {
    return this.#floats[child * CHILD_WORDS + axis] as number;
  }

  high(child: number, axis: number): number {
    return this.#floats[child * CHILD_WORDS + MAX + axis] as number;
  }

  /** Leaves of the binary tree below a child, left to right; at most WIDE_LEAF_TRIANGLES where it became one leaf. */
  leaves(child: number, out: number[]): void {
    if (this.triangles(child) > 0) {
      out.push(child);
      return;
    }
    this.leaves(this.reference(child) * 2, out);
    this.leaves(this.reference(child) * 2 + 1, out);
  }

  /** Fills the lists above. @param what a binary node, or ~child for a leaf too large for one slot. @returns how many children. */
  open(what: number): number {
    if (what < 0) return this.#cut(~what, 0);
    const pending = this.#pending;
    const room = this.#parts[what] as number;
    const left = this.#choices[what * WIDTH] as number;
    let waiting = 0;
    let filled = 0;
    pending[waiting++] = what * 2 + 1;
    pending[waiting++] = room - left;
    pending[waiting++] = what * 2;
    pending[waiting++] = left;
    while (waiting > 0) {
      let share = pending[--waiting] as number;
      const child = pending[--waiting] as number;
      if (share === 0) continue;
      const count = this.triangles(child);
      if (count > 0) {
        filled = (count & NODE_INSTANCE) === 0 ? this.#addLeaf(child, share, filled) : this.#add(filled, PLACED, child, 0);
        continue;
      }
      const node = this.reference(child);
      share = Math.min(share, this.#parts[node] as number);
      while (share > 1 && this.#choices[node * WIDTH + share] === 0) share -= 1;
      if (share > 1) {
        const first = this.#choices[node * WIDTH + share] as number;
        pending[waiting++] = node * 2 + 1;
        pending[waiting++] = share - first;
        pending[waiting++] = node * 2;
        pending[waiting++] = first;
      } else if (this.#choices[node * WIDTH + 1] === 1) {
        this.counts[filled] = this.#sizes[node] as number;
        filled = this.#add(filled, LEAF, child, 0);
      } else {
        filled = this.#add(filled, INNER, child, node);
      }
    }
    return filled;
  }

  #add(at: number, kind: number, child: number, inner: number): number {
    this.kinds[at] = kind;
    this.boxes[at] = child;
    this.inner[at] = inner;
    this.skipped[at] = 0;
    return at + 1;
  }

  #addLeaf(child: number, share: number, at: number): number {
    return slotsOf(this.triangles(child)) <= share ? this.#cut(child, at) : this.#add(at, INNER, child, ~child);
  }

  /** A leaf in as few slots as it fits, evenly. */
  #cut(child: number, at: number): number {
    const count = this.triangles(child);
    const slots = slotsOf(count);
    for (let i = 0; i < slots; i++) {
      this.#add(at + i, LEAF, child, 0);
      this.skipped[at + i] = Math.floor((i * count) / slots);
      this.counts[at + i] = Math.floor(((i + 1) * count) / slots) - Math.floor((i * count) / slots);
    }
    return at + slots;
  }

  /** All nodes, parents before their children. */
  #list(order: Uint32Array): { roots: number[]; firsts: number[]; listed: number } {
    const words = this.#words;
    const roots = [0];
    const firsts: number[] = [];
    const known = new Set(roots);
    let listed = 0;
    for (let r = 0; r < roots.length; r++) {
      let first = 0xffffffff;
      order[listed] = roots[r] as number;
      // What is listed but not yet looked at waits in the list itself.
      for (let at = listed++; at < listed; at++) {
        const node = order[at] as number;
        for (let child = node * 2; child < node * 2 + 2; child++) {
          const count = words[child * CHILD_WORDS + COUNT] as number;
          const ref = words[child * CHILD_WORDS + REF] as number;
          if (this.low(child, 0) > this.high(child, 0)) continue;
          if (count === 0) order[listed++] = ref;
          else if ((count & NODE_INSTANCE) === 0) first = Math.min(first, ref);
          else {
            const root = words[ref * NODE_WORDS + Instance.offsets.root / 4] as number;
            if (!known.has(root)) roots.push(root);
            known.add(root);
          }
        }
      }
      firsts.push(first);
    }
    return { roots, firsts, listed };
  }

  /** Costs and choices of a node whose children are solved. */
  #solve(node: number): void {
    const sides = this.#sides;
    const left = this.#side(node * 2, 0);
    const right = this.#side(node * 2 + 1, WIDTH);
    const all = Math.min(WIDTH, left + right);
    const base = node * WIDTH;
    const [costs, choices] = [this.#costs, this.#choices];
    this.#parts[node] = all;
    // Only a root may have a side without anything.
    if (right === 0) {
      choices[base] = left;
      return;
    }
    let last = Infinity;
    for (let j = 2; j <= all; j++) {
      let best = Infinity;
      let first = left;
      for (let k = Math.max(1, j - right); k <= left && k < j; k++) {
        const cost = (sides[k] as number) + (sides[WIDTH + j - k] as number);
        if (cost < best) {
          best = cost;
          first = k;
        }
      }
      if (j === all) choices[base] = first;
      if (j < WIDTH) {
        choices[base + j] = best < last ? first : 0;
        costs[base + j] = Math.min(best, last);
      }
      last = Math.min(best, last);
    }
    this.#alone(node, last);
  }

  /** Cost and choice of standing as one child: a leaf, or a node over children that cost so much. */
  #alone(node: number, children: number): void {
    const size = Math.min(4, this.#size(node * 2) + this.#size(node * 2 + 1));
    const f = this.#floats;
    const at = node * NODE_WORDS;
    const right = at + CHILD_WORDS;
    const x = Math.max(f[at + MAX] as number, f[right + MAX] as number) - Math.min(f[at] as number, f[right] as number);
    const y = Math.max(f[at + MAX + 1] as number, f[right + MAX + 1] as number) - Math.min(f[at + 1] as number, f[right + 1] as number);
    const z = Math.max(f[at + MAX + 2] as number, f[right + MAX + 2] as number) - Math.min(f[at + 2] as number, f[right + 2] as number);
    const area = x * y + y * z + z * x;
    const asNode = area + children;
    const asLeaf = size <= WIDE_LEAF_TRIANGLES ? area * size * TRIANGLE_COST : Infinity;
    this.#sizes[node] = size;
    this.#choices[node * WIDTH + 1] = asLeaf <= asNode ? 1 : 0;
    this.#costs[node * WIDTH + 1] = Math.min(asLeaf, asNode);
  }

  /** Triangles below a child, or 4 for more than fit a leaf and for what is none. */
  #size(child: number): number {
    const count = this.#words[child * CHILD_WORDS + COUNT] as number;
    if (count === 0) return this.#sizes[this.reference(child)] as number;
    return count > 4 ? 4 : count;
  }

  /** Writes the costs of a child as 1, 2 … children at `to`. @returns how many it can stand for; 0: it is empty. */
  #side(child: number, to: number): number {
    const sides = this.#sides;
    const f = this.#floats;
    const at = child * CHILD_WORDS;
    const count = this.#words[at + COUNT] as number;
    if (count === 0) {
      const node = this.#words[at + REF] as number;
      if ((f[at] as number) > (f[at + MAX] as number)) return 0;
      const parts = this.#parts[node] as number;
      for (let j = 1; j <= parts && j < WIDTH; j++) sides[to + j] = this.#costs[node * WIDTH + j] as number;
      return Math.min(WIDTH - 1, parts);
    }
    const x = (f[at + MAX] as number) - (f[at] as number);
    const y = (f[at + MAX + 1] as number) - (f[at + 1] as number);
    const z = (f[at + MAX + 2] as number) - (f[at + 2] as number);
    const area = x * y + y * z + z * x;
    if ((count & NODE_INSTANCE) !== 0) {
      sides[to + 1] = area * INSTANCE_COST;
      return 1;
    }
    const slots = slotsOf(count);
    for (let j = 1; j < slots; j++) sides[to + j] = area + area * count * TRIANGLE_COST;
    sides[to + slots] = area * count * TRIANGLE_COST;
    return slots;
  }
}

/** Slots that a leaf of the binary tree fills. */
const slotsOf = (triangles: number): number => Math.ceil(triangles / WIDE_LEAF_TRIANGLES);
