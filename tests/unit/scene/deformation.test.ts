/** Morph targets and skins: how much a file may ask by naming one list again and again, what they move, and what follows nothing. */
import type { Document } from '@gltf-transform/core';
import { describe, expect, test } from 'vitest';
import { SCENE_MORPHED_VERTICES_MAX, SKIN_SETS_MAX } from '#lib/protocol/limits.ts';
import { Vertex, VertexExtra } from '#shaders/layout.ts';
import { compileScene } from '#workers/scene/compile.ts';
import { parseGltfJson } from '#workers/scene/gltf-json.ts';
import { packColor } from '#workers/scene/pack.ts';
import { checkDeformation } from '#workers/scene/preflight-deformation.ts';
import { readPrimitive } from '#workers/scene/primitive.ts';
import { quadDocument, sceneFiles, writeGlb, type LooseJson } from './fixtures.ts';
import { addNumbers, withJson } from './json-kit.ts';
import { field } from './oracle.ts';

type Attributes = Record<string, number>;

/** The quad of side 2 in the plane z = 0, with changes to its JSON. */
const quad = async (edit: (json: LooseJson, attributes: Attributes) => void) => {
  const glb = withJson(await writeGlb(quadDocument().document), (json) => edit(json, json.meshes[0]!.primitives[0]!.attributes));
  return compileScene(new AbortController().signal, sceneFiles(glb));
};
const four = (...value: readonly number[]): number[] => [value, value, value, value].flat();

describe('lists that are named again and again', () => {
  const primitiveOf = (document: Document) => document.getRoot().listMeshes()[0]!.listPrimitives()[0]!;

  test('are read once', () => {
    const { document } = quadDocument();
    const buffer = document.getRoot().listBuffers()[0]!;
    const list = (type: 'VEC3' | 'VEC4', values: readonly number[]) =>
      document.createAccessor().setType(type).setArray(Float32Array.from(values)).setBuffer(buffer);
    const [deltas, others] = [list('VEC3', four(0, 0, 1)), list('VEC3', four(0, 1, 0))];
    for (const accessor of [deltas, deltas, others])
      primitiveOf(document).addTarget(document.createPrimitiveTarget().setAttribute('POSITION', accessor));
    const [first, again, other] = readPrimitive(document, primitiveOf(document), '', [0, 0])!.targets;
    expect(again!.positions).toBe(first!.positions);
    expect(other!.positions).not.toEqual(first!.positions);
  });

  test.each([
    ['of one node', 64, 1, 3],
    ['of many', 1, 64, 3],
    ['of a strip, whose corners serve three triangles', 64, 1, 1, 5],
  ])('may not move more vertices than a scene may have: %s', (_, targets, nodes, cornersPerVertex, mode = 4) => {
    const count = SCENE_MORPHED_VERTICES_MAX / 64;
    const file = (vertices: number) =>
      parseGltfJson({
        asset: { version: '2.0' },
        accessors: [
          { componentType: 5126, type: 'VEC3', count: vertices },
          { componentType: 5125, type: 'SCALAR', count: vertices * cornersPerVertex },
        ],
        meshes: [
          {
            primitives: [
              { attributes: { POSITION: 0 }, indices: 1, mode, targets: Array.from({ length: targets }, () => ({ POSITION: 0 })) },
            ],
          },
        ],
        nodes: Array.from({ length: nodes }, () => ({ mesh: 0 })),
      });
    expect(() => checkDeformation(file(count))).not.toThrow();
    expect(() => checkDeformation(file(count + 1))).toThrow(/^nodes\[\d+\]: the morph targets up to here move 536870976 vertices/);
  });

  test('count for what the primitive uses of them, not for what they hold', () => {
    const file = (indices: number) =>
      parseGltfJson({
        asset: { version: '2.0' },
        accessors: [
          { componentType: 5126, type: 'VEC3', count: SCENE_MORPHED_VERTICES_MAX },
          { componentType: 5125, type: 'SCALAR', count: indices },
        ],
        meshes: [{ primitives: [{ attributes: { POSITION: 0 }, indices: 1, targets: [{ POSITION: 0 }, { POSITION: 0 }] }] }],
        nodes: [{ mesh: 0 }],
      });
    expect(() => checkDeformation(file(SCENE_MORPHED_VERTICES_MAX / 2))).not.toThrow();
    expect(() => checkDeformation(file(SCENE_MORPHED_VERTICES_MAX))).toThrow(/morph targets/);
  });

  test('may make a vertex follow 64 joints and no more, and are refused in words by the compiler', async () => {
    const skinned = (sets: number) =>
      quad((json, attributes) => {
        const [joints, weights] = [addNumbers(json, 'VEC4', four(0, 0, 0, 0), 'u8'), addNumbers(json, 'VEC4', four(1, 0, 0, 0))];
        for (let s = 0; s < sets; s++) Object.assign(attributes, { [`JOINTS_${s}`]: joints, [`WEIGHTS_${s}`]: weights });
        json.nodes.push({ translation: [5, 0, 0] });
        Object.assign(json, { skins: [{ joints: [1] }], scenes: [{ nodes: [0, 1] }] });
        Object.assign(json.nodes[0]!, { skin: 0 });
      });
    expect((await skinned(SKIN_SETS_MAX)).summary.bounds.min[0]).toBe(4);
    await expect(skinned(SKIN_SETS_MAX + 1)).rejects.toThrow(
      /^meshes\[0\]\.primitives\[0\]\.attributes: a vertex follows more than 64 joints/,
    );
  });
});

