/** What an order says of its rays' cost, and what workers do who measure another: real roles over the simulated network. */
import { eq } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { meterPaths, meterPlan } from '#lib/market/metering.ts';
import { costOf } from '#lib/roles/meter.ts';
import { meteredOf } from '#lib/roles/order.ts';
import { leases } from '#lib/server/store/schema.ts';
import { ArithmeticEngine, summaryOf } from './arithmetic-engine.ts';
import { begin, checker, expectWell, never, submitted, viewOf, worker, world } from './story.ts';
import type { Tab } from './world.ts';

/** Each ray visits so many nodes: dearer than a plain scene's by any measure of a node. */
const NODES = 1_000;
const engine = (): ArithmeticEngine => new ArithmeticEngine(world.clock, 4_000, { nodesPerSegment: NODES });

const files = { scene: new Uint8Array(50_000).fill(7), environment: null, frameTimeS: 0, variant: null };
const summary = summaryOf(files);
/** Large enough that one worker who does half of it has traced 32 times what a measurement takes. */
const picture = { files, summary, width: 128, height: 64, samples: 16, capMicro: 50_000_000n };

async function creatorTab(): Promise<Tab> {
  const tab = await world.tab({ engine: engine() });
  await tab.engine.compile(never, files);
  return tab;
}

/** A measurement takes virtual time, as every trace does. */
const costAt = (tab: Tab): Promise<number | null> =>
  world.wait(
    costOf(never, tab.engine, meteredOf({ ...picture, title: '', camera: summary.view, transparent: false, bounces: 4, seed: 5 })),
  );

test('an honest order says what its rays cost, and workers who measure it stay', async () => {
  await begin(41);
  const hand = await worker(engine());
  await checker(engine());
  const tab = await creatorTab();
  const { role, job } = await submitted(tab, picture);
  const { order } = viewOf(role, job);
  expect(order.costPerMille).toBeGreaterThan(2_000);
  expect(order.costPerMille).toBe(await costAt(tab));
  await expectWell(role, job);
  const paths = order.width * order.height * order.samples;
  expect(paths).toBeGreaterThan(32 * meterPaths(meterPlan(order)));
  // What it was paid for is what it says of its speed.
  const { segmentsPerSecond, workUnitsPerSecond } = hand.role.status;
  expect(workUnitsPerSecond).toBeCloseTo((segmentsPerSecond * order.costPerMille!) / 1e12, 12);
});

test('of an order that says too little, workers leave when they have measured it, nobody is at fault, and the creator sees why it waits', async () => {
  await begin(42);
  const first = await worker(engine());
  await checker(engine());
  const { role, job } = await submitted(await creatorTab(), { ...picture, terms: { costPerMille: 700 } });
  const left = (): boolean => /its rays cost more than its order says/.test(first.role.status.reason);
  await world.until('the worker has left', left);
  await world.until('the job says why it waits', () => /rays cost more than the order says/.test(viewOf(role, job).view.reason));
  const { settled } = viewOf(role, job).view;
  expect(settled).toBeGreaterThan(0);
  // What was traced before stays paid, the worker is never asked again, and no part of the picture counts as failed.
  await world.pass(60_000);
  const rows = await world.db.select().from(leases).where(eq(leases.job, job));
  const returned = rows.filter(({ reason }) => reason === 'yield-cost-understated');
  expect(returned.length).toBeGreaterThan(0);
  expect(returned.length).toBeLessThanOrEqual(2);
  expect(rows.every(({ failures, faulted }) => failures === 0 && !faulted)).toBe(true);
  expect(viewOf(role, job).view).toMatchObject({ state: 'open', leased: 0 });
  expect(first.role.status.leasesVoided).toBe(0);
  // Cancelled and ordered as it is, it is done by the same worker.
  void role.cancel(job);
  const again = await submitted(await creatorTab(), { ...picture, seed: 6 });
  await expectWell(again.role, again.job);
});
