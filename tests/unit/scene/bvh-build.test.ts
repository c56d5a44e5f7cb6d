/** The builder alone: valid trees of hostile shapes, the same bytes from any number of threads, bounds, abort. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { BVH_DEPTH_MAX } from '#lib/protocol/limits.ts';
import { BvhNode } from '#shaders/layout.ts';
import { buildBvh, buildOverBoxes, LEAF_TRIANGLES_MAX, type Bvh } from '#workers/scene/bvh.ts';
import { PART_TRIANGLES } from '#workers/scene/bvh/kernel-host.ts';
import { halvingLevels } from '#workers/scene/bvh/parts.ts';
import { randomNumbers } from './oracle.ts';

const WORDS = BvhNode.size / 4;
const go = () => Promise.resolve();
const build = (triangles: Float32Array) => buildBvh(triangles, go);

/** Throws unless every triangle lies once in a leaf whose boxes hold it, and children follow parents depth first. */
function inspect({ nodes, order, depth }: Bvh, triangles: Float32Array, leafMax = LEAF_TRIANGLES_MAX): void {
  const words = new Uint32Array(nodes.buffer, nodes.byteOffset, nodes.byteLength / 4);
  const floats = new Float32Array(nodes.buffer, nodes.byteOffset, nodes.byteLength / 4);
  const met = new Uint8Array(order.length);
  let next = 0;
  let place = 0;
  let deepest = 0;
  const visit = (level: number, outer: readonly number[]): void => {
    const node = next++;
    deepest = Math.max(deepest, level);
    for (const at of [node * WORDS, node * WORDS + WORDS / 2]) {
      const [ref, count] = [words[at + 3] as number, words[at + 7] as number];
      const box = [0, 1, 2, 4, 5, 6].map((k) => floats[at + k] as number);
      if ((box[0] as number) > (box[3] as number)) {
        if (count !== 0 || node !== 0) throw new Error('an empty child below the root');
        continue;
      }
      for (let axis = 0; axis < 3; axis++) {
        if (!((box[axis] as number) >= (outer[axis] as number) && (box[axis + 3] as number) <= (outer[axis + 3] as number))) {
          throw new Error(`node ${node} leaves the box around it`);
        }
      }
      if (count > leafMax) throw new Error(`a leaf of ${count}`);
      if (count === 0 && ref !== next) throw new Error('not depth first');
      if (count === 0) visit(level + 1, box);
      else if (ref !== place) throw new Error('places out of order');
      for (let i = ref; i < ref + count; i++, place++) {
        const triangle = order[i] as number;
        met[triangle] = (met[triangle] as number) + 1;
        for (let k = 0; k < 9; k++) {
          const value = triangles[triangle * 9 + k] as number;
          if (!(value >= (box[k % 3] as number) && value <= (box[3 + (k % 3)] as number))) throw new Error('a corner outside its leaf');
        }
      }
    }
  };
  visit(1, [-Infinity, -Infinity, -Infinity, Infinity, Infinity, Infinity]);
  expect([next, deepest, place]).toEqual([nodes.byteLength / BvhNode.size, depth, order.length]);
  expect(met.every((count) => count === 1)).toBe(true);
}

/** `count` triangles of about `size` around random centres in a unit cube. */
function soup(count: number, size: number, seed: number): Float32Array {
  const random = randomNumbers(seed);
  const out = new Float32Array(count * 9);
  for (let t = 0; t < count; t++) {
    const center = [random(), random(), random()];
    for (let i = 0; i < 9; i++) out[t * 9 + i] = (center[i % 3] as number) + (random() - 0.5) * size;
  }
  return out;
}

const rows = (count: number, row: (i: number) => readonly number[]): Float32Array =>
  Float32Array.from(Array.from({ length: count }, (_, i) => row(i)).flat());

