/**
 * Builds the binary bounding volume hierarchy. What fits a kernel is one part; more is cut into parts
 * that are built by themselves and joined (bvh/parts.ts, bvh/threads.ts). Depth-first layout, leaves of
 * at most three triangles (what a leaf of the wide tree holds), depth at most BVH_DEPTH_MAX so that a
 * fixed traversal stack suffices. The same bytes on every peer, whatever its engine and its cores.
 */
import { BvhNode } from '#shaders/layout.ts';
import { BVH_DEPTH_MAX } from '#lib/protocol/limits.ts';
import { PART_TRIANGLES, type PartJob, type PartTree } from './bvh/kernel-host.ts';
import { cutParts, type Part } from './bvh/parts.ts';
import { buildParts, threadsHere } from './bvh/threads.ts';

export const LEAF_TRIANGLES_MAX = 3;
/** Fewer triangles are built sooner than threads are started. */
const THREADED_TRIANGLES = 2 * PART_TRIANGLES;

export interface Bvh {
  /** BvhNode[]; node 0 is the root. */
  readonly nodes: Uint8Array<ArrayBuffer>;
  /** Triangle of the input for each place in leaf order. */
  readonly order: Uint32Array<ArrayBuffer>;
  readonly depth: number;
}

export interface BuildOptions {
  readonly leafMax?: number;
  /** Must suffice for halving. */
  readonly depthMax?: number;
  readonly threads?: number;
}

/** @param triangles three corners of 3 numbers each. @param pause awaited now and then; throws to abort. */
export async function buildBvh(triangles: Float32Array, pause: () => Promise<void>, options: BuildOptions = {}): Promise<Bvh> {
  const { leafMax = LEAF_TRIANGLES_MAX, depthMax = BVH_DEPTH_MAX } = options;
  const count = triangles.length / 9;
  const threads = options.threads ?? (count < THREADED_TRIANGLES ? 1 : threadsHere());
  const top = await cutParts(triangles, leafMax, depthMax, pause);
  const parts = [...partsOf(top, depthMax)].filter(({ members }) => members.length > leafMax);
  const rounds = top.sides ? 1 : 2;
  const take = (i: number): PartJob => {
    const { members, levels } = parts[i] as PlacedPart;
    return { triangles, members: top.sides ? members : null, leafMax, depthMax: levels, rounds };
  };
  const trees = await buildParts(parts.length, take, threads, pause);
  const joiner = new Joiner(triangles, leafMax, new Map(parts.map(({ members }, i) => [members, trees[i] as PartTree])));
  return joiner.join(top);
}

/** @param bounds least x, y, z and largest of each thing. */
export function buildOverBoxes(bounds: Float32Array, leafMax: number, depthMax: number, pause: () => Promise<void>): Promise<Bvh> {
  const corners = new Float32Array((bounds.length / 6) * 9);
  // A box is that of the triangle whose corners are its own least, largest and least.
  for (let i = 0; i < bounds.length / 6; i++) {
    const box = bounds.subarray(i * 6, i * 6 + 6);
    corners.set(box, i * 9);
    corners.set(box.subarray(0, 3), i * 9 + 6);
  }
  return buildBvh(corners, pause, { leafMax, depthMax });
}

type Members = Uint32Array<ArrayBuffer>;

interface PlacedPart {
  readonly members: Members;
  /** That its tree may have. */
  readonly levels: number;
}

function* partsOf(part: Part, levels: number): Generator<PlacedPart> {
  if (!part.sides) yield { members: part.members, levels };
  for (const side of part.sides ?? []) yield* partsOf(side, levels - 1);
}

const WORDS = BvhNode.size / 4;
/** A child of a node in memory: least corner, reference, largest corner, count. */
const CHILD_WORDS = WORDS / 2;
const REF = BvhNode.offsets.left_ref / 4;
const MAX = BvhNode.offsets.left_max / 4;
const COUNT = BvhNode.offsets.left_count / 4;
// WGSL may assume that infinities do not occur, so an empty box is finite and inside out.
const EMPTY_MIN = 3e38;

