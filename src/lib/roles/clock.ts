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
