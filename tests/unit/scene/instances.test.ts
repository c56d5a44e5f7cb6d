/** Repeated meshes are stored once: the same pictures' worth of triangles, ids and bounds for a fraction of the bytes. */
import { describe, expect, test } from 'vitest';
import { BVH_DEPTH_MAX, INSTANCE_REPEAT_TRIANGLES } from '#lib/protocol/limits.ts';
import { BvhNode, Instance, INSTANCE_MIRRORED, NODE_INSTANCE, Triangle } from '#shaders/layout.ts';
import { compileScene } from '#workers/scene/compile.ts';
import type { CompiledScene } from '#workers/scene/compiled-scene.ts';
import { sceneFiles, type Bytes } from './fixtures.ts';
import { ball, gpuInstancedGlb, randomPlacements, repeatedGlb } from './instanced.ts';
import { field, one } from './oracle.ts';

const compile = (glb: Bytes) => compileScene(new AbortController().signal, sceneFiles(glb));
const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

interface Survey {
  /** Node indices of instances, each as often as a node names it. */
  readonly instances: number[];
  /** How often each triangle is met; within one mesh, once for all its instances. */
  readonly met: Map<number, number>;
  readonly depth: number;
}

function survey(scene: CompiledScene): Survey {
  const instances: number[] = [];
  const met = new Map<number, number>();
  const roots = new Set<number>();
  const visit = (node: number): number => {
    let deepest = 0;
    for (const side of ['left', 'right'] as const) {
      const [ref, count] = [one(scene.nodes, BvhNode, node, `${side}_ref`), one(scene.nodes, BvhNode, node, `${side}_count`)];
      const [min, max] = [field(scene.nodes, BvhNode, node, `${side}_min`), field(scene.nodes, BvhNode, node, `${side}_max`)];
      if ((min[0] as number) > (max[0] as number)) continue;
      if (count === NODE_INSTANCE) {
        instances.push(ref);
        const root = one(scene.nodes, Instance, ref, 'root');
        if (!roots.has(root)) deepest = Math.max(deepest, visit(root));
        roots.add(root);
      } else if (count === 0) deepest = Math.max(deepest, visit(ref));
      else for (let i = ref; i < ref + count; i++) met.set(i, (met.get(i) ?? 0) + 1);
    }
    return deepest + 1;
  };
  const depth = visit(0);
  return { instances, met, depth };
}

describe('what is shared', () => {
  const mesh = ball(20, 40); // 1520 triangles
  const repeats = Math.ceil(INSTANCE_REPEAT_TRIANGLES / 1520) + 2;

  test('a mesh placed often is stored once, with a row and unique ids for each placement', async () => {
    const placements = randomPlacements(repeats, 1, 10, 1);
    const [shared, flat] = [
      await compile(await repeatedGlb({ mesh, placements }, true)),
      await compile(await repeatedGlb({ mesh, placements }, false)),
    ];
    const [a, b] = [survey(shared), survey(flat)];
    expect([a.instances.length, b.instances.length]).toEqual([repeats, 0]);
    expect(new Set(a.instances).size).toBe(repeats);
    expect([shared.triangles.length / Triangle.size, flat.triangles.length / Triangle.size]).toEqual([1522, 1520 * repeats + 2]);
    for (const { met, depth } of [a, b]) {
      expect([...met.values()].every((count) => count === 1)).toBe(true);
      expect(depth).toBeLessThanOrEqual(BVH_DEPTH_MAX);
    }
    expect(a.met.size).toBe(1522);
    expect([shared.summary.triangles, flat.summary.triangles]).toEqual([1520 * repeats + 2, 1520 * repeats + 2]);
    const firsts = a.instances.map((row) => one(shared.nodes, Instance, row, 'first_primitive')).sort((x, y) => x - y);
    expect(firsts).toEqual(placements.map((_, i) => i * 1520));
    const mirrored = a.instances.filter((row) => one(shared.nodes, Instance, row, 'flags') === INSTANCE_MIRRORED).length;
    expect(mirrored).toBe(placements.filter((_, i) => i % 3 === 2).length);
    shared.summary.bounds.min.forEach((value, axis) => {
      expect(value).toBeLessThanOrEqual((flat.summary.bounds.min[axis] as number) + 1e-6);
      expect(value).toBeGreaterThan((flat.summary.bounds.min[axis] as number) - 0.5);
    });
  });

  test('one repetition less than the limit is flattened', async () => {
    const few = Math.floor(INSTANCE_REPEAT_TRIANGLES / 1520) + 1;
    const scene = await compile(await repeatedGlb({ mesh, placements: randomPlacements(few, 1, 10, 1) }, true));
    expect(survey(scene).instances).toEqual([]);
    expect(scene.triangles.length / Triangle.size).toBe(1520 * few + 2);
  });

  test('a placement without volume, and one that emits, lie in world space', async () => {
    const flat = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 3, 0, 0, 1];
    const placements = [...Array.from({ length: repeats }, () => IDENTITY), flat];
    const scene = await compile(await repeatedGlb({ mesh, placements }, true));
    expect(survey(scene).instances.length).toBe(repeats);
    expect(scene.summary.triangles).toBe(1520 * (repeats + 1) + 2);
    const lamp = await compile(
      await repeatedGlb({ mesh, placements, material: (document) => document.createMaterial('lamp').setEmissiveFactor([1, 1, 1]) }, true),
    );
    expect(survey(lamp).instances).toEqual([]);
    expect(lamp.summary.lights).toBeGreaterThan(1520 * repeats);
  });
});

test('a thousand instances cost one mesh and a row and a node each, and little time', async () => {
  const mesh = ball(50, 100); // 9800 triangles
  const points = Float32Array.from({ length: 3000 }, (_, i) => (i % 3 === 1 ? 0 : ((i * 7919) % 1000) / 5));
  const alone = await compile(await gpuInstancedGlb(mesh, new Float32Array(3)));
  const many = await compile(await gpuInstancedGlb(mesh, points));
  expect([alone.summary.triangles, many.summary.triangles]).toEqual([9800, 9_800_000]);
  expect(survey(many).instances.length).toBe(1000);
  // 64 bytes for the row and as many for its node of the top tree.
  expect(many.summary.bytes - alone.summary.bytes).toBeLessThanOrEqual(1000 * (Instance.size + BvhNode.size));
  expect(many.summary.bytes / many.summary.triangles).toBeLessThan(0.3);
  console.info(
    `1,000 instances of 9,800 triangles: ${many.summary.bytes} bytes, ${(many.summary.compileSeconds - alone.summary.compileSeconds).toFixed(2)} s more than one`,
  );
});
