/**
 * Scenes whose light is known on paper: a sphere in constant light, and the direct light of a
 * rectangular lamp on the floor and walls of a box, by its form factor.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RenderEngine } from '#workers/render/engine.ts';
import { testGpu } from './device.ts';
import { FRONT, material, quad, sphere, type KitScene, type Vec3 } from './kit.ts';
import { combine, estimate, films, WHITE } from './transport-kit.ts';

let engine: RenderEngine;
beforeAll(async () => {
  engine = new RenderEngine(await testGpu());
});
afterAll(() => engine.dispose());

describe('a Lambert sphere in constant light', () => {
  it('has the same brightness in every block: its albedo', async () => {
    const scene: KitScene = {
      triangles: sphere([0, 0, 0], 1, 0),
      materials: [material({ base_color: [0.18, 0.5, 0.9, 1], specular: 0 })],
      environment: WHITE,
    };
    const parts = await films(engine, scene, { camera: { ...FRONT, tanHalfVfov: 0.15 }, side: 16, samples: 64, bounces: 2 }, 2);
    for (let block = 0; block < 16; block++) {
      const { mean } = combine(parts, (x, y) => Math.floor(x / 4) + 4 * Math.floor(y / 4) === block);
      [0.18, 0.5, 0.9].forEach((albedo, c) => expect(Math.abs(mean[c]! / albedo - 1), `block ${block}`).toBeLessThan(0.01));
    }
  });
});

describe('direct light in a Cornell box', () => {
  /** Corners of the lamp in the ceiling of a box from -1 to 1, and its radiance. */
  const LAMP = { x0: -0.3, x1: 0.4, z0: -0.35, z1: 0.25, y: 0.999, radiance: 7 };
  const box: KitScene = {
    triangles: [
      ...quad([-1, -1, 1], [1, -1, 1], [1, -1, -1], [-1, -1, -1], 0),
      ...quad([-1, 1, -1], [1, 1, -1], [1, 1, 1], [-1, 1, 1], 0),
      ...quad([-1, -1, -1], [1, -1, -1], [1, 1, -1], [-1, 1, -1], 0),
      ...quad([-1, -1, 1], [-1, -1, -1], [-1, 1, -1], [-1, 1, 1], 1),
      ...quad([1, -1, -1], [1, -1, 1], [1, 1, 1], [1, 1, -1], 2),
      ...quad([LAMP.x0, LAMP.y, LAMP.z0], [LAMP.x1, LAMP.y, LAMP.z0], [LAMP.x1, LAMP.y, LAMP.z1], [LAMP.x0, LAMP.y, LAMP.z1], 3),
    ],
    materials: [
      material({ base_color: [0.73, 0.73, 0.73, 1], specular: 0 }),
      material({ base_color: [0.65, 0.05, 0.05, 1], specular: 0 }),
      material({ base_color: [0.12, 0.45, 0.15, 1], specular: 0 }),
      material({ base_color: [0, 0, 0, 1], specular: 0, emissive: [LAMP.radiance, LAMP.radiance, LAMP.radiance] }),
    ],
  };

  /** Irradiance by the midpoint rule over the lamp. */
  function irradiance(point: Vec3, normal: Vec3): number {
    const steps = 200;
    let sum = 0;
    for (let i = 0; i < steps; i++) {
      for (let j = 0; j < steps; j++) {
        const to: Vec3 = [
          LAMP.x0 + ((i + 0.5) / steps) * (LAMP.x1 - LAMP.x0) - point[0],
          LAMP.y - point[1],
          LAMP.z0 + ((j + 0.5) / steps) * (LAMP.z1 - LAMP.z0) - point[2],
        ];
        const d2 = to[0] ** 2 + to[1] ** 2 + to[2] ** 2;
        const facing = Math.max(normal[0] * to[0] + normal[1] * to[1] + normal[2] * to[2], 0);
        sum += (facing * to[1]) / (d2 * d2);
      }
    }
    return (LAMP.radiance * sum * (LAMP.x1 - LAMP.x0) * (LAMP.z1 - LAMP.z0)) / steps ** 2;
  }

  it.each([
    ['the floor under the lamp', [0.1, -1, 0], [0, 1, 0], 0.73],
    ['a corner of the floor', [-0.9, -1, -0.9], [0, 1, 0], 0.73],
    ['the back wall', [0.5, 0.2, -1], [0, 0, 1], 0.73],
    ['the red wall', [-1, -0.4, 0.3], [1, 0, 0], 0.65],
  ] as const)('on %s is albedo/π times the form factor', async (_, point, normal, albedo) => {
    const eye = [0.2, 0.1, 0.6] as const;
    const camera = { eye, target: point, up: Math.abs(normal[1]) > 0.5 ? [0, 0, 1] : [0, 1, 0], tanHalfVfov: 0.002, lens: null } as never;
    const { mean } = await estimate(engine, box, { camera, side: 16, samples: 64, bounces: 0 });
    const expected = (albedo / Math.PI) * irradiance(point, normal);
    expect(Math.abs(mean[0] / expected - 1)).toBeLessThan(0.01);
    // Control: a second bounce brings light that this factor does not know.
    const more = await estimate(engine, box, { camera, side: 16, samples: 64, bounces: 1 });
    expect(more.mean[0] / expected).toBeGreaterThan(1.05);
  });
});
