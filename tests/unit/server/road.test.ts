/** The whole road of a job over the control protocol: paid once per lease, money conserved, log complete. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { oneLease, road, testOrder, world, type World } from './harness.ts';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.coordinator.close());

test('a job runs from order to refund', async () => {
  const { creator, worker, checker, job } = await road(w, testOrder());
  for (let i = 0; i < 4; i++) await oneLease(creator, worker, checker);
  await w.pass(500);
  const view = creator.last('job')!.view;
  expect(view).toMatchObject({ job, state: 'done', settled: 4, leases: 4, committed: 0, leased: 0, checks: 4, segments: 20_000 });
  expect(worker.all('settled')).toHaveLength(4);
  expect(creator.all('settled')).toHaveLength(4);
  // 5000 segments at one token per 10^9 are 5 micro-tokens; the fee and the checker's part round down to none.
  expect(worker.last('balance')).toMatchObject({ balanceMicro: '20', pendingMicro: '0' });
  expect(creator.last('balance')).toMatchObject({ balanceMicro: String(100_000_000 - 20) });
});
