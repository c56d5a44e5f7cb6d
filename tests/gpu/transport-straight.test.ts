/**
 * What goes straight on: cut-out surfaces that a path meets twice, window panes before point lights
 * and skies. Both estimators of light must see the same scene through them.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Film } from '#lib/job/film.ts';
import { LIGHT_POINT, MATERIAL_ALPHA_MASK, MATERIAL_DOUBLE_SIDED, MATERIAL_SPECULAR_GLOSSINESS } from '#shaders/layout.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { testGpu } from './device.ts';
import { FRONT, material, quad, type KitScene, type MaterialRow, type Shot } from './kit.ts';
import { apart, BEHIND, combine, estimate as estimateScene, films as filmScene, WHITE, type Estimate } from './transport-kit.ts';
import { fresnel } from '../reference/albedo.ts';
import { ROOM_SHOT, veil, windowRoom } from './transport-scenes.ts';

let engine: RenderEngine;
beforeAll(async () => {
  engine = new RenderEngine(await testGpu());
});
afterAll(() => engine.dispose());

/** One kernel for the whole file: every scene holds a veil and a pane, used or not. */
const complete = (scene: KitScene): KitScene => ({ ...scene, materials: [...scene.materials, veil(0.5), material({ transmission: 1 })] });
const films = (on: RenderEngine, scene: KitScene, shot: Shot, passes: number): Promise<Film[]> =>
  filmScene(on, complete(scene), shot, passes);
const estimate = (on: RenderEngine, scene: KitScene, shot: Shot, passes = 1): Promise<Estimate> =>
  estimateScene(on, complete(scene), shot, passes);
const STRAIGHT = { camera: { ...FRONT, tanHalfVfov: 0.01 }, side: 16, samples: 64, bounces: 4 };
const ABOVE = { eye: [0, 3, 0], target: [0, 0, 0], up: [0, 0, -1], tanHalfVfov: 0.01, lens: null } as never;
const floor = (index: number) => quad([-50, 0, -50], [-50, 0, 50], [50, 0, 50], [50, 0, -50], index);
const upright = (z: number, index: number) => quad([-9, -9, z], [9, -9, z], [9, 9, z], [-9, 9, z], index);
const flat = (y: number, index: number) => quad([-9, y, -9], [-9, y, 9], [9, y, 9], [9, y, -9], index);

describe('a half-open veil that a path meets twice', () => {
  it('before a mirror lets a quarter of the light back out', async () => {
    const scene: KitScene = {
      triangles: [...upright(0, 0), ...upright(-1, 1)],
      materials: [veil(0.5), material({ metallic: 1, roughness: 0 })],
      environment: WHITE,
    };
    const { mean, error } = await estimate(engine, scene, STRAIGHT);
    expect(Math.abs(mean[0] - 0.25)).toBeLessThan(5 * error + 0.001);
    expect(0.5 - mean[0], 'control: one decision for both meetings').toBeGreaterThan(0.2);
  });

  it('decides for the shadow ray anew', async () => {
    const open: KitScene = {
      triangles: floor(0),
      materials: [material({ specular: 0 }), veil(0.3)],
      lights: [{ kind: LIGHT_POINT, position: [0, 4, 0], color: [16, 16, 16] }],
    };
    const bare = await estimate(engine, open, { ...STRAIGHT, camera: ABOVE, bounces: 0 });
    const veiled = await estimate(engine, { ...open, triangles: [...floor(0), ...flat(1, 1)] }, { ...STRAIGHT, camera: ABOVE, bounces: 0 });
    expect(Math.abs(veiled.mean[0] / bare.mean[0] - 0.49)).toBeLessThan(0.02);
    expect(0.7 - veiled.mean[0] / bare.mean[0], 'control: one decision for both').toBeGreaterThan(0.15);
  });

  it('passes the share of a cut-out by its cutoff, whatever the draw', async () => {
    const cut = (cutoff: number): KitScene => ({
      triangles: upright(0, 0),
      materials: [{ ...veil(0.5), flags: MATERIAL_DOUBLE_SIDED | MATERIAL_ALPHA_MASK, alpha_cutoff: cutoff }],
      environment: WHITE,
    });
    expect((await estimate(engine, cut(0.6), STRAIGHT)).mean[0]).toBe(1);
    expect((await estimate(engine, cut(0.4), STRAIGHT)).mean[0]).toBe(0);
  });
});

describe('a clear pane before white', () => {
  const seen = async (row: MaterialRow): Promise<number> => {
    const pane = material({ transmission: 1, roughness: 0, ...row });
    return (await estimate(engine, { triangles: upright(0, 0), materials: [pane], environment: WHITE }, STRAIGHT)).mean[0];
  };

  it('that shines is seen to shine, though all light goes through it', async () => {
    expect(await seen({ specular: 0 })).toBeCloseTo(1, 3);
    expect(Math.abs((await seen({ specular: 0, emissive: [2, 2, 2] })) - 3)).toBeLessThan(0.05);
  });

  it('of the specular-glossiness model reflects its own share and lets through the rest of its colour', async () => {
    const flags = MATERIAL_DOUBLE_SIDED | MATERIAL_SPECULAR_GLOSSINESS;
    expect(Math.abs((await seen({ flags, specular_color: [0.5, 0.5, 0.5] })) - 0.75)).toBeLessThan(0.01);
  });
});

