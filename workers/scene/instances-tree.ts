/**
 * One node array for a scene with shared meshes: a top tree by surface area over the instances and
 * the upper parts of the world's own hierarchy, then what is left of that, the hierarchies of the
 * shared meshes, and the Instance rows. The parts of the world stand beside instances, for one box
 * around all of the world would be entered by every ray. Refuses trees deeper than a ray's stack.
 */
import { BVH_DEPTH_MAX } from '#lib/protocol/limits.ts';
import { BvhNode, Instance, INSTANCE_MIRRORED, NODE_INSTANCE } from '#shaders/layout.ts';
import { buildBvh, buildOverBoxes, type Bvh } from './bvh.ts';
import { halvingLevels } from './bvh/parts.ts';
import { roundDown, roundUp } from './exact-math.ts';
import type { Geometry, PlacedGroup } from './geometry.ts';
import { orderForWide } from './wide-order.ts';
import { cross, determinant, transformPoint, type Matrix, type Vec3 } from './matrix.ts';

type Box = readonly [number, number, number, number, number, number];
/** A child as a node names it: bounds, index, count. */
interface Child {
  readonly box: Box;
  readonly ref: number;
  readonly count: number;
}

/** Parts into which the world's hierarchy is opened at most, and boxes that stand for a mesh when it is placed. */
const WORLD_PARTS_MAX = 64;
const MESH_PARTS_MAX = 64;
/** Levels that the top tree may spend beyond halving. */
const TOP_LEVELS_SPARE = 4;
const WORDS = BvhNode.size / 4;
const SIDES = ['left', 'right'] as const;

export interface SceneTree extends Bvh {
  /** Bounds of the instances, f32 rounded outward; empty ones are inside out. */
  readonly instanceBounds: Box;
}

const EMPTY: Box = [Infinity, Infinity, Infinity, -Infinity, -Infinity, -Infinity];

/** The hierarchy over all of a scene's geometry. */
export async function buildSceneTree(
  geometry: Pick<Geometry, 'ends' | 'instances' | 'positions'>,
  pause: () => Promise<void>,
): Promise<SceneTree> {
  const { ends, instances, positions } = geometry;
  const starts = [0, ...ends];
  const items = instances.length + WORLD_PARTS_MAX;
  const depthMax = instances.length === 0 ? BVH_DEPTH_MAX : BVH_DEPTH_MAX - halvingLevels(items, 1) - TOP_LEVELS_SPARE;
  const trees: Bvh[] = [];
  for (const [g, end] of ends.entries()) {
    trees.push(await buildBvh(positions.subarray((starts[g] as number) * 9, end * 9), pause, { depthMax }));
  }
  if (instances.length === 0) {
    const only = trees[0] as Bvh;
    return { ...only, order: orderForWide(only.nodes, only.order), instanceBounds: EMPTY };
  }
  const order = Uint32Array.from(positions.length === 0 ? [] : joinOrders(trees, starts));
  const world = (ends[0] as number) > 0 ? openTree(trees[0] as Bvh, WORLD_PARTS_MAX) : { parts: [], opened: [0] };
  const meshes = trees.slice(1).map((tree) => openTree(tree, MESH_PARTS_MAX).parts.map(({ box }) => box));
  const boxes = instances.map(({ group, world: matrix }) => placedBox(meshes[group] as readonly Box[], matrix));
  await pause();
  const all = [...world.parts.map(({ box }) => box), ...boxes];
  const deepest = trees.reduce((depth, tree) => Math.max(depth, tree.depth), 0);
  const top = await buildOverBoxes(Float32Array.from(all.flat()), 1, BVH_DEPTH_MAX - deepest, pause);
  const nodes = joinNodes(top, trees, starts, world, instances);
  const instanceBounds = boxes.reduce((a, b) => joinBoxes(a, b), EMPTY);
  return { nodes, order: orderForWide(nodes, order), depth: top.depth + deepest, instanceBounds };
}

function* joinOrders(trees: readonly Bvh[], starts: readonly number[]): Generator<number> {
  for (const [g, tree] of trees.entries()) for (const place of tree.order) yield place + (starts[g] as number);
}

const joinBoxes = (a: Box, b: Box): Box => [
  Math.min(a[0], b[0]),
  Math.min(a[1], b[1]),
  Math.min(a[2], b[2]),
  Math.max(a[3], b[3]),
  Math.max(a[4], b[4]),
  Math.max(a[5], b[5]),
];

function readChild(words: Uint32Array, node: number, side: (typeof SIDES)[number]): Child | null {
  const floats = new Float32Array(words.buffer, words.byteOffset, words.length);
  const at = (name: 'min' | 'max' | 'ref' | 'count'): number => node * WORDS + BvhNode.offsets[`${side}_${name}`] / 4;
  const box = [...floats.subarray(at('min'), at('min') + 3), ...floats.subarray(at('max'), at('max') + 3)] as unknown as Box;
  return box[0] <= box[3] ? { box, ref: words[at('ref')] as number, count: words[at('count')] as number } : null;
}

const area = ([x0, y0, z0, x1, y1, z1]: Box): number => (x1 - x0) * (y1 - y0) + (y1 - y0) * (z1 - z0) + (z1 - z0) * (x1 - x0);

interface OpenedTree {
  readonly parts: readonly Child[];
  /** Nodes whose children stand in their place. */
  readonly opened: readonly number[];
}

