/**
 * A mesh traced in its own space looks as it does flattened into the world, here by plain doubles: the same
 * primitives, normals and light, under shear, uneven scale and mirrors, single-sided, cut out, normal mapped.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPixel, viewOfFilm, type Film } from '#lib/job/film.ts';
import { MATERIAL_ALPHA_MASK, MATERIAL_DOUBLE_SIDED, TEXTURE_NEAREST } from '#shaders/layout.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { determinant, normalMatrix, transformDirection, transformPoint, unit } from '#workers/scene/matrix.ts';
import { ball } from '../unit/scene/instanced.ts';
import { testGpu } from './device.ts';
import { material, meanOf, render, type Corner, type KitScene, type KitTriangle, type Shot, type Tangent, type Vec3 } from './kit.ts';
import { tangentsOf } from './kit-tangents.ts';
import { randomPlacements } from './shapes.ts';

let engine: RenderEngine;
beforeAll(async () => {
  engine = new RenderEngine(await testGpu());
});
afterAll(() => engine.dispose());

/** A bumpy ball with smooth normals and texture coordinates, every seventh triangle missing. */
function openBall(): KitTriangle[] {
  const { positions, normals, uv, indices } = ball(12, 16);
  const take = (from: Float32Array, i: number, width: number): number[] => [...from.subarray(i * width, (i + 1) * width)];
  const corner = (i: number): Corner => ({
    at: take(positions, i, 3) as unknown as Vec3,
    normal: take(normals, i, 3) as unknown as Vec3,
    uv: take(uv, i, 2) as unknown as [number, number],
  });
  // Tangents belong to the mesh, as glTF says: made once, before it is placed.
  const corners = Array.from(indices, (i) => ({ normal: [0, 0, 1] as Vec3, ...corner(i) }));
  const tangents = tangentsOf(corners);
  const whole = corners.map((one, i): Corner => ({ ...one, tangent: tangents[i]! }));
  return Array.from({ length: indices.length / 3 }, (_, t): KitTriangle => ({
    corners: whole.slice(t * 3, t * 3 + 3) as unknown as [Corner, Corner, Corner],
    material: 1,
  })).filter((_, t) => t % 7 !== 3);
}

interface Breakage {
  /** Carries normals by the matrix that carries points. */
  readonly normals?: boolean;
  /** Leaves the winding of mirrored placements as it is. */
  readonly winding?: boolean;
}

/** The same scene in world space; a mirrored placement swaps corners, so that the front stays in front. */
function flattened({ meshes = [], ...scene }: KitScene, broken: Breakage = {}): KitScene {
  const triangles = meshes.flatMap((mesh) =>
    mesh.placements.flatMap((placement) => {
      const matrix = Float64Array.from(placement);
      const normals = broken.normals ? matrix : normalMatrix(matrix);
      const mirrored = determinant(matrix) < 0;
      const place = ({ at, normal, uv, tangent: [x, y, z, sign] = [1, 0, 0, 1] }: Corner): Corner => ({
        tangent: [...unit(transformDirection(matrix, x, y, z), [1, 0, 0]), mirrored ? -sign : sign] as unknown as Tangent,
        at: transformPoint(matrix, ...at).map(Math.fround) as unknown as Vec3,
        ...(normal ? { normal: unit(transformDirection(normals, ...normal), [0, 0, 1]) } : {}),
        ...(uv ? { uv } : {}),
      });
      return mesh.triangles.map(({ corners, material: of }): KitTriangle => {
        const [a, b, c] = corners.map(place) as [Corner, Corner, Corner];
        return { corners: mirrored && !broken.winding ? [a, c, b] : [a, b, c], material: of };
      });
    }),
  );
  return { ...scene, triangles: [...scene.triangles, ...triangles] };
}

const floor: KitTriangle[] = [
  { corners: [{ at: [-9, -2, 9] }, { at: [9, -2, 9] }, { at: [9, -2, -9] }], material: 0 },
  { corners: [{ at: [-9, -2, 9] }, { at: [9, -2, -9] }, { at: [-9, -2, -9] }], material: 0 },
];
const sky = { width: 8, height: 4, radiance: (x: number, y: number): Vec3 => (y < 2 ? [1 + x / 4, 1.2, 2 - x / 6] : [0.2, 0.2, 0.2]) };

