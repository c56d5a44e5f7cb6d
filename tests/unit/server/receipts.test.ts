/** Who is paid when the creator keeps silent, complains or leaves: the re-trace decides, and nobody gets pictures for nothing. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { fetchLog } from '#lib/ledger/client.ts';
import { decodeLeaf } from '#lib/ledger/leaf.ts';
import { FILM_WAIT_MS_MAX, RECEIPT_WAIT_MS_MAX } from '#lib/protocol/limits.ts';
import { road, world, type Client, type World } from './harness.ts';

const GRANTED = 100_000_000n;

let w: World;
beforeAll(async () => {
  w = await world();
}, 120_000);
afterEach(() => w.leave());
afterAll(() => w.coordinator.close());

const balance = async (key: string): Promise<bigint> =>
  BigInt(((await (await w.coordinator.http(new Request(`http://c/api/balance/${key}`)))!.json()) as { balanceMicro: string }).balanceMicro);

/** Kinds of the log's leaves about one lease, oldest first. */
async function leavesOf(lease: string): Promise<string[]> {
  const fetched = await fetchLog(
    AbortSignal.timeout(10_000),
    'http://c',
    async (url, init) => (await w.coordinator.http(new Request(url, init)))!,
  );
  if (!fetched.ok) throw new Error(fetched.reason);
  const leaves = fetched.leaves.map((bytes) => decodeLeaf(bytes)!);
  return leaves.filter((leaf) => 'lease' in leaf && leaf.lease === lease).map((leaf) => leaf.type);
}

async function committed(): Promise<{ creator: Client; worker: Client; checker: Client; job: string; lease: string }> {
  const all = await road(w);
  await all.worker.ask(1);
  const grant = all.worker.last('grant')!;
  await all.worker.commit(grant);
  return { ...all, lease: grant.lease.lease };
}

/** Time passes without a single creator: only those who stay keep pinging. */
async function wait(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 60_000) await w.pass(Math.min(left, 60_000));
}

test('a creator that cancels after a passed check pays for it, and the log says that it waived the receipt', async () => {
  const { creator, worker, checker, job, lease } = await committed();
  await checker.verdict(checker.last('check')!);
  expect(await balance(worker.key)).toBe(0n);
  await creator.submit('job.cancel', { job });
  expect(await balance(worker.key)).toBe(5n);
  expect(await balance(creator.key)).toBe(GRANTED - 5n);
  expect(worker.last('settled')).toMatchObject({ lease });
  await w.pass(2_000);
  expect(await leavesOf(lease)).toEqual(['commitment', 'draw', 'verdict', 'waiver', 'entry']);
});

test('a creator that leaves after a passed check pays once the receipt is waived, though it never comes back', async () => {
  const { creator, worker, checker, lease } = await committed();
  await checker.verdict(checker.last('check')!);
  creator.disconnect();
  await wait(RECEIPT_WAIT_MS_MAX - 1_000);
  expect(await balance(worker.key)).toBe(0n);
  await wait(3_000);
  expect(await balance(worker.key)).toBe(5n);
  expect(worker.last('settled')).toMatchObject({ lease });
}, 120_000);

test('“corrupt” after a passed check asks for the film again and changes nothing else', async () => {
  const { creator, worker, checker } = await committed();
  await checker.verdict(checker.last('check')!);
  const expected = creator.last('committed')!;
  for (const asked of [2, 3]) {
    await creator.receipt(expected, 'corrupt');
    expect(worker.all('deliver')).toHaveLength(asked);
    await w.pass(500);
  }
  expect(worker.last('voided')).toBeUndefined();
  await wait(RECEIPT_WAIT_MS_MAX + 1_000);
  expect(await balance(worker.key)).toBe(5n);
}, 120_000);

test('a film that never comes is asked for, then rendered by another, and nobody is blamed', async () => {
  const { creator, worker, checker } = await committed();
  await checker.verdict(checker.last('check')!);
  const expected = creator.last('committed')!;
  expect(await creator.receipt(expected, 'missing')).toMatchObject({ type: 'refused', reason: 'receipt-early' });
  await wait(FILM_WAIT_MS_MAX);
  expect((await creator.receipt(expected, 'missing')).type).toBe('ack');
  expect(worker.all('deliver')).toHaveLength(2);
  expect(await creator.receipt(expected, 'missing')).toMatchObject({ type: 'refused', reason: 'receipt-early' });
  await wait(FILM_WAIT_MS_MAX);
  expect((await creator.receipt(expected, 'missing')).type).toBe('ack');
  expect(worker.last('voided')).toMatchObject({ reason: 'film-missing' });
  expect(await balance(worker.key)).toBe(0n);
  // The same worker can't reach this creator: its slot goes to another.
  const { tile, pass } = expected.lease;
  await worker.ask(1);
  expect(worker.all('grant')).toHaveLength(1);
  const other = await w.join(['worker']);
  await other.ask(1);
  expect(other.last('grant')!.lease).toMatchObject({ tile, pass, attempt: 2 });
}, 120_000);

test('“missing” said once and never again does not keep a worker unpaid for ever', async () => {
  const { creator, worker, checker } = await committed();
  await checker.verdict(checker.last('check')!);
  await wait(FILM_WAIT_MS_MAX);
  await creator.receipt(creator.last('committed')!, 'missing');
  creator.disconnect();
  await wait(RECEIPT_WAIT_MS_MAX + 1_000);
  expect(await balance(worker.key)).toBe(0n);
  await wait(2 * RECEIPT_WAIT_MS_MAX);
  expect(await balance(worker.key)).toBe(5n);
}, 240_000);

test('who has a film can’t say later that it is missing or corrupt', async () => {
  const { creator } = await committed();
  const expected = creator.last('committed')!;
  await creator.receipt(expected);
  await wait(FILM_WAIT_MS_MAX);
  expect(await creator.receipt(expected, 'missing')).toMatchObject({ reason: 'receipt-given' });
  expect(await creator.receipt(expected, 'corrupt')).toMatchObject({ reason: 'receipt-given' });
}, 120_000);
