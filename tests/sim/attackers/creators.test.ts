/**
 * Creators that take films and don't want to pay. One says that they never came: believed of a few workers,
 * because peers can be out of each other's reach, and then the check decides and it pays. One calls every film
 * corrupt, one says nothing, one vanishes: all pay. The re-trace decides, not the creator.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { fetchLog } from '#lib/ledger/client.ts';
import { verifyLog } from '#lib/ledger/verify.ts';
import { FILM_REDELIVERIES_MAX, FILM_WAIT_MS_MAX, MISSING_WORKERS_MAX, RECEIPT_WAIT_MS_MAX } from '#lib/protocol/limits.ts';
import { nodeVerify } from '#lib/server/keys.ts';
import { road, testOrder, world, type Client, type World } from '../../unit/server/harness.ts';

let w: World;
beforeAll(async () => {
  w = await world();
}, 120_000);
afterEach(() => w.leave());
afterAll(() => w.coordinator.close());

test('films that “never came” are void a few times, whatever the jobs, and then paid for', async () => {
  const creator = await w.join(['creator']);
  await creator.grant();
  const checker = await w.join(['checker']);
  await checker.checkReady(4, 64);
  let voided = 0;
  let paid = 0;
  for (let i = 0; i <= MISSING_WORKERS_MAX; i++) {
    // Another job each time: a count by job would begin anew.
    const job = await creator.order(testOrder({ seed: i + 1 }));
    const worker = await w.join(['worker']);
    await worker.ask(1);
    const grant = worker.last('grant')!;
    await worker.commit(grant);
    const committed = creator.last('committed')!;
    await checker.verdict(checker.last('check')!);
    for (let k = 0; k < 2; k++) {
      await w.pass(FILM_WAIT_MS_MAX + 1_000);
      await creator.receipt(committed, 'missing');
    }
    // What a check passed and is not void is paid as the job ends.
    await creator.submit('job.cancel', { job });
    voided += worker.all('voided').length;
    paid += worker.all('settled').length;
    await worker.ask(0);
  }
  expect({ voided, paid }).toEqual({ voided: MISSING_WORKERS_MAX, paid: 1 });
}, 240_000);

const REFUSALS: Readonly<Record<string, (creator: Client) => Promise<unknown>>> = {
  'calls its film corrupt as often as it may': async (creator) => {
    for (let i = 0; i < FILM_REDELIVERIES_MAX; i++) {
      expect(await creator.receipt(creator.last('committed')!, 'corrupt')).toMatchObject({ type: 'ack' });
      await w.pass(1);
    }
    expect(await creator.receipt(creator.last('committed')!, 'corrupt')).toMatchObject({ type: 'refused', reason: 'receipts' });
  },
  'never says anything': () => Promise.resolve(),
  vanishes: (creator) => Promise.resolve(creator.disconnect()),
};

test.each(Object.keys(REFUSALS))(
  'a creator that %s pays for what a checker passed',
  async (how) => {
    const { creator, worker, checker } = await road(w);
    await worker.ask(1);
    await worker.commit(worker.last('grant')!);
    await REFUSALS[how]!(creator);
    await checker.verdict(checker.last('check')!);
    expect(worker.last('settled')).toBeUndefined();
    // Waited for, and then waived: those who stay keep saying that they are there.
    w.clock.advance(RECEIPT_WAIT_MS_MAX);
    await w.pass(5_000);
    expect(worker.last('voided')).toBeUndefined();
    expect(worker.all('settled')).toHaveLength(1);
    await w.pass(2_000);
    const log = await fetchLog(AbortSignal.timeout(30_000), 'http://c', async (url) => (await w.coordinator.http(new Request(url)))!);
    if (!log.ok) throw new Error(log.reason);
    expect(await verifyLog(log.checkpoint, w.coordinator.key, log.leaves, nodeVerify)).toMatchObject({ ok: true });
  },
  240_000,
);
