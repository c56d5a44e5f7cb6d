/**
 * White furnace through rays: a closed white body in uniform white light must be invisible, whatever
 * its material. The grid over roughness and angle is in bsdf.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filmLight } from '#lib/job/film.ts';
import type { PerspectiveCamera } from '#lib/protocol/order.ts';
import { TEXTURE_NEAREST } from '#shaders/layout.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { testGpu } from './device.ts';
import { FRONT, material, meanOf, quad, render, sphere, type KitScene, type MaterialRow } from './kit.ts';

let engine: RenderEngine;
/** Without light sampling a white surface leaves hardly any noise in a furnace. */
let sampled: RenderEngine;
beforeAll(async () => {
  engine = new RenderEngine(await testGpu());
  sampled = new RenderEngine(await testGpu(), { estimator: 'bsdf' });
});
afterAll(() => {
  engine.dispose();
  sampled.dispose();
});

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

  it('rough layer over white diffuse and rough white metal give all back', async () => {
    for (const row of [
      { roughness: 0.2 },
      { roughness: 0.6 },
      { roughness: 1 },
      { metallic: 1, roughness: 0.5 },
      { metallic: 1, roughness: 1 },
    ]) {
      expect(Math.abs((await mean(row)) - 1), JSON.stringify(row)).toBeLessThan(0.005);
    }
  });

  it('smooth glass, thin or solid, is invisible', async () => {
    expect(Math.abs((await mean({ transmission: 1, roughness: 0 })) - 1)).toBeLessThan(0.005);
    expect(Math.abs((await mean({ transmission: 1, roughness: 0, thickness: 1 })) - 1)).toBeLessThan(0.005);
  });

  it('every extension at once, a white body each, is invisible', async () => {
    const rows: MaterialRow[] = [
      { clearcoat: 1, clearcoat_roughness: 0.3, roughness: 0.5 },
      { sheen_color: [1, 1, 1], sheen_roughness: 0.5 },
      { metallic: 1, roughness: 0.4, anisotropy: 0.8 },
      { metallic: 1, roughness: 0.3, iridescence: 1, iridescence_ior: 1.5 },
      { diffuse_transmission: 0.5, roughness: 0.7 },
      { transmission: 0.6, roughness: 0.5 },
      { transmission: 1, roughness: 0.4, thickness: 1 },
    ];
    const triangles = rows.flatMap((_, i) =>
      sphere([Math.cos((i / 7) * 2 * Math.PI) * 0.9, Math.sin((i / 7) * 2 * Math.PI) * 0.9, 0], 0.35, i, 12),
    );
    const film = await render(engine, { triangles, materials: rows.map(material), environment: WHITE }, { samples: 64, bounces: 24 });
    for (const channel of meanOf(film)) expect(Math.abs(channel - 1)).toBeLessThan(0.005);
  });
});

describe('a plane under a wild normal map', () => {
  /** 8 x 8 texels whose normals lean by up to 80 degrees, every way. */
  const texels = new Uint8Array(8 * 8 * 4);
  for (let i = 0; i < 64; i++) {
    const [lean, turn] = [((i * 0.6180339887) % 1) * 1.4, i * 2.4];
    texels.set(
      [Math.sin(lean) * Math.cos(turn), Math.sin(lean) * Math.sin(turn), Math.cos(lean)].map((x) => Math.round(127.5 + 127.5 * x)),
      i * 4,
    );
  }
  const plane = (row: MaterialRow): KitScene => ({
    triangles: quad([-3, -3, 0], [3, -3, 0], [3, 3, 0], [-3, 3, 0], 0),
    materials: [material({ ...row, normal_texture: 0 })],
    textures: [{ size: [8, 8], flags: TEXTURE_NEAREST, transform_u: [1, 0, 0, 0], transform_v: [0, 1, 0, 0] }],
    texels: { side: 8, layers: 1, data: texels },
    environment: WHITE,
  });
  const VIEWS: PerspectiveCamera[] = [FRONT, { ...FRONT, eye: [3.6, 0, 1.1], up: [0, 0, 1] }];

  it.each([
    ['metal', { metallic: 1, roughness: 0.3 }],
    ['layer over diffuse', { roughness: 0.3 }],
  ] as const)('%s has no black pixels and no light from nowhere', async (_, row) => {
    for (const camera of VIEWS) {
      // A pixel of metal is then off by 0.0008 (standard deviation, measured): the bound is six of these.
      const film = await render(sampled, plane(row), { camera, samples: 4096, side: 4 });
      const light = filmLight(film.light);
      for (let i = 0; i < light.length; i += 3) {
        expect(light[i]! / film.samples).toBeGreaterThan(0.8);
        expect(light[i]! / film.samples).toBeLessThan('metallic' in row ? 1.005 : 1.05);
      }
      expect(Math.abs(meanOf(film)[0] - 1)).toBeLessThan(0.005);
    }
  });
});
