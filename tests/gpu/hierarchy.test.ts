/**
 * The hierarchy finds what testing every triangle finds, to the bit: instances, mirrored and sheared ones,
 * coincident and degenerate triangles, small and large scales, far from the origin. Closed meshes have no leaks.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tree } from '#shaders/index.ts';
import { NONE } from '#shaders/layout.ts';
import { testGpu } from './device.ts';
import { compileKit, material, type KitScene, type Vec3 } from './kit.ts';
import { RayCaster, type CastRay } from './rays.ts';
import { closedBall, randomPlacements, raysAt, soup } from './shapes.ts';

let gpu: GPU;
const casters: RayCaster[] = [];
beforeAll(async () => {
  gpu = await testGpu();
});
afterAll(() => casters.forEach((caster) => caster.destroy()));

async function caster(scene: KitScene, tree: Tree, edit?: (code: string) => string): Promise<RayCaster> {
  const made = await RayCaster.create(gpu, await compileKit(scene), tree, edit);
  casters.push(made);
  return made;
}

const materials = [material(), material({ flags: 0 })];
const moved = (placements: readonly (readonly number[])[], scale: number, by: Vec3): number[][] =>
  placements.map((m) => m.map((x, i) => (i % 4 === 3 ? x : x * scale + (i >= 12 ? by[i - 12]! : 0))));

/** A world of loose triangles and two meshes placed 24 times, some placements twice. */
function crowd(scale: number, by: Vec3): KitScene {
  const placements = randomPlacements(24, 5, 1, 0.3);
  const twice = [...placements.slice(0, 3), ...placements];
  const place = (v: Vec3): Vec3 => v.map((x, axis) => Math.fround(x * scale + by[axis]!)) as unknown as Vec3;
  const world = soup(300, 3, 1).map(({ corners, material: m }) => ({
    corners: corners.map(({ at }) => ({ at: place(at) })) as unknown as typeof corners,
    material: m,
  }));
  return {
    triangles: world,
    meshes: [
      { triangles: closedBall(6, 8, [0, 0, 0], 1, 1), placements: moved(twice, scale, by) },
      { triangles: soup(60, 4, 1), placements: moved(placements.slice(8), scale, by) },
    ],
    materials,
  };
}

/** The corners that the rays of a scene aim at, in the world. */
function targets({ triangles, meshes = [] }: KitScene): KitScene['triangles'] {
  return [
    ...triangles,
    ...meshes.flatMap((mesh) =>
      mesh.placements.slice(0, 8).flatMap((m) =>
        mesh.triangles.map(({ corners, material: of }) => ({
          corners: corners.map(({ at }) => ({
            at: [0, 1, 2].map((k) => m[k]! * at[0] + m[4 + k]! * at[1] + m[8 + k]! * at[2] + m[12 + k]!) as unknown as Vec3,
          })) as unknown as typeof corners,
          material: of,
        })),
      ),
    ),
  ];
}

const ORIGIN: Vec3 = [0, 0, 0];
const TREES: readonly Tree[] = ['binary', 'wide', 'wide-texels'];
describe('all trees', () => {
  it.each([
    ['loose triangles', { triangles: soup(500, 1, 1), materials }, 1, ORIGIN],
    ['instances', crowd(1, ORIGIN), 1, ORIGIN],
    ['instances at a thousandth', crowd(1e-3, ORIGIN), 1e-3, ORIGIN],
    ['instances at a hundred thousand', crowd(1e5, ORIGIN), 1e5, ORIGIN],
    ['instances far from the origin', crowd(1, [3e3, -1e3, 2e3]), 1, [3e3, -1e3, 2e3]],
  ] as [string, KitScene, number, Vec3][])('find what all triangles give: %s, 20,000 rays', async (_, scene, scale, by) => {
    const rays = raysAt(targets(scene), 20_000, 9, 1.5 * scale, by);
    const all = await (await caster(scene, 'binary')).cast(rays, 'all');
    for (const kind of TREES) {
      const found = await (await caster(scene, kind)).cast(rays);
      const wrong = rays.flatMap((_ray, i) => (found.primitive[i] === all.primitive[i] && found.t[i] === all.t[i] ? [] : [i]));
      expect(wrong.slice(0, 3).map((i) => [kind, i, found.t[i], found.primitive[i], all.t[i], all.primitive[i]])).toEqual([]);
      expect(found.faults).toBe(0);
      if (scene.meshes) expect(new Set(found.instance).size).toBeGreaterThan(30);
    }
    expect(all.faults).toBe(0);
    expect(all.t.some(Number.isNaN)).toBe(false);
    const hits = all.primitive.filter((id) => id !== NONE).length;
    expect(hits).toBeGreaterThan(5_000);
    expect(hits).toBeLessThan(20_000);
  });
});

