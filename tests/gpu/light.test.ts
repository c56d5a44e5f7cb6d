/** Light that is known on paper. The estimators are compared in light-estimators.test.ts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIGHT_DIRECTIONAL, LIGHT_POINT, LIGHT_SPOT } from '#shaders/layout.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { testGpu } from './device.ts';
import { material, meanOf, quad, render, type KitScene, type LightRow, type Vec3 } from './kit.ts';

let engine: RenderEngine;
beforeAll(async () => {
  engine = new RenderEngine(await testGpu());
});
afterAll(() => engine.dispose());

/** A large Lambert floor at y = 0, seen from above around the origin. */
const FLOOR = quad([-50, 0, -50], [-50, 0, 50], [50, 0, 50], [50, 0, -50], 0);
const LAMBERT = material({ specular: 0, base_color: [0.5, 0.5, 0.5, 1] });
const ABOVE = { eye: [0, 2, 0], target: [0, 0, 0], up: [0, 0, -1], tanHalfVfov: 0.01, lens: null } as {
  eye: [number, number, number];
  target: [number, number, number];
  up: [number, number, number];
  tanHalfVfov: number;
  lens: null;
};
const DIRECT = { camera: ABOVE, side: 8, samples: 64, bounces: 1 };
const lit = (light: LightRow): KitScene => ({ triangles: FLOOR, materials: [LAMBERT], lights: [{ triangle: 0xffffffff, ...light }] });
const radiance = async (scene: KitScene, on = engine): Promise<number> => meanOf(await render(on, scene, DIRECT))[0];

describe('direct light on a Lambert floor', () => {
  it('of a point light is albedo/π · I/d²', async () => {
    const level = await radiance(lit({ kind: LIGHT_POINT, position: [0, 4, 0], color: [32, 32, 32] }));
    expect(level).toBeCloseTo((0.5 / Math.PI) * (32 / 16), 3);
  });

  it('of a directional light is albedo/π · E · cos', async () => {
    const level = await radiance(lit({ kind: LIGHT_DIRECTIONAL, direction: [0.6, -0.8, 0], color: [3, 3, 3] }));
    expect(level).toBeCloseTo((0.5 / Math.PI) * 3 * 0.8, 4);
  });

  it('of a spot light fades out beyond its outer cone', async () => {
    const [inner, outer] = [Math.cos(0.2), Math.cos(0.4)];
    const scale = 1 / (inner - outer);
    const spot = (x: number): LightRow => ({
      kind: LIGHT_SPOT,
      position: [x, 4, 0],
      direction: [0, -1, 0],
      color: [16, 16, 16],
      spot_scale: scale,
      spot_offset: -outer * scale,
    });
    expect(await radiance(lit(spot(0)))).toBeCloseTo(0.5 / Math.PI, 3);
    expect(await radiance(lit(spot(2.5)))).toBe(0);
  });

  it('of a square emitter is albedo · L · form factor', async () => {
    const [half, height] = [1, 1.5];
    const emitter = quad([-half, height, -half], [half, height, -half], [half, height, half], [-half, height, half], 1);
    const scene = {
      triangles: [...FLOOR, ...emitter],
      materials: [LAMBERT, material({ emissive: [5, 5, 5], base_color: [0, 0, 0, 1], specular: 0 })],
    };
    // Form factor of a parallel rectangle above its corner, times four (Howell, configuration B-3).
    const [x, y] = [half / height, half / height];
    const a = Math.sqrt(1 + x * x);
    const b = Math.sqrt(1 + y * y);
    const factor = (4 / (2 * Math.PI)) * ((x / a) * Math.atan(y / a) + (y / b) * Math.atan(x / b));
    const below = { ...DIRECT, camera: { ...ABOVE, eye: [0, 1, 0] as [number, number, number] } };
    const level = meanOf(await render(engine, scene, below))[0];
    expect(level / (0.5 * 5 * factor)).toBeGreaterThan(0.99);
    expect(level / (0.5 * 5 * factor)).toBeLessThan(1.01);
  });
});

describe('Beer-Lambert', () => {
  it('dims what is seen through a solid slab by its thickness', async () => {
    const box = (z: number, way: 1 | -1): ReturnType<typeof quad> =>
      way === 1 ? quad([-9, -9, z], [9, -9, z], [9, 9, z], [-9, 9, z], 0) : quad([-9, -9, z], [-9, 9, z], [9, 9, z], [9, -9, z], 0);
    const slab: KitScene = {
      triangles: [...box(0.5, 1), ...box(-0.5, -1)],
      materials: [material({ transmission: 1, roughness: 0, thickness: 1, specular: 0, ior: 1.2, attenuation: [0, 1, 2] })],
      environment: { width: 4, height: 2, radiance: () => [1, 1, 1] },
    };
    const camera = { eye: [0, 0, 4], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 0.01, lens: null } as typeof ABOVE;
    const [r, g, b]: Vec3 = meanOf(await render(engine, slab, { camera, side: 8, samples: 16 }));
    expect(r).toBeCloseTo(1, 2);
    expect(g).toBeCloseTo(Math.exp(-1), 2);
    expect(b).toBeCloseTo(Math.exp(-2), 2);
  });
});
