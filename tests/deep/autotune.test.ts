/**
 * An engine on an adapter that says it is a GPU: it traces its first pictures with the plain kernel,
 * tries every variant beside them, goes over to the fastest, and never changes a bit. The adapter is
 * whatever runs tests; which variant wins on it is printed and not asserted.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Film } from '#lib/job/film.ts';
import { parseTuned, type TuneStore } from '#workers/render/autotune.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { DEFAULT_VARIANT, variantKey } from '#workers/render/variant.ts';
import { testGpu } from '../gpu/device.ts';
import { compileKit, request } from '../gpu/kit.ts';
import { plainRoom } from '../gpu/plain-scenes.ts';
import { watchGpu, type WatchedGpu } from '../gpu/watched-gpu.ts';

class MemoryTuneStore implements TuneStore {
  readonly entries = new Map<string, string>();
  get = async (key: string): Promise<string | null> => this.entries.get(key) ?? null;
  set = async (key: string, value: string): Promise<void> => void this.entries.set(key, value);
}

/** Time for the tuner passes by dispatches alone: on a software adapter 300 ms would end it after one. */
const slowClock = (): { nowMs: () => number; sleep: () => Promise<void> } => {
  let now = 0;
  return { nowMs: () => (now += 0.5), sleep: async () => undefined };
};

const store = new MemoryTuneStore();
const engines: RenderEngine[] = [];
let gpu: WatchedGpu;
let calm: Film;

async function film(engine: RenderEngine): Promise<Film> {
  const scene = await compileKit(plainRoom(3));
  engine.adopt(scene);
  const outcome = await engine.trace(new AbortController().signal, request(scene.summary.root, { side: 32, samples: 8 }));
  if (!outcome.ok) throw new Error(outcome.text);
  return outcome.film;
}

function engineOn(watched: WatchedGpu): RenderEngine {
  const engine = new RenderEngine(watched.gpu, { tune: store, clock: slowClock() });
  engines.push(engine);
  return engine;
}

beforeAll(async () => {
  gpu = watchGpu(await testGpu(), { vendor: 'test', architecture: 'gpu', description: 'Not really a GPU', device: '' });
  const fixed = new RenderEngine(await testGpu(), { variant: DEFAULT_VARIANT });
  engines.push(fixed);
  calm = await film(fixed);
});
afterAll(async () => {
  for (const engine of engines) await engine.dispose();
});

it('the first picture comes from the plain kernel, what is found is kept, and every picture has the same bits', async () => {
  const engine = engineOn(gpu);
  expect(await film(engine)).toEqual(calm);
  const tuned = await engine.tune();
  console.log(`fastest here: ${variantKey(tuned.variant)}, ${tuned.paths} paths a dispatch`);
  expect(await film(engine)).toEqual(calm);
  expect(await film(engine)).toEqual(calm);
  expect([...store.entries.values()].map(parseTuned)).toEqual([tuned]);
});

it('another engine on that adapter knows it from the start, and one on software asks nobody', async () => {
  const engine = engineOn(gpu);
  await engine.probe();
  const kept = [...store.entries.values()].map(parseTuned)[0]!;
  expect(await film(engine)).toEqual(calm);
  expect(await engine.tune()).toEqual(kept);
  const asked = { get: 0 };
  const software = new RenderEngine(await testGpu(), { tune: { get: async () => (asked.get++, null), set: async () => undefined } });
  engines.push(software);
  await film(software);
  await software.tune();
  expect(asked.get).toBe(0);
});
