/**
 * The sampler of the environment draws what its density says, the density integrates to one, and a
 * sun of one texel in a dark sky lights a plane as paper says, by every estimator. The long version is
 * in tests/deep/environment.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RenderEngine } from '#workers/render/engine.ts';
import { brokenGpu } from './broken-gpu.ts';
import { broken } from './bsdf-cases.ts';
import { testGpu } from './device.ts';
import { material, quad, type KitScene } from './kit.ts';
import { SKIES, testSky } from './light-environment-cases.ts';
import { apart, estimate } from './transport-kit.ts';

const engines: RenderEngine[] = [];
let gpu: GPU;
beforeAll(async () => {
  gpu = await testGpu();
  for (const estimator of ['both', 'light', 'bsdf'] as const) engines.push(new RenderEngine(gpu, { estimator }));
});
afterAll(async () => {
  for (const engine of engines) await engine.dispose();
});

describe('the sampler of the environment', () => {
  const SHORT = { theta: 20, phi: 40, samples: 200_000, steps: 4 };
  // pbrt's significance of 0.01 over all runs (Bonferroni).
  const limit = 0.01 / SKIES.length;

  it.each(SKIES.map((sky) => [sky.name, sky] as const))('%s: draws its density, which integrates to one', async (_, sky) => {
    const { p, mass } = await testSky(gpu, sky, SHORT);
    expect(p).toBeGreaterThan(limit);
    expect(Math.abs(mass - 1)).toBeLessThan(0.001);
  });

  it('control: a density without the sine of the polar angle does neither', async () => {
    const wrong = broken('light/environment', 'greater(sin_theta, 1e-6)', '1.0');
    const { p, mass } = await testSky(gpu, SKIES[0]!, SHORT, wrong);
    expect(p).toBeLessThan(1e-6);
    expect(Math.abs(mass - 1)).toBeGreaterThan(0.1);
  });

  it('control: offsets that do not reach the neighbours are refused', async () => {
    const wrong = broken('light/environment', 'return select(1.0 - sqrt(2.0 - 2.0 * u), sqrt(2.0 * u) - 1.0, u < 0.5);', 'return u - 0.5;');
    expect((await testSky(gpu, SKIES[1]!, SHORT, wrong)).p).toBeLessThan(1e-6);
  });

  it('control: a pole that the tent does not fold back at is refused', async () => {
    const wrong = broken('light/environment', 'select(abs(at.y), 2.0 - at.y, at.y > 1.0)', 'clamp(at.y, 0.0, 1.0)');
    expect((await testSky(gpu, SKIES[3]!, SHORT, wrong)).p).toBeLessThan(1e-6);
  });
});

describe('a sun of one texel in a dark sky', () => {
  const [WIDTH, HEIGHT, X, Y, RADIANCE] = [32, 16, 9, 3, 1000];
  const plane: KitScene = {
    triangles: quad([-50, 0, 50], [50, 0, 50], [50, 0, -50], [-50, 0, -50], 0),
    materials: [material({ base_color: [0.5, 0.5, 0.5, 1], specular: 0 })],
    environment: { width: WIDTH, height: HEIGHT, radiance: (x, y) => (x === X && y === Y ? [RADIANCE, RADIANCE, RADIANCE] : [0, 0, 0]) },
  };
  const camera = { eye: [0, 3, 0], target: [0, 0, 0], up: [0, 0, -1], tanHalfVfov: 0.01, lens: null } as never;

  /** Between texel centres light is bilinear, so the texel shines as a tent over two texels each way. */
  function irradiance(): number {
    const steps = 400;
    let sum = 0;
    for (let i = 0; i < 2 * steps; i++) {
      const offset = (i + 0.5) / steps - 1;
      const theta = ((Y + 0.5 + offset) / HEIGHT) * Math.PI;
      sum += ((1 - Math.abs(offset)) * Math.cos(theta) * Math.sin(theta)) / steps;
    }
    return RADIANCE * sum * (Math.PI / HEIGHT) * ((2 * Math.PI) / WIDTH);
  }

  it('lights a plane by its irradiance, and by every estimator alike', async () => {
    const expected = (0.5 / Math.PI) * irradiance();
    const [both, light, bsdf] = await Promise.all(
      engines.map((engine, i) => estimate(engine, plane, { camera, side: 16, samples: 64, bounces: 0 }, i === 2 ? 8 : 1)),
    );
    expect(Math.abs(both!.mean[0] / expected - 1)).toBeLessThan(0.005);
    expect(Math.abs(light!.mean[0] / expected - 1)).toBeLessThan(0.005);
    expect(apart(bsdf!, { mean: [expected, expected, expected], error: 0 })).toBeLessThan(3.7);
    expect(bsdf!.error / expected, 'the noise leaves something to say').toBeLessThan(0.05);
  });

  it('control: with half the density two estimators part from the third', async () => {
    const wrong = brokenGpu(gpu, 'value.a / (2.0 * PI * PI', 'value.a / (4.0 * PI * PI');
    const engine = new RenderEngine(wrong.gpu, { estimator: 'light' });
    const { mean } = await estimate(engine, plane, { camera, side: 8, samples: 64, bounces: 0 });
    await engine.dispose();
    expect(wrong.hits()).toBeGreaterThan(0);
    expect(mean[0] / ((0.5 / Math.PI) * irradiance())).toBeGreaterThan(1.9);
  });
});
