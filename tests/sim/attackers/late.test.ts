/**
 * Workers that take leases and bring nothing, or bring it when the time is over: they earn nothing, hold up a
 * job by a deadline a few times, and are then asked no more for it. Who works beside them is paid.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { LEASE_DEADLINE_MAX_MS, LEASE_FAULTS_PER_WORKER_AND_JOB_MAX, SCENE_ALLOWANCE_MS } from '#lib/protocol/limits.ts';
import { oneLease, road, testOrder, world, type Client, type World } from '../../unit/server/harness.ts';

const MANY = testOrder({ samples: 64, passSamples: 1, capMicro: '1000000' });

let w: World;
beforeAll(async () => {
  w = await world();
}, 120_000);
afterEach(() => w.leave());
afterAll(() => w.coordinator.close());

const balance = async (key: string): Promise<number> =>
  Number(((await (await w.coordinator.http(new Request(`http://c/api/balance/${key}`)))!.json()) as { balanceMicro: string }).balanceMicro);

/** Takes a lease and lets its time go by. @returns false when it is given none. */
async function idled(worker: Client): Promise<boolean> {
  const had = worker.all('grant').length;
  await worker.ask(1);
  if (worker.all('grant').length === had) return false;
  w.clock.advance(LEASE_DEADLINE_MAX_MS + SCENE_ALLOWANCE_MS);
  await w.pass(2_000);
  return true;
}

test.each(['never', 'late'] as const)(
  'who brings its films %s is given few leases and no pay',
  async (when) => {
    const { creator, worker: idle, checker } = await road(w, MANY);
    const honest = await w.join(['worker']);
    let taken = 0;
    while (taken <= LEASE_FAULTS_PER_WORKER_AND_JOB_MAX && (await idled(idle))) {
      taken++;
      const { lease } = idle.last('grant')!.lease;
      expect(idle.last('recalled')).toMatchObject({ lease, reason: 'deadline' });
      if (when === 'late') expect(await idle.commit(idle.last('grant')!)).toMatchObject({ type: 'refused', reason: 'lease-over' });
    }
    expect(taken).toBe(LEASE_FAULTS_PER_WORKER_AND_JOB_MAX);
    expect(await balance(idle.key)).toBe(0);
    // What it held is done again, first of all, by one that works.
    const slots = new Set(idle.all('grant').map(({ lease }) => `${lease.tile}/${lease.pass}`));
    for (let i = 0; i < slots.size; i++) await oneLease(creator, honest, checker);
    expect(new Set(honest.all('grant').map(({ lease }) => `${lease.tile}/${lease.pass}`))).toEqual(slots);
    expect(await balance(honest.key)).toBeGreaterThan(0);
  },
  240_000,
);
