/** What the rays of a view cost, measured on the simulator's engine: the same at every peer, once per view, and nothing where it can't be. */
import { expect, test } from 'vitest';
import type { Engine } from '#lib/gpu/engine.ts';
import type { Metered } from '#lib/market/metering.ts';
import { METERED_JOBS_MAX } from '#lib/protocol/limits.ts';
import type { Lease } from '#lib/protocol/control.ts';
import type { JobOrder } from '#lib/protocol/order.ts';
import { JobMeter } from '#lib/roles/job-meter.ts';
import { costOf } from '#lib/roles/meter.ts';
import { survey } from '#lib/roles/survey.ts';
import { ArithmeticEngine, summaryOf } from '../../sim/arithmetic-engine.ts';

const never = new AbortController().signal;
const clock = { nowMs: () => 0, sleep: async () => {} };
const files = { scene: new Uint8Array(9), environment: null, frameTimeS: 0, variant: null };
const { root, view: camera } = summaryOf(files);
const view: Metered = { sceneRoot: root, camera, transparent: false, width: 1280, height: 720, bounces: 4 };

async function engine(nodes = 1_000): Promise<ArithmeticEngine> {
  const made = new ArithmeticEngine(clock, 4_000, { nodesPerSegment: nodes });
  await made.compile(never, files);
  return made;
}

test('is the same on two engines and at any size of one shape, and measured once', async () => {
  const [one, other] = [await engine(), await engine()];
  const cost = await costOf(never, one, view);
  expect(cost).toBeGreaterThan(2_000);
  expect(await costOf(never, other, { ...view, width: 640, height: 360 })).toBe(cost);
  const { traces } = one;
  expect(traces).toBeGreaterThan(0);
  expect(await costOf(never, one, { ...view, width: 1920, height: 1080 })).toBe(cost);
  expect(one.traces).toBe(traces);
  await costOf(never, one, { ...view, bounces: 2 });
  expect(one.traces).toBeGreaterThan(traces);
});

test('is none for a scene that the engine does not hold, nor once nobody waits, and either can be measured later', async () => {
  const cold = new ArithmeticEngine(clock);
  expect(await costOf(never, cold, view)).toBeNull();
  expect(await costOf(AbortSignal.abort(), await engine(), view)).toBeNull();
  await cold.compile(never, files);
  expect(await costOf(never, cold, view)).toBeGreaterThan(0);
});

const order = { ...view, title: 'glass', tileSide: 128, samples: 1024, passSamples: 64, seed: 3 } as JobOrder;
const lease = (job: number, pass = 0): Lease => ({ lease: 'a', job: String(job), tile: 0, pass, attempt: 1 });

async function measuredBy(meter: JobMeter, on: Engine, said: number | undefined, job = 1): Promise<boolean> {
  const work = { lease: lease(job, 7), order: said === undefined ? order : { ...order, costPerMille: said } };
  meter.traced(work);
  return meter.pays(never, on, work, () => {});
}

test('a worker measures a job when it has traced much of it, and believes it until then', async () => {
  const [meter, on] = [new JobMeter(), await engine()];
  const first = { lease: lease(1), order };
  meter.traced(first);
  expect(await meter.pays(never, on, first, () => {})).toBe(true);
  expect(on.traces).toBe(0);
  // A pass of 64 samples of one tile is a million paths.
  expect(await measuredBy(meter, on, undefined)).toBe(false);
  expect(meter.left).toBe('glass');
  const { traces } = on;
  expect(await measuredBy(meter, on, undefined)).toBe(false);
  expect(on.traces).toBe(traces);
});

test('an order that says what is measured pays, within the tolerance of a count', async () => {
  const on = await engine();
  const cost = (await costOf(never, on, view))!;
  expect(await measuredBy(new JobMeter(), on, cost)).toBe(true);
  expect(await measuredBy(new JobMeter(), on, Math.ceil(cost / 1.04))).toBe(true);
  expect(await measuredBy(new JobMeter(), on, Math.floor(cost / 1.2))).toBe(false);
});

test('what it remembers of jobs is bounded: the oldest is measured anew, by one look at what is known of its view', async () => {
  const [meter, on] = [new JobMeter(), await engine()];
  expect(await measuredBy(meter, on, undefined, 0)).toBe(false);
  for (let job = 1; job <= METERED_JOBS_MAX; job++) meter.traced({ lease: lease(job), order });
  expect(await meter.pays(never, on, { lease: lease(0), order }, () => {})).toBe(true);
});

test('a survey shows every part of the picture in sixteen samples, or nothing where there is no scene', async () => {
  const quick = new ArithmeticEngine(clock, 1e9);
  await quick.compile(never, files);
  const regions = await survey(never, quick, view, 3);
  // 1280 × 720 is 10 × 6 tiles; the simulator's paths trace one to five rays, three on average.
  expect(regions.length).toBe(60);
  for (const { samples, segments } of regions) {
    expect(samples).toBe(16);
    expect(Math.abs(segments - 3)).toBeLessThan(0.2);
  }
  // Of a die of five faces: 2.
  expect(regions.reduce((sum, { spread }) => sum + spread, 0) / regions.length).toBeCloseTo(2, 1);
  expect(await survey(never, new ArithmeticEngine(clock), view, 3)).toEqual([]);
});

test('a survey on a slow device ends early, with something to go by', async () => {
  // A second and a half for 5,184 paths: three passes of 1, 1 and 2 samples take six.
  const slow = new ArithmeticEngine(clock, 3_456);
  await slow.compile(never, files);
  const regions = await survey(never, slow, view, 3);
  expect(regions[0]!.samples).toBe(4);
});
