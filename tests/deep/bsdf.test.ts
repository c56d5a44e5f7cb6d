/**
 * The long versions of tests/gpu/bsdf.test.ts: pbrt's own chi-square test (80 x 160 bins, 10^6
 * samples, significance 0.01 over all runs) from grazing to normal incidence, and the white furnace
 * within 0.5 % on a finer grid, over iors, and around two unequal widths.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chiSquare, DRAWS, furnace, WHITE, worst } from '../gpu/bsdf-cases.ts';
import { BsdfBench } from '../gpu/bsdf-kit.ts';
import { testGpu } from '../gpu/device.ts';

let bench: BsdfBench;
beforeAll(async () => {
  bench = await BsdfBench.open(await testGpu());
});
afterAll(() => bench.dispose());

describe('chi-square of every sampler', () => {
  const COSINES = [0.1, 0.35, 0.6, 0.95];
  const PBRT = { theta: 80, phi: 160, samples: 1_000_000, steps: 4 };
  const limit = 0.01 / (DRAWS.length * COSINES.length);

  it.each(DRAWS.flatMap((one) => COSINES.map((cosine) => [one.name, cosine, one] as const)))('%s at cosine %d', async (_, cosine, one) => {
    const { p, mass, lost } = await chiSquare(bench, { ...one, cosine }, PBRT);
    expect(p, `density integrates to ${mass}, ${lost} of the samples were lost`).toBeGreaterThan(limit);
    expect(Math.abs(mass + lost - 1)).toBeLessThan(0.005);
  });
});

describe('white furnace', () => {
  const GRID = {
    roughness: Array.from({ length: 12 }, (_, i) => i / 11),
    cosines: [0.05, 0.1, 0.15, 0.22, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
    blocks: 256,
  };

  it.each(WHITE.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const w = worst(await furnace(bench, one, GRID));
    expect(Math.abs(w.level - 1), JSON.stringify(w)).toBeLessThan(0.005);
  });

  it.each([0.15, 0.4, 1].flatMap((anisotropy) => [0, 1].map((metallic) => [anisotropy, metallic] as const)))(
    'stretched by %d, metallic %d, seen from along to across',
    async (anisotropy, metallic) => {
      for (const phi of [0, 0.7, 1.2, 1.45]) {
        const w = worst(await furnace(bench, { name: '', row: { metallic, anisotropy }, view: { phi } }, GRID));
        expect(Math.abs(w.level - 1), JSON.stringify({ phi, ...w })).toBeLessThan(0.005);
      }
    },
  );

  it.each([1, 1.1, 1.33, 1.6, 2, 2.42].flatMap((ior) => [false, true].map((inside) => [ior, inside] as const)))(
    'glass of ior %d, seen from inside: %s',
    async (ior, inside) => {
      const row = { transmission: 1, thickness: 1, ior };
      const w = worst(await furnace(bench, { name: '', row, view: { inside }, effort: 8 }, GRID));
      expect(Math.abs(w.level - 1), JSON.stringify(w)).toBeLessThan(0.005);
    },
  );
});
