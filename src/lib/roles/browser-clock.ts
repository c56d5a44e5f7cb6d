/**
 * A tab's clock. Browsers slow the timers of hidden pages down to one a minute, and a worker that
 * falls silent so long loses its lease; timers of a Web Worker keep their pace, so sleeps wait there.
 */
import { systemClock } from './clock.ts';
import type { Clock } from './types.ts';

const TIMER_SOURCE = 'onmessage = ({ data: [id, ms] }) => setTimeout(() => postMessage(id), ms);';

/** Falls back to the page's own timers where a worker can't be had. */
export function browserClock(): Clock {
  let worker: Worker;
  try {
    const url = URL.createObjectURL(new Blob([TIMER_SOURCE], { type: 'text/javascript' }));
    worker = new Worker(url, { name: 'pictor-timer' });
  } catch {
    return systemClock;
  }
  const waiting = new Map<number, () => void>();
  let failed = false;
  let last = 0;
  worker.onmessage = ({ data }: MessageEvent<number>) => waiting.get(data)?.();
  worker.onerror = () => {
    failed = true;
    for (const wake of [...waiting.values()]) wake();
  };
  return {
    nowMs: () => Date.now(),
    sleep: (signal, ms) => {
      if (failed) return systemClock.sleep(signal, ms);
      if (signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const id = ++last;
        const done = (): void => {
          waiting.delete(id);
          signal.removeEventListener('abort', done);
          resolve();
        };
        waiting.set(id, done);
        signal.addEventListener('abort', done);
        worker.postMessage([id, ms]);
      });
    },
  };
}
