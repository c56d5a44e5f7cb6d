/**
 * Volumes: absorption, and nested dielectrics by priority against Fresnel transmittances that are
 * known on paper. Beside each stands what a renderer without the rule would show.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filmIsFinite } from '#lib/job/film.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { testGpu } from './device.ts';
import { FRONT, material, quad, sphere, type KitScene } from './kit.ts';
import { BEHIND, box, estimate, films, WHITE } from './transport-kit.ts';
import { glass, menagerie, nestedFurnace } from './transport-scenes.ts';

let engine: RenderEngine;
beforeAll(async () => {
  engine = new RenderEngine(await testGpu());
});
afterAll(() => engine.dispose());

/** Straight at the scene, all rays within 0.6 degrees of -z. */
const STRAIGHT = { camera: { ...FRONT, eye: [0, 0, 8] as [number, number, number], tanHalfVfov: 0.01 }, side: 8, samples: 64, bounces: 24 };
const fresnel = (n: number, m: number): number => ((n - m) / (n + m)) ** 2;
/** Light through interfaces that lose nothing, all orders of reflection: R/T of the stack is the sum of theirs. */
const through = (...reflectances: readonly number[]): number => 1 / (1 + reflectances.reduce((sum, f) => sum + f / (1 - f), 0));
const slab = (z0: number, z1: number, index: number) => box([-50, -50, z0], [50, 50, z1], index);

describe('a slab of absorbing glass in white light', () => {
  it('shows what its faces reflect and what Beer and Lambert leave of the rest, all orders', async () => {
    const attenuation = [0, 0.5, 2] as const;
    const scene: KitScene = { triangles: slab(-1, 0.5, 0), materials: [glass({ attenuation })], environment: WHITE };
    const { mean } = await estimate(engine, scene, STRAIGHT);
    const f = fresnel(1, 1.5);
    attenuation.forEach((sigma, c) => {
      const kept = Math.exp(-sigma * 1.5);
      const expected = f + ((1 - f) ** 2 * kept) / (1 - f * kept);
      expect(Math.abs(mean[c]! - expected), `channel ${c}`).toBeLessThan(0.006);
      // Control: absorption over another distance, or none, is seen.
      if (sigma > 0) expect(Math.abs(mean[c]! - (f + (1 - f) ** 2 * Math.exp(-sigma)))).toBeGreaterThan(0.02);
    });
  });

  it('absorbs from the camera on when that stands inside', async () => {
    const scene: KitScene = {
      triangles: slab(-1, 9, 0),
      materials: [glass({ ior: 1.33, attenuation: [0.2, 0.2, 0.2] })],
      environment: WHITE,
    };
    const { mean } = await estimate(engine, scene, STRAIGHT);
    const f = fresnel(1, 1.33);
    const expected = (Math.exp(-0.2 * 9) * (1 - f)) / (1 - f * Math.exp(-0.2 * 10));
    expect(Math.abs(mean[0] - expected)).toBeLessThan(0.004);
    expect(Math.abs(mean[0] - (1 - f))).toBeGreaterThan(0.5);
  });
});

describe('a camera in a pool', () => {
  const SIGMA = 0.3;
  /** A lamp two units before the camera, both in water to all sides or, as a control, in a dry basin. */
  const pool = (water: number): KitScene => ({
    triangles: [...box([-9, -9, -9], [9, 9, 9], water), ...quad([-4, -4, 0], [4, -4, 0], [4, 4, 0], [-4, 4, 0], 2)],
    materials: [
      glass({ ior: 1.33, attenuation: [SIGMA, SIGMA, SIGMA] }),
      material({ base_color: [0, 0, 0, 1], specular: 0 }),
      material({ emissive: [1, 1, 1], base_color: [0, 0, 0, 1], specular: 0 }),
    ],
  });
  const shot = { ...STRAIGHT, camera: { ...STRAIGHT.camera, eye: [0, 0, 2] as [number, number, number] }, bounces: 0 };

  it('sees what lies in the water through it, though its first ray never leaves it', async () => {
    expect(Math.abs((await estimate(engine, pool(0), shot)).mean[0] - Math.exp(-SIGMA * 2))).toBeLessThan(0.001);
    expect((await estimate(engine, pool(1), shot)).mean[0], 'control: a dry basin').toBeCloseTo(1, 5);
  });

  it('sees glass in the water refract as in water', async () => {
    const scene: KitScene = {
      triangles: [...box([-9, -9, -9], [9, 9, 9], 0), ...slab(-1, 0, 1)],
      materials: [glass({ ior: 1.33 }), glass({ ior: 1.8, priority: 1 })],
      environment: BEHIND,
    };
    const inWater = through(fresnel(1.33, 1.8), fresnel(1.8, 1.33), fresnel(1.33, 1));
    const { mean } = await estimate(engine, scene, { ...shot, bounces: 24 }, 2);
    expect(Math.abs(mean[0] - inWater)).toBeLessThan(0.01);
    expect(Math.abs(through(fresnel(1, 1.8), fresnel(1.8, 1)) - inWater), 'control: as in air').toBeGreaterThan(0.05);
  });
});

