/** What a creator's limit may be, and what happens when the work is worth more than it. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { capFallsShort, capFloor } from '#lib/market/price.ts';
import { oneLease, road, testOrder, world, type Message, type World } from './harness.ts';

let w: World;
beforeAll(async () => {
  w = await world();
}, 120_000);
afterEach(() => w.leave());
afterAll(() => w.coordinator.close());

test('an order below what its paths cost at one segment each is refused, and one at that is taken', async () => {
  const creator = await w.join(['creator']);
  await creator.grant();
  for (const capMicro of ['0', '1', '4'])
    expect(await creator.submit('job.submit', { order: testOrder({ capMicro }) })).toMatchObject({
      type: 'refused',
      reason: 'cap-too-low',
    });
  // 4,096 paths at one token per 10^9 segments.
  expect(capFloor(testOrder(), 1_000_000n)).toBe(5n);
  expect((await creator.submit('job.submit', { order: testOrder({ capMicro: '5' }) })).type).toBe('ack');
});

/** Two leases are out, and the first settles: its 60,000 segments are worth 60 micro-tokens, and its quarter of the limit is 10. */
async function short(atCap?: 'finish' | 'cancel') {
  const order = testOrder({ bounces: 32, capMicro: '40', ...(atCap ? { atCap } : {}) });
  const { creator, worker, checker, job } = await road(w, order);
  await worker.ask(2);
  const [first, second] = worker.all('grant') as [Message<'grant'>, Message<'grant'>];
  await worker.commit(first, { segments: 60_000 });
  await creator.receipt(creator.last('committed')!);
  await checker.verdict(checker.last('check')!);
  expect(worker.last('settled')).toMatchObject({ lease: first.lease.lease });
  await worker.ask(1);
  expect(worker.all('grant')).toHaveLength(2);
  await w.pass(500);
  return { creator, worker, checker, job, second };
}

test.each([undefined, 'finish'] as const)(
  'a job whose limit pays less than half of its work finishes what runs, and ends (%s)',
  async (atCap) => {
    const { creator, worker, checker, second } = await short(atCap);
    expect(creator.last('job')!.view).toMatchObject({ state: 'open', leased: 1, reason: expect.stringContaining('limit') });
    await worker.commit(second, { segments: 60_000 });
    await creator.receipt(creator.last('committed')!);
    await checker.verdict(checker.last('check')!);
    await w.pass(500);
    const reason = 'the limit is less than half of what its rays cost: order again with a higher one';
    expect(creator.last('job')!.view).toMatchObject({ state: 'cancelled', reason, settled: 2, spentMicro: '20' });
    expect(creator.last('balance')).toMatchObject({ balanceMicro: String(100_000_000 - 20) });
  },
);

test('it ends also when what still ran is given back', async () => {
  const { creator, worker, second } = await short();
  await worker.request({ type: 'yield', lease: second.lease.lease, reason: 'stopped' });
  await w.pass(500);
  expect(creator.last('job')!.view).toMatchObject({ state: 'cancelled', settled: 1, spentMicro: '10' });
});

test('one that is to be cancelled then takes back what runs, at once', async () => {
  const { creator, worker, second } = await short('cancel');
  expect(worker.last('recalled')).toMatchObject({ lease: second.lease.lease, reason: 'job-closed' });
  expect(creator.last('job')!.view).toMatchObject({
    state: 'cancelled',
    reason: expect.stringContaining('limit'),
    settled: 1,
    spentMicro: '10',
  });
  expect(creator.last('balance')).toMatchObject({ balanceMicro: String(100_000_000 - 10) });
});

test('and still pays what was committed before', async () => {
  const order = testOrder({ bounces: 32, capMicro: '40', atCap: 'cancel' });
  const { creator, worker, checker } = await road(w, order);
  await worker.ask(2);
  for (const grant of worker.all('grant')) await worker.commit(grant, { segments: 60_000 });
  for (const committed of creator.all('committed')) await creator.receipt(committed);
  const [one, two] = checker.all('check');
  await checker.verdict(one!);
  await w.pass(500);
  expect(creator.last('job')!.view).toMatchObject({ state: 'cancelled', settled: 1, committed: 1 });
  await checker.verdict(two!);
  await w.pass(500);
  expect(creator.last('job')!.view).toMatchObject({ state: 'cancelled', settled: 2, spentMicro: '20' });
  expect(creator.last('balance')).toMatchObject({ balanceMicro: String(100_000_000 - 20) });
});

test('a job that pays at least half of the work goes on', async () => {
  const { creator, worker, checker } = await road(w, testOrder({ capMicro: '12' }));
  for (let i = 0; i < 4; i++) await oneLease(creator, worker, checker);
  await w.pass(500);
  expect(creator.last('job')!.view).toMatchObject({ state: 'done', spentMicro: '12' });
});

test('one costly lease of many is no evidence yet', () => {
  const job = { slots: 400, workMicro: 60n, spentMicro: 10n };
  expect(capFallsShort({ ...job, settled: 1 })).toBe(false);
  expect(capFallsShort({ ...job, settled: 8 })).toBe(true);
  expect(capFallsShort({ ...job, settled: 0, workMicro: 0n, spentMicro: 0n })).toBe(false);
});
