/**
 * A device that fails under a request: lost, reporting an error that nobody asked for, out of
 * memory. The film is the bits of an undisturbed one, or there is a sentence; nothing hangs.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

async function film(engine: RenderEngine, onProgress?: () => void): Promise<Film> {
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

describe('a lost device', () => {
  it('costs no bit, lost after each of the first three dispatches', async () => {
    const { engine, watched } = await fragile();
    const disturbed = await film(engine, () => {
      if (watched.devices.length <= 3) watched.devices.at(-1)!.device.destroy();
    });
    expect(watched.devices).toHaveLength(4);
    expect(disturbed).toEqual(undisturbed);
    await engine.dispose();
  });

  it('that is lost before anything is finished, time after time, is given up in words', async () => {
    const gpu = await testGpu();
    let devices = 0;
    const hopeless = {
      requestAdapter: async (options?: GPURequestAdapterOptions) => {
        const adapter = await gpu.requestAdapter(options);
        if (!adapter) return null;
        const { info, limits, features } = adapter;
        const requestDevice = async (descriptor?: GPUDeviceDescriptor): Promise<GPUDevice> => {
          const device = await adapter.requestDevice(descriptor);
          devices += 1;
          device.queue.submit = () => device.destroy();
          return device;
        };
        return { info, limits, features, requestDevice };
      },
    } as unknown as GPU;
    const engine = new RenderEngine(hopeless);
    engine.adopt(scene);
    expect(await engine.trace(never, request(scene.summary.root, SHOT))).toMatchObject({
      ok: false,
      reason: 'device-lost',
      text: expect.stringMatching(/lost|refused|first dispatch/),
    });
    expect(devices).toBeLessThanOrEqual(4);
    await engine.dispose();
  });
});

describe('an error that nobody waits for', () => {
  it('ends the device, and the film is the same bits', async () => {
    const { engine, watched } = await fragile();
    const disturbed = await film(engine, () => {
      const { device } = watched.devices[0]!;
      if (watched.devices.length === 1) device.createBuffer({ label: 'a defect', size: 16, usage: 0 });
    });
    expect(watched.devices).toHaveLength(2);
    expect(disturbed).toEqual(undisturbed);
    await engine.dispose();
  });
});

describe('a device without memory for the scene', () => {
  it('says how many bytes it takes, keeps nothing of it, and traces once there is room', async () => {
    const { engine, watched } = await fragile();
    await engine.probe();
    const before = watched.devices[0]!.live.size;
    watched.shortages = 1;
    expect(await engine.trace(never, request(scene.summary.root, SHOT))).toMatchObject({
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
