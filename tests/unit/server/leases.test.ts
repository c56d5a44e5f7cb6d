/** Every way a lease can go, on an in-memory store with time moved by hand: one test per transition and per refused one. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  LEASE_ATTEMPTS_MAX,
  LEASE_DEADLINE_MIN_MS,
  LEASE_FAULTS_PER_WORKER_AND_JOB_MAX,
  LEASE_SILENCE_MS_MAX,
  LEASES_PER_WORKER_MAX,
  YIELD_PAUSE_MS,
} from '#lib/protocol/limits.ts';
import { oneLease, road, testOrder, world, type Client, type World } from './harness.ts';

let w: World;
beforeAll(async () => {
  w = await world();
}, 120_000);
afterEach(() => w.leave());
afterAll(() => w.coordinator.close());

const balance = async (key: string): Promise<bigint> =>
  BigInt(((await (await w.coordinator.http(new Request(`http://c/api/balance/${key}`)))!.json()) as { balanceMicro: string }).balanceMicro);

async function view(client: Client, job: string) {
  const response = await w.coordinator.http(new Request(`http://c/api/jobs/${job}`));
  return (await response!.json()) as { state: string; reason: string; settled: number; committed: number; leased: number; redone: number };
}

describe('a job', () => {
  test('runs from order to refund, paid once per lease', async () => {
    const { creator, worker, checker, job } = await road(w);
    const treasury = await balance('treasury');
    for (let i = 0; i < 4; i++) await oneLease(creator, worker, checker);
    await w.pass(500);
    expect(creator.last('job')!.view).toMatchObject({
      job,
      state: 'done',
      settled: 4,
      leases: 4,
      committed: 0,
      leased: 0,
      checks: 4,
      segments: 20_000,
      spentMicro: '20',
    });
    expect(worker.all('settled').map((event) => event.paidMicro)).toEqual(['5', '5', '5', '5']);
    expect(creator.all('settled')).toHaveLength(4);
    // 5,000 segments at one token per 10^9 are 5 micro-tokens; the parts of fee and checker round down to none.
    expect(worker.last('balance')).toMatchObject({ balanceMicro: '20', pendingMicro: '0' });
    expect(creator.last('balance')).toMatchObject({ balanceMicro: String(100_000_000 - 20) });
    expect(await balance('treasury')).toBe(treasury);
  });

  test('never costs more than its cap, and splits what it costs', async () => {
    const { creator, worker, checker } = await road(w, testOrder({ bounces: 32, capMicro: '400' }));
    const treasury = await balance('treasury');
    await worker.ask(1);
    const grant = worker.last('grant')!;
    // 60,000 segments are 60 micro-tokens, below this lease's quarter of the cap.
    await worker.commit(grant, { segments: 60_000 });
    await creator.receipt(creator.last('committed')!);
    await checker.verdict(checker.last('check')!);
    expect(await balance(worker.key)).toBe(60n - 4n - 1n);
    // Nine tenths of its 4: a checker of whom nothing is known yet.
    expect(await balance(checker.key)).toBe(3n);
    expect((await balance('treasury')) - treasury).toBe(1n);
  });

  test('is granted pass by pass: all tiles of the first before any of the second', async () => {
    const { creator, worker, checker } = await road(w);
    for (let i = 0; i < 4; i++) await oneLease(creator, worker, checker);
    expect(worker.all('grant').map(({ lease }) => [lease.pass, lease.tile])).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
  });

  test('waits while its creator is away, says so, and goes on', async () => {
    const { creator, worker, job } = await road(w);
    creator.disconnect();
    await worker.ask(1);
    expect(worker.last('grant')).toBeUndefined();
    expect((await view(worker, job)).reason).toBe('waiting for its creator’s tab');
    const back = await w.join(['creator'], creator.identity);
    await back.request({ type: 'watch', job });
    expect(worker.last('grant')).toBeDefined();
  });

  test('that is cancelled pays what is committed, takes back the rest, and refunds', async () => {
    const { creator, worker, checker, job } = await road(w);
    await worker.ask(2);
    const [first, second] = worker.all('grant');
    await worker.commit(first!);
    await creator.submit('job.cancel', { job });
    expect(worker.last('recalled')).toMatchObject({ lease: second!.lease.lease, reason: 'job-closed' });
    expect(await balance(creator.key)).toBe(100_000_000n - 1_000n);
    // Whoever closes a job waives receipts: the verdict alone decides.
    await checker.verdict(checker.last('check')!);
    expect(await balance(worker.key)).toBe(5n);
    expect(await balance(creator.key)).toBe(100_000_000n - 5n);
    expect((await creator.submit('job.cancel', { job })).type).toBe('refused');
  });
});

/** All four leases are out, and the third worker would take one more. */
async function allGranted(): Promise<{ worker: Client; other: Client; third: Client }> {
  const { worker } = await road(w);
  await worker.ask(1);
  const other = await w.join(['worker']);
  await other.ask(2);
  const third = await w.join(['worker']);
  await third.ask(2);
  return { worker, other, third };
}

