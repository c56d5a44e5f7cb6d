/**
 * The long versions of tests/gpu/transport-*.test.ts: finer blocks, tighter bounds, and random
 * scenes of everything transport knows, none of which may bring forth a number that is not finite.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filmIsFinite, type Film } from '#lib/job/film.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { testGpu } from '../gpu/device.ts';
import { FRONT } from '../gpu/kit.ts';
import { apart, combine, estimate, films } from '../gpu/transport-kit.ts';
import { menagerie, nestedFurnace, ROOM_SHOT, windowRoom } from '../gpu/transport-scenes.ts';

let engine: RenderEngine;
beforeAll(async () => {
  engine = new RenderEngine(await testGpu());
});
afterAll(() => engine.dispose());

describe('a dark room with a window', () => {
  it('agrees in 64 blocks over a million paths per estimator', async () => {
    const shot = { ...ROOM_SHOT, side: 32, bounces: 6 };
    const parts: Film[][] = [];
    for (const estimator of ['both', 'bsdf', 'light'] as const) {
      const own = estimator === 'both' ? engine : new RenderEngine(await testGpu(), { estimator });
      parts.push(await films(own, windowRoom([0.9, 1, 0.95]), shot, 16));
      if (own !== engine) await own.dispose();
    }
    const [both, bsdf, light] = parts as [Film[], Film[], Film[]];
    for (let block = 0; block < 64; block++) {
      const inside = (x: number, y: number): boolean => Math.floor(x / 4) + 8 * Math.floor(y / 4) === block;
      // Two-sided, 128 comparisons at 1 % together: 3.95 standard errors.
      expect(apart(combine(both, inside), combine(bsdf, inside)), `bsdf, block ${block}`).toBeLessThan(3.95);
      expect(apart(combine(both, inside), combine(light, inside)), `light, block ${block}`).toBeLessThan(3.95);
    }
    const dimmer = await films(engine, windowRoom([0.85, 0.95, 0.9]), shot, 16);
    expect(
      apart(
        combine(both, () => true),
        combine(dimmer, () => true),
      ),
      'control: a window 5 % darker',
    ).toBeGreaterThan(3.95);
  });
});

describe('glass in glass', () => {
  it('is invisible in white light to a quarter of a percent', async () => {
    const shot = { camera: { ...FRONT, tanHalfVfov: 0.2 }, side: 32, samples: 64, bounces: 32 };
    const { mean } = await estimate(engine, nestedFurnace(0), shot, 8);
    for (const value of mean) expect(Math.abs(value - 1)).toBeLessThan(0.0025);
    expect((await estimate(engine, nestedFurnace(0.05), shot)).mean[0], 'control').toBeLessThan(0.9975);
  });
});

describe('random scenes', () => {
  it.each(Array.from({ length: 40 }, (_, i) => i + 1))('of seed %d bring finite light only', async (seed) => {
    const camera = { ...FRONT, lens: { radius: 0.05, focusDistance: 4 } };
    for (const film of await films(engine, menagerie(seed), { camera, side: 48, samples: 16, bounces: 16 }, 2)) {
      expect(filmIsFinite(film.light)).toBe(true);
    }
  });
});
