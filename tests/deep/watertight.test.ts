/** Ten million rays from inside closed meshes, at corners, edges and everywhere, over either tree: all are stopped. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NONE } from '#shaders/layout.ts';
import { testGpu } from '../gpu/device.ts';
import { compileKit, material, type KitScene, type Vec3 } from '../gpu/kit.ts';
import { RayCaster } from '../gpu/rays.ts';
import { closedBall, randomPlacements, rayWords } from '../gpu/shapes.ts';

let gpu: GPU;
beforeAll(async () => {
  gpu = await testGpu();
});
const casters: RayCaster[] = [];
afterAll(() => casters.forEach((caster) => caster.destroy()));

const ROUNDS = 10;
const RAYS = 250_000;
const materials = [material()];
const ORIGIN: Vec3 = [0, 0, 0];
const FAR_AWAY: Vec3 = [2000.3, -700.7, 450.1];
const [placement] = randomPlacements(3, 11, 0, 1).slice(2);

const scenes: [string, KitScene, Vec3][] = [
  ['a ball', { triangles: closedBall(48, 96), materials }, ORIGIN],
  ['an uneven ball', { triangles: closedBall(7, 11), materials }, ORIGIN],
  ['a ball far away', { triangles: closedBall(48, 96, FAR_AWAY), materials }, FAR_AWAY],
  [
    'a sheared, mirrored instance',
    { triangles: [], meshes: [{ triangles: closedBall(48, 96), placements: [placement!] }], materials },
    ORIGIN,
  ],
];

it.each(scenes.flatMap((of) => (['binary', 'wide'] as const).map((tree) => [...of, tree] as const)))(
  '%s lets none of 2,500,000 rays out',
  async (_, scene, centre, tree) => {
    const cast = await RayCaster.create(gpu, await compileKit(scene), tree);
    casters.push(cast);
    const aims = scene.triangles.length > 0 ? scene.triangles : scene.meshes![0]!.triangles;
    let out = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const { primitive, faults } = await cast.castWords(
        rayWords(aims, RAYS, round + 1, 0.2, centre, placement && scene.meshes ? placement : null),
      );
      out += primitive.reduce((sum, id) => sum + (id === NONE ? 1 : 0), 0) + faults;
    }
    expect(out).toBe(0);
  },
);