/** Replaces the part with the largest surface by its children, until there are enough. */
function openTree({ nodes }: Bvh, partsMax: number): OpenedTree {
  const words = new Uint32Array(nodes.buffer, nodes.byteOffset, nodes.byteLength / 4);
  const parts: Child[] = [];
  const opened: number[] = [];
  let next = 0;
  while (next >= 0) {
    opened.push(next);
    for (const side of SIDES) {
      const child = readChild(words, next, side);
      if (child) parts.push(child);
    }
    if (parts.length >= partsMax) break;
    const inner = parts.reduce(
      (best, part, i) => (part.count === 0 && (best < 0 || area(part.box) > area((parts[best] as Child).box)) ? i : best),
      -1,
    );
    next = inner < 0 ? -1 : (parts.splice(inner, 1)[0] as Child).ref;
  }
  return { parts, opened };
}

/** Around the corners of boxes that lie around a mesh, widened by what rounding the placement may move. */
function placedBox(parts: readonly Box[], matrix: Matrix): Box {
  let box = EMPTY;
  for (const [x0, y0, z0, x1, y1, z1] of parts) {
    for (let corner = 0; corner < 8; corner++) {
      const [x, y, z] = transformPoint(matrix, corner & 1 ? x1 : x0, corner & 2 ? y1 : y0, corner & 4 ? z1 : z0);
      box = joinBoxes(box, [x, y, z, x, y, z]);
    }
  }
  const slack = 1e-6 * Math.max(...box.map(Math.abs));
  return box.map((value, i) => (i < 3 ? roundDown(value - slack) : roundUp(value + slack))) as unknown as Box;
}

/** [top][world without its opened nodes][meshes][instances] with every reference moved along. */
function joinNodes(
  top: Bvh,
  trees: readonly Bvh[],
  starts: readonly number[],
  world: OpenedTree,
  instances: readonly PlacedGroup[],
): Uint8Array<ArrayBuffer> {
  const count = (tree: Bvh): number => tree.nodes.byteLength / BvhNode.size;
  const dropped = new Set(world.opened);
  const sizes = trees.map((tree, g) => count(tree) - (g === 0 ? dropped.size : 0));
  const bases: number[] = [];
  const end = sizes.reduce((base, size) => {
    bases.push(base);
    return base + size;
  }, count(top));
  const out = new Uint8Array((end + instances.length) * BvhNode.size);
  const words = new Uint32Array(out.buffer);
  const moved = trees.map((tree, g) => copyTree(tree, words, bases[g] as number, starts[g] as number, g === 0 ? dropped : new Set()));
  const parts: Pick<Child, 'ref' | 'count'>[] = world.parts.map(({ ref, count: triangles }) =>
    triangles > 0 ? { ref: ref + (starts[0] as number), count: triangles } : { ref: moved[0]?.[ref] as number, count: 0 },
  );
  instances.forEach((_, i) => parts.push({ ref: end + i, count: NODE_INSTANCE }));
  out.set(top.nodes);
  for (let node = 0; node < count(top); node++) {
    for (const side of SIDES) {
      const [ref, leaf] = [node * WORDS + BvhNode.offsets[`${side}_ref`] / 4, node * WORDS + BvhNode.offsets[`${side}_count`] / 4];
      if (words[leaf] === 0) continue;
      const part = parts[top.order[words[ref] as number] as number] as Pick<Child, 'ref' | 'count'>;
      words[ref] = part.ref;
      words[leaf] = part.count;
    }
  }
  const floats = new Float32Array(out.buffer);
  instances.forEach((instance, i) =>
    writeInstance(floats, words, (end + i) * WORDS, instance, (moved[instance.group + 1] as Uint32Array)[0] as number),
  );
  return out;
}

/** Copies the nodes of one tree that stay. @returns the new index of each. */
function copyTree({ nodes }: Bvh, out: Uint32Array, base: number, firstTriangle: number, dropped: ReadonlySet<number>): Uint32Array {
  const from = new Uint32Array(nodes.buffer, nodes.byteOffset, nodes.byteLength / 4);
  const moved = new Uint32Array(from.length / WORDS);
  for (let node = 0, next = base; node < moved.length; node++) if (!dropped.has(node)) moved[node] = next++;
  for (let node = 0; node < moved.length; node++) {
    if (dropped.has(node)) continue;
    const to = (moved[node] as number) * WORDS;
    out.set(from.subarray(node * WORDS, (node + 1) * WORDS), to);
    for (const side of SIDES) {
      const [ref, leaf] = [to + BvhNode.offsets[`${side}_ref`] / 4, to + BvhNode.offsets[`${side}_count`] / 4];
      out[ref] = (out[leaf] as number) > 0 ? (out[ref] as number) + firstTriangle : (moved[out[ref] as number] ?? 0);
    }
  }
  return moved;
}

/** World to object, from the inverse of the placement. */
function writeInstance(
  floats: Float32Array,
  words: Uint32Array,
  at: number,
  { world: m, firstPrimitive }: PlacedGroup,
  root: number,
): void {
  const column = (k: number): Vec3 => [m[k] as number, m[k + 1] as number, m[k + 2] as number];
  const [a, b, c, t] = [column(0), column(4), column(8), column(12)];
  const volume = determinant(m);
  const rows = [cross(b, c), cross(c, a), cross(a, b)].map((row) => row.map((x) => x / volume) as unknown as Vec3);
  const along = (axis: 0 | 1 | 2): number[] => rows.map((row) => row[axis]);
  const fields = Instance.offsets;
  floats.set(along(0), at + fields.x_axis / 4);
  floats.set(along(1), at + fields.y_axis / 4);
  floats.set(along(2), at + fields.z_axis / 4);
  floats.set(
    rows.map((row) => -(row[0] * t[0] + row[1] * t[1] + row[2] * t[2])),
    at + fields.translation / 4,
  );
  words[at + fields.root / 4] = root;
  words[at + fields.first_primitive / 4] = firstPrimitive;
  words[at + fields.flags / 4] = volume < 0 ? INSTANCE_MIRRORED : 0;
}
