/**
 * Every scene there is, shipped or shared: no path may end in a number that is none, and no pixel may
 * shine as only a density that is wrong lets it. A firefly here: a pixel of one render that exceeds
 * fifty times the largest of its neighbourhood in another render of the same view, with other seeds.
 * Rare bright pixels are honest in caustics, so their share is bounded, not their being.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TraceRequest } from '#lib/gpu/engine.ts';
import { filmIsFinite, filmLight } from '#lib/job/film.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { testGpu } from '../gpu/device.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SHARED = join(ROOT, '../shared/reference/scenes');
const [WIDTH, HEIGHT, SAMPLES] = [96, 64, 16];
const FIREFLY = 50;

const glbs = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.glb'))
        .map((name) => join(folder, name))
    : [];
const SHIPPED = glbs(join(ROOT, 'static/samples'));
const SCENES = [...SHIPPED, ...glbs(SHARED)];

/** A sky for scenes that bring no light of their own: the first shared HDR, or none. */
const ENVIRONMENTS = existsSync(join(SHARED, 'env')) ? readdirSync(join(SHARED, 'env')).filter((name) => name.endsWith('.hdr')) : [];

let engine: RenderEngine;
beforeAll(async () => {
  engine = new RenderEngine(await testGpu());
});
afterAll(() => engine.dispose());

async function light(wanted: TraceRequest): Promise<Float32Array> {
  const outcome = await engine.trace(new AbortController().signal, wanted);
  if (!outcome.ok) throw new Error(`${outcome.reason}: ${outcome.text}`);
  expect(filmIsFinite(outcome.film.light)).toBe(true);
  return filmLight(outcome.film.light);
}

/** Largest value of 5 × 5 pixels. */
function neighbourhood(picture: Float32Array, x: number, y: number, channel: number): number {
  let most = 0;
  for (let v = Math.max(0, y - 2); v <= Math.min(HEIGHT - 1, y + 2); v++) {
    for (let u = Math.max(0, x - 2); u <= Math.min(WIDTH - 1, x + 2); u++) most = Math.max(most, picture[(v * WIDTH + u) * 3 + channel]!);
  }
  return most;
}

function fireflies(picture: Float32Array, other: Float32Array): number {
  const level = other.reduce((sum, value) => sum + value, 0) / other.length;
  let count = 0;
  for (let pixel = 0; pixel < WIDTH * HEIGHT; pixel++) {
    const [x, y] = [pixel % WIDTH, Math.floor(pixel / WIDTH)];
    const flies = [0, 1, 2].some((c) => picture[pixel * 3 + c]! > FIREFLY * Math.max(neighbourhood(other, x, y, c), level));
    if (flies) count++;
  }
  return count;
}

describe(`scenes without faults: ${SHIPPED.length} shipped, ${SCENES.length - SHIPPED.length} shared`, () => {
  it('are there, the shipped ones at least', () => expect(SHIPPED.length).toBeGreaterThanOrEqual(3));

  it.each(SCENES.map((path) => [basename(path), path] as const))('%s', async (name, path) => {
    const sky = SHIPPED.includes(path) ? undefined : ENVIRONMENTS[0];
    const environment = sky ? { file: Uint8Array.from(readFileSync(join(SHARED, 'env', sky))), intensity: 1 } : null;
    const files = { scene: Uint8Array.from(readFileSync(path)), environment, frameTimeS: 0, variant: null };
    const compiled = await engine.compile(new AbortController().signal, files);
    if (!compiled.ok) throw new Error(compiled.text);
    const { root, cameras, view } = compiled.summary;
    const wanted = (seed: number): TraceRequest => ({
      sceneRoot: root,
      frame: { camera: cameras[0]?.camera ?? view, width: WIDTH, height: HEIGHT, bounces: 8, seed },
      rect: { x: 0, y: 0, width: WIDTH, height: HEIGHT },
      pass: { first: 0, count: SAMPLES },
    });
    const count = fireflies(await light(wanted(1)), await light(wanted(2)));
    console.info(`${name}: ${count} of ${WIDTH * HEIGHT} pixels shine alone`);
    expect(count / (WIDTH * HEIGHT)).toBeLessThan(0.001);
  });

  it('would be found out by one pixel of a thousand (control)', () => {
    const other = new Float32Array(WIDTH * HEIGHT * 3).fill(1);
    const picture = other.map((value, i) => (i % 3000 === 0 ? 100 : value));
    expect(fireflies(picture, other)).toBe(Math.ceil((WIDTH * HEIGHT) / 1000));
  });
});
