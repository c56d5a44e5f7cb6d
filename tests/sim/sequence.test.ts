/**
 * A sequence in the whole network: every frame comes out as one machine renders it alone, a few jobs
 * are open at a time and never more, and a reload orders nothing twice.
 */
import { sql } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import { frameTimeS } from '#lib/job/frames.ts';
import { filmLight } from '#lib/job/film.ts';
import { SEQUENCE_JOBS_OPEN_MAX } from '#lib/protocol/limits.ts';
import { CreatorRole } from '#lib/roles/creator.ts';
import { MemoryFrameStore } from '#lib/roles/frame-store.ts';
import { SequenceRun, type SequenceEnd, type SequenceWish } from '#lib/roles/sequence.ts';
import { jobs } from '#lib/server/store/schema.ts';
import { arithmeticFilm, summaryOf } from './arithmetic-engine.ts';
import { begin, checker, never, worker, world } from './story.ts';
import type { Tab } from './world.ts';

const SEQUENCE = '5'.repeat(32);
const RANGE = { first: 3, last: 8, fps: 4 };
const FRAMES = [3, 4, 5, 6, 7, 8];
const CHOICE = { title: 'clock', transparent: false, width: 32, height: 32, samples: 1, bounces: 4, seed: 5, capMicro: 100_000n };
const scene = Uint8Array.from({ length: 1_000 }, (_, i) => i % 251);

const momentOf = (frame: number) => {
  const files = { scene, environment: null, frameTimeS: frameTimeS(RANGE, frame), variant: null };
  return { ok: true, files, summary: summaryOf(files), camera: summaryOf(files).view } as const;
};
const wish = (changes: Partial<SequenceWish> = {}): SequenceWish => ({
  sequence: SEQUENCE,
  range: RANGE,
  choice: CHOICE,
  moment: async (_, frame) => momentOf(frame),
  ...changes,
});

const openJobs = async (): Promise<number> =>
  (
    await world.db
      .select({ id: jobs.id })
      .from(jobs)
      .where(sql`${jobs.state} = 'open'`)
  ).length;
const jobsInAll = async (): Promise<number> => (await world.db.select({ id: jobs.id }).from(jobs)).length;

async function hands(): Promise<void> {
  await worker();
  await worker();
  await checker();
}

async function startedOn(tab: Tab, store: MemoryFrameStore, changes: Partial<SequenceWish> = {}) {
  const role = new CreatorRole(tab);
  await role.resume(never);
  const run = new SequenceRun(role, store, wish(changes));
  const stop = new AbortController();
  const ends: SequenceEnd[] = [];
  const ended = run.run(stop.signal).then((end) => void ends.push(end));
  return { role, run, stop, ends, ended };
}

async function expectWhole(store: MemoryFrameStore): Promise<void> {
  expect((await store.frames(SEQUENCE)).toSorted((a, b) => a - b)).toEqual(FRAMES);
  for (const frame of FRAMES) {
    const { order, light, view } = (await store.frame(SEQUENCE, frame))!;
    const rect = { x: 0, y: 0, width: order.width, height: order.height };
    const { root, view: camera } = momentOf(frame).summary;
    const alone = arithmeticFilm({ sceneRoot: root, frame: { ...order, camera }, rect, pass: { first: 0, count: order.samples } });
    expect(light, `frame ${frame}`).toEqual(filmLight(alone.light).map((sum) => sum / order.samples));
    expect(view.state).toBe('done');
  }
}

describe('a sequence', () => {
  test('comes in frame by frame, a few jobs at a time, and leaves nothing but its frames', async () => {
    await begin(1);
    await hands();
    const store = new MemoryFrameStore();
    const tab = await world.tab();
    const { role, run, ends } = await startedOn(tab, store);
    let most = 0;
    run.onChange(() => (most = Math.max(most, run.frames.filter(({ job }) => job?.view.state === 'open').length)));
    await world.until('the sequence ends', () => ends.length > 0);
    expect(ends).toEqual([{ status: 'done' }]);
    expect(run.frames.map(({ state }) => state)).toEqual(FRAMES.map(() => 'done'));
    await expectWhole(store);
    expect(most).toBe(SEQUENCE_JOBS_OPEN_MAX);
    expect([await jobsInAll(), role.jobs, await tab.disk.jobs.jobs()]).toEqual([FRAMES.length, [], []]);
  });

  test('goes on after a reload: frames that are here and jobs that are open are not ordered again', async () => {
    await begin(2);
    await hands();
    const store = new MemoryFrameStore();
    const before = await world.tab();
    const first = await startedOn(before, store);
    const states = (): string[] => first.run.frames.map(({ state }) => state);
    await world.until('some frames are here and others open', () => states().includes('done') && !states().includes('ordering'));
    expect(states()).toContain('open');
    // What stands for a dead page must do nothing any more.
    first.stop.abort();
    first.role.close();
    await before.kill();
    await world.pass(2_000);
    const { ends } = await startedOn(await world.tab({ disk: before.disk }), store);
    await world.until('the sequence ends', () => ends.length > 0);
    expect(ends).toEqual([{ status: 'done' }]);
    await expectWhole(store);
    expect(await jobsInAll()).toBe(FRAMES.length);
  });

  test('that is cancelled ends its open jobs and keeps its frames; what is missing can be ordered later', async () => {
    await begin(3);
    await hands();
    const store = new MemoryFrameStore();
    const tab = await world.tab();
    const { run, stop, ends, ended } = await startedOn(tab, store);
    await world.until('a frame is here', () => run.frames.some(({ state }) => state === 'done'));
    stop.abort();
    await world.wait(ended);
    expect(ends).toEqual([{ status: 'stopped' }]);
    expect(await world.wait(run.cancel())).toBeNull();
    expect(await openJobs()).toBe(0);
    const kept = await store.frames(SEQUENCE);
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThan(FRAMES.length);
    await world.until('the creator hears of it', () => run.frames.every(({ job }) => job?.view.state !== 'open'));
    const again: SequenceEnd[] = [];
    void run.run(never).then((end) => again.push(end));
    await world.until('the sequence ends', () => again.length > 0);
    expect(again).toEqual([{ status: 'done' }]);
    await expectWhole(store);
  });

  test('stops with a sentence at a frame that does not compile, and at a price nobody can pay', async () => {
    await begin(4);
    await hands();
    const broken = await startedOn(await world.tab(), new MemoryFrameStore(), {
      moment: async (_, frame) => (frame === 5 ? { ok: false, text: 'The skin has no bones.' } : momentOf(frame)),
    });
    await world.until('the sequence ends', () => broken.ends.length > 0);
    expect(broken.ends).toEqual([{ status: 'failed', frame: 5, text: 'The skin has no bones.' }]);
    expect(broken.run.frames.filter(({ state }) => state === 'done').map(({ frame }) => frame)).toEqual([3, 4]);
    const dear = await startedOn(await world.tab(), new MemoryFrameStore(), { choice: { ...CHOICE, capMicro: 10n ** 15n } });
    await world.until('the sequence ends', () => dear.ends.length > 0);
    expect(dear.ends[0]).toMatchObject({ status: 'failed', frame: 3, text: expect.stringContaining('you have 100') });
  });
});
