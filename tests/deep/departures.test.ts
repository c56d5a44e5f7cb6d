/**
 * Where Cycles and glTF part: the smallest scene of each difference, rendered by both. Ours must be
 * what glTF's rules give on paper, Cycles must miss it by what tests/README.md says, and without the
 * cause (the controls) both must agree. Needs Blender 3.x and fails in one sentence without.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RenderEngine } from '#workers/render/engine.ts';
import { testGpu } from '../gpu/device.ts';
import { meanOf, request } from '../gpu/kit.ts';
import { renderInCycles } from '../reference/blender/cycles.ts';
import { DEPARTURES, NARROW } from '../reference/blender/departures.ts';

const never = new AbortController().signal;
const [SIDE, SAMPLES, BOUNCES] = [16, 256, 8];

/** A sky of one radiance, as the smallest HDR file. */
function uniformSky(radiance: number): { file: Uint8Array<ArrayBuffer>; intensity: number } {
  const head = new TextEncoder().encode('#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 2\n');
  return { file: Uint8Array.from([...head, 128, 128, 128, 129, 128, 128, 128, 129]), intensity: radiance };
}

describe('where Cycles and glTF part', () => {
  let engine: RenderEngine;
  const byCycles: number[] = [];
  beforeAll(async () => {
    const scenes = await Promise.all(DEPARTURES.map((one) => one.scene()));
    const jobs = DEPARTURES.map(({ sky, twoSided = false }, i) => {
      return { scene: scenes[i]!, camera: NARROW, sky, side: SIDE, samples: SAMPLES, bounces: BOUNCES, twoSided };
    });
    for (const picture of renderInCycles(jobs)) byCycles.push(picture.reduce((sum, value) => sum + value, 0) / picture.length);
    engine = new RenderEngine(await testGpu());
    expect(await engine.probe()).toMatchObject({ ok: true });
  });
  afterAll(() => engine.dispose());

  it.each(DEPARTURES.map((one, index) => ({ ...one, index })))('$name', async ({ scene, sky, paper, cycles, index }) => {
    const environment = sky > 0 ? uniformSky(sky) : null;
    const compiled = await engine.compile(never, { scene: await scene(), environment, frameTimeS: 0, variant: null });
    if (!compiled.ok) throw new Error(compiled.text);
    const shot = { camera: NARROW, side: SIDE, samples: SAMPLES, bounces: BOUNCES };
    const outcome = await engine.trace(never, request(compiled.summary.root, shot));
    if (!outcome.ok) throw new Error(outcome.text);
    const ours = meanOf(outcome.film)[1];
    const share = byCycles[index]! / paper;
    console.log(
      `${index}: paper ${paper.toFixed(4)}, ours ${ours.toFixed(4)}, Cycles ${byCycles[index]!.toFixed(4)} (${share.toFixed(3)})`,
    );
    expect(Math.abs(ours / paper - 1)).toBeLessThan(0.005);
    expect(share).toBeGreaterThanOrEqual(cycles[0]);
    expect(share).toBeLessThanOrEqual(cycles[1]);
  });
});