/** 8 x 8 texels: a leaning normal, or colour with holes. */
function texels(kind: 'normal' | 'holes'): NonNullable<KitScene['texels']> {
  const data = new Uint8Array(8 * 8 * 4);
  for (let i = 0; i < 64; i++) {
    const [x, y] = [i % 8, Math.floor(i / 8)];
    const lean = [0.5 * Math.sin(x), 0.5 * Math.cos(y * 2), 0.75];
    data.set(
      kind === 'normal' ? [...lean.map((v) => Math.round(127.5 + 127.5 * v)), 255] : [255, 200, 90, (x + y) % 3 === 0 ? 0 : 255],
      i * 4,
    );
  }
  return { side: 8, layers: 1, data };
}

const textures = [{ size: [8, 8], flags: TEXTURE_NEAREST, transform_u: [2, 0, 0, 0], transform_v: [0, 2, 0, 0] }];
const look = (row: Parameters<typeof material>[0], maps: Partial<KitScene> = {}): KitScene => ({
  triangles: floor,
  meshes: [{ triangles: openBall(), placements: randomPlacements(12, 21, 2.2, 0.8) }],
  materials: [material({ base_color: [0.6, 0.6, 0.6, 1] }), material({ base_color: [0.8, 0.5, 0.3, 1], roughness: 0.4, ...row })],
  environment: sky,
  ...maps,
});

const SHOT: Shot = {
  side: 32,
  samples: 4,
  bounces: 2,
  camera: { eye: [0, 2, 9], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 0.4, lens: null },
};

interface Difference {
  /** Share of pixels that saw another primitive first. */
  readonly objects: number;
  /** Mean length of the difference of mean normals, where both saw the same. */
  readonly normals: number;
  /** Relative difference of the mean radiance. */
  readonly light: number;
}

function difference(a: Film, b: Film): Difference {
  const [left, right] = [viewOfFilm(a.light), viewOfFilm(b.light)];
  let [other, same, lean] = [0, 0, 0];
  for (let i = 0; i < a.width * a.height; i++) {
    const [p, q] = [readPixel(left, i), readPixel(right, i)];
    if (p.object !== q.object) other++;
    else if (p.coverage > 0 && p.coverage === q.coverage) {
      same++;
      lean += Math.hypot(...p.normal.map((x, axis) => x - q.normal[axis]!)) / (511 * p.coverage);
    }
  }
  const [x, y] = [meanOf(a), meanOf(b)];
  const light = Math.max(...x.map((value, c) => Math.abs(value - y[c]!) / y[c]!));
  return { objects: other / (a.width * a.height), normals: lean / same, light };
}

const compare = async (scene: KitScene, broken: Breakage = {}): Promise<Difference> =>
  difference(await render(engine, scene, SHOT), await render(engine, flattened(scene, broken), SHOT));

const looks: [string, KitScene][] = [
  ['double-sided', look({})],
  ['single-sided, seen through its gaps', look({ flags: 0 })],
  ['cut out', look({ base_color_texture: 0, flags: MATERIAL_ALPHA_MASK | MATERIAL_DOUBLE_SIDED }, { textures, texels: texels('holes') })],
  ['normal mapped', look({ normal_texture: 0 }, { textures, texels: texels('normal') })],
];

describe('an instanced mesh', () => {
  it.each(looks)('is the flattened one: %s', async (_, scene) => {
    const { objects, normals, light } = await compare(scene);
    expect(objects).toBeLessThan(0.002);
    // Normals of a film have steps of 1/511.
    expect(normals).toBeLessThan(0.004);
    expect(light).toBeLessThan(0.003);
  });

  it('would be caught with normals carried like points', async () => {
    expect((await compare(looks[0]![1], { normals: true })).normals).toBeGreaterThan(0.02);
  });

  it('would be caught with mirrored placements inside out', async () => {
    const { objects } = await compare(looks[1]![1], { winding: true });
    expect(objects).toBeGreaterThan(0.02);
    expect((await compare(looks[3]![1], { winding: true })).normals).toBeGreaterThan(0.02);
  });
});
