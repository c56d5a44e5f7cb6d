/** Volumes whose mesh is open become thin walls, with a sentence; closed ones, cracked ones and those that another part closes stay. */
import { describe, expect, it } from 'vitest';
import { Document, type Mesh } from '@gltf-transform/core';
import { sphere, type KitTriangle } from '../../gpu/kit.ts';
import { box } from '../../gpu/transport-kit.ts';
import { parseGltfJson } from '#workers/scene/gltf-json.ts';
import { thinOpenMeshes } from '#workers/scene/open-meshes.ts';

const GLASS = {
  name: 'glass',
  pbrMetallicRoughness: { baseColorFactor: [0.5, 1, 1, 0.25] },
  extensions: {
    KHR_materials_transmission: { transmissionFactor: 1 },
    KHR_materials_volume: { thicknessFactor: 0.5, attenuationDistance: 0.25, attenuationColor: [0.9, 1, 0.5] },
    KHR_materials_ior: { ior: 1.4 },
  },
};

/** One mesh of these parts; a part is triangles and the index of its material: 0 is glass, 1 is not. */
async function thin(...parts: readonly (readonly [readonly KitTriangle[], number])[]) {
  const document = new Document();
  const buffer = document.createBuffer();
  const mesh: Mesh = document.createMesh();
  for (const [triangles] of parts) {
    const positions = Float32Array.from(triangles.flatMap(({ corners }) => corners.flatMap(({ at }) => [...at])));
    mesh.addPrimitive(
      document.createPrimitive().setAttribute('POSITION', document.createAccessor().setType('VEC3').setArray(positions).setBuffer(buffer)),
    );
  }
  const json = parseGltfJson({
    asset: { version: '2.0' },
    materials: [GLASS, { name: 'steel' }],
    meshes: [{ name: 'pane', primitives: parts.map(([, material]) => ({ attributes: { POSITION: 0 }, material })) }],
  });
  const out = await thinOpenMeshes(json, document, () => Promise.resolve());
  return { ...out, used: out.json.meshes[0]!.primitives.map(({ material }) => material), before: json };
}

const cube = box([0, 0, 0], [1, 1, 1], 0);
const ball = sphere([3, 0, 0], 1, 0, 24);

describe('a volume', () => {
  it('of a closed mesh, welded or not, stays one, and the document the same', async () => {
    const { json, before, warnings, used } = await thin([cube, 0], [ball, 0]);
    expect([json === before, warnings, used]).toEqual([true, [], [0, 0]]);
  });

  it('of one sheet is a thin wall, with a sentence that names the mesh', async () => {
    const { used, warnings, json } = await thin([cube.slice(0, 2), 0], [ball, 0]);
    expect(used).toEqual([2, 0]);
    expect(warnings).toEqual([expect.stringMatching(/^meshes\[0\] "pane": .* not closed.*thin wall/)]);
    const row = json.materials[2] as unknown as typeof GLASS;
    expect(Object.keys(row.extensions)).toEqual(['KHR_materials_transmission', 'KHR_materials_ior']);
    // What light loses on a straight way through the thickness: colour^(0.5 / 0.25).
    [0.5 * 0.9 ** 2, 1, 0.5 ** 2, 0.25].forEach((want, c) => expect(row.pbrMetallicRoughness.baseColorFactor[c]).toBeCloseTo(want, 9));
  });

  it('of a tube without ends is one too, though its borders cancel in sum', async () => {
    expect((await thin([cube.filter((_, t) => t < 8), 0])).used).toEqual([2]);
  });

  it('that another part closes stays', async () => {
    expect((await thin([cube.slice(2), 0], [cube.slice(0, 2), 1])).used).toEqual([0, 1]);
    expect((await thin([cube.slice(2), 0])).used, 'control').toEqual([2]);
  });

  it('with a missing triangle or a crack that spans nothing stays', async () => {
    expect((await thin([ball.slice(1), 0])).used).toEqual([0]);
    const [first, ...rest] = cube;
    const [a, b, c] = first!.corners;
    const middle = { at: [0, 1, 2].map((i) => (a.at[i]! + b.at[i]!) / 2) as unknown as typeof a.at };
    const split: KitTriangle[] = [
      { corners: [a, middle, c], material: 0 },
      { corners: [middle, b, c], material: 0 },
    ];
    expect((await thin([[...split, ...rest], 0])).used).toEqual([0]);
  });
});
