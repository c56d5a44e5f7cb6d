/** Determinism and geometry: what a file says of shapes is what the sections hold, to the bit. */
import type { Accessor } from '@gltf-transform/core';
import { EXTMeshGPUInstancing } from '@gltf-transform/extensions';
import { describe, expect, test } from 'vitest';
import { NONE, Triangle, TRIANGLE_MIRRORED, Vertex } from '#shaders/layout.ts';
import { compileScene } from '#workers/scene/compile.ts';
import type { CompiledScene } from '#workers/scene/compiled-scene.ts';
import { boxGlb, emissiveRoomGlb, pngImage, quadDocument, sceneFiles, texturedQuadGlb, writeGlb, type Bytes } from './fixtures.ts';
import { cornersOf, one } from './oracle.ts';

const compile = (glb: Bytes) => compileScene(new AbortController().signal, sceneFiles(glb));

function normalOf(scene: CompiledScene, vertex: number): number[] {
  const word = one(scene.vertices, Vertex, vertex, 'normal');
  const [u, v] = [((word << 16) >> 16) / 32767, (word >> 16) / 32767];
  const z = 1 - Math.abs(u) - Math.abs(v);
  const [x, y] = z >= 0 ? [u, v] : [(1 - Math.abs(v)) * Math.sign(u || 1), (1 - Math.abs(u)) * Math.sign(v || 1)];
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length].map((n) => Math.round(n * 1000) / 1000 + 0);
}

const allVertices = (scene: CompiledScene): number[] => Array.from({ length: scene.vertices.length / Vertex.size }, (_, i) => i);
describe('determinism', () => {
  test('the same file gives the same bytes and root, twice', async () => {
    const glb = await emissiveRoomGlb();
    const [a, b] = [await compile(glb), await compile(glb)];
    expect({ ...a, summary: a.summary.root }).toEqual({ ...b, summary: b.summary.root });
  });

  test('the golden roots, which every peer must reach', async () => {
    expect((await compile(await boxGlb())).summary.root).toBe('aafb92d61c5f76186a6957c86710de28ae11fe30d32e33d9bf9c60ed9bf8b3ab');
    expect((await compile(await emissiveRoomGlb())).summary.root).toBe('818ce863f1ac44868ca4a990a83ae3b72a123c35074f59977ab5378187e25826');
    expect((await compile(await texturedQuadGlb())).summary.root).toBe('bb15985c375bf884774364d37402a09d03eb44e528e929e46cba2a4ffed5ae66');
  });

  test('another file gives another root', async () => {
    expect((await compile(await boxGlb())).summary.root).not.toBe((await compile(await emissiveRoomGlb())).summary.root);
  });
});

