/** The end of a job: whose last lease is done twice and by whom, and what happens when its cap pays too little. */
import { describe, expect, test } from 'vitest';
import { duplicate, stopAt, tailLeases, type RunningLease } from '#lib/market/tail.ts';
import { LEASES_PER_WORKER_MAX } from '#lib/protocol/limits.ts';

describe('the tail of a job', () => {
  const job = { slots: 200, left: 5 };
  const lease = (name: string, over: Partial<RunningLease> = {}): RunningLease => ({
    ...{ lease: name, worker: 'slow', grantedMs: 0, expectedMs: 60_000, doubled: false },
    ...over,
  });
  const fast = { worker: 'fast', needsMs: () => 5_000 };

  test('gives the lease that ends last to somebody faster, once', () => {
    expect(tailLeases(200)).toBe(10);
    const running = [lease('a'), lease('b', { expectedMs: 90_000 })];
    expect(duplicate(job, running, fast, 10_000)?.lease).toBe('b');
    expect(duplicate(job, [running[0]!, { ...running[1]!, doubled: true }], fast, 10_000)?.lease).toBe('a');
  });

  test('and to nobody before the tail, to the same worker, or to one as slow', () => {
    const running = [lease('a')];
    expect(duplicate({ ...job, left: 10 }, running, fast, 10_000)?.lease).toBe('a');
    expect(duplicate({ ...job, left: 11 }, running, fast, 10_000)).toBeNull();
    expect(duplicate(job, running, { ...fast, worker: 'slow' }, 10_000)).toBeNull();
    // 50 s are left of it.
    expect(duplicate(job, running, { worker: 'fast', needsMs: () => 24_999 }, 10_000)?.lease).toBe('a');
    expect(duplicate(job, running, { worker: 'fast', needsMs: () => 25_000 }, 10_000)).toBeNull();
  });

  test('one that is overdue, or of unknown speed, is thought to take as long again', () => {
    for (const expectedMs of [60_000, null]) {
      const running = [lease('a', { expectedMs })];
      expect(duplicate(job, running, { worker: 'fast', needsMs: () => 49_999 }, 100_000)?.lease).toBe('a');
      expect(duplicate(job, running, { worker: 'fast', needsMs: () => 50_000 }, 100_000)).toBeNull();
    }
    // Of its 60 s a second is left: it is not done twice because it took so long.
    expect(duplicate(job, [lease('a')], fast, 59_000)).toBeNull();
  });

  test('of a small job is what one worker may hold', () => {
    expect(tailLeases(1)).toBe(LEASES_PER_WORKER_MAX);
    expect(tailLeases(59)).toBe(LEASES_PER_WORKER_MAX);
    expect(tailLeases(60)).toBe(3);
  });

  test('a job whose cap pays less than half of its work finishes what runs, or stops, as its order says', () => {
    const money = { slots: 4, settled: 4, workMicro: 24n, spentMicro: 10n };
    expect(stopAt({ atCap: 'cancel' }, money)).toBe('lease');
    const short = { ...money, workMicro: 25n };
    expect(stopAt({}, short)).toBe('finish');
    expect(stopAt({ atCap: 'finish' }, short)).toBe('finish');
    expect(stopAt({ atCap: 'cancel' }, short)).toBe('cancel');
  });
});
