/**
 * Known answers against the real coordinator and real roles: honest checkers find every drill, a checker
 * that never looks is found out and paid nothing, no worker is blamed, and the picture is the honest one.
 * A drill's draw looks like any other: what could tell them apart is compared.
 */
import { expect, test } from 'vitest';
import type { Leaf, LogLeaf } from '#lib/ledger/leaf.ts';
import { CheckerRole } from '#lib/roles/checker.ts';
import { WorkerRole } from '#lib/roles/worker.ts';
import { begin, checker, expectWell, submitted, verifiedLog, worker, world } from '../story.ts';
import { yesMan } from './yes-man.ts';

const OFTEN = { drillPpm: 300_000, drillAuditShare: 0, secondAuditPpm: 0 };

const of = <T extends LogLeaf['type']>(log: readonly LogLeaf[], type: T): Leaf<T>[] =>
  log.filter((leaf): leaf is Leaf<T> => leaf.type === type);

interface Record {
  readonly checker: { readonly bad: number; readonly badRight: number; readonly accuracy: number; readonly payFactor: number };
  readonly worker: { readonly faults: number; readonly doubts: number };
}
const recordOf = async (key: string): Promise<Record> =>
  (await (await world.coordinator!.http(new Request(`http://sim/api/standing/${key}`)))!.json()) as Record;

test('honest checkers find every drill, nobody is blamed, and no pixel is false', async () => {
  await begin(51, OFTEN);
  const workers = [await worker(), await worker()];
  for (let i = 0; i < 4; i++) await checker();
  const { role, job } = await submitted(await world.tab());
  await expectWell(role, job);
  const log = await verifiedLog();
  const drills = of(log, 'drill');
  expect(drills.length).toBeGreaterThan(3);
  const verdicts = of(log, 'verdict');
  const graded = drills.map(({ lease }) => verdicts.find((leaf) => leaf.lease === lease)!);
  expect(graded.map(({ verdict }) => verdict)).toEqual(drills.map(() => 'fail'));
  for (const { tab, role: one } of workers) {
    expect(one.status.voided).toEqual([]);
    expect((await world.wait(recordOf(tab.identity.key))).worker).toMatchObject({ faults: 0, doubts: 0 });
  }
});

test('its draw, commitment and receipt are like every other’s, under one seal each', async () => {
  await begin(52, OFTEN);
  for (let i = 0; i < 2; i++) await worker();
  for (let i = 0; i < 4; i++) await checker();
  const { role, job } = await submitted(await world.tab());
  await expectWell(role, job);
  const log = await verifiedLog();
  const drilled = new Set(of(log, 'drill').map(({ lease }) => lease));
  expect(drilled.size).toBeGreaterThan(0);
  // Whoever is leased to before the market's first round has none, drilled or not.
  const fields = (leaf: LogLeaf): string =>
    Object.keys(leaf)
      .filter((name) => name !== 'round')
      .toSorted()
      .join();
  const draws = of(log, 'draw');
  expect(new Set(draws.map(({ sealed }) => sealed)).size).toBe(draws.length);
  for (const leaves of [draws, of(log, 'commitment')])
    expect(new Set(leaves.filter(({ lease }) => drilled.has(lease)).map(fields))).toEqual(new Set(leaves.map(fields)));
  const workersOf = (is: boolean): Set<string> =>
    new Set(
      of(log, 'commitment')
        .filter(({ lease }) => drilled.has(lease) === is)
        .map((leaf) => leaf.worker),
    );
  // Who spoils is who works: its next commitments are meant.
  for (const key of workersOf(true)) expect(workersOf(false)).toContain(key);
});

test('a checker that never looks is found out, and paid no more', async () => {
  await begin(53, { ...OFTEN, drillPpm: 600_000 });
  await worker();
  await worker();
  for (let i = 0; i < 3; i++) await checker();
  const tab = await world.tab();
  const lazy = new CheckerRole({ ...tab, control: yesMan(tab) });
  await lazy.start();
  const { role, job } = await submitted(await world.tab());
  await expectWell(role, job);
  const { checker: record } = await world.wait(recordOf(tab.identity.key));
  expect(record.bad).toBeGreaterThan(0);
  expect(record.badRight).toBe(0);
  expect(record.payFactor).toBe(0);
  await verifiedLog();
});

test('a worker that goes away with a drill holds up nobody', async () => {
  await begin(54, { ...OFTEN, drillPpm: 500_000 });
  const { tab, role: gone } = await worker();
  expect(gone).toBeInstanceOf(WorkerRole);
  for (let i = 0; i < 4; i++) await checker();
  const { role, job } = await submitted(await world.tab());
  await world.until('some of it is committed', () => role.job(job)!.view.committed > 0);
  await tab.kill();
  await worker();
  await expectWell(role, job);
});
