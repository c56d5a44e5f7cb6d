/**
 * The wide tree holds every triangle of the binary one once, inside boxes that never got smaller, in one
 * order with it; instances are rows among its nodes. The same bytes on every run.
 */
import { describe, expect, it } from 'vitest';
import { BvhNode, NODE_INSTANCE, WIDE_LEAF_TRIANGLES, WideInstance, WideNode } from '#shaders/layout.ts';
import { buildSceneTree, type SceneTree } from '#workers/scene/instances-tree.ts';
import { buildWideTree } from '#workers/scene/wide-tree.ts';
import { randomNumbers } from './oracle.ts';

type Box = readonly (readonly [number, number])[];

/** Random triangles about the unit cube, three corners of three numbers each. */
function soup(count: number, size: number, seed: number): Float32Array<ArrayBuffer> {
  const random = randomNumbers(seed);
  const out = new Float32Array(count * 9);
  for (let t = 0; t < count; t++) {
    const centre = [random(), random(), random()];
    for (let i = 0; i < 9; i++) out[t * 9 + i] = centre[i % 3]! + (random() - 0.5) * size;
  }
  return out;
}

const placed = (group: number, firstPrimitive: number, x: number) => ({
  group,
  firstPrimitive,
  world: Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, x, 0, 0, 1),
});

const world = (positions: Float32Array<ArrayBuffer>): Promise<SceneTree> =>
  buildSceneTree({ ends: [positions.length / 9], instances: [], positions }, () => Promise.resolve());

/** Walks the rows. Calls back with each leaf's triangles, the boxes around it and the space it is in. */
function walk(rows: Uint8Array, leaf: (first: number, count: number, boxes: readonly Box[], instance: number) => void): number {
  const view = new DataView(rows.buffer, rows.byteOffset, rows.byteLength);
  const seen = new Set<number>();
  const visit = (row: number, outer: readonly Box[], instance: number): void => {
    const at = row * WideNode.size;
    const u = (offset: number): number => view.getUint32(at + offset, true);
    seen.add(row);
    if (u(WideNode.offsets.grid) === 0) return visit(u(WideInstance.offsets.root), [], row);
    const step = [0, 1, 2].map((axis) => 2 ** (view.getUint8(at + WideNode.offsets.grid + axis) - 127));
    const child = (slot: number): Box =>
      ([0, 1, 2] as const).map((axis) => {
        const origin = view.getFloat32(at + axis * 4, true);
        const byte = (from: number): number => origin + view.getUint8(at + from + axis * 8 + slot) * step[axis]!;
        return [byte(WideNode.offsets.low_x), byte(WideNode.offsets.high_x)] as const;
      });
    let inner = u(WideNode.offsets.child_base);
    let next = u(WideNode.offsets.triangle_base);
    const leaves: [number, number, number][] = [];
    for (let slot = 0; slot < 8; slot++) {
      const meta = view.getUint8(at + WideNode.offsets.meta_low + slot);
      const row8 = (view.getUint8(at + WideNode.offsets.grid + 3) >> slot) & 1;
      expect(row8).toBe(meta === (0x20 | (24 + slot)) ? 1 : 0);
      if (row8 === 1) visit(inner++, [...outer, child(slot)], instance);
      else if (meta !== 0) leaves.push([meta & 31, [0, 1, 3, 7].indexOf(meta >> 5), slot]);
    }
    for (const [offset, count, slot] of leaves.toSorted((a, b) => a[0] - b[0])) {
      expect(u(WideNode.offsets.triangle_base) + offset).toBe(next);
      expect(count).toBeGreaterThan(0);
      expect(count).toBeLessThanOrEqual(WIDE_LEAF_TRIANGLES);
      leaf(next, count, [...outer, child(slot)], instance);
      next += count;
    }
  };
  visit(0, [], -1);
  return seen.size;
}

const SCENES: [string, Float32Array<ArrayBuffer>][] = [
  ['one triangle', soup(1, 0.2, 1)],
  ['two', soup(2, 0.2, 2)],
  ['nine', soup(9, 0.2, 3)],
  ['2000 small ones', soup(2000, 0.1, 4)],
  ['300 large ones', soup(300, 2, 5)],
  ['a plane far away', soup(500, 0.1, 6).map((x, i) => (i % 3 === 1 ? 5e4 : x + 1e4))],
];

describe.each(SCENES)('the wide tree of %s', (_, positions) => {
  it('holds every triangle once, inside all boxes above it', async () => {
    const tree = await world(positions);
    const { rows, depth } = buildWideTree(tree.nodes);
    const met = new Array<number>(positions.length / 9).fill(0);
    let outside = 0;
    const nodes = walk(rows, (first, count, boxes) => {
      for (let place = first; place < first + count; place++) {
        met[place]!++;
        const from = tree.order[place]! * 9;
        for (const box of boxes) {
          box.forEach(([low, high], axis) => {
            for (let at = from + axis; at < from + 9; at += 3) if (positions[at]! < low || positions[at]! > high) outside++;
          });
        }
      }
    });
    expect(outside).toBe(0);
    expect(met.every((times) => times === 1)).toBe(true);
    expect(nodes * WideNode.size).toBe(rows.byteLength);
    expect(depth).toBeLessThanOrEqual(tree.depth);
    expect(buildWideTree(tree.nodes).rows).toEqual(rows);
  });
});

describe('instances', () => {
  it('are rows of their own, and two of one mesh share its tree', async () => {
    const positions = Float32Array.from([...soup(40, 0.3, 7), ...soup(60, 0.3, 8)]);
    const instances = [placed(0, 100, 3), placed(0, 200, 6)];
    const tree = await buildSceneTree({ ends: [40, 100], instances, positions }, () => Promise.resolve());
    const found = new Map<number, number[]>();
    walk(buildWideTree(tree.nodes).rows, (first, count, __, instance) => {
      found.set(instance, [...(found.get(instance) ?? []), ...Array.from({ length: count }, (_, i) => first + i)]);
    });
    const places = [...found.values()].map((list) => list.toSorted((a, b) => a - b));
    const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
    expect(places.toSorted((a, b) => a[0]! - b[0]!)).toEqual([range(0, 40), range(40, 100), range(40, 100)]);
  });
});

describe('a tree in another order', () => {
  it('is refused, and so is a leaf too large', async () => {
    const { nodes } = await world(soup(200, 0.1, 9));
    expect(() => buildWideTree(nodes)).not.toThrow();
    const words = (bytes: Uint8Array<ArrayBuffer>): Uint32Array => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    const [ref, count] = [BvhNode.offsets.left_ref / 4, BvhNode.offsets.left_count / 4];
    const leaf = words(nodes).findIndex((value, i) => i % 16 === count && value > 0 && value < NODE_INSTANCE);
    const moved = nodes.slice();
    words(moved)[leaf - count + ref]! += 1;
    expect(() => buildWideTree(moved)).toThrow('does not follow');
    const overfull = nodes.slice();
    words(overfull)[leaf] = WIDE_LEAF_TRIANGLES + 1;
    expect(() => buildWideTree(overfull)).toThrow('do not fit a leaf');
  });
});
