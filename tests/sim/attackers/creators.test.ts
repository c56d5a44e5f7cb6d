/**
 * A creator that takes every film and says that it never came: believed of a few workers, because peers can be
 * out of each other's reach, and then the check decides and it pays. The re-trace decides, not the creator.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FILM_WAIT_MS_MAX, MISSING_WORKERS_MAX } from '#lib/protocol/limits.ts';
import { testOrder, world, type World } from '../../unit/server/harness.ts';

let w: World;
beforeAll(async () => {
  w = await world();
}, 120_000);
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