/** Lays the nodes above the parts and the parts' own into one array, depth first. */
class Joiner {
  readonly #triangles: Float32Array;
  readonly #leafMax: number;
  readonly #trees: ReadonlyMap<Members, PartTree>;
  #words = new Uint32Array(0);
  #floats = new Float32Array(0);
  #order = new Uint32Array(0);
  #nodes = 0;
  #places = 0;
  #depth = 0;

  constructor(triangles: Float32Array, leafMax: number, trees: ReadonlyMap<Members, PartTree>) {
    this.#triangles = triangles;
    this.#leafMax = leafMax;
    this.#trees = trees;
  }

  join(top: Part): Bvh {
    const only = top.members && this.#trees.get(top.members);
    if (only) return only;
    const inner = [...this.#trees.values()].reduce((sum, { nodes }) => sum + nodes.byteLength / BvhNode.size, 0);
    // Every part but one needs a node above it; a scene of a single leaf still has one.
    this.#words = new Uint32Array((inner + Math.max(1, [...partsOf(top, 0)].length - 1)) * WORDS);
    this.#floats = new Float32Array(this.#words.buffer);
    this.#order = new Uint32Array(this.#triangles.length / 9);
    this.#node(top.sides ?? [top, { members: new Uint32Array(0), sides: null }], 1);
    return { nodes: new Uint8Array(this.#words.buffer), order: this.#order, depth: this.#depth };
  }

  #node(sides: readonly [Part, Part], depth: number): void {
    const node = this.#nodes++;
    this.#depth = Math.max(this.#depth, depth);
    sides.forEach((part, side) => this.#child(part, node * WORDS + side * CHILD_WORDS, depth));
  }

  /** Writes a child and all below it. */
  #child({ members, sides }: Part, at: number, depth: number): void {
    if (members && members.length <= this.#leafMax) {
      this.#leaf(members, at);
      return;
    }
    const child = this.#nodes;
    this.#words[at + REF] = child;
    this.#words[at + COUNT] = 0;
    if (sides) this.#node(sides, depth + 1);
    else this.#copy(this.#trees.get(members) as PartTree, members, depth);
    for (let axis = 0; axis < 3; axis++) {
      const [left, right] = [child * WORDS + axis, child * WORDS + CHILD_WORDS + axis];
      this.#floats[at + axis] = Math.min(this.#floats[left] as number, this.#floats[right] as number);
      this.#floats[at + MAX + axis] = Math.max(this.#floats[left + MAX] as number, this.#floats[right + MAX] as number);
    }
  }

  #leaf(members: Members, at: number): void {
    this.#words[at + REF] = this.#places;
    this.#words[at + COUNT] = members.length;
    this.#floats.fill(EMPTY_MIN, at, at + 3);
    this.#floats.fill(-EMPTY_MIN, at + MAX, at + MAX + 3);
    for (const triangle of members) {
      this.#order[this.#places++] = triangle;
      for (let k = 0; k < 9; k++) {
        const value = this.#triangles[triangle * 9 + k] as number;
        const axis = at + (k % 3);
        this.#floats[axis] = Math.min(this.#floats[axis] as number, value);
        this.#floats[axis + MAX] = Math.max(this.#floats[axis + MAX] as number, value);
      }
    }
  }

  #copy({ nodes, order, depth: below }: PartTree, members: Members, depth: number): void {
    const from = new Uint32Array(nodes.buffer);
    const [words, joined, firstNode, firstPlace] = [this.#words, this.#order, this.#nodes, this.#places];
    const base = firstNode * WORDS;
    words.set(from, base);
    for (let child = base; child < base + from.length; child += CHILD_WORDS) {
      words[child + REF] = (words[child + REF] as number) + ((words[child + COUNT] as number) === 0 ? firstNode : firstPlace);
    }
    for (let i = 0; i < order.length; i++) joined[firstPlace + i] = members[order[i] as number] as number;
    this.#nodes += from.length / WORDS;
    this.#places += order.length;
    this.#depth = Math.max(this.#depth, depth + below);
  }
}