describe.each(TREES.slice(0, 2))('the %s tree', (kind) => {
  it('would be caught forgetting to come back from an instance', async () => {
    const scene = crowd(1, ORIGIN);
    const rays = raysAt(targets(scene), 2_000, 9, 1.5);
    const right = await (await caster(scene, 'binary')).cast(rays);
    const wrong = await caster(scene, kind, (code) => code.replace('depth == space.depth)', 'depth > space.depth)'));
    const found = await wrong.cast(rays);
    expect(rays.filter((_, i) => found.primitive[i] !== right.primitive[i]).length).toBeGreaterThan(100);
  });

  it('reports a ray that visits more nodes than it may', async () => {
    const scene = crowd(1, ORIGIN);
    const rays = raysAt(targets(scene), 1_000, 9, 1.5);
    expect((await (await caster(scene, kind)).cast(rays)).faults).toBe(0);
    const bounded = await caster(scene, kind, (code) => code.replace('const NODE_VISITS_MAX = 65536u;', 'const NODE_VISITS_MAX = 4u;'));
    expect((await bounded.cast(rays)).faults).toBeGreaterThan(100);
  });

  it('skips the triangle a ray starts on, and not its twin in another instance', async () => {
    const square = { corners: [{ at: [-1, 0, -1] }, { at: [1, 0, 1] }, { at: [1, 0, -1] }], material: 0 } as const;
    const lifted = (y: number): number[] => [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, y, 0, 1];
    const scene: KitScene = { triangles: [], meshes: [{ triangles: [square], placements: [lifted(0), lifted(2)] }], materials };
    const up = (skip: number): CastRay => ({ origin: [0.5, -1, 0], direction: [0, 1, 0], skip });
    const found = await (await caster(scene, kind)).cast([up(NONE), up(0), up(1)]);
    expect([[...found.primitive], [...found.t]]).toEqual([
      [0, 1, 0],
      [1, 3, 1],
    ]);
  });
});

// Texels hold the same rows and are read by the same traversal.
describe.each(TREES.slice(0, 2))('closed meshes over the %s tree', (kind) => {
  /** From inside, around the middle, at corners, edges and everywhere. */
  const inside = (scene: KitScene, count: number, centre: Vec3, size: number): CastRay[] =>
    raysAt(targets(scene), count, 17, 0.3 * size, centre);
  const far: Vec3 = [2000.3, -700.7, 450.1];
  const tilted = [0.8, 0.5, -0.1, 0, -0.9, 0.7, 0.4, 0, 0.2, 0.1, -1.1, 0, 5, 3, -2, 1];
  const shells: [string, KitScene, Vec3, number][] = [
    ['a ball', { triangles: closedBall(24, 48), materials }, ORIGIN, 1],
    ['a tiny ball', { triangles: closedBall(24, 48, ORIGIN, 1e-3), materials }, ORIGIN, 1e-3],
    ['a huge ball', { triangles: closedBall(24, 48, ORIGIN, 1e5), materials }, ORIGIN, 1e5],
    ['a ball far away', { triangles: closedBall(24, 48, far), materials }, far, 1],
    [
      'a sheared, mirrored instance',
      { triangles: [], meshes: [{ triangles: closedBall(24, 48), placements: [tilted] }], materials },
      [5, 3, -2],
      1,
    ],
  ];

  it.each(shells)('let no ray out: %s, 20,000 rays from inside', async (_, scene, centre, size) => {
    const rays = inside(scene, 20_000, centre, size);
    const { primitive, faults } = await (await caster(scene, kind)).cast(rays);
    expect(primitive.filter((id) => id === NONE).length).toBe(0);
    expect(faults).toBe(0);
  });

  it('would be caught leaking when neighbours disagree by a rounding', async () => {
    const [, scene, centre, size] = shells[3]!;
    const edges = (code: string): string =>
      code.replace('axis_last(triangle.v1 - s.origin', 'axis_last((triangle.v0 - s.origin) + (triangle.v1 - triangle.v0) * 1.0000001');
    const { primitive } = await (await caster(scene, kind, edges)).cast(inside(scene, 20_000, centre, size));
    expect(primitive.filter((id) => id === NONE).length).toBeGreaterThan(0);
  });
});
