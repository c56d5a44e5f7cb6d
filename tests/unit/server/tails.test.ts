/** The end of a job: a slow worker's slot is issued a second time, one of the two is paid, and the other is nobody's fault. */
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fetchLog } from '#lib/ledger/client.ts';
import { verifyLog } from '#lib/ledger/verify.ts';
import { FILM_SILENCE_MS_MAX, LEASE_SILENCE_MS_MAX, RECEIPT_WAIT_MS_MAX } from '#lib/protocol/limits.ts';
import { nodeVerify } from '#lib/server/keys.ts';
import { openMemory } from '#lib/server/store/open.ts';
import { rows, type Store } from '#lib/server/store/store.ts';
import { oneLease, road, testOrder, world, type World } from './harness.ts';
import { checksOf, committedOf, doubled, ending, paced, type Ending } from './tail-story.ts';

let store: Store;
let w: World;
beforeAll(async () => {
  store = await openMemory();
  w = await world({ store });
}, 120_000);
afterEach(() => w.leave());
afterAll(() => w.coordinator.close());

const balance = async (key: string): Promise<bigint> =>
  BigInt(((await (await w.coordinator.http(new Request(`http://c/api/balance/${key}`)))!.json()) as { balanceMicro: string }).balanceMicro);
const count = async (query: ReturnType<typeof sql>): Promise<number> => Number((await rows<{ n: string }>(store.db, query))[0]!.n);

async function verified(): Promise<void> {
  await w.pass(1_500);
  const log = await fetchLog(AbortSignal.timeout(30_000), 'http://c', async (url) => (await w.coordinator.http(new Request(url)))!);
  if (!log.ok) throw new Error(log.reason);
  expect(await verifyLog(log.checkpoint, w.coordinator.key, log.leaves, nodeVerify)).toMatchObject({ ok: true });
}

/** Paid for four slots, once each, and all else is as before. */
async function expectDone({ creator, job }: Ending): Promise<void> {
  await w.pass(500);
  expect(creator.last('job')!.view).toMatchObject({ job, state: 'done', settled: 4, leases: 4, committed: 0, leased: 0, spentMicro: '20' });
  expect(await balance(creator.key)).toBe(100_000_000n - 20n);
  expect(await count(sql`select count(*) as n from leases where job = ${job} and state = 'settled'`)).toBe(4);
  expect(await count(sql`select count(*) as n from entries where job = ${job} and kind = 'settle'`)).toBe(4);
  expect(await count(sql`select count(*) as n from faults where job = ${job}`)).toBe(0);
  await verified();
}

