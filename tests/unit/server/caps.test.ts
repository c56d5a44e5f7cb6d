/** What a creator's limit may be, and what happens when the work is worth more than it. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { capFallsShort, capFloor } from '#lib/market/price.ts';
import { oneLease, road, testOrder, world, type World } from './harness.ts';

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

test('a job whose limit pays less than half of the measured work gets no more leases, and says so', async () => {
  const { creator, worker, checker, job } = await road(w, testOrder({ bounces: 32, capMicro: '40' }));
  await worker.ask(1);
  // 60,000 segments are worth 60 micro-tokens; the lease's quarter of the limit is 10.
  await worker.commit(worker.last('grant')!, { segments: 60_000 });
  await creator.receipt(creator.last('committed')!);
  await checker.verdict(checker.last('check')!);
  expect(worker.last('settled')).toBeDefined();
  await worker.ask(1);
  expect(worker.all('grant')).toHaveLength(1);
  await w.pass(500);
  expect(creator.last('job')!.view).toMatchObject({ state: 'open', reason: expect.stringContaining('limit') });
  await creator.submit('job.cancel', { job });
  await w.pass(500);
  expect(creator.last('job')!.view).toMatchObject({ state: 'cancelled', spentMicro: '10' });
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
