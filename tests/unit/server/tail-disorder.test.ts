/**
 * Two leases of one slot under whatever happens to them, in whatever order: no slot is paid twice or by halves,
 * nothing is charged beyond it, and the log verifies. Drills among them too.
 */
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fetchLog } from '#lib/ledger/client.ts';
import { decodeLeaf, type LogLeaf } from '#lib/ledger/leaf.ts';
import { verifyLog } from '#lib/ledger/verify.ts';
import { randomBytes } from '#lib/protocol/bytes.ts';
import { nodeVerify } from '#lib/server/keys.ts';
import { openMemory } from '#lib/server/store/open.ts';
import { rows, type Store } from '#lib/server/store/store.ts';
import { packBits } from '#lib/trust/drill.ts';
import { world, type Client, type Message, type World } from './harness.ts';
import { checksOf, committedOf, doubled, ending, type Ending } from './tail-story.ts';

let store: Store;
let w: World;
/** Is the next lease a drill? Its lot is the first four bytes of a draw; what else is drawn keeps twelve to differ by. */
let drillNext = false;
beforeAll(async () => {
  store = await openMemory();
  const random = (count: number) => randomBytes(count).fill(drillNext ? 0 : 255, 0, 4);
  w = await world({ store, random, rules: { drillPpm: 1_000, drillAuditShare: 0 } });
}, 120_000);
afterEach(() => w.leave());
afterAll(() => w.coordinator.close());

async function verified(): Promise<LogLeaf[]> {
  await w.pass(1_500);
  const log = await fetchLog(AbortSignal.timeout(30_000), 'http://c', async (url) => (await w.coordinator.http(new Request(url)))!);
  if (!log.ok) throw new Error(log.reason);
  expect(await verifyLog(log.checkpoint, w.coordinator.key, log.leaves, nodeVerify)).toMatchObject({ ok: true });
  return log.leaves.map((bytes) => decodeLeaf(bytes)!);
}
const number = async (query: ReturnType<typeof sql>): Promise<number> => Number((await rows<{ n: string | null }>(store.db, query))[0]!.n);

/** No slot has more than two that live, nor more than one that is settled; every settled one is paid, once. */
async function expectSound(job: string): Promise<void> {
  const most = (states: string): Promise<number> =>
    number(
      sql`select coalesce(max(n), 0) as n from (select count(*) as n from leases where job = ${job} and state in (${sql.raw(states)}) group by slot) s`,
    );
  expect(await most("'granted', 'committed', 'settled'")).toBeLessThanOrEqual(2);
  expect(await most("'settled'")).toBeLessThanOrEqual(1);
  const unpaid = sql`select count(*) as n from leases l full join (select * from entries where kind = 'settle') e on e.lease = l.id
    where coalesce(l.job, e.job) = ${job} and (l.state = 'settled') is distinct from (e.lease is not null)`;
  expect(await number(unpaid)).toBe(0);
  expect(await number(sql`select settled as n from jobs where id = ${job}`)).toBe(
    await number(sql`select count(distinct slot) as n from leases where job = ${job} and state = 'settled'`),
  );
}

const EVENTS = ['first commits', 'second commits', 'passes', 'fails', 'received', 'first yields', 'second yields'] as const;
const RARER = ['first goes', 'second goes', 'third asks', 'second asks', 'a moment', 'a while', 'cancelled'] as const;
type Happening = (typeof EVENTS)[number] | (typeof RARER)[number];
const happening: fc.Arbitrary<Happening> = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...EVENTS) }, fc.constantFrom(...RARER));

/** Ways that must be among those that are tried. */
const KNOWN: readonly Happening[][] = [
  ['first commits', 'second commits', 'passes', 'received'],
  ['second commits', 'first commits', 'received', 'passes', 'passes'],
  ['second commits', 'first commits', 'fails', 'fails', 'received', 'passes'],
  ['first commits', 'second commits', 'cancelled', 'passes', 'passes'],
  ['first commits', 'second commits', 'first goes', 'a while', 'passes', 'received'],
  ['second goes', 'a while', 'third asks', 'first commits', 'passes', 'received'],
];

async function happens(what: Happening, all: Ending, checkers: readonly Client[]): Promise<void> {
  const { creator, slow, fast, other, job } = all;
  const at = (who: string): Client => (who === 'first' ? slow : who === 'second' ? fast : other);
  const [who, does] = what.split(' ') as [string, string | undefined];
  if (at(who).closed) return;
  const grant = at(who).last('grant')!;
  if (does === 'commits') await at(who).commit(grant);
  else if (does === 'yields') await at(who).request({ type: 'yield', lease: grant.lease.lease, reason: 'device-lost' });
  else if (does === 'goes') at(who).disconnect();
  else if (does === 'asks') await at(who).ask(1);
  else if (what === 'received') for (const committed of creator.all('committed')) await creator.receipt(committed);
  else if (what === 'cancelled') await creator.submit('job.cancel', { job });
  else if (what === 'a moment') await w.pass(3_000);
  else if (what === 'a while') await w.pass(25_000);
  else
    for (const checker of checkers)
      if (checker.last('check')) await checker.verdict(checker.last('check')!, what === 'passes' ? 'pass' : 'fail');
}

