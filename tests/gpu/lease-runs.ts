/**
 * Many leases on one engine over more scenes than it keeps, and what is left behind on the device
 * and in the process.
 */
import type { DispatchTimes } from '#lib/gpu/engine.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { SCENES_HELD_MAX } from '#lib/protocol/limits.ts';
import { testGpu } from './device.ts';
import { compileKit, request } from './kit.ts';
import { plainRoom } from './plain-scenes.ts';
import { watchGpu } from './watched-gpu.ts';

export interface LeaseRuns {
  /** After each lease: buffers and textures that live, all that were ever made, bind groups and pipelines ever made, bytes of the process. */
  readonly live: readonly number[];
  readonly made: readonly number[];
  readonly bound: readonly number[];
  readonly residentBytes: readonly number[];
  readonly times: DispatchTimes;
}

const bytesNow = (): number => globalThis.process?.memoryUsage?.().rss ?? 0;

/** @param leasesPerScene in a row; after them the next scene's turn. */
export async function runLeases(leases: number, leasesPerScene: number): Promise<LeaseRuns> {
  const watched = watchGpu(await testGpu());
  const engine = new RenderEngine(watched.gpu);
  const scenes = await Promise.all(Array.from({ length: SCENES_HELD_MAX + 1 }, (_, n) => compileKit(plainRoom(n))));
  const runs = { live: [] as number[], made: [] as number[], bound: [] as number[], residentBytes: [] as number[] };
  for (let lease = 0; lease < leases; lease++) {
    const scene = scenes[Math.floor(lease / leasesPerScene) % scenes.length]!;
    engine.adopt(scene);
    const shot = request(scene.summary.root, { side: 16, samples: 8, seed: lease });
    const outcome = await engine.trace(new AbortController().signal, shot);
    if (!outcome.ok) throw new Error(outcome.text);
    const device = watched.devices[0]!;
    runs.live.push(device.live.size);
    runs.made.push(device.made);
    runs.bound.push(device.bound);
    runs.residentBytes.push(bytesNow());
  }
  const times = engine.dispatchTimes;
  await engine.dispose();
  if (watched.devices.length !== 1) throw new Error('a device was lost');
  return { ...runs, times };
}