describe('a node with a skin', () => {
  test.each([
    ['moves with its joints where its vertices name any', true, [4, 9]],
    ['is placed by its own matrix where they name none, as a mesh without a skin', false, [19, 4]],
  ] as const)('%s', async (_, named, min) => {
    const { summary } = await quad((json, attributes) => {
      const [joints, weights] = [addNumbers(json, 'VEC4', four(0, 0, 0, 0), 'u8'), addNumbers(json, 'VEC4', four(1, 0, 0, 0))];
      if (named) Object.assign(attributes, { JOINTS_0: joints, WEIGHTS_0: weights });
      json.nodes.push({ translation: [5, 10, 0] });
      Object.assign(json, { skins: [{ joints: [1] }], scenes: [{ nodes: [0, 1] }] });
      Object.assign(json.nodes[0]!, { skin: 0, translation: [20, 5, 0] });
    });
    expect(summary.bounds.min.slice(0, 2)).toEqual(min);
  });
});

describe('morph targets of what vertices carry', () => {
  const first = ({ vertices, extras }: Awaited<ReturnType<typeof quad>>, name: 'uv0' | 'uv1' | 'color') =>
    name === 'uv0' ? field(vertices, Vertex, 0, name) : field(extras, VertexExtra, 0, name);

  test.each(['VEC3', 'VEC4'] as const)('move colours (%s) and coordinates by weight, within their bounds', async (type) => {
    const rgba = (r: number, g: number, b: number) => (type === 'VEC3' ? [r, g, b] : [r, g, b, -0.5]);
    const morphed = (weight: number) =>
      quad((json, attributes) => {
        Object.assign(attributes, {
          COLOR_0: addNumbers(json, 'VEC4', four(0.25, 0.5, 0.75, 1)),
          TEXCOORD_0: addNumbers(json, 'VEC2', four(0.25, 0.5)),
          TEXCOORD_1: addNumbers(json, 'VEC2', four(1, 2)),
        });
        const target = {
          COLOR_0: addNumbers(json, type, four(...rgba(0.5, -0.5, 1))),
          TEXCOORD_0: addNumbers(json, 'VEC2', four(1, -1)),
          TEXCOORD_1: addNumbers(json, 'VEC2', four(4, 8)),
        };
        Object.assign(json.meshes[0]!.primitives[0]!, { targets: [target] });
        Object.assign(json.meshes[0]!, { weights: [weight] });
      });
    const [still, half] = [await morphed(0), await morphed(0.5)];
    expect([first(still, 'uv0'), first(still, 'uv1'), first(still, 'color')]).toEqual([[0.25, 0.5], [1, 2], packColor(0.25, 0.5, 0.75, 1)]);
    expect([first(half, 'uv0'), first(half, 'uv1'), first(half, 'color')]).toEqual([
      [0.75, 0],
      [3, 6],
      packColor(0.5, 0.25, 1, type === 'VEC3' ? 1 : 0.75),
    ]);
  });
});
