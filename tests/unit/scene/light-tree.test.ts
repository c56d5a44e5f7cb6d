/** The light tree: every light has one leaf, bounds hold, probabilities sum to one, nothing that can light a point is left out. */
import { describe, expect, test } from 'vitest';
import { Light } from '#shaders/layout.ts';
import { buildLightTable } from '#workers/scene/lights.ts';
import { uniteCones } from '#workers/scene/light-cone.ts';
import { importance, leafProbabilities, readNodes, type NodeView, type Receiver } from '../../reference/light-tree.ts';
import { direction, randomLamps, randomReceiver, type Lamp } from '../../reference/lamps.ts';
import { randomNumbers, type V3 } from './oracle.ts';

const noPause = async (): Promise<void> => undefined;
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

describe('the light tree', () => {
  test.each([1, 2, 3, 17, 500])('of %i lights: leaves, trails and sums of probability', async (count) => {
    const random = randomNumbers(count);
    const table = await buildLightTable(randomLamps(random, count), noPause);
    const nodes = readNodes(table.nodes);
    expect(nodes.length).toBe(2 * count - 1);
    expect(
      nodes
        .filter((n) => n.leaf)
        .map((n) => n.child)
        .toSorted((a, b) => a - b),
    ).toEqual(Array.from({ length: count }, (_, i) => i));
    const rows = new DataView(table.rows.buffer);
    for (let i = 0; i < 50; i++) {
      const { probability, trail } = leafProbabilities(nodes, randomReceiver(random, i), count);
      expect(probability.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 10);
      for (let k = 0; k < count; k++) expect(rows.getUint32(k * Light.size + Light.offsets.trail, true)).toBe(trail[k]);
    }
  });

  test('parents hold their children: spheres, cones, intensities', async () => {
    const nodes = readNodes((await buildLightTable(randomLamps(randomNumbers(5), 300), noPause)).nodes);
    for (const node of nodes.filter((n) => !n.leaf)) {
      const children = [nodes[node.child]!, nodes[node.child + 1]!];
      expect(children[0]!.intensity + children[1]!.intensity).toBeCloseTo(node.intensity, 6);
      for (const child of children) {
        const apart = Math.hypot(...[0, 1, 2].map((k) => child.centre[k]! - node.centre[k]!));
        // The parent's sphere is around its box, so it holds the child's centre, if not all of its sphere.
        expect(apart).toBeLessThanOrEqual(Math.sqrt(node.radiusSquared) * 1.0001);
        expect(node.cosEmission).toBeLessThanOrEqual(child.cosEmission);
      }
      // What emits to both sides may lie in the cone with either of its sides.
      for (const leaf of leavesBelow(nodes, node)) {
        const between = Math.acos(Math.min(1, Math.max(-1, dot(node.axis, leaf.axis))));
        const turned = leaf.twoSided ? Math.min(between, Math.PI - between) : between;
        expect(Math.min(Math.PI, turned + Math.acos(leaf.cosNormals))).toBeLessThanOrEqual(Math.acos(node.cosNormals) + 1e-3);
        expect(node.twoSided || !leaf.twoSided).toBe(true);
      }
    }
  });

  test('a light that can light a point has a chance there', async () => {
    const random = randomNumbers(11);
    const lamps = randomLamps(random, 200);
    const nodes = readNodes((await buildLightTable(lamps, noPause)).nodes);
    let able = 0;
    for (let i = 0; i < 200; i++) {
      const to = randomReceiver(random, i);
      const { probability } = leafProbabilities(nodes, to, lamps.length);
      lamps.forEach((lamp, k) => {
        if (!lights(lamp, to, random)) return;
        able += 1;
        expect(probability[k]).toBeGreaterThan(0);
      });
    }
    expect(able).toBeGreaterThan(2000);
  });

  test('the same lights give the same bytes', async () => {
    const build = async (): Promise<unknown> => buildLightTable(randomLamps(randomNumbers(3), 400), noPause);
    expect(await build()).toEqual(await build());
  });

  test('many lights in one place do not make it deep', async () => {
    const [lamp] = randomLamps(randomNumbers(2), 1) as [Lamp];
    const table = await buildLightTable(
      Array.from({ length: 1000 }, () => lamp),
      noPause,
    );
    const { probability } = leafProbabilities(readNodes(table.nodes), { position: [20, 0, 0], normal: [0, 0, 0] }, 1000);
    expect(Math.min(...probability)).toBeGreaterThan(1 / 1100);
  });

  test('what shines away, or lies behind the receiver, has importance 0', async () => {
    const [lamp] = randomLamps(randomNumbers(4), 1).filter(({ bounds }) => bounds) as [Lamp];
    const oneSided = {
      ...lamp,
      bounds: { ...lamp.bounds!, min: [0, 0, 0], max: [0, 0, 0], axis: [0, 0, 1], normals: 0, emission: Math.PI / 2, twoSided: false },
    } as const;
    const [node] = readNodes((await buildLightTable([oneSided], noPause)).nodes);
    expect(importance(node!, { position: [0.1, 0, 2], normal: [0, 0, -1] })).toBeGreaterThan(0);
    expect(importance(node!, { position: [0.1, 0, -2], normal: [0, 0, 1] })).toBe(0);
    expect(importance(node!, { position: [0.1, 0, 2], normal: [0, 0, 1] })).toBe(0);
    expect(importance(node!, { position: [0.1, 0, 2], normal: [0, 0, 0] })).toBeGreaterThan(0);
  });
});

const leavesBelow = (nodes: readonly NodeView[], node: NodeView): NodeView[] =>
  node.leaf ? [node] : [node.child, node.child + 1].flatMap((i) => leavesBelow(nodes, nodes[i]!));

/** Does a random point of the lamp send light to the receiver's lit side? */
function lights(lamp: Lamp, to: Receiver, random: () => number): boolean {
  const bounds = lamp.bounds!;
  let point = bounds.min as readonly number[];
  if (lamp.corners) {
    const [a, b, c] = lamp.corners as unknown as [V3, V3, V3];
    const [s, t] = [Math.sqrt(random()), random()];
    point = [0, 1, 2].map((k) => a[k]! * (1 - s) + b[k]! * s * (1 - t) + c[k]! * s * t);
  }
  const towards = [0, 1, 2].map((k) => to.position[k]! - point[k]!);
  const distance = Math.hypot(...towards);
  const cosine = dot(bounds.axis, towards) / distance;
  const angle = Math.acos(Math.min(1, Math.max(-1, bounds.twoSided ? Math.abs(cosine) : cosine)));
  const facing = to.normal.every((x) => x === 0) || dot(to.normal, towards) < -1e-6 * distance;
  return facing && angle < bounds.normals + bounds.emission - 1e-6;
}

test('a united cone holds both cones', () => {
  const random = randomNumbers(9);
  for (let i = 0; i < 2000; i++) {
    const [a, b] = [direction(random), direction(random)];
    const [angleA, angleB] = [random() ** 2 * Math.PI, random() ** 2 * Math.PI];
    const both = uniteCones(a, angleA, b, angleB);
    expect(Math.hypot(...both.axis)).toBeCloseTo(1, 12);
    for (const [axis, angle] of [
      [a, angleA],
      [b, angleB],
    ] as const) {
      const between = Math.acos(Math.min(1, Math.max(-1, dot(both.axis, axis))));
      expect(Math.min(Math.PI, between + angle)).toBeLessThanOrEqual(both.angle + 1e-6);
    }
  }
});