describe('a slot at the end of a job', () => {
  test('is done by the faster worker too; it is paid, the other is recalled, and nothing counts as done again', async () => {
    const all = await doubled(w);
    const { creator, slow, fast, checker, first, second } = all;
    await w.pass(500);
    expect(creator.last('job')!.view).toMatchObject({ settled: 3, leased: 1, committed: 0, redone: 0 });
    await fast.commit(second);
    await w.pass(500);
    expect(creator.last('job')!.view).toMatchObject({ settled: 3, leased: 0, committed: 1 });
    expect(slow.last('recalled')).toBeUndefined();
    await creator.receipt(committedOf(creator, second));
    await checker.verdict(checksOf(checker, second)[0]!);
    expect(slow.last('recalled')).toMatchObject({ lease: first.lease.lease, reason: 'twin-passed' });
    expect(await slow.commit(first)).toMatchObject({ type: 'refused', reason: 'lease-over' });
    await expectDone(all);
    expect(creator.last('job')!.view).toMatchObject({ redone: 0 });
    expect([await balance(slow.key), await balance(fast.key)]).toEqual([5n, 10n]);
  });

  test('is checked in the order of commitments: the first that passes is paid, the other is void and costs nothing', async () => {
    const all = await doubled(w);
    const { creator, slow, fast, checker, first, second } = all;
    await slow.commit(first);
    await fast.commit(second);
    // Whose film the creator says it has decides nothing.
    await creator.receipt(committedOf(creator, second));
    expect(checksOf(checker, second)).toEqual([]);
    await checker.verdict(checksOf(checker, first)[0]!);
    for (const client of [fast, creator])
      expect(client.last('voided')).toEqual({ type: 'voided', lease: second.lease.lease, reason: 'twin-passed' });
    expect(await creator.receipt(committedOf(creator, second))).toMatchObject({ type: 'refused', reason: 'lease-over' });
    expect(await balance(slow.key)).toBe(5n);
    await w.pass(RECEIPT_WAIT_MS_MAX + 1_000);
    expect(await balance(slow.key)).toBe(10n);
    expect(await balance(fast.key)).toBe(5n);
    await expectDone(all);
  }, 120_000);

  test('goes to the second when the first is lost, without being leased a third time', async () => {
    const all = await doubled(w);
    const { creator, slow, fast, checker, first, second } = all;
    await slow.commit(first);
    await fast.commit(second);
    slow.disconnect();
    await w.pass(FILM_SILENCE_MS_MAX + 1_500);
    expect(creator.last('voided')).toMatchObject({ lease: first.lease.lease, reason: 'worker-gone' });
    await creator.receipt(committedOf(creator, second));
    await checker.verdict(checksOf(checker, second)[0]!);
    await expectDone(all);
    expect(creator.last('job')!.view).toMatchObject({ redone: 0 });
    expect(await count(sql`select count(*) as n from leases where job = ${all.job}`)).toBe(5);
  }, 120_000);

  test('goes to the second when the first fails its checks, and the liar is blamed alone', async () => {
    const all = await doubled(w);
    const { creator, slow, fast, checker, first, second, job } = all;
    const other = await w.join(['checker']);
    const third = await w.join(['checker']);
    for (const one of [other, third]) await one.checkReady(4);
    await fast.commit(second);
    await slow.commit(first);
    await creator.receipt(committedOf(creator, first));
    const jury = [checker, other, third];
    for (let said = 0; said < 2; said++) {
      const drawn = jury.find((one) => checksOf(one, second).length > 0)!;
      await drawn.verdict(checksOf(drawn, second)[0]!, 'fail');
      jury.splice(jury.indexOf(drawn), 1);
    }
    expect(fast.last('voided')).toMatchObject({ lease: second.lease.lease, reason: 'check-signatures' });
    const drawn = [checker, other, third].find((one) => checksOf(one, first).length > 0)!;
    await drawn.verdict(checksOf(drawn, first)[0]!);
    await w.pass(500);
    expect(creator.last('job')!.view).toMatchObject({ job, state: 'done', settled: 4, redone: 0, spentMicro: '20' });
    expect(await balance(slow.key)).toBe(10n);
    expect(await count(sql`select sum(count) as n from faults where job = ${job}`)).toBe(1);
    expect(await count(sql`select count(*) as n from faults where job = ${job} and worker = ${fast.key}`)).toBe(1);
    await verified();
  }, 120_000);

  test('stays with whoever is left, and waits for another when both are gone', async () => {
    const all = await doubled(w);
    const { creator, slow, fast, job } = all;
    fast.disconnect();
    await w.pass(LEASE_SILENCE_MS_MAX + 1_500);
    expect(creator.last('job')!.view).toMatchObject({ leased: 1, redone: 0 });
    expect(await count(sql`select count(*) as n from redo where job = ${job}`)).toBe(0);
    slow.disconnect();
    await w.pass(LEASE_SILENCE_MS_MAX + 1_500);
    expect(creator.last('job')!.view).toMatchObject({ leased: 0, redone: 1 });
    const other = await w.join(['worker']);
    await oneLease(creator, other, all.checker);
    await expectDone(all);
  }, 120_000);

  test('may be issued again when the second is given back, and no third one beside two', async () => {
    const all = await doubled(w);
    const { creator, fast, other, checker, second, first } = all;
    await other.ask(1);
    expect(other.all('grant')).toHaveLength(1);
    await fast.request({ type: 'yield', lease: second.lease.lease, reason: 'stopped' });
    const again = other.last('grant')!;
    expect(again.lease).toMatchObject({ tile: first.lease.tile, pass: first.lease.pass });
    await other.commit(again);
    await creator.receipt(committedOf(creator, again));
    await checker.verdict(checksOf(checker, again)[0]!);
    await expectDone(all);
  });

  test('that is cancelled while both run is recalled from both', async () => {
    const { creator, slow, fast, job, first, second } = await doubled(w);
    await creator.submit('job.cancel', { job });
    expect(slow.last('recalled')).toMatchObject({ lease: first.lease.lease, reason: 'job-closed' });
    expect(fast.last('recalled')).toMatchObject({ lease: second.lease.lease, reason: 'job-closed' });
    expect(await balance(creator.key)).toBe(100_000_000n - 15n);
    await verified();
  });

  test('that is cancelled after both committed pays the one that passes, and only then gives back the rest', async () => {
    const { creator, slow, fast, checker, job, first, second } = await doubled(w);
    await fast.commit(second);
    await slow.commit(first);
    await creator.submit('job.cancel', { job });
    expect(await balance(creator.key)).toBe(100_000_000n - 1_000n);
    await checker.verdict(checksOf(checker, second)[0]!);
    expect(slow.last('voided')).toMatchObject({ lease: first.lease.lease, reason: 'twin-passed' });
    expect(await balance(creator.key)).toBe(100_000_000n - 20n);
    expect([await balance(slow.key), await balance(fast.key)]).toEqual([5n, 10n]);
    await verified();
  });
});

