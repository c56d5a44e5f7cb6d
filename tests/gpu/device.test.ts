/**
 * A device that fails under a request: lost, reporting an error that nobody asked for, out of
 * memory. The film is the bits of an undisturbed one, or there is a sentence; nothing hangs.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TraceOutcome } from '#lib/gpu/engine.ts';
import type { Film } from '#lib/job/film.ts';
import type { CompiledScene } from '#workers/scene/compiled-scene.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { testGpu } from './device.ts';
import { compileKit, request } from './kit.ts';
import { plainRoom } from './plain-scenes.ts';
import { watchGpu, type WatchedGpu } from './watched-gpu.ts';

const never = new AbortController().signal;
const SHOT = { side: 32, samples: 16 };
let scene: CompiledScene;
let calm: RenderEngine;
let undisturbed: Film;

beforeAll(async () => {
  scene = await compileKit(plainRoom(1));
  calm = new RenderEngine(await testGpu());
  calm.adopt(scene);
  undisturbed = await film(calm);
});
afterAll(() => calm.dispose());

async function film(engine: RenderEngine, onProgress?: (share: number) => void): Promise<Film> {
  const outcome = await engine.trace(never, request(scene.summary.root, SHOT), onProgress);
  if (!outcome.ok) throw new Error(`${outcome.reason}: ${outcome.text}`);
  return outcome.film;
}

async function fragile(): Promise<{ engine: RenderEngine; watched: WatchedGpu }> {
  const watched = watchGpu(await testGpu());
  const engine = new RenderEngine(watched.gpu);
  engine.adopt(scene);
  return { engine, watched };
}

describe('a device that is lost, and one that reports an error nobody asked about', () => {
  it('cost no bit: a new one goes on after the last finished dispatch', async () => {
    const { engine, watched } = await fragile();
    let done = 0;
    const disturbed = await film(engine, (share) => {
      const { device } = watched.devices.at(-1)!;
      if (watched.devices.length === 1) device.destroy();
      if (watched.devices.length === 2) device.createBuffer({ label: 'a defect', size: 16, usage: 0 });
      expect(share).toBeGreaterThan(done);
      done = share;
    });
    expect(watched.devices).toHaveLength(3);
    expect(disturbed).toEqual(undisturbed);
    await engine.dispose();
  });
});

describe('a device without memory for the scene', () => {
  it('says how many bytes it takes, keeps nothing of it, and traces once there is room', async () => {
    const { engine, watched } = await fragile();
    const refused = (): Promise<TraceOutcome> => {
      watched.shortages = 1;
      return engine.trace(never, request(scene.summary.root, SHOT));
    };
    await refused();
    const before = watched.devices[0]!.live.size;
    expect(await refused()).toMatchObject({
      ok: false,
      reason: 'no-memory',
      text: expect.stringMatching(/\d{3,} bytes/),
    });
    expect(watched.devices[0]!.live.size).toBe(before);
    expect(await film(engine)).toEqual(undisturbed);
    expect(watched.devices).toHaveLength(1);
    await engine.dispose();
  });
});
