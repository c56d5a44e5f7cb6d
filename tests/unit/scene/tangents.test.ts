/** Tangents against MikkTSpace itself, in the port that three ships. */
import { generateTangents } from 'three/examples/jsm/libs/mikktspace.module.js';
import { describe, expect, test } from 'vitest';
import { NONE, Vertex } from '#shaders/layout.ts';
import { packTangent } from '#workers/scene/pack.ts';
import { makeTangents } from '#workers/scene/tangents.ts';
import { compileKit, material } from '../../gpu/kit.ts';
import { one, randomNumbers } from './oracle.ts';

interface Mesh {
  readonly corners: Uint32Array;
  readonly positions: Float32Array;
  readonly normals: Float64Array;
  readonly uv: Float64Array;
}

/** A bumpy sheet of n × n quads; `mirror` folds the texture along the middle, `split` gives every triangle corners of its own. */
function sheet(n: number, mirror: boolean, split: boolean): Mesh {
  const random = randomNumbers(7);
  const side = n + 1;
  const points = Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    const normal = [random() - 0.5, random() - 0.5, 1.5];
    const length = Math.hypot(...normal);
    const u = mirror ? Math.abs(x - n / 2) / n : x / n;
    return { at: [x, y, random() * 0.6], normal: normal.map((c) => Math.fround(c / length)), uv: [u, Math.fround(y / n + random() * 0.1)] };
  });
  const shared: number[] = [];
  for (let y = 0; y < n; y++) {
    for (let x = 0; x < n; x++) {
      const a = y * side + x;
      shared.push(a, a + 1, a + side + 1, a, a + side + 1, a + side);
    }
  }
  const order = split ? shared : points.map((_, i) => i);
  const take = (of: (point: (typeof points)[number]) => readonly number[]) =>
    order.flatMap((i) => of(points[i] as (typeof points)[number]));
  return {
    corners: Uint32Array.from(split ? shared.map((_, i) => i) : shared),
    positions: Float32Array.from(take((point) => point.at)),
    normals: Float64Array.from(take((point) => point.normal)),
    uv: Float64Array.from(take((point) => point.uv.map(Math.fround))),
  };
}

/** xyz and sign per corner; glTF's v runs down, which turns the sign of MikkTSpace over. */
function reference({ corners, positions, normals, uv }: Mesh): Float32Array {
  const spread = (array: Float32Array | Float64Array, width: number) =>
    Float32Array.from([...corners].flatMap((v) => [...array.subarray(v * width, (v + 1) * width)]));
  const out = generateTangents(spread(positions, 3), spread(normals, 3), spread(uv, 2)) as Float32Array;
  return out.map((value, i) => (i % 4 === 3 ? -value : value));
}

describe.each([
  ['plain', false, false],
  ['mirrored along the middle', true, false],
  ['of triangles that share no vertices', false, true],
  ['mirrored, of triangles that share no vertices', true, true],
] as const)('a sheet %s', (_, mirror, split) => {
  const mesh = sheet(8, mirror, split);
  const expected = reference(mesh);
  const cosine = (made: readonly number[], i: number): number =>
    [0, 1, 2].reduce((sum, k) => sum + (made[k] as number) * (expected[i * 4 + k] as number), 0);

  test('has the tangents of MikkTSpace, to the rounding of f32', () => {
    const corners = mesh.corners.slice();
    const { tangents } = makeTangents(corners, mesh.positions, mesh.normals, mesh.uv);
    let worst = 1;
    corners.forEach((v, i) => {
      const made = [...tangents.subarray(v * 4, v * 4 + 4)];
      worst = Math.min(worst, cosine(made, i));
      expect(made[3], `corner ${i}`).toBe(expected[i * 4 + 3]);
    });
    expect(worst).toBeGreaterThan(1 - 1e-6);
  });

  test('a control: tangents of single faces would not pass', () => {
    const { corners, positions, uv } = mesh;
    let worst = 1;
    for (let i = 0; i < corners.length; i += 3) {
      const [a, b, c] = [corners[i] as number, corners[i + 1] as number, corners[i + 2] as number];
      const d = (v: number, axis: number) => (positions[v * 3 + axis] as number) - (positions[a * 3 + axis] as number);
      const w = (v: number, axis: number) => (uv[v * 2 + axis] as number) - (uv[a * 2 + axis] as number);
      const flip = w(b, 0) * w(c, 1) - w(c, 0) * w(b, 1) < 0 ? -1 : 1;
      const tangent = [0, 1, 2].map((axis) => flip * (d(b, axis) * w(c, 1) - d(c, axis) * w(b, 1)));
      worst = Math.min(
        worst,
        cosine(
          tangent.map((x) => x / Math.hypot(...tangent)),
          i,
        ),
      );
    }
    expect(worst).toBeLessThan(1 - 1e-2);
  });
});

test.each([
  ['along u, up the image', [0, 1, 1, 0], [1, 0, 0], 1],
  ['along u, in an image laid upside down', [0, 0, 1, 1], [1, 0, 0], -1],
  ['against u, in an image seen from behind', [1, 1, 0, 0], [-1, 0, 0], -1],
] as const)("the vertices of the GPU tests' kit carry the compiler's tangents: %s", async (_, [u0, vBottom, u1, vTop], direction, sign) => {
  const at = (x: number, y: number) => ({ at: [x, y, 0] as const, uv: [x === 0 ? u0 : u1, y === 0 ? vBottom : vTop] as const });
  const corners = [at(0, 0), at(1, 0), at(1, 1)] as const;
  const bare = corners.map(({ at: place }) => ({ at: place })) as unknown as typeof corners;
  const tangent = async (of: typeof corners) =>
    one((await compileKit({ triangles: [{ corners: of, material: 0 }], materials: [material()] })).vertices, Vertex, 0, 'tangent');
  // glTF 2.0, section 3.7.2.1: the bitangent is cross(normal, tangent) times the sign, and runs up the image.
  expect(await tangent(corners)).toBe(packTangent(direction, sign));
  expect(await tangent(bare)).toBe(NONE);
});
