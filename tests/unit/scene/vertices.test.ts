/** Vertices are stored once, and what none of them has is not stored at all. */
import { describe, expect, test } from 'vitest';
import { Triangle, Vertex, VertexExtra } from '#shaders/layout.ts';
import { bytesPerTriangle } from '#workers/render/scene-bytes.ts';
import { compileScene } from '#workers/scene/compile.ts';
import type { CompiledScene } from '#workers/scene/compiled-scene.ts';
import { buildWideTree } from '#workers/scene/wide-tree.ts';
import { quadDocument, sceneFiles, writeGlb, type Bytes } from './fixtures.ts';
import { ball, repeatedGlb } from './instanced.ts';
import { addNumbers, withJson } from './json-kit.ts';
import { cornersOf, field, one, randomNumbers } from './oracle.ts';

const compile = (glb: Bytes): Promise<CompiledScene> => compileScene(new AbortController().signal, sceneFiles(glb));
const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
const MOVED = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 9, 0, 0, 1];
const TURNED = [0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 9, 0, 0, 1];
const count = ({ vertices }: CompiledScene): number => vertices.byteLength / Vertex.size;

describe('vertices', () => {
  test('of a mesh that is only moved are shared, of one that is turned they are not', async () => {
    const glb = (placements: readonly (readonly number[])[]) => repeatedGlb({ mesh: ball(9, 8), placements }, true, false);
    const [single, moved, turned] = await Promise.all(
      [[IDENTITY], [IDENTITY, MOVED], [IDENTITY, TURNED]].map(async (p) => compile(await glb(p))),
    );
    expect(count(moved!)).toBe(count(single!));
    expect(count(turned!)).toBeGreaterThan(1.8 * count(single!));
  });

  test('keep what each corner had, however many there are: beyond the first size of the table', async () => {
    const mesh = ball(60, 70);
    const scene = await compile(await repeatedGlb({ mesh, placements: [IDENTITY] }, true, false));
    expect(count(scene)).toBeGreaterThan(4_096);
    for (let t = 0; t < scene.triangles.byteLength / Triangle.size; t += 7) {
      const id = one(scene.triangles, Triangle, t, 'primitive');
      const uv = cornersOf(scene.corners, t).map((v) => field(scene.vertices, Vertex, v, 'uv0'));
      expect(uv).toEqual([0, 1, 2].map((k) => [...mesh.uv.subarray(mesh.indices[id * 3 + k]! * 2, mesh.indices[id * 3 + k]! * 2 + 2)]));
    }
  });

  test('without colours and second coordinates have no extras; one that has some gives them to all', async () => {
    expect((await compile(await writeGlb(quadDocument().document))).extras.byteLength).toBe(0);
    const colors = [1, 1, 1, 1, 1, 1, 1, 1, 1, 0.5, 1, 1];
    const some = withJson(await writeGlb(quadDocument().document), (json) => {
      Object.assign(json.meshes[0]!.primitives[0]!.attributes, { COLOR_0: addNumbers(json, 'VEC3', colors) });
    });
    const scene = await compile(some);
    expect(scene.extras.byteLength / VertexExtra.size).toBe(count(scene));
    const white = withJson(await writeGlb(quadDocument().document), (json) => {
      Object.assign(json.meshes[0]!.primitives[0]!.attributes, {
        COLOR_0: addNumbers(
          json,
          'VEC3',
          colors.map(() => 1),
        ),
      });
    });
    expect((await compile(white)).extras.byteLength).toBe(0);
  });
});

/** Rolling ground of 2 × cells² triangles. `flat`: corners of their own and no normals, the worst that a file may bring. */
async function ground(cells: number, flat: boolean): Promise<CompiledScene> {
  const random = randomNumbers(3);
  const side = cells + 1;
  const heights = Array.from({ length: side * side }, () => random());
  const at = (i: number): number[] => [i % side, heights[i]!, Math.floor(i / side)];
  const indices: number[] = [];
  for (let z = 0; z < cells; z++) {
    for (let x = 0; x < cells; x++) {
      const a = z * side + x;
      indices.push(a, a + side, a + side + 1, a, a + side + 1, a + 1);
    }
  }
  const order = flat ? indices : heights.map((_, i) => i);
  const normal = (): number[] => {
    const [x, z] = [random() - 0.5, random() - 0.5];
    const length = Math.hypot(x, 1, z);
    return [x / length, 1 / length, z / length];
  };
  const glb = withJson(await writeGlb(quadDocument().document), (json) => {
    const primitive = json.meshes[0]!.primitives[0]!;
    primitive.attributes = {
      POSITION: addNumbers(json, 'VEC3', order.flatMap(at)),
      TEXCOORD_0: addNumbers(
        json,
        'VEC2',
        order.flatMap((i) => [(i % side) / cells, Math.floor(i / side) / cells]),
      ),
      ...(flat ? {} : { NORMAL: addNumbers(json, 'VEC3', order.flatMap(normal)) }),
    };
    if (flat) delete primitive.indices;
    else primitive['indices'] = addNumbers(json, 'SCALAR', indices, 'u16');
  });
  return compile(glb);
}

const wide = (scene: CompiledScene): number =>
  bytesPerTriangle(scene, { form: 'wide', byteLength: buildWideTree(scene.nodes).rows.byteLength });

/** Of issue 4: memory of what grows with the mesh. */
const BYTES_MAX = 110;

test('100,000 triangles take at most 110 bytes each, over either tree', async () => {
  const scene = await ground(224, false);
  expect(scene.triangles.byteLength / Triangle.size).toBe(100_352);
  expect(bytesPerTriangle(scene)).toBeLessThan(BYTES_MAX);
  expect(wide(scene)).toBeLessThan(80);
});

test('with flat faces and coordinates in every corner, no more over the wide tree; counted, not guessed', async () => {
  const scene = await ground(100, true);
  expect(count(scene)).toBeGreaterThan(2.9 * 20_000);
  expect(wide(scene)).toBeLessThanOrEqual(120);
  const all = [scene.nodes, scene.triangles, scene.corners, scene.vertices].reduce((sum, { byteLength }) => sum + byteLength, 0);
  expect(bytesPerTriangle(scene)).toBeCloseTo(all / 20_000, 6);
});
