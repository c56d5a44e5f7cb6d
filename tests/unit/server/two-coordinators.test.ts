/**
 * Two coordinators on one PostgreSQL: people of one work for people of the other, nothing is granted or
 * paid twice however they race, and when one is gone the other leads and goes on.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fetchLog } from '#lib/ledger/client.ts';
import { verifyLog } from '#lib/ledger/verify.ts';
import { replayVerify } from '#lib/server/keys.ts';
import { startEmbedded, type EmbeddedServer } from '#lib/server/store/embedded.ts';
import { openUrl } from '#lib/server/store/open.ts';
import { rows, type Store } from '#lib/server/store/store.ts';
import { ManualClock } from './manual-clock.ts';
import { testOrder, world, type Client, type World } from './harness.ts';

const SLOW_MS = 180_000;

let dataDir: string;
let server: EmbeddedServer;
let stores: Store[];
let a: World;
let b: World;
const clock = new ManualClock();

const open = (): Promise<Store> => openUrl({ url: server.url, description: 'shared', shared: true, log: () => {} });

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'pictor-two-'));
  chmodSync(dataDir, 0o755);
  server = await startEmbedded(dataDir, () => {});
  stores = [await open(), await open()];
  a = await world({ store: stores[0]!, clock });
  b = await world({ store: stores[1]!, clock });
}, SLOW_MS);
afterAll(async () => {
  await Promise.all([a.coordinator.close(), b.coordinator.close()]);
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
}, SLOW_MS);

/** Real time passes between the instances; the clock of both moves along, so that nobody falls silent. */
async function until<T>(holds: () => T | undefined | null | false | Promise<T | undefined | null | false>): Promise<T> {
  for (let i = 0; i < 600; i++) {
    const value = await holds();
    if (value) return value;
    await Promise.all([a.pass(100), b.pass(100)]);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it did not come to pass');
}

const db = () => stores[0]!.db;
const count = async (query: ReturnType<typeof sql>): Promise<number> => Number((await rows<{ n: string }>(db(), query))[0]!.n);

const bye = (...clients: readonly Client[]): void => {
  for (const client of clients) client.disconnect();
};

/** One lease all the way, whoever is connected where. */
async function lease(creator: Client, worker: Client, checker: Client, traceMs = 1_000): Promise<string> {
  const before = worker.all('grant').length;
  await worker.ask(1);
  const grant = await until(() => worker.all('grant')[before]);
  const id = grant.lease.lease;
  expect((await worker.commit(grant, { traceMs })).type).toBe('ack');
  const committed = await until(() => creator.all('committed').find((message) => message.lease.lease === id));
  expect((await creator.receipt(committed)).type).toBe('ack');
  const check = await until(() => checker.all('check').find((message) => message.lease.lease === id));
  expect((await checker.verdict(check)).type).toBe('ack');
  await until(() => worker.all('settled').some((message) => message.lease === id));
  return id;
}

test(
  'creator, worker and checker may each be at another instance, and are told all the same',
  async () => {
    const creator = await a.join(['creator']);
    await creator.grant();
    const worker = await b.join(['worker']);
    const checker = await a.join(['checker']);
    await checker.checkReady(4);
    const job = await creator.order(testOrder());
    for (let i = 0; i < 2; i++) await lease(creator, worker, checker);
    // The worker changes over to the other instance in the middle of its job.
    const again = await a.join(['worker'], worker.identity, worker.peer.slice(-8));
    await until(() => worker.closed);
    const other = await b.join(['checker']);
    await other.checkReady(4);
    checker.disconnect();
    for (let i = 0; i < 2; i++) await lease(creator, again, other);
    await until(() => creator.last('job')?.view.state === 'done' && creator.last('job')!.view.job === job);
    bye(creator, again, other);
  },
  SLOW_MS,
);

test(
  'asks, commitments and receipts that race at both: no slot has two leases, no lease is paid twice, the log is one',
  async () => {
    const creator = await a.join(['creator']);
    await creator.grant();
    const job = await creator.order(testOrder({ width: 64, height: 64, samples: 4, capMicro: '100000' }));
    const workers = await Promise.all([a, b, a, b].map((w) => w.join(['worker'])));
    const checkers = await Promise.all([a, b].map((w) => w.join(['checker'])));
    for (const checker of checkers) await checker.checkReady(8, 32);
    const slots = await count(sql`select slots as n from jobs where id = ${job}`);
    const answered = new Set<string>();
    for (const worker of workers) await worker.ask(2);
    await until(async () => {
      for (const worker of workers) {
        const fresh = worker.all('grant').filter(({ lease: one }) => one.job === job && !answered.has(one.lease));
        for (const { lease: one } of fresh) answered.add(one.lease);
        // The same commitment twice at once: one of both instances' words counts.
        await Promise.all(fresh.flatMap((grant) => [worker.commit(grant), worker.commit(grant)]));
        if (fresh.length > 0) await worker.ask(2);
      }
      for (const committed of creator.all('committed')) {
        if (answered.has(committed.root)) continue;
        answered.add(committed.root);
        await creator.receipt(committed);
      }
      for (const checker of checkers)
        for (const check of checker.all('check')) {
          if (answered.has(check.nonceCommitment)) continue;
          answered.add(check.nonceCommitment);
          await checker.verdict(check);
        }
      if (checkers.some((checker) => checker.all('check').length > 24)) for (const checker of checkers) await checker.checkReady(8, 32);
      return (await count(sql`select settled as n from jobs where id = ${job}`)) === slots;
    });
    bye(creator, ...workers, ...checkers);
    expect(await count(sql`select count(*) as n from leases where job = ${job} and state = 'settled'`)).toBe(slots);
    expect(await count(sql`select count(distinct slot) as n from leases where job = ${job} and state = 'settled'`)).toBe(slots);
    expect(await count(sql`select count(*) as n from entries where job = ${job} and kind = 'settle'`)).toBe(slots);
    for (const w of [a, b]) {
      const log = await fetchLog(AbortSignal.timeout(60_000), 'http://c', async (url) => (await w.coordinator.http(new Request(url)))!);
      if (!log.ok) throw new Error(log.reason);
      expect(await verifyLog(log.checkpoint, w.coordinator.key, log.leaves, replayVerify)).toMatchObject({ ok: true });
    }
  },
  SLOW_MS,
);

test(
  'a slot that a worker of each instance does is paid once, whoever’s word comes first',
  async () => {
    const creator = await a.join(['creator']);
    await creator.grant();
    const job = await creator.order(testOrder({ seed: 21 }));
    const slow = await a.join(['worker']);
    const fast = await b.join(['worker']);
    const checker = await b.join(['checker']);
    await checker.checkReady(8);
    await lease(creator, slow, checker, 100_000);
    await lease(creator, fast, checker, 10);
    await slow.ask(1);
    const first = await until(() => slow.all('grant')[1]);
    await lease(creator, fast, checker, 10);
    await fast.ask(1);
    const second = await until(() => fast.all('grant')[2]);
    expect([second.lease.tile, second.lease.pass]).toEqual([first.lease.tile, first.lease.pass]);
    await Promise.all([slow.commit(first), fast.commit(second)]);
    for (const { lease: one } of [first, second])
      await creator.receipt(await until(() => creator.all('committed').find((message) => message.lease.lease === one.lease)));
    const drawn = await until(() =>
      checker.all('check').findLast(({ lease: one }) => [first, second].some(({ lease: of }) => of.lease === one.lease)),
    );
    await checker.verdict(drawn);
    await until(() => creator.last('job')?.view.state === 'done');
    const beaten =
      drawn.lease.lease === first.lease.lease ? { worker: fast, lease: second.lease.lease } : { worker: slow, lease: first.lease.lease };
    await until(() => beaten.worker.all('voided').some((message) => message.lease === beaten.lease && message.reason === 'twin-passed'));
    bye(creator, slow, fast, checker);
    expect(await count(sql`select count(*) as n from leases where job = ${job} and state = 'settled'`)).toBe(4);
    expect(await count(sql`select count(*) as n from entries where job = ${job} and kind = 'settle'`)).toBe(4);
    expect(await count(sql`select spent_micro as n from jobs where id = ${job}`)).toBe(20);
  },
  SLOW_MS,
);

test(
  'one envelope sent to both at once is applied once',
  async () => {
    const creator = await a.join(['creator']);
    await creator.grant();
    const twin = await b.join(['creator'], creator.identity);
    const envelope = await creator.seal('job.submit', { order: testOrder({ seed: 77 }) });
    const answers = await Promise.all([creator.send(envelope), twin.send(envelope)]);
    bye(creator, twin);
    expect(answers.map(({ type }) => type)).toEqual(['ack', 'ack']);
    expect(await count(sql`select count(*) as n from jobs where creator = ${creator.key}`)).toBe(1);
    expect(
      await count(
        sql`select count(*) as n from entries where kind = 'escrow' and job in (select id from jobs where creator = ${creator.key})`,
      ),
    ).toBe(1);
  },
  SLOW_MS,
);

test(
  'when the leader goes, the other leads, and its people work on',
  async () => {
    const leader = stores[0]!.link!.leads() ? a : b;
    const other = leader === a ? b : a;
    const creator = await other.join(['creator']);
    await creator.grant();
    const worker = await other.join(['worker']);
    const checker = await other.join(['checker']);
    await checker.checkReady(4);
    await creator.order(testOrder({ seed: 5 }));
    await lease(creator, worker, checker);
    await leader.coordinator.close();
    await until(() => stores[other === a ? 0 : 1]!.link!.leads());
    await lease(creator, worker, checker);
    stores = [await open(), stores[other === a ? 0 : 1]!];
    const back = await world({ store: stores[0]!, clock });
    [a, b] = [back, other];
    expect(a.coordinator.key).toBe(b.coordinator.key);
  },
  SLOW_MS,
);