describe('a worker', () => {
  test('never holds more leases than the bound, and none it did not ask for', async () => {
    const { worker } = await road(w);
    await worker.ask(1);
    expect(worker.all('grant')).toHaveLength(1);
    await worker.ask(9);
    expect(worker.all('grant')).toHaveLength(LEASES_PER_WORKER_MAX);
  });

  test('is not given a scene that is too big for it', async () => {
    const { worker } = await road(w);
    const holds = { bytes: 2_000, bindingBytes: 500 };
    await worker.request({ type: 'ask', leases: 1, bytesMax: 999, holds });
    await worker.request({ type: 'ask', leases: 1, bytesMax: 1_000, holds: { ...holds, bytes: 1_999 } });
    await worker.request({ type: 'ask', leases: 1, bytesMax: 1_000, holds: { ...holds, bindingBytes: 499 } });
    expect(worker.last('grant')).toBeUndefined();
    await worker.request({ type: 'ask', leases: 1, bytesMax: 1_000, holds });
    expect(worker.last('grant')).toBeDefined();
  });

  test('that gives a lease back loses nothing, and the lease moves at once', async () => {
    const { worker, other, third } = await allGranted();
    const { lease } = worker.last('grant')!;
    expect(other.all('grant').length + third.all('grant').length).toBe(3);
    await worker.request({ type: 'yield', lease: lease.lease, reason: 'stopped' });
    const again = third.all('grant').find((grant) => grant.lease.tile === lease.tile && grant.lease.pass === lease.pass);
    expect(again?.lease).toMatchObject({ attempt: 2 });
    expect(again!.lease.lease).not.toBe(lease.lease);
    expect(await worker.commit(worker.last('grant')!)).toMatchObject({ type: 'refused', reason: 'lease-over' });
    expect(await worker.request({ type: 'yield', lease: lease.lease, reason: 'stopped' })).toMatchObject({ type: 'refused' });
  });

  test('that falls silent loses its lease within a second of the bound', async () => {
    const { worker, third } = await allGranted();
    worker.alive = false;
    await w.pass(LEASE_SILENCE_MS_MAX);
    expect(third.all('grant')).toHaveLength(1);
    await w.pass(1_000);
    expect(third.all('grant')).toHaveLength(2);
    const { tile, pass } = worker.last('grant')!.lease;
    expect(third.last('grant')!.lease).toMatchObject({ tile, pass, attempt: 2 });
  });

  test('that is back in time keeps its lease, and is told of it again', async () => {
    const { worker } = await road(w);
    await worker.ask(1);
    const grant = worker.last('grant')!;
    worker.disconnect();
    await w.pass(LEASE_SILENCE_MS_MAX - 1_000);
    const back = await w.join(['worker'], worker.identity, worker.peer.slice(-8));
    expect(back.last('grant')).toEqual(grant);
    await w.pass(LEASE_SILENCE_MS_MAX);
    expect((await back.commit(grant)).type).toBe('ack');
  });

  test('that is late loses the lease and is blamed; after so many faults it is not asked again', async () => {
    // A first settled lease measures the worker: the next ones must be done in the shortest allowance.
    const { creator, worker, checker } = await road(w);
    await oneLease(creator, worker, checker);
    for (let i = 0; i < LEASE_FAULTS_PER_WORKER_AND_JOB_MAX; i++) {
      await worker.ask(1);
      expect(worker.all('grant')).toHaveLength(i + 2);
      expect(worker.last('grant')!.deadlineMs - w.clock.nowMs()).toBe(LEASE_DEADLINE_MIN_MS);
      await w.pass(LEASE_DEADLINE_MIN_MS + 1_000);
      expect(worker.last('recalled')).toMatchObject({ lease: worker.last('grant')!.lease.lease, reason: 'deadline' });
    }
    await worker.ask(1);
    expect(worker.all('grant')).toHaveLength(LEASE_FAULTS_PER_WORKER_AND_JOB_MAX + 1);
    const other = await w.join(['worker']);
    await other.ask(1);
    expect(other.last('grant')).toBeDefined();
  }, 120_000);

  test('can’t commit to another scene, to impossible work, to somebody’s lease, or twice', async () => {
    const { worker } = await road(w);
    await worker.ask(1);
    const grant = worker.last('grant')!;
    const thief = await w.join(['worker']);
    expect(await thief.commit(grant)).toMatchObject({ type: 'refused', reason: 'lease-unknown' });
    expect(await worker.commit(grant, { sceneRoot: 'c'.repeat(64) })).toMatchObject({ type: 'refused', reason: 'scene-differs' });
    // 1,024 paths of 4 bounces trace at most eleven segments each.
    expect(await worker.commit(grant, { segments: 11_265 })).toMatchObject({ type: 'refused', reason: 'segments-impossible' });
    expect(await worker.commit(grant, { segments: 11_264 })).toMatchObject({ type: 'ack' });
    expect(await worker.commit(grant, { segments: 1_000 })).toMatchObject({ type: 'refused', reason: 'lease-over' });
  });

  test('whose films are lost with it is not paid, and the creator drops the pixels', async () => {
    const { creator, worker } = await road(w);
    await worker.ask(1);
    await worker.commit(worker.last('grant')!);
    await creator.receipt(creator.last('committed')!);
    worker.disconnect();
    await w.pass(25_000);
    expect(creator.last('voided')).toMatchObject({ reason: 'worker-gone' });
    expect(await balance(worker.key)).toBe(0n);
  });

  test('that returns learns how its leases ended while it was away', async () => {
    const { creator, worker, checker } = await road(w);
    await worker.ask(1);
    const grant = worker.last('grant')!;
    await worker.commit(grant);
    worker.disconnect();
    await creator.receipt(creator.last('committed')!);
    await checker.verdict(checker.last('check')!);
    const back = await w.join(['worker'], worker.identity, worker.peer.slice(-8));
    expect(back.last('settled')).toMatchObject({ lease: grant.lease.lease });
  });

  test('alone can’t fail a job by giving its leases back, under whatever session', async () => {
    const { creator, worker } = await road(w);
    await worker.ask(1);
    for (let i = 0; i <= LEASE_ATTEMPTS_MAX; i++) {
      expect((await worker.request({ type: 'yield', lease: worker.last('grant')!.lease.lease, reason: 'scene-unavailable' })).type).toBe(
        'ack',
      );
      const again = await w.join(['worker'], worker.identity);
      await again.ask(1);
      expect(again.last('grant')).toBeUndefined();
      again.disconnect();
      await w.pass(YIELD_PAUSE_MS + 1_000);
      await worker.ask(1);
    }
    expect(creator.last('job')!.view.state).toBe('open');
  }, 120_000);

  test('that can’t get the scene is not offered the job again at once', async () => {
    const { worker } = await road(w);
    await worker.ask(2);
    const [first, second] = worker.all('grant');
    await worker.request({ type: 'yield', lease: first!.lease.lease, reason: 'scene-unavailable' });
    await worker.request({ type: 'yield', lease: second!.lease.lease, reason: 'scene-unavailable' });
    await worker.ask(1);
    expect(worker.all('grant')).toHaveLength(2);
    await w.pass(YIELD_PAUSE_MS + 1_000);
    expect(worker.all('grant')).toHaveLength(3);
  });
});
