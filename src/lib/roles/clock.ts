/** The clock of tabs and agents. Tests and the simulator bring their own; nothing else reads the time. */
import type { Clock } from './types.ts';

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: (signal, ms) =>
    new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done);
    }),
};

/** Exponential back-off with full jitter: attempt 0 waits up to `minMs`, later ones up to `maxMs`. */
export function backoffMs(attempt: number, minMs: number, maxMs: number, random: () => number = Math.random): number {
  const ceiling = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 20));
  return minMs / 2 + random() * (ceiling - minMs / 2);
}
