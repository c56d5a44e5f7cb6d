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
export const CHILD_WORDS = NODE_WORDS / 2;
const MAX = BvhNode.offsets.left_max / 4;
export const REF = BvhNode.offsets.left_ref / 4;
const COUNT = BvhNode.offsets.left_count / 4;

export class WidePlan {
  /** Nodes of the binary tree that are roots: the world's first, then those of meshes as they are met. */
  readonly roots: readonly number[];
  /** Least triangle below each root. */
  readonly firsts: readonly number[];
  /** Of each child of what was opened last: INNER, LEAF or PLACED. */
  readonly kinds = new Uint8Array(WIDTH);
  /** The child of a binary node whose box holds it. */
  readonly boxes = new Int32Array(WIDTH);
  /** Triangles of a leaf. */
  readonly counts = new Uint8Array(WIDTH);
  readonly #words: Uint32Array;
  readonly #floats: Float32Array;
  /** At 8 · node + j the cost of standing for at most j children, 1 ≤ j < 8. */
  readonly #costs: Float32Array;
  /** At 8 · node + j how many of j children the left side takes, 0: as j - 1; at 8 · node of as many as a wide node holds; at + 1 whether it is a leaf. */
  readonly #choices: Uint8Array;
  /** The child of another node whose box is this node's. */
  readonly #boxOf: Uint32Array;
  /** Children the subtree can stand for, at most 8, and triangles below, at most 4 (an instance: 4). */
  readonly #parts: Uint8Array;
  readonly #sizes: Uint8Array;
  readonly #pending = new Int32Array(4 * WIDTH);

