/** The hierarchy holds every triangle once, inside its boxes, and finds what brute force finds. */
import { Document } from '@gltf-transform/core';
import { describe, expect, test } from 'vitest';
import { BVH_DEPTH_MAX } from '#lib/protocol/limits.ts';
import { BvhNode, Triangle } from '#shaders/layout.ts';
import { LEAF_TRIANGLES_MAX } from '#workers/scene/bvh.ts';
import { compileScene } from '#workers/scene/compile.ts';
import type { CompiledScene } from '#workers/scene/compiled-scene.ts';
import { boxGlb, emissiveRoomGlb, sceneFiles, writeGlb } from './fixtures.ts';
import { bruteForce, field, one, randomNumbers, traverse, type V3 } from './oracle.ts';

const compile = (glb: Uint8Array<ArrayBuffer>) => compileScene(new AbortController().signal, sceneFiles(glb));

/** `count` random triangles of about `size` in a unit cube. */
async function soup(count: number, size: number, seed: number): Promise<CompiledScene> {
  const random = randomNumbers(seed);
  const document = new Document();
  const positions = new Float32Array(count * 9);
  for (let t = 0; t < count; t++) {
    const center = [random(), random(), random()];
    for (let i = 0; i < 9; i++) positions[t * 9 + i] = (center[i % 3] as number) + (random() - 0.5) * size;
  }
  const accessor = document.createAccessor().setType('VEC3').setArray(positions).setBuffer(document.createBuffer());
  const mesh = document.createMesh().addPrimitive(document.createPrimitive().setAttribute('POSITION', accessor));
  document.createScene().addChild(document.createNode().setMesh(mesh));
  return compile(await writeGlb(document));
}

/** Walks the tree. @returns how often each triangle was met, and the depth. */
function survey(scene: CompiledScene): { readonly met: number[]; readonly depth: number } {
  const met = new Array<number>(scene.triangles.length / Triangle.size).fill(0);
  let depth = 0;
  const visit = (node: number, level: number, outer: readonly [number[], number[]] | null): void => {
    depth = Math.max(depth, level);
    for (const side of ['left', 'right'] as const) {
      const min = field(scene.nodes, BvhNode, node, `${side}_min`);
      const max = field(scene.nodes, BvhNode, node, `${side}_max`);
      const [ref, count] = [one(scene.nodes, BvhNode, node, `${side}_ref`), one(scene.nodes, BvhNode, node, `${side}_count`)];
      if ((min[0] as number) > (max[0] as number)) {
        expect([node, level, count]).toEqual([0, 1, 0]);
        continue;
      }
      for (let axis = 0; axis < 3 && outer; axis++) {
        expect(min[axis]).toBeGreaterThanOrEqual(outer[0][axis] as number);
        expect(max[axis]).toBeLessThanOrEqual(outer[1][axis] as number);
      }
      expect(count).toBeLessThanOrEqual(LEAF_TRIANGLES_MAX);
      if (count === 0) visit(ref, level + 1, [min, max]);
      for (let i = ref; i < ref + count; i++) {
        met[i] = (met[i] as number) + 1;
        for (const corner of ['v0', 'v1', 'v2'] as const) {
          field(scene.triangles, Triangle, i, corner).forEach((at, axis) => {
            expect(at).toBeGreaterThanOrEqual(min[axis] as number);
            expect(at).toBeLessThanOrEqual(max[axis] as number);
          });
        }
      }
    }
  };
  visit(0, 1, null);
  return { met, depth };
}

describe.each([
  ['a box', async () => compile(await boxGlb())],
  ['a room', async () => compile(await emissiveRoomGlb())],
  ['one triangle', () => soup(1, 0.2, 1)],
  ['four triangles', () => soup(4, 0.2, 2)],
  ['five triangles', () => soup(5, 0.2, 3)],
  ['2000 small triangles', () => soup(2000, 0.1, 4)],
  ['300 large triangles', () => soup(300, 2, 5)],
])('%s', (_, make) => {
  test('every triangle lies in exactly one leaf, inside all its boxes', async () => {
    const { met, depth } = survey(await make());
    expect(met.every((count) => count === 1)).toBe(true);
    expect(depth).toBeLessThanOrEqual(BVH_DEPTH_MAX);
  });

  test('traversal finds what brute force finds', async () => {
    const scene = await make();
    const random = randomNumbers(99);
    let hits = 0;
    for (let ray = 0; ray < 300; ray++) {
      const origin: V3 = [random() * 4 - 2, random() * 4 - 2, random() * 4 - 2];
      const target = Math.floor(random() * scene.summary.triangles);
      const corners = (['v0', 'v1', 'v2'] as const).map((name) => field(scene.triangles, Triangle, target, name)) as [
        number[],
        number[],
        number[],
      ];
      const aim = [0, 1, 2].map((axis) => corners.reduce((sum, v) => sum + (v[axis] as number) / 3, 0) + (random() - 0.5) * 0.1);
      const direction = aim.map((x, axis) => x - (origin[axis] as number)) as unknown as V3;
      const expected = bruteForce(scene, origin, direction);
      expect(traverse(scene, origin, direction, BVH_DEPTH_MAX)).toEqual(expected);
      hits += expected.triangle >= 0 ? 1 : 0;
    }
    expect(hits).toBeGreaterThan(0);
  });
});
