/**
 * Rows that writes keep in memory: what one changes the next sees, what is asked of the database sees it too,
 * what fails leaves nothing, and what another store wrote since is not missed.
 */
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openMemory } from '#lib/server/store/open.ts';
import * as tables from '#lib/server/store/schema.ts';
import { Store, type Tx } from '#lib/server/store/store.ts';

let store: Store;

beforeAll(async () => {
  store = await openMemory();
}, 120_000);
afterAll(() => store.close());
beforeEach(() => store.db.execute(sql`truncate jobs, faults, meters, observations cascade`));

const job = (id: string) => ({
  ...{ id, creator: 'c', orderJson: '{}', orderHash: 'h', capMicro: 9_007_199_254_740_993n, priceMicro: 1n, checkerShare: 1, feeShare: 1 },
  ...{ leavesPerCheck: 1, state: 'open' as const, reason: '', slots: 9, nextSlot: 0, settled: 0, redone: 0, checks: 0, segments: 0 },
  ...{ spentMicro: 0n, workMicro: 0n, refunded: false, quiet: '[]', createdMs: 1 },
});
const slotsOf = async ({ rows }: Tx, id: string): Promise<number[]> => (await rows.redo.members(id)).map(({ slot }) => slot);
const inDatabase = async (id: string): Promise<number[]> =>
  (await store.db.select({ slot: tables.redo.slot }).from(tables.redo).where(eq(tables.redo.job, id))).map(({ slot }) => slot);

test('a row put by one write is there for the next and, once written, in the database, big integers whole', async () => {
  const [, seen] = await Promise.all([
    store.write(async ({ rows }) => rows.jobs.put(job('a'))),
    store.write(async ({ rows }) => (await rows.jobs.change('a', ({ settled }) => ({ settled: settled + 1 }))).settled),
  ]);
  expect(seen).toBe(1);
  expect(await store.db.select().from(tables.jobs)).toEqual([{ ...job('a'), settled: 1 }]);
});

test('members of a group are those of the database with all that was changed since', async () => {
  await store.write(async ({ rows }) => {
    rows.jobs.put(job('g'));
    for (const slot of [1, 2, 3]) rows.redo.put({ job: 'g', slot, attempt: 1, failures: 0 });
  });
  await store.write(async (tx) => {
    const { rows } = tx;
    rows.redo.delete((await rows.redo.get('g', 2))!);
    rows.redo.put({ job: 'g', slot: 7, attempt: 1, failures: 0 });
    expect(await slotsOf(tx, 'g')).toEqual([1, 3, 7]);
    rows.redo.put({ job: 'g', slot: 2, attempt: 5, failures: 1 });
    expect(await slotsOf(tx, 'g')).toEqual([1, 2, 3, 7]);
    expect(await (await tx.sql()).select().from(tables.redo)).toHaveLength(4);
  });
  expect((await inDatabase('g')).sort()).toEqual([1, 2, 3, 7]);
  expect(await store.committed().redo.get('g', 2)).toMatchObject({ attempt: 5 });
});

test('no more of a group is kept than is asked for, the newest', async () => {
  const seen = { worker: 'w', checker: 'c', paths: 1, pathsEqual: 1, biasPpm: 0 };
  await store.write(async ({ rows }) => {
    for (let leaf = 0; leaf < 300; leaf++) rows.observations.put({ leaf, ...seen });
  });
  await store.write(async ({ rows }) => {
    const leaves = async (): Promise<number[]> => (await rows.observations.members('w')).map(({ leaf }) => leaf).sort((a, b) => a - b);
    expect([(await leaves()).length, (await leaves())[0]]).toEqual([256, 44]);
    rows.observations.put({ leaf: 300, ...seen });
    expect([(await leaves()).length, (await leaves())[0]]).toEqual([256, 45]);
  });
});

test('a write that fails leaves nothing in memory or on the disk, and those around it stand', async () => {
  await store.write(async ({ rows }) => rows.meters.put({ worker: 'm', segments: 1, traceMs: 1 }));
  const add = (segments: number) => async (tx: Tx) => {
    const before = (await tx.rows.meters.get('m'))!;
    tx.rows.meters.put({ ...before, segments: before.segments + segments });
    return before.segments;
  };
  const outcomes = await Promise.allSettled([
    store.write(add(10)),
    store.write(async (tx) => {
      await add(100)(tx);
      throw new Error('no');
    }),
    // Refused by the database, and not before all are written.
    store.write(async ({ rows }) => rows.jobs.put({ ...job('x'), settled: 10 })),
    store.write(add(1000)),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
  expect(outcomes[3]).toMatchObject({ value: 11 });
  expect((await store.committed().meters.get('m'))!.segments).toBe(1011);
  expect(await store.committed().jobs.get('x')).toBeNull();
});

test('what another store wrote is seen, whoever writes in turn', async () => {
  const other = new Store(store.db, 'the same database', async () => {});
  const count = (one: Store): Promise<number> =>
    one.write(async ({ rows }) => {
      const before = (await rows.faults.get('w', 'j'))?.count ?? 0;
      rows.faults.put({ worker: 'w', job: 'j', count: before + 1 });
      return before + 1;
    });
  const seen = [];
  for (const one of [store, store, other, store, other, other, store]) seen.push(await count(one));
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
});