  constructor(nodes: Uint8Array<ArrayBuffer>) {
    const count = nodes.byteLength / BvhNode.size;
    this.#words = new Uint32Array(nodes.buffer, nodes.byteOffset, count * NODE_WORDS);
    this.#floats = new Float32Array(nodes.buffer, nodes.byteOffset, count * NODE_WORDS);
    // Two rows more, for the sides of a node that are leaves.
    this.#costs = new Float32Array((count + 2) * WIDTH);
    this.#choices = new Uint8Array(count * WIDTH);
    this.#parts = new Uint8Array(count + 2);
    this.#sizes = new Uint8Array(count);
    this.#boxOf = new Uint32Array(count);
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

  /** Fills the lists above. @returns how many children the wide node has that stands for this binary one. */
  open(what: number): number {
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
        filled = this.#add(filled, count < NODE_INSTANCE ? LEAF : PLACED, child, count);
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
        filled = this.#add(filled, LEAF, child, this.#sizes[node] as number);
      } else {
        filled = this.#add(filled, INNER, child, 0);
      }
    }
    return filled;
  }

  #add(at: number, kind: number, child: number, triangles: number): number {
    this.kinds[at] = kind;
    this.boxes[at] = child;
    this.counts[at] = triangles;
    return at + 1;
  }

  /** All nodes, parents before their children, and near each other where they lie so in memory. */
  #list(order: Uint32Array): { roots: number[]; firsts: number[]; listed: number } {
    const words = this.#words;
    const floats = this.#floats;
    const roots = [0];
    const firsts: number[] = [];
    const known = new Set(roots);
    const waiting: number[] = [];
    let listed = 0;
    for (let r = 0; r < roots.length; r++) {
      let first = 0xffffffff;
      waiting.push(roots[r] as number);
      while (waiting.length > 0) {
        const node = waiting.pop() as number;
        order[listed++] = node;
        for (let at = (node * 2 + 1) * CHILD_WORDS; at >= node * NODE_WORDS; at -= CHILD_WORDS) {
          const count = words[at + COUNT] as number;
          const ref = words[at + REF] as number;
          if ((floats[at] as number) > (floats[at + MAX] as number)) continue;
          if (count === 0) {
            waiting.push(ref);
            this.#boxOf[ref] = at / CHILD_WORDS;
          } else if (count < NODE_INSTANCE) first = Math.min(first, ref);
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
    const costs = this.#costs;
    const choices = this.#choices;
    const a = this.#row(node * 2, this.#sizes.length);
    const b = this.#row(node * 2 + 1, this.#sizes.length + 1);
    const left = Math.min(WIDTH - 1, this.#parts[a] as number);
    const right = Math.min(WIDTH - 1, this.#parts[b] as number);
    const ofA = a * WIDTH;
    const ofB = b * WIDTH;
    const all = left + right < WIDTH ? left + right : WIDTH;
    const base = node * WIDTH;
    this.#parts[node] = all;
    choices[base] = left;
    // Only a root may have a side without anything.
    if (right === 0) return;
    let last = Infinity;
    for (let j = 2; j <= all; j++) {
      const end = left < j ? left : j - 1;
      let first = j > right ? j - right : 1;
      let best = (costs[ofA + first] as number) + (costs[ofB + j - first] as number);
      for (let k = first + 1; k <= end; k++) {
        const cost = (costs[ofA + k] as number) + (costs[ofB + j - k] as number);
        if (cost >= best) continue;
        best = cost;
        first = k;
      }
      if (j === all) choices[base] = first;
      if (j < WIDTH) choices[base + j] = best < last ? first : 0;
      if (best < last) last = best;
      if (j < WIDTH) costs[base + j] = last;
    }
    this.#alone(node, last);
  }

  /** Cost and choice of standing as one child: a leaf, or a node over children that cost so much. */
  #alone(node: number, children: number): void {
    const size = Math.min(4, this.#size(node * 2) + this.#size(node * 2 + 1));
    const f = this.#floats;
    const at = (this.#boxOf[node] as number) * CHILD_WORDS;
    const x = (f[at + MAX] as number) - (f[at] as number);
    const y = (f[at + MAX + 1] as number) - (f[at + 1] as number);
    const z = (f[at + MAX + 2] as number) - (f[at + 2] as number);
    // A root is opened whatever this says.
    const area = x * y + y * z + z * x;
    const asNode = area + children;
    const asLeaf = size <= WIDE_LEAF_TRIANGLES ? area * size * TRIANGLE_COST : Infinity;
    const alone = Math.min(asLeaf, asNode);
    const base = node * WIDTH;
    this.#sizes[node] = size;
    this.#choices[base + 1] = asLeaf <= asNode ? 1 : 0;
    this.#costs[base + 1] = alone;
    for (let j = 2; j < WIDTH && (this.#costs[base + j] as number) >= alone; j++) {
      this.#costs[base + j] = alone;
      this.#choices[base + j] = 0;
    }
  }

  /** Triangles below a child, or 4 for more than fit a leaf and for what is none. */
  #size(child: number): number {
    const count = this.#words[child * CHILD_WORDS + COUNT] as number;
    if (count === 0) return this.#sizes[this.reference(child)] as number;
    return count > 4 ? 4 : count;
  }

  /** Row of the costs of a child: its node's, or `spare`, filled for a leaf; no parts: it is empty. */
  #row(child: number, spare: number): number {
    const f = this.#floats;
    const at = child * CHILD_WORDS;
    const count = this.#words[at + COUNT] as number;
    const x = (f[at + MAX] as number) - (f[at] as number);
    if (count === 0 && x >= 0) return this.#words[at + REF] as number;
    const y = (f[at + MAX + 1] as number) - (f[at + 1] as number);
    const z = (f[at + MAX + 2] as number) - (f[at + 2] as number);
    const area = x * y + y * z + z * x;
    if (count > WIDE_LEAF_TRIANGLES && count < NODE_INSTANCE) throw new Error(`${count} triangles do not fit a leaf of the wide tree`);
    this.#costs[spare * WIDTH + 1] = area * (count < NODE_INSTANCE ? count * TRIANGLE_COST : INSTANCE_COST);
    this.#parts[spare] = count === 0 ? 0 : 1;
    return spare;
  }
}
