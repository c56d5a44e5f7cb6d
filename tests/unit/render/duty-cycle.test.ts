/** The share of the device's time, on a clock of the test's own. */
import { describe, expect, it } from 'vitest';
import { DutyCycle, type HostClock } from '#workers/render/duty-cycle.ts';

/** Time passes only by sleeping and by `work`; timers are late by `lateMs`. */
class ModelClock implements HostClock {
  now = 0;
  sleeps = 0;
  readonly #lateMs: number;

  constructor(lateMs = 0) {
    this.#lateMs = lateMs;
  }

  nowMs = (): number => this.now;

  sleep = async (signal: AbortSignal, ms: number): Promise<void> => {
    if (signal.aborted) return;
    this.sleeps += 1;
    this.now += ms + this.#lateMs;
  };
}

const never = new AbortController().signal;

async function busyShare(share: number, dispatchMs: number, lateMs = 0): Promise<{ busy: number; sleeps: number }> {
  const clock = new ModelClock(lateMs);
  const duty = new DutyCycle(clock);
  duty.share = share;
  let worked = 0;
  for (let i = 0; i < 4_000; i++) {
    clock.now += dispatchMs;
    worked += dispatchMs;
    await duty.rest(never, dispatchMs);
  }
  return { busy: worked / clock.now, sleeps: clock.sleeps };
}

describe('the duty cycle', () => {
  for (const share of [0.1, 0.25, 0.5, 0.9]) {
    it(`of ${share} keeps the device busy for that share of the time, with short dispatches and long ones`, async () => {
      for (const ms of [0.5, 10, 50]) expect((await busyShare(share, ms)).busy).toBeCloseTo(share, 2);
    });
  }

  it('of 1 never rests', async () => {
    expect(await busyShare(1, 10)).toEqual({ busy: 1, sleeps: 0 });
  });

  it('pays small debts together: no timer for less than it can measure', async () => {
    expect((await busyShare(0.9, 0.5)).sleeps).toBeLessThan(100);
  });

  it('takes a late timer into account', async () => {
    expect((await busyShare(0.5, 10, 5)).busy).toBeCloseTo(0.5, 1);
  });

  it('does not save up: after a timer that overslept by an hour it works on at its share', async () => {
    const clock = new ModelClock();
    const duty = new DutyCycle(clock);
    duty.share = 0.5;
    const { sleep } = clock;
    clock.sleep = async (signal, ms) => sleep(signal, ms + 3_600_000);
    await duty.rest(never, 10);
    clock.sleep = sleep;
    const from = clock.now;
    let worked = 0;
    for (let i = 0; i < 100; i++) {
      clock.now += 10;
      worked += 10;
      await duty.rest(never, 10);
    }
    expect(worked / (clock.now - from)).toBeLessThan(0.55);
  });

  it('rests no longer once it is told to stop', async () => {
    const clock = new ModelClock();
    const duty = new DutyCycle(clock);
    duty.share = 0.01;
    await duty.rest(AbortSignal.abort(), 100);
    expect(clock.now).toBe(0);
  });
});
