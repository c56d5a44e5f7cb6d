/**
 * The same furnaces at every scale and far from the origin, where f32 is coarse: rays must neither
 * start behind the surface that they leave, nor meet it again, nor step over what stands close.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RenderEngine } from '#workers/render/engine.ts';
import { brokenGpu } from './broken-gpu.ts';
import { testGpu } from './device.ts';
import { FRONT, material, meanOf, quad, render, sphere, type KitScene, type KitTriangle, type Shot, type Vec3 } from './kit.ts';
import { box } from './transport-kit.ts';
import { nestedFurnace } from './transport-scenes.ts';

let both: RenderEngine;
/** Without light sampling a grey furnace of emitters has no noise but roulette's. */
let bsdf: RenderEngine;
beforeAll(async () => {
  both = new RenderEngine(await testGpu());
  bsdf = new RenderEngine(await testGpu(), { estimator: 'bsdf' });
});
afterAll(async () => {
  await both.dispose();
  await bsdf.dispose();
});

interface Place {
  readonly scale: number;
  readonly centre: Vec3;
}
/** Turned about two axes, so that no wall is level with the grid of f32. */
const turned = ([x, y, z]: Vec3): Vec3 => {
  const [a, b] = [0.8 * x - 0.6 * z, 0.6 * x + 0.8 * z];
  return [a, (12 * y - 5 * b) / 13, (5 * y + 12 * b) / 13];
};
const point = ({ scale, centre }: Place, p: Vec3): Vec3 => turned(p).map((x, i) => Math.fround(x * scale + centre[i]!)) as unknown as Vec3;
const moved = (place: Place, triangles: readonly KitTriangle[]): KitTriangle[] =>
  triangles.map(({ corners, material: index }) => ({
    corners: corners.map(({ at, normal }) => ({
      at: point(place, at),
      ...(normal ? { normal: turned(normal) } : {}),
    })) as unknown as KitTriangle['corners'],
    material: index,
  }));
const seen = (place: Place, shot: Shot): Shot => {
  const camera = shot.camera as typeof FRONT;
  return {
    ...shot,
    camera: { ...camera, eye: [...point(place, camera.eye)], target: [...point(place, camera.target)], up: [...turned(camera.up)] },
  };
};

/**
 * A closed room, ten units wide, of grey that shines as brightly as it swallows: radiance 1 everywhere.
 * In it a cube on the floor, a ball, a fin a tenth thick by the wall, and a chink between two blocks.
 */
const ROOM: readonly KitTriangle[] = [
  ...quad([-5, 0, 5], [5, 0, 5], [5, 0, -5], [-5, 0, -5], 0),
  ...quad([-5, 6, -5], [5, 6, -5], [5, 6, 5], [-5, 6, 5], 0),
  ...quad([-5, 0, -5], [5, 0, -5], [5, 6, -5], [-5, 6, -5], 0),
  ...quad([5, 0, 5], [-5, 0, 5], [-5, 6, 5], [5, 6, 5], 0),
  ...quad([-5, 0, 5], [-5, 0, -5], [-5, 6, -5], [-5, 6, 5], 0),
  ...quad([5, 0, -5], [5, 0, 5], [5, 6, 5], [5, 6, -5], 0),
  ...box([-3, 0, -2], [-2, 1, -1], 0),
  ...box([-4.8, 0.5, -3], [-4.7, 4, 1], 0),
  ...box([1, 0, -3], [2, 3, -2], 0),
  ...box([2.25, 0, -3], [3, 3, -2], 0),
  ...sphere([0.2, 0.9, -1], 0.8, 0, 8),
];
const grey = material({ base_color: [0.5, 0.5, 0.5, 1], emissive: [0.5, 0.5, 0.5], specular: 0 });
const room = (place: Place): KitScene => ({ triangles: moved(place, ROOM), materials: [grey] });
const ROOM_SHOT: Shot = {
  camera: { eye: [0.5, 2.4, 4.4], target: [-0.5, 1.4, -2], up: [0, 1, 0], tanHalfVfov: 0.8, lens: null },
  side: 32,
  samples: 16,
  bounces: 12,
};

/** What a unit of the room is: the ends of the range, and far from the origin, where rounding is worst. */
const FAR_AWAY: Place = { scale: 1, centre: [100_000, 70_000, -90_000] };
const PLACES: readonly (readonly [string, Place])[] = [
  ['a hundredth of a millimetre a unit', { scale: 1e-5, centre: [0, 0, 0] }],
  ['a unit, at a hundred thousand', FAR_AWAY],
  ['a hundred thousand units', { scale: 1e5, centre: [0, 0, 0] }],
];

const ORIGIN: Place = { scale: 1, centre: [0, 0, 0] };
const roomMean = async (engine: RenderEngine, place: Place): Promise<number> =>
  meanOf(await render(engine, room(place), seen(place, ROOM_SHOT)))[0];

describe('a furnace of a room', () => {
  let expected: number;
  beforeAll(async () => {
    expected = await roomMean(bsdf, ORIGIN);
  });

  it.each(PLACES)('of %s: no path gets out, and nothing shades itself', async (_, place) => {
    // Each path brings 1/2 + 1/4 + ... wherever it goes, unless it leaves the room: one in 16,384 that does is told.
    expect(Math.abs((await roomMean(bsdf, place)) / expected - 1)).toBeLessThan(1e-5);
    const sampled = meanOf(await render(both, room(place), { ...seen(place, ROOM_SHOT), samples: 64 }))[0];
    expect(Math.abs(sampled - 1)).toBeLessThan(0.003);
  });

  it('control: without the offset far from the origin paths do get out', async () => {
    const wrong = brokenGpu(await testGpu(), 'COORDINATE_ERROR = 4.8e-7', 'COORDINATE_ERROR = 0.0');
    const engine = new RenderEngine(wrong.gpu, { estimator: 'bsdf' });
    const level = await roomMean(engine, FAR_AWAY);
    await engine.dispose();
    expect(wrong.hits()).toBeGreaterThan(0);
    expect(Math.abs(level / expected - 1)).toBeGreaterThan(1e-4);
  });
});

describe('a furnace of glass in glass', () => {
  it.each(PLACES)('of %s is invisible', async (_, place) => {
    const scene = nestedFurnace(0);
    const shot: Shot = { camera: { ...FRONT, tanHalfVfov: 0.2 }, side: 16, samples: 64, bounces: 32 };
    const [level] = meanOf(await render(both, { ...scene, triangles: moved(place, scene.triangles) }, seen(place, shot)));
    expect(Math.abs(level - 1)).toBeLessThan(0.003);
  });
});
