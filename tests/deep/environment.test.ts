/** The long version of tests/gpu/light-environment.test.ts: pbrt's own grid and count, 80 x 160 bins and 10^6 samples. */
import { beforeAll, expect, it } from 'vitest';
import { testGpu } from '../gpu/device.ts';
import { SKIES, testSky } from '../gpu/light-environment-cases.ts';

let gpu: GPU;
beforeAll(async () => {
  gpu = await testGpu();
});

const PBRT = { theta: 80, phi: 160, samples: 1_000_000, steps: 2 };

it.each(SKIES.map((sky) => [sky.name, sky] as const))('%s: draws its density, which integrates to one', async (_, sky) => {
  const { p, mass } = await testSky(gpu, sky, PBRT);
  expect(p).toBeGreaterThan(0.01 / SKIES.length);
  expect(Math.abs(mass - 1)).toBeLessThan(0.0005);
});
