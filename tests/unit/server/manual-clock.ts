/** Time that stands still until a test moves it. */
import type { Clock } from '#lib/server/clock.ts';

/** A clock that a test moves by hand. */
export class ManualClock implements Clock {
  #nowMs = 1_800_000_000_000;
  #sleepers: { atMs: number; wake: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(signal: AbortSignal, ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        resolve();
      };
      signal.addEventListener('abort', wake);
      this.#sleepers.push({ atMs: this.#nowMs + ms, wake });
    });
  }

  /** Moves time and wakes who is due; what they do then is awaited by the caller's `settle`. */
  advance(ms: number): void {
    this.#nowMs += ms;
    const due = this.#sleepers.filter((sleeper) => sleeper.atMs <= this.#nowMs);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.atMs > this.#nowMs);
    for (const sleeper of due) sleeper.wake();
  }
}
