/** Tangents belong to the mesh: made in its own space and then carried by each placement, as an instance's are. */
import { describe, expect, it } from 'vitest';
import { determinant, identity, transformDirection, unit, type Matrix } from '#workers/scene/matrix.ts';
import { placeVertices, type PlacedVertices } from '#workers/scene/placement.ts';
import type { PrimitiveData } from '#workers/scene/primitive.ts';
import { makeTangents } from '#workers/scene/tangents.ts';
import { ball } from './instanced.ts';

const { positions, normals, uv, indices } = ball(12, 16);
const smooth: PrimitiveData = {
  corners: indices,
  vertexCount: positions.length / 3,
  positions: Float64Array.from(positions),
  normals: Float64Array.from(normals),
  tangents: null,
  uv: [Float64Array.from(uv), null],
  colors: null,
  joints: null,
  weights: null,
  influences: 4,
  targets: [],
};
const place = (data: PrimitiveData, world: Matrix): PlacedVertices =>
  placeVertices(data, { world, joints: null, weights: [], path: 'nodes[0]', tangentUv: 0 });

const UNEVEN = Float64Array.of(3, 0.4, 0, 0, -0.2, 0.5, 0, 0, 0, 0.3, 1, 0, 5, -2, 1, 1);
const MIRRORED = UNEVEN.map((x, i) => (i < 4 ? -x : x));

/** Least cosine between the tangents of a placement and those of the mesh carried by its matrix. */
function worstCosine(tangents: Float64Array, mesh: Float64Array, matrix: Matrix): number {
  let worst = 1;
  for (let at = 0; at < mesh.length; at += 4) {
    const carried = unit(transformDirection(matrix, mesh[at]!, mesh[at + 1]!, mesh[at + 2]!), [1, 0, 0]);
    worst = Math.min(worst, carried[0] * tangents[at]! + carried[1] * tangents[at + 1]! + carried[2] * tangents[at + 2]!);
  }
  return worst;
}

describe.each([
  ['of a mesh with normals', smooth],
  ['of a mesh of flat faces', { ...smooth, normals: null }],
] as const)('tangents %s', (_, data) => {
  const mesh = place(data, identity());

  it.each([
    ['under uneven scale and shear', UNEVEN],
    ['in a mirror', MIRRORED],
  ] as const)('are carried as directions %s, and the sign turns with the mirror', (_name, matrix) => {
    const placed = place(data, matrix);
    expect(worstCosine(placed.tangents!, mesh.tangents!, matrix)).toBeGreaterThan(1 - 1e-12);
    const turned = determinant(matrix) < 0 ? -1 : 1;
    for (let at = 3; at < mesh.tangents!.length; at += 4) expect(placed.tangents![at]).toBe(mesh.tangents![at]! * turned);
  });
});

it('tangents made after placing would be others: a control', () => {
  const mesh = place(smooth, identity());
  const placed = place(smooth, UNEVEN);
  const late = makeTangents(placed.corners.slice(), placed.positions, placed.normals, smooth.uv[0]!);
  expect(late.tangents).toHaveLength(mesh.tangents!.length);
  expect(worstCosine(late.tangents, mesh.tangents!, UNEVEN)).toBeLessThan(0.99);
});

it('a skin carries each tangent by its own joint', () => {
  const half = identity().map((x, i) => (i === 0 ? -x : x));
  const joints = Float64Array.from({ length: smooth.vertexCount * 4 }, (_, i) => (i % 4 === 0 ? Math.floor(i / 4) % 2 : 0));
  const weights = Float64Array.from({ length: smooth.vertexCount * 4 }, (_, i) => (i % 4 === 0 ? 1 : 0));
  const placement = { world: identity(), joints: [identity(), half], weights: [], path: 'nodes[0]', tangentUv: 0 } as const;
  const skinned = placeVertices({ ...smooth, joints, weights }, placement);
  const mesh = place(smooth, identity());
  for (let v = 0; v < smooth.vertexCount; v++) {
    const sign = v % 2 === 0 ? 1 : -1;
    const [x, y, , s] = mesh.tangents!.subarray(v * 4, v * 4 + 4);
    expect([...skinned.tangents!.subarray(v * 4, v * 4 + 4)].map((value) => value + 0)).toEqual(
      [x! * sign, y!, mesh.tangents![v * 4 + 2]!, s! * sign].map((value) => expect.closeTo(value, 12)),
    );
  }
});