describe('a second lease is not for', () => {
  test('a worker whose speed nobody knows, or one that would hardly be done before', async () => {
    const { creator, slow, other, checker, first } = await ending(w, 30_000);
    const fresh = await w.join(['worker']);
    await fresh.ask(2);
    expect(fresh.last('grant')).toBeUndefined();
    // Of its 100 s 50 are left.
    await w.pass(50_000);
    await other.ask(1);
    expect(other.all('grant')).toHaveLength(1);
    await slow.commit(first);
    await creator.receipt(committedOf(creator, first));
    await checker.verdict(checksOf(checker, first)[0]!);
    expect(creator.all('settled')).toHaveLength(4);
  }, 120_000);

  test('one that would, of a lease that has all of it before it: the control', async () => {
    const { other } = await ending(w, 30_000);
    await other.ask(1);
    expect(other.all('grant')).toHaveLength(2);
  });

  test('a worker that asks more than the slot was given at', async () => {
    const { fast } = await ending(w);
    await fast.ask(1, '1000001');
    expect(fast.all('grant')).toHaveLength(1);
    await fast.ask(1, '1000000');
    expect(fast.all('grant')).toHaveLength(2);
  });

  test('the creator’s own machine, beside somebody who is paid', async () => {
    const { creator } = await ending(w);
    const own = await w.join(['worker'], creator.identity);
    const small = await creator.order(testOrder({ width: 32, samples: 1, seed: 9 }));
    await own.ask(1);
    expect(own.last('grant')!.lease.job).toBe(small);
    await own.commit(own.last('grant')!, { traceMs: 10 });
    await creator.receipt(creator.last('committed')!);
    await own.ask(2);
    expect(own.all('grant')).toHaveLength(1);
  });

  test('somebody who is paid, beside the creator’s own machine', async () => {
    const { creator, slow, fast, checker, first } = await ending(w);
    await slow.commit(first);
    await creator.receipt(committedOf(creator, first));
    await checker.verdict(checksOf(checker, first)[0]!);
    const own = await w.join(['worker'], creator.identity);
    await creator.order(testOrder({ width: 32, samples: 1, seed: 10 }));
    await own.ask(1);
    expect(own.all('grant')).toHaveLength(1);
    await w.pass(60_000);
    await fast.ask(1);
    expect(fast.all('grant')).toHaveLength(1);
  }, 120_000);

  test('a slot that is one of more than the tail', async () => {
    const { creator, worker: slow, checker } = await road(w, testOrder({ samples: 8, capMicro: '4000' }));
    await paced(creator, slow, checker, 100_000);
    const fast = await w.join(['worker']);
    for (let i = 0; i < 4; i++) await paced(creator, fast, checker, 10);
    const others = await Promise.all([1, 2].map(() => w.join(['worker'])));
    await slow.ask(2);
    for (const other of others) await other.ask(2);
    const leased = slow.all('grant').length - 1 + others.reduce((sum, other) => sum + other.all('grant').length, 0);
    expect(leased).toBe(3);
    await fast.ask(1);
    expect(fast.all('grant')).toHaveLength(4);
  });
});

test('the database refuses a third live lease of a slot, and a second settled one', async () => {
  const { job, first } = await doubled(w);
  const copy = (id: string, state: string, place: number) =>
    sql`insert into leases (id, job, slot, place, attempt, failures, worker, worker_peer, state, granted_ms, deadline_ms)
      select ${id}, job, slot, ${place}::int, 9, 0, 'w', 'w-1', ${state}, 1, 2 from leases where id = ${first.lease.lease}`;
  for (const place of [0, 1]) await expect(store.db.execute(copy('third', 'granted', place))).rejects.toThrow();
  await expect(store.db.execute(copy('third', 'granted', 2))).rejects.toThrow();
  await expect(
    store.db.transaction(async (tx) => {
      await tx.execute(
        sql`update leases set state = 'settled' where job = ${job} and slot = (select slot from leases where id = ${first.lease.lease})`,
      );
    }),
  ).rejects.toThrow();
  // The control: what has ended takes no place.
  await store.db.execute(copy('ended', 'released', 0));
});
