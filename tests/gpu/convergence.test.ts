/**
 * How fast pictures become right: mean squared error against samples on log-log axes, with the
 * renderer's own Owen-scrambled Sobol points and with independent ones. The independent control
 * needs no other kernel: the first sample of N different seeds is N independent draws.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filmLight } from '#lib/job/film.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { testGpu } from './device.ts';
import { compileKit, FRONT, material, quad, request, sphere, type KitScene } from './kit.ts';

/** A ball on a floor, a soft emitter above, a sky: soft shadows, one bounce of colour, smooth pixels. */
const SCENE: KitScene = {
  triangles: [
    ...quad([-3, -1, 3], [3, -1, 3], [3, -1, -3], [-3, -1, -3], 0),
    ...sphere([0, 0, 0], 1, 1, 12),
    ...quad([-1, 3, -1], [1, 3, -1], [1, 3, 1], [-1, 3, 1], 2),
  ],
  materials: [
    material({ base_color: [0.6, 0.6, 0.6, 1], specular: 0 }),
    material({ base_color: [0.8, 0.3, 0.2, 1], specular: 0 }),
    material({ emissive: [4, 4, 4] }),
  ],
  environment: { width: 8, height: 4, radiance: (_, y) => [0.4 - y * 0.1, 0.5 - y * 0.1, 0.6 - y * 0.1] },
};
const SIDE = 16;
const COUNTS = [1, 4, 16, 64];
/** Pictures whose squared errors are averaged, so that the slope is not one seed's. */
const SEEDS = [1, 2, 3, 4];

let engine: RenderEngine;
let root: string;
beforeAll(async () => {
  engine = new RenderEngine(await testGpu());
  const compiled = await compileKit(SCENE);
  root = compiled.summary.root;
  engine.adopt(compiled);
});
afterAll(() => engine.dispose());

async function picture(seed: number, count: number): Promise<Float64Array> {
  const shot = { camera: { ...FRONT, tanHalfVfov: 0.4 }, side: SIDE, samples: count, bounces: 2, seed };
  const outcome = await engine.trace(new AbortController().signal, request(root, shot));
  if (!outcome.ok) throw new Error(outcome.text);
  return Float64Array.from(filmLight(outcome.film.light), (value) => value / count);
}

const meanSquare = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / a.length;

/** Least-squares slope of log error over log count. */
function slope(errors: readonly number[]): number {
  const points = errors.map((error, i) => [Math.log(COUNTS[i]!), Math.log(error)] as const);
  const [mx, my] = [0, 1].map((k) => points.reduce((sum, point) => sum + point[k]!, 0) / points.length) as [number, number];
  return points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

describe('error against samples', () => {
  it('falls faster than with independent samples, and is lower at every equal count above one', async () => {
    const truth = await picture(999, 1024);
    const sobol: number[] = [];
    for (const count of COUNTS) {
      let sum = 0;
      for (const seed of SEEDS) sum += meanSquare(await picture(seed, count), truth);
      sobol.push(sum / SEEDS.length);
    }
    const independent: number[] = [];
    const sum = new Float64Array(truth.length);
    for (let seed = 1; seed <= COUNTS.at(-1)!; seed++) {
      (await picture(1000 + seed, 1)).forEach((value, i) => (sum[i]! += value));
      if (COUNTS.includes(seed))
        independent.push(
          meanSquare(
            sum.map((value) => value / seed),
            truth,
          ),
        );
    }
    console.info(
      `mean squared error at ${COUNTS.join(', ')} samples: Owen-Sobol ${sobol.map((e) => e.toExponential(2)).join(', ')} (slope ${slope(sobol).toFixed(2)}), independent ${independent.map((e) => e.toExponential(2)).join(', ')} (slope ${slope(independent).toFixed(2)})`,
    );
    expect(Math.abs(slope(independent) + 1), 'independent samples fall as 1/N (control)').toBeLessThan(0.15);
    expect(slope(sobol)).toBeLessThan(-1.1);
    COUNTS.forEach((count, i) => {
      if (count > 1) expect(sobol[i]! / independent[i]!, `at ${count} samples`).toBeLessThan(0.9);
    });
    expect(sobol.at(-1)! / independent.at(-1)!).toBeLessThan(0.5);
  });
});