describe('valid trees', () => {
  test.each([
    ['no triangle', 0],
    ['one', 1],
    ['as many as a leaf', LEAF_TRIANGLES_MAX],
    ['one more than a leaf', LEAF_TRIANGLES_MAX + 1],
    ['a bunch', 32],
    ['one more than a bunch', 33],
    ['many', 20_000],
  ])('of %s', async (_, count) => {
    const triangles = soup(count, 0.1, 7);
    inspect(await build(triangles), triangles);
  });

  test.each<[string, Float32Array]>([
    ['a hundred thousand copies of one triangle', rows(100_000, () => [0, 0, 0, 1, 0, 0, 0, 1, 0])],
    ['triangles of one centre in all sizes', rows(5000, (i) => [-i, -i, 0, i, -i, 0, 0, 2 * i, 0])],
    ['needles along x', rows(5000, (i) => [-1e3, i * 1e-3, 0, 1e3, i * 1e-3, 1e-4, 1e3, i * 1e-3, 0])],
    ['crossed needles', rows(5000, (i) => (i % 2 ? [-1e3, i, 0, 1e3, i, 1, 1e3, i, 0] : [i, -1e3, 0, i, 1e3, 1, i, 1e3, 0]))],
    ['a strip on a line', rows(5000, (i) => [i, 0, 0, i + 1, 0, 0, i, 1e-30, 0])],
    ['coordinates whose areas overflow', rows(500, (i) => [i * 1e35, -1e38, 0, i * 1e35, 1e38, 3e38, 0, -3e38, i * 1e35])],
    ['coordinates whose areas vanish', rows(500, (i) => [i * 1e-40, 0, 0, i * 1e-40, 1e-40, 0, 0, 0, i * 1e-42])],
    [
      'a room of a million metres with a mote of dust',
      rows(3000, (i) => (i < 6 ? [-1e6, i, -1e6, 1e6, i, 1e6, 1e6, -i, -1e6] : [i * 1e-6, 0, 0, i * 1e-6, 1e-6, 0, 0, 0, 1e-6])),
    ],
  ])('of %s', async (_, triangles) => {
    const tree = await build(triangles);
    inspect(tree, triangles);
    expect(tree.depth).toBeLessThanOrEqual(BVH_DEPTH_MAX);
  });

  test('a tree over boxes has leaves of one', async () => {
    const boxes = rows(1000, (i) => [i, -i, 0, i + 0.5, 2 - i, 1]);
    const tree = await buildOverBoxes(boxes, 1, BVH_DEPTH_MAX, go);
    inspect(
      tree,
      rows(1000, (i) => [i, -i, 0, i + 0.5, 2 - i, 1, i, -i, 0]),
      1,
    );
  });
});

test('what was built before leaves no trace', async () => {
  const triangles = soup(3000, 0.1, 5);
  const fresh = await build(triangles);
  await build(soup(50_000, 0.01, 6));
  expect(await build(triangles)).toEqual(fresh);
});

describe('depth', () => {
  /** Peels one triangle per split. */
  const row = rows(250, (i) => [1e-37 * 2 ** i, 0, 0, 1.1e-37 * 2 ** i, 0, 0, 1e-37 * 2 ** i, 1e-38 * 2 ** i, 0]);

  test('a geometric row is deep, and less deep where less is allowed', async () => {
    const free = await build(row);
    inspect(free, row);
    expect(free.depth).toBeGreaterThan(12);
    for (const depthMax of [free.depth - 1, halvingLevels(250, LEAF_TRIANGLES_MAX)]) {
      const bound = await buildBvh(row, go, { depthMax });
      inspect(bound, row);
      expect(bound.depth).toBeLessThanOrEqual(depthMax);
    }
  });
});

describe('big scenes', () => {
  const big = soup(PART_TRIANGLES * 2 + 1000, 0.02, 11);

  test('one, two and five threads build the same bytes', async () => {
    const trees = [];
    for (const threads of [1, 2, 5]) trees.push(await buildBvh(big, go, { threads }));
    inspect(trees[0] as Bvh, big);
    const hash = ({ nodes, order }: Bvh): string => createHash('sha256').update(nodes).update(new Uint8Array(order.buffer)).digest('hex');
    expect(new Set(trees.map(hash)).size).toBe(1);
  });

  test.each([1, 3])('an abort ends the build between parts, on %d threads', async (threads) => {
    let pauses = 0;
    const reason = new Error('aborted');
    const pause = () => (++pauses > 4 ? Promise.reject(reason) : Promise.resolve());
    await expect(buildBvh(big, pause, { threads })).rejects.toBe(reason);
    expect(pauses).toBeLessThan(8);
  });

  test('what no plane divides is halved into parts', async () => {
    const copies = new Float32Array((PART_TRIANGLES + 10) * 9).map((_, i) => [0, 0, 0, 1, 0, 0, 0, 1, 0][i % 9] as number);
    inspect(await build(copies), copies);
  });
});
