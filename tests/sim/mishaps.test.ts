/**
 * What fails inside one machine: an engine that throws, a disk with no room. The machine says so
 * and goes on; nobody else notices more than a delay.
 */
import { expect, test } from 'vitest';
import type { Engine } from '#lib/gpu/engine.ts';
import { MemoryBlobStore } from '#lib/p2p/blob-store-memory.ts';
import { WorkerRole } from '#lib/roles/worker.ts';
import { ArithmeticEngine } from './arithmetic-engine.ts';
import { begin, checker, expectWell, submitted, viewOf, worker, world } from './story.ts';

/** The first call of this method ends in an exception, as a defect would. */
function tripping(honest: Engine, method: 'compile' | 'trace'): Engine {
  let tripped = false;
  const trip = (): void => {
    if (tripped) return;
    tripped = true;
    throw new Error('a defect');
  };
  return {
    shader: honest.shader,
    probe: () => honest.probe(),
    compile: async (signal, files) => {
      if (method === 'compile') trip();
      return honest.compile(signal, files);
    },
    trace: async (signal, request, onProgress) => {
      if (method === 'trace') trip();
      return honest.trace(signal, request, onProgress);
    },
    denoise: (signal, request) => honest.denoise(signal, request),
    setPace: (pace) => honest.setPace(pace),
    dispose: () => honest.dispose(),
  };
}

test.each(['compile', 'trace'] as const)('an exception in %s costs a worker one lease, and it says so', async (method) => {
  await begin(21);
  const { role: hand } = await worker(tripping(new ArithmeticEngine(world.clock), method));
  const said = new Set<string>();
  hand.onStatus((status) => said.add(`${status.state}: ${status.reason}`));
  await checker();
  const { role, job } = await submitted(await world.tab());
  await expectWell(role, job);
  expect([...said].some((line) => line.startsWith('restarting: '))).toBe(true);
  expect(viewOf(role, job).view.redone).toBe(1);
});

test.each(['compile', 'trace'] as const)('an exception in %s costs a checker one check, which it calls unavailable', async (method) => {
  await begin(22);
  await worker();
  const { role: eye } = await checker(tripping(new ArithmeticEngine(world.clock), method));
  const { role, job } = await submitted(await world.tab());
  await expectWell(role, job);
  expect(eye.status).toMatchObject({ unavailable: 1, failed: 0 });
});

test.each([1, 3])('a device that reads back nothing %i times is tried again, and nothing of it is committed to', async (times) => {
  await begin(26);
  const honest = new ArithmeticEngine(world.clock);
  let left = times;
  const { role: hand } = await worker({
    shader: honest.shader,
    probe: () => honest.probe(),
    compile: (signal, files) => honest.compile(signal, files),
    denoise: () => honest.denoise(),
    setPace: () => honest.setPace(),
    dispose: () => honest.dispose(),
    trace: async (signal, request, onProgress) => {
      const outcome = await honest.trace(signal, request, onProgress);
      if (outcome.ok && left-- > 0) outcome.film.light.fill(0, outcome.film.light.length / 2);
      return outcome;
    },
  });
  await checker();
  const { role, job } = await submitted(await world.tab());
  await expectWell(role, job);
  expect(hand.status.leasesVoided).toBe(0);
  // Three times in a row and the lease goes back; less costs nobody anything.
  expect(viewOf(role, job).view.redone).toBe(times === 3 ? 1 : 0);
});

test('a worker can be stopped while it recovers', async () => {
  await begin(23);
  const { role: hand } = await worker(tripping(new ArithmeticEngine(world.clock), 'trace'));
  await submitted(await world.tab());
  await world.until('it recovers', () => hand.status.state === 'restarting');
  await world.wait(hand.stop());
  expect(hand.status.state).toBe('off');
});

test('a worker without room for the scene works from memory', async () => {
  await begin(24);
  class FullStore extends MemoryBlobStore {
    override put(): Promise<void> {
      return Promise.reject(new Error('no room'));
    }
  }
  const tab = await world.tab({ disk: { ...(await world.disk()), blobs: new FullStore() } });
  const hand = new WorkerRole(tab);
  await hand.start();
  await checker();
  const { role, job } = await submitted(await world.tab());
  await expectWell(role, job);
  // The creator may hear of the job's end before the worker hears of its last lease.
  await world.until('all is paid', () => hand.status.leasesSettled === viewOf(role, job).view.leases);
});

test('a worker whose device has no memory for the scene says how much it holds, and others do the work', async () => {
  await begin(25);
  const honest = new ArithmeticEngine(world.clock);
  let tried = 0;
  const small: Engine = {
    shader: honest.shader,
    probe: () => honest.probe(),
    compile: (signal, files) => honest.compile(signal, files),
    trace: async () => {
      tried++;
      return { ok: false, reason: 'no-memory', text: 'The device has no memory for the scene.' };
    },
    denoise: () => honest.denoise(),
    setPace: () => honest.setPace(),
    dispose: () => honest.dispose(),
  };
  const { role: hand } = await worker(small);
  const { role: other } = await worker();
  await checker();
  const { role, job } = await submitted(await world.tab());
  await expectWell(role, job);
  const needs = viewOf(role, job).order.sceneNeeds.bytes;
  expect(hand.status.reason).toContain(`a scene of at most ${needs - 1} bytes`);
  expect(tried).toBeLessThanOrEqual(2);
  expect(hand.status.leasesVoided).toBe(0);
  await world.until('all is paid', () => other.status.leasesSettled === viewOf(role, job).view.leases);
});
