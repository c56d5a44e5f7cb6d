/** KHR_materials_clearcoat lies on top of emission: a lamp is darkened by the Fresnel term of its coat, for the eye and for what it lights. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PerspectiveCamera } from '#lib/protocol/order.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { testGpu } from './device.ts';
import { material, quad, type KitScene, type KitTriangle } from './kit.ts';
import { estimate } from './transport-kit.ts';

let [both, light] = [] as unknown as [RenderEngine, RenderEngine];
beforeAll(async () => {
  [both, light] = [new RenderEngine(await testGpu()), new RenderEngine(await testGpu(), { estimator: 'light' })];
});
afterAll(async () => {
  await both.dispose();
  await light.dispose();
});

/** Fresnel's equations for an ior of 1.5, unpolarised, at 60°. */
const cosine = 0.5;
const inside = Math.sqrt(1 - (1 - cosine ** 2) / 2.25);
const [s, p] = [(cosine - 1.5 * inside) / (cosine + 1.5 * inside), (1.5 * cosine - inside) / (1.5 * cosine + inside)];
const REFLECTED = (s * s + p * p) / 2;

const camera = (eye: readonly number[], target: readonly number[]): PerspectiveCamera =>
  ({ eye, target, up: [0, 0, -1], tanHalfVfov: 0.002, lens: null }) as unknown as PerspectiveCamera;
const lamp = (half: number): KitTriangle[] => quad([-half, 0, half], [half, 0, half], [half, 0, -half], [-half, 0, -half], 0);
const scene = (triangles: readonly KitTriangle[], clearcoat: number): KitScene => ({
  triangles,
  materials: [material({ base_color: [0, 0, 0, 1], specular: 0, emissive: [5, 5, 5], clearcoat }), material({ specular: 0 })],
});
const level = async (engine: RenderEngine, made: KitScene, from: PerspectiveCamera): Promise<number> =>
  (await estimate(engine, made, { camera: from, side: 8, samples: 16, bounces: 0 })).mean[0];

describe('a coat over a lamp', () => {
  it.each([0, 0.5, 1])('of weight %s keeps back its share of what is seen at 60°', async (coat) => {
    const eye = camera([Math.sqrt(3) * 2, 2, 0], [0, 0, 0]);
    expect((await level(both, scene(lamp(1), coat), eye)) / 5).toBeCloseTo(1 - coat * REFLECTED, 3);
  });

  it.each([0.5, 1])('of weight %s keeps back the same of what lights a wall at 60°', async (coat) => {
    const [x, y] = [Math.sqrt(3) * 2, 2];
    const wall = quad([x, y - 1, -1], [x, y - 1, 1], [x, y + 1, 1], [x, y + 1, -1], 1);
    const eye = camera([x - 1, y, 0.0], [x, y, 0]);
    const triangles = [...lamp(0.02), ...wall];
    const [bare, coated] = [await level(light, scene(triangles, 0), eye), await level(light, scene(triangles, coat), eye)];
    expect(bare).toBeGreaterThan(0);
    expect(coated / bare).toBeCloseTo(1 - coat * REFLECTED, 3);
  });
});