describe('a pane before a point light', () => {
  const TINT = [0.9, 0.5, 0.2] as const;
  const scene = (row: MaterialRow, x: number): KitScene => ({
    triangles: [...floor(0), ...flat(3.5, 1)],
    materials: [material({ specular: 0 }), material({ transmission: 1, roughness: 0, base_color: [...TINT, 1], ...row })],
    lights: [{ kind: LIGHT_POINT, position: [x, 4, 0], color: [16, 16, 16] }],
  });
  const shot = { ...STRAIGHT, camera: ABOVE, bounces: 0 };

  it.each([0, 3, 9])('at %d beside the point lets its tint times (1 - F) through', async (x) => {
    const d2 = 16 + x * x;
    const cosine = 4 / Math.sqrt(d2);
    const direct = ((1 / Math.PI) * 16 * cosine) / d2;
    const { mean } = await estimate(engine, scene({}, x), shot);
    TINT.forEach((tint, c) => {
      const expected = direct * tint * (1 - fresnel(1.5, cosine));
      expect(Math.abs(mean[c]! / expected - 1), `channel ${c}`).toBeLessThan(0.015);
    });
    expect(Math.abs(mean[0] / (direct * TINT[0] * (1 - fresnel(1.5, cosine)) ** 2) - 1), 'control: two faces').toBeGreaterThan(0.02);
  });

  it('casts a shadow when it is rough, thick or opaque', async () => {
    for (const row of [{ roughness: 0.5 }, { transmission: 0 }]) {
      expect((await estimate(engine, scene(row, 0), shot)).mean[0], JSON.stringify(row)).toBe(0);
    }
  });

  it('costs no bounce: what stands behind is seen by a path that may not scatter', async () => {
    const view: KitScene = {
      triangles: [...upright(1, 0), ...upright(0, 0)],
      materials: [material({ transmission: 1, roughness: 0 })],
      environment: BEHIND,
    };
    const { mean, error } = await estimate(engine, view, { ...STRAIGHT, bounces: 0 });
    // Light between the panes, reflected twice, needs scatterings.
    expect(Math.abs(mean[0] - 0.96 * 0.96)).toBeLessThan(5 * error + 0.002);
  });

  it('neither gains nor loses in white light, tilted, tinted or half as transmissive', async () => {
    const alone = (row: MaterialRow): KitScene => ({
      triangles: quad([-9, -9, -6], [9, -9, -6], [9, 9, 6], [-9, 9, 6], 0),
      materials: [material({ transmission: 1, roughness: 0, ...row })],
      environment: WHITE,
    });
    const clear = await estimate(engine, alone({}), STRAIGHT, 2);
    expect(Math.abs(clear.mean[0] - 1)).toBeLessThan(5 * clear.error + 0.002);
    const half = await estimate(engine, alone({ transmission: 0.5 }), STRAIGHT, 2);
    expect(Math.abs(half.mean[0] - 1)).toBeLessThan(5 * half.error + 0.005);
  });
});

describe('a dark room with a window', () => {
  it('is as bright by BSDF sampling, by light sampling and by both, block by block', async () => {
    const parts: Film[][] = [];
    for (const estimator of ['both', 'bsdf', 'light'] as const) {
      const own = estimator === 'both' ? engine : new RenderEngine(await testGpu(), { estimator });
      parts.push(await films(own, windowRoom([0.9, 1, 0.95]), ROOM_SHOT, 4));
      if (own !== engine) await own.dispose();
    }
    const [both, bsdf, light] = parts as [Film[], Film[], Film[]];
    for (let block = 0; block < 16; block++) {
      const inside = (x: number, y: number): boolean => Math.floor(x / 4) + 4 * Math.floor(y / 4) === block;
      // Two-sided, 32 comparisons at 1 % together: 3.6 standard errors; pixels of a block differ, which only widens them.
      expect(apart(combine(both, inside), combine(bsdf, inside)), `bsdf, block ${block}`).toBeLessThan(3.7);
      expect(apart(combine(both, inside), combine(light, inside)), `light, block ${block}`).toBeLessThan(3.7);
    }
    // Control: a room whose window lets a tenth less through is told apart.
    const dimmer = await films(engine, windowRoom([0.8, 0.9, 0.85]), ROOM_SHOT, 4);
    expect(
      apart(
        combine(both, () => true),
        combine(dimmer, () => true),
      ),
    ).toBeGreaterThan(3.7);
  }, 900_000);
});
