/**
 * White furnace: a closed white body in uniform white light must be invisible, whatever its
 * roughness; and single-scattering loss of rough metal must stay in its known range.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RenderEngine } from '#workers/render/engine.ts';
import { testGpu } from './device.ts';
import { FRONT, material, meanOf, quad, render, sphere, type KitScene, type MaterialRow } from './kit.ts';

let engine: RenderEngine;
beforeAll(async () => {
  engine = new RenderEngine(await testGpu());
});
afterAll(() => engine.dispose());

const WHITE = { width: 8, height: 4, radiance: () => [1, 1, 1] as const };
const ball = (row: MaterialRow): KitScene => ({ triangles: sphere([0, 0, 0], 1, 0), materials: [material(row)], environment: WHITE });
const CLOSE = { camera: { ...FRONT, tanHalfVfov: 0.12 }, samples: 64 };

describe('white furnace', () => {
  it('shows the environment itself unchanged', async () => {
    const film = await render(engine, {
      triangles: quad([9, 9, 9], [10, 9, 9], [10, 10, 9], [9, 10, 9], 0),
      materials: [material()],
      environment: WHITE,
    });
    for (const channel of meanOf(film)) expect(channel).toBeCloseTo(1, 5);
  });

  it('gives back all light of a Lambert body without a specular layer', async () => {
    const [r] = meanOf(await render(engine, ball({ specular: 0 }), CLOSE));
    expect(Math.abs(r - 1)).toBeLessThan(0.005);
  });

  it('halves it for an albedo of one half', async () => {
    const [r] = meanOf(await render(engine, ball({ specular: 0, base_color: [0.5, 0.5, 0.5, 1] }), CLOSE));
    expect(Math.abs(r - 0.5)).toBeLessThan(0.005);
  });
});

describe('full materials in the furnace', () => {
  const mean = async (row: MaterialRow): Promise<number> => meanOf(await render(engine, ball(row), CLOSE))[0];

  it('layer over white diffuse neither gains nor loses more than rough single scattering does', async () => {
    for (const [roughness, least] of [
      [0.2, 0.99],
      [0.5, 0.985],
      [1, 0.95],
    ] as const) {
      const level = await mean({ roughness });
      expect(level, `roughness ${roughness}`).toBeGreaterThan(least);
      expect(level, `roughness ${roughness}`).toBeLessThan(1.003);
    }
  });

  it('metal loses what GGX without multiple scattering is known to lose', async () => {
    // Directional albedo near normal incidence, integrated numerically: alpha 0.09, 0.25, 1.
    for (const [roughness, albedo] of [
      [0.3, 0.99],
      [0.5, 0.913],
      [1, 0.316],
    ] as const) {
      expect(Math.abs((await mean({ metallic: 1, roughness })) - albedo), `roughness ${roughness}`).toBeLessThan(0.012);
    }
  });

  it('smooth glass, thin or solid, is invisible', async () => {
    expect(Math.abs((await mean({ transmission: 1, roughness: 0 })) - 1)).toBeLessThan(0.005);
    expect(Math.abs((await mean({ transmission: 1, roughness: 0, thickness: 1 })) - 1)).toBeLessThan(0.005);
  });

  it('coat and cloth do not gain', async () => {
    expect(await mean({ clearcoat: 1, clearcoat_roughness: 0.3 })).toBeLessThan(1.003);
    expect(await mean({ sheen_color: [1, 1, 1], sheen_roughness: 0.5 })).toBeLessThan(1.02);
  });
});