describe('geometry', () => {
  test('a mirrored node flags its triangles and keeps its normals outward', async () => {
    const { document, node } = quadDocument();
    node.setScale([-1, 1, 1]).setTranslation([5, 0, 0]);
    const scene = await compile(await writeGlb(document));
    expect(one(scene.triangles, Triangle, 0, 'material') & TRIANGLE_MIRRORED).toBe(TRIANGLE_MIRRORED);
    expect(allVertices(scene).map((v) => normalOf(scene, v))).toEqual(Array.from({ length: 4 }, () => [0, 0, 1]));
    expect(scene.summary.bounds).toEqual({ min: [4, -1, 0], max: [6, 1, 0] });
  });

  test.each([1, -1])('missing normals become those of the faces, at scale x %d', async (scale) => {
    const { document, node } = quadDocument(false);
    node.setRotation([0, Math.SQRT1_2, 0, Math.SQRT1_2]).setScale([scale, 1, 1]);
    const scene = await compile(await writeGlb(document));
    // Both faces look one way: corners of one place and coordinate are one vertex again.
    expect(scene.vertices.length / Vertex.size).toBe(4);
    for (const v of allVertices(scene)) expect(normalOf(scene, v)).toEqual([1, 0, 0]);
  });

  test('a normal under uneven scale follows the inverse transpose', async () => {
    const { document, node } = quadDocument();
    document
      .getRoot()
      .listMeshes()[0]
      ?.listPrimitives()[0]
      ?.getAttribute('NORMAL')
      ?.setArray(Float32Array.from([1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0].map((n) => n * Math.SQRT1_2)));
    node.setScale([2, 1, 1]);
    const scene = await compile(await writeGlb(document));
    expect(normalOf(scene, 0)).toEqual([0.447, 0.894, 0]);
  });

  test('strips and fans draw the triangles that the specification lists', async () => {
    for (const [mode, expected] of [
      [
        5,
        [
          [0, 1, 2],
          [1, 3, 2],
        ],
      ],
      [
        6,
        [
          [1, 2, 0],
          [2, 3, 0],
        ],
      ],
    ] as const) {
      const { document } = quadDocument();
      document.getRoot().listMeshes()[0]?.listPrimitives()[0]?.setMode(mode).setIndices(null);
      const scene = await compile(await writeGlb(document));
      const rows = Array.from(
        { length: 2 },
        (_, t) => [one(scene.triangles, Triangle, t, 'primitive'), cornersOf(scene.corners, t)] as const,
      );
      expect(rows.sort((a, b) => a[0] - b[0]).map(([, corners]) => corners)).toEqual(expected);
    }
  });

  test('a triangle without area is dropped and its id stays unused', async () => {
    const { document } = quadDocument();
    const primitive = document.getRoot().listMeshes()[0]?.listPrimitives()[0];
    primitive?.getIndices()?.setArray(Uint16Array.from([0, 1, 1, 0, 1, 2, 0, 2, 3]));
    const scene = await compile(await writeGlb(document));
    expect([0, 1].map((t) => one(scene.triangles, Triangle, t, 'primitive')).sort()).toEqual([1, 2]);
  });

  test('instances of EXT_mesh_gpu_instancing are placed one by one', async () => {
    const { document, node } = quadDocument();
    const list = document
      .createAccessor()
      .setType('VEC3')
      .setArray(Float32Array.from([0, 0, 0, 10, 0, 0, 20, 0, 0]))
      .setBuffer(document.getRoot().listBuffers()[0] ?? null);
    node.setExtension(
      'EXT_mesh_gpu_instancing',
      document.createExtension(EXTMeshGPUInstancing).createInstancedMesh().setAttribute('TRANSLATION', list),
    );
    const scene = await compile(await writeGlb(document));
    expect([scene.summary.triangles, scene.summary.bounds.max[0]]).toEqual([6, 21]);
  });
});

describe('tangents', () => {
  const decode = (scene: CompiledScene, vertex: number): number[] => {
    const word = one(scene.vertices, Vertex, vertex, 'tangent');
    const [u, v] = [((word << 16) >> 16) / 32767, ((word << 1) >> 17) / 16383];
    const z = 1 - Math.abs(u) - Math.abs(v);
    return [u, v, z, word >= 0x80000000 ? -1 : 1].map((n) => Math.round(n * 1000) / 1000 + 0);
  };

  test('only a material with a normal texture gets them; u runs along +x and the sign is +1', async () => {
    const { document, material } = quadDocument();
    expect(one((await compile(await writeGlb(document))).vertices, Vertex, 0, 'tangent')).toBe(NONE);
    material.setNormalTexture(
      document
        .createTexture()
        .setImage(pngImage(1, 1, () => [128, 128, 255, 255]))
        .setMimeType('image/png'),
    );
    const scene = await compile(await writeGlb(document));
    for (const v of allVertices(scene)) expect(decode(scene, v)).toEqual([1, 0, 0, 1]);
  });

  test('a mirrored layout turns the sign, and a vertex between both is split', async () => {
    const { document, material } = quadDocument();
    material.setNormalTexture(
      document
        .createTexture()
        .setImage(pngImage(1, 1, () => [128, 128, 255, 255]))
        .setMimeType('image/png'),
    );
    const uv = document.getRoot().listMeshes()[0]?.listPrimitives()[0]?.getAttribute('TEXCOORD_0') as Accessor;
    // Corner 1 is folded over onto corner 3, so the first triangle is seen in a mirror.
    uv.setArray(Float32Array.from([0, 1, 0, 0, 1, 0, 0, 0]));
    const scene = await compile(await writeGlb(document));
    expect(scene.vertices.length / Vertex.size).toBe(6);
    const signs = [0, 1].map((t) => cornersOf(scene.corners, t).map((v) => decode(scene, v)[3]));
    expect(signs.map((s) => new Set(s).size)).toEqual([1, 1]);
    expect(new Set(signs.flat())).toEqual(new Set([1, -1]));
  });
});
