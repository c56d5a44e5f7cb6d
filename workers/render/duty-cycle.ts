/**
 * Keeps the device idle for the share of time that it is not lent: after every dispatch so much
 * rest is owed, and it is paid in pieces long enough for a timer. Looks at no clock but the one it
 * is given; rest that came by itself (nothing to do) is not credited to later work.
 */

/** Time as the tracer sees it. */
export interface HostClock {
  nowMs(): number;
  /** Resolves after about `ms`, or at once when the signal aborts. */
  sleep(signal: AbortSignal, ms: number): Promise<void>;
}

export const hostClock: HostClock = {
  nowMs: () => performance.now(),
  sleep: (signal, ms) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const timer = setTimeout(done, ms);
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      }
      signal.addEventListener('abort', done);
    }),
};

/** Timers are no finer than this. */
const REST_MS_MIN = 4;

export class DutyCycle {
  readonly #clock: HostClock;
  #share = 1;
  #owedMs = 0;

  constructor(clock: HostClock) {
    this.#clock = clock;
  }

  /** Of the device's time, above 0 and at most 1. */
  get share(): number {
    return this.#share;
  }

  set share(share: number) {
    this.#share = share;
    this.#owedMs = 0;
  }

  /** Owes rest for so many milliseconds of work, and rests when it is worth it. */
  async rest(signal: AbortSignal, workedMs: number): Promise<void> {
    this.#owedMs += workedMs * (1 / this.#share - 1);
    if (this.#owedMs < REST_MS_MIN) return;
    const from = this.#clock.nowMs();
    await this.#clock.sleep(signal, this.#owedMs);
    // A timer that overslept has paid for later work too; after a long sleep nothing is left to pay.
    this.#owedMs = Math.max(this.#owedMs - (this.#clock.nowMs() - from), -this.#owedMs);
  }
}