test('whatever happens to two leases of a slot, the books are right after each step and at the end', { timeout: 600_000 }, async () => {
  drillNext = false;
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 4, maxLength: 16 }), async (events) => {
      const all = await ending(w);
      const checkers = [all.checker];
      for (let i = 0; i < 2; i++) checkers.push(await w.join(['checker']));
      for (const checker of checkers) await checker.checkReady(4);
      await all.fast.ask(1);
      for (const what of events) {
        await happens(what, all, checkers);
        await expectSound(all.job);
      }
      const creator = all.creator.key;
      await all.creator.submit('job.cancel', { job: all.job });
      await w.leave();
      await expectSound(all.job);
      // Closed and decided: what was not paid for is back.
      const spent = await number(sql`select spent_micro as n from jobs where id = ${all.job} and refunded and spent_micro <= 20`);
      expect(spent).toBe(5 * (await number(sql`select settled as n from jobs where id = ${all.job}`)));
      expect(await number(sql`select micro as n from balances where account = ${creator}`)).toBe(100_000_000 - spent);
      expect(await number(sql`select sum(micro) as n from postings`)).toBe(0);
      await verified();
    }),
    { numRuns: 30, endOnFailure: true, examples: KNOWN.map((events) => [events]) },
  );
});

describe('a drill', () => {
  /** A false film, sealed and committed to; every leaf of it tells. */
  async function commitFalse(worker: Client, grant: Message<'grant'>): Promise<void> {
    expect(grant.drill).not.toBeNull();
    const root = 'f'.repeat(64);
    const tells = packBits(new Array<boolean>(16).fill(true));
    expect((await worker.submit('drill.seal', { lease: grant.lease.lease, root, kind: 'forged', tells })).type).toBe('ack');
    expect((await worker.commit(grant, { root })).type).toBe('ack');
  }

  /** Three check, so that there may be drills. */
  async function watched(): Promise<Client[]> {
    const checkers = await Promise.all([1, 2, 3].map(() => w.join(['checker'])));
    for (const checker of checkers) await checker.checkReady(4);
    return checkers;
  }
  const judge = async (checkers: readonly Client[], grant: Message<'grant'>, verdict: 'pass' | 'fail'): Promise<unknown> => {
    const drawn = checkers.find((checker) => checksOf(checker, grant).length > 0)!;
    return drawn.verdict(checksOf(drawn, grant)[0]!, verdict);
  };

  test('that is the second lease gives its worker the slot again beside the first, and the honest film is paid', async () => {
    const all = await ending(w);
    const checkers = [all.checker, ...(await watched())];
    drillNext = true;
    await all.fast.ask(1);
    drillNext = false;
    const drill = all.fast.last('grant')!;
    await commitFalse(all.fast, drill);
    await judge(checkers, drill, 'fail');
    expect(all.fast.last('voided')).toMatchObject({ lease: drill.lease.lease, reason: 'drill' });
    const again = all.fast.last('grant')!;
    expect(again.lease).toMatchObject({ tile: drill.lease.tile, pass: drill.lease.pass });
    expect(again.lease.lease).not.toBe(drill.lease.lease);
    await all.fast.commit(again);
    await all.creator.receipt(committedOf(all.creator, again));
    await judge(checkers, again, 'pass');
    expect(all.slow.last('recalled')).toMatchObject({ lease: all.first.lease.lease, reason: 'twin-passed' });
    await w.pass(500);
    expect(all.creator.last('job')!.view).toMatchObject({ state: 'done', settled: 4, redone: 0, spentMicro: '20' });
    expect((await verified()).filter(({ type }) => type === 'drill').length).toBeGreaterThan(0);
  });

  test('that was committed first is opened first, and then it is the turn of the other', async () => {
    const all = await doubled(w);
    const checkers = [all.checker, ...(await watched())];
    // The slow one gives it back, and is given it once more as a drill.
    await all.slow.request({ type: 'yield', lease: all.first.lease.lease, reason: 'stopped' });
    drillNext = true;
    await all.fast.request({ type: 'yield', lease: all.second.lease.lease, reason: 'stopped' });
    await w.pass(3_000);
    await all.slow.ask(1);
    drillNext = false;
    const drill = all.slow.last('grant')!;
    await all.fast.ask(1);
    const honest = all.fast.last('grant')!;
    expect(honest.lease).toMatchObject({ tile: drill.lease.tile, pass: drill.lease.pass });
    await commitFalse(all.slow, drill);
    await all.fast.commit(honest);
    expect(checkers.every((checker) => checksOf(checker, honest).length === 0)).toBe(true);
    await judge(checkers, drill, 'fail');
    const again = all.slow.last('grant')!;
    expect(again.lease.lease).not.toBe(drill.lease.lease);
    await all.creator.receipt(committedOf(all.creator, honest));
    await judge(checkers, honest, 'pass');
    expect(all.slow.last('recalled')).toMatchObject({ lease: again.lease.lease, reason: 'twin-passed' });
    await w.pass(500);
    expect(all.creator.last('job')!.view).toMatchObject({ state: 'done', settled: 4, spentMicro: '20' });
    await verified();
  });
});