describe('water between glass walls that it overlaps', () => {
  const stack = (glassPriority: number, waterPriority: number): KitScene => ({
    triangles: [...slab(2, 3, 0), ...slab(0.9, 2.1, 1), ...slab(0, 1, 0)],
    materials: [glass({ priority: glassPriority }), glass({ ior: 1.33, priority: waterPriority, attenuation: [0, 0.7, 0.7] })],
    environment: BEHIND,
  });
  const clear = through(fresnel(1, 1.5), fresnel(1.5, 1.33), fresnel(1.33, 1.5), fresnel(1.5, 1));
  const naive = through(...Array<number>(4).fill(fresnel(1, 1.5)), ...Array<number>(2).fill(fresnel(1, 1.33)));

  it.each([
    ['glass is there', 2, 1, 1],
    ['water is there', 1, 2, 1.2],
    ['of equal ones the last entered is there', 1, 1, 1.1],
  ] as const)('lets through what the four real faces let through, where %s', async (_, glassPriority, waterPriority, depth) => {
    const { mean } = await estimate(engine, stack(glassPriority, waterPriority), STRAIGHT, 2);
    expect(Math.abs(mean[0] - clear)).toBeLessThan(0.006);
    expect(Math.abs(mean[0] - naive), 'control: every face against air').toBeGreaterThan(0.05);
    // The share that went once through; higher orders are below 0.2 % of it.
    expect(Math.abs(mean[1] / mean[0] - Math.exp(-0.7 * depth))).toBeLessThan(0.004);
  });

  it('and from within, towards a wall that it meets exactly', async () => {
    const scene: KitScene = {
      triangles: [...slab(-1, 0, 0), ...slab(0, 1, 1)],
      materials: [glass(), glass({ ior: 1.33 })],
      environment: BEHIND,
    };
    const expected = through(fresnel(1, 1.33), fresnel(1.33, 1.5), fresnel(1.5, 1));
    const { mean } = await estimate(engine, scene, STRAIGHT, 2);
    expect(Math.abs(mean[0] - expected)).toBeLessThan(0.005);
    expect(Math.abs(expected - through(fresnel(1, 1.33), fresnel(1.33, 1), fresnel(1, 1.5), fresnel(1.5, 1)))).toBeGreaterThan(0.01);
  });
});

describe('volumes that touch or lie in each other', () => {
  /** Bright where x > 0: total reflection at a plane across x turns it dark. */
  const sky = { width: 16, height: 8, radiance: (x: number) => (x >= 4 && x < 12 ? ([4, 2, 1] as const) : ([0.1, 0.2, 0.5] as const)) };
  const oblique = {
    camera: { ...FRONT, eye: [3, 2.5, 4] as [number, number, number], tanHalfVfov: 0.25 },
    side: 24,
    samples: 64,
    bounces: 16,
  };
  const halves = (gap: number): KitScene => ({
    triangles: [...box([-1, -1, -1], [-gap, 1, 1], 0), ...box([gap, -1, -1], [1, 1, 1], 1)],
    materials: [glass(), glass()],
    environment: sky,
  });
  const whole: KitScene = { triangles: box([-1, -1, -1], [1, 1, 1], 0), materials: [glass()], environment: sky };

  it('two halves of one block that meet are the block', async () => {
    const block = await estimate(engine, whole, oblique);
    const joined = await estimate(engine, halves(0), oblique);
    const split = await estimate(engine, halves(0.02), oblique);
    joined.mean.forEach((value, c) => expect(Math.abs(value / block.mean[c]! - 1)).toBeLessThan(0.02));
    expect(Math.abs(split.mean[1] / block.mean[1] - 1), 'control: a gap of air between them').toBeGreaterThan(0.1);
  });

  it('a body inside one of higher priority is not there, inside one of lower priority it is', async () => {
    const nested = (inner: number): KitScene => ({
      triangles: [...sphere([0, 0, 0], 1, 0), ...sphere([0.2, 0, 0], 0.5, 1)],
      materials: [glass({ priority: 1 }), glass({ ior: 2, priority: inner, attenuation: [3, 3, 3] })],
      environment: sky,
    });
    const alone = await estimate(engine, { ...nested(0), triangles: sphere([0, 0, 0], 1, 0) }, oblique);
    const hidden = await estimate(engine, nested(0), oblique);
    const shown = await estimate(engine, nested(2), oblique);
    hidden.mean.forEach((value, c) => expect(Math.abs(value / alone.mean[c]! - 1)).toBeLessThan(0.004));
    expect(Math.abs(shown.mean[1] / alone.mean[1] - 1)).toBeGreaterThan(0.1);
  });

  it('glass in glass that absorbs nothing is invisible in white light', async () => {
    const shot = { camera: { ...FRONT, tanHalfVfov: 0.2 }, side: 16, samples: 64, bounces: 32 };
    const { mean } = await estimate(engine, nestedFurnace(0), shot, 2);
    mean.forEach((value) => expect(Math.abs(value - 1)).toBeLessThan(0.005));
    expect((await estimate(engine, nestedFurnace(0.1), shot)).mean[0]).toBeLessThan(0.995);
  });
});

describe('random scenes of media, panes and veils', () => {
  it('bring finite light only', async () => {
    for (const film of await films(engine, menagerie(7), { camera: FRONT, side: 32, samples: 16, bounces: 16 }, 1)) {
      expect(filmIsFinite(film.light)).toBe(true);
    }
  });
});
