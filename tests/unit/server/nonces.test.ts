/** The permanent log takes nothing for free: offers of nonces cost a place in it only when they are drawn. */
import { count, eq } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { randomBytes, toHex } from '#lib/protocol/bytes.ts';
import { identityFromSecret } from '#lib/protocol/envelope.ts';
import { CHECK_NONCES_PER_CHECKER_MAX } from '#lib/protocol/limits.ts';
import { openMemory } from '#lib/server/store/open.ts';
import { nonces } from '#lib/server/store/schema.ts';
import type { Store } from '#lib/server/store/store.ts';
import { oneLease, road, world, type World } from './harness.ts';

let w: World;
let store: Store;
beforeAll(async () => {
  store = await openMemory();
  w = await world({ store });
}, 120_000);
afterEach(() => w.leave());
afterAll(() => w.coordinator.close());

const logSize = async (): Promise<number> =>
  ((await (await w.coordinator.http(new Request('http://c/api/status')))!.json()) as { logSize: number }).logSize;
const keptOf = async (key: string): Promise<number> =>
  (await store.db.select({ n: count() }).from(nonces).where(eq(nonces.checker, key)))[0]!.n;

test('only a checker may offer nonces', async () => {
  const creator = await w.join(['creator']);
  const commitment = toHex(randomBytes(32));
  expect(await creator.request({ type: 'check-ready', checks: 1, nonceCommitments: [commitment] })).toMatchObject({
    type: 'refused',
    reason: 'not-a-checker',
  });
  expect(await creator.request({ type: 'check-ready', checks: 0, nonceCommitments: [] })).toMatchObject({ type: 'ack' });
});

test('offers under however many session ids leave the log as long as it was, and nothing in the store', async () => {
  const identity = await identityFromSecret(randomBytes(32));
  const before = await logSize();
  for (let i = 0; i < 5; i++) {
    const client = await w.join(['checker'], identity);
    await client.checkReady(4, CHECK_NONCES_PER_CHECKER_MAX);
    client.disconnect();
  }
  expect(await logSize()).toBe(before);
  expect(await keptOf(identity.key)).toBe(0);
});

test('nonces are logged when one is drawn; those of a session that is gone are let go when the next is drawn', async () => {
  const { creator, worker, checker } = await road(w);
  await oneLease(creator, worker, checker);
  const kept = await keptOf(checker.key);
  expect(kept).toBeGreaterThan(0);
  expect(kept).toBeLessThanOrEqual(CHECK_NONCES_PER_CHECKER_MAX);
  checker.disconnect();
  const again = await w.join(['checker'], checker.identity);
  await again.checkReady(4);
  await oneLease(creator, worker, again);
  // One used by each of the two sessions, and what the second has left.
  expect(await keptOf(checker.key)).toBe(kept + 1);
});

test('saying again that the film has come adds nothing to the log', async () => {
  const { creator, worker } = await road(w);
  await worker.ask(1);
  await worker.commit(worker.last('grant')!);
  const committed = creator.last('committed')!;
  expect((await creator.receipt(committed)).type).toBe('ack');
  const size = await logSize();
  for (let i = 0; i < 3; i++) {
    w.clock.advance(1);
    expect((await creator.receipt(committed)).type).toBe('ack');
  }
  expect(await logSize()).toBe(size);
});
