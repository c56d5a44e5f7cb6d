/**
 * The network in one word and one sentence, from `GET /api/status`. Keeps the last answer when the
 * coordinator stops answering, and says how old it is. Asks only while the tab is visible.
 */
import * as v from 'valibot';
import { NetworkViewSchema, PolicySchema, type NetworkView, type Policy } from '../protocol/control.ts';
import { plural } from './format.ts';

const POLL_MS = 5_000;
const TIMEOUT_MS = 4_000;

const StatusSchema = v.object({ network: v.string(), view: NetworkViewSchema, policy: PolicySchema });

export interface Word {
  readonly word: string;
  readonly sentence: string;
}

/** @param view null while nothing was ever heard. */
export function networkWord(view: NetworkView | null, reachable: boolean): Word {
  if (!reachable)
    return { word: 'Unreachable', sentence: 'The coordinator does not answer. Pages still open; rendering together waits until it does.' };
  if (!view) return { word: 'Asking', sentence: 'Asking the coordinator how things are.' };
  const { workers, jobsOpen, leasesRunning } = view;
  if (leasesRunning > 0) return { word: 'Active', sentence: `${plural(workers, 'GPU')} at work on ${plural(jobsOpen, 'picture')}.` };
  if (jobsOpen > 0 && workers === 0)
    return { word: 'Waiting', sentence: `${plural(jobsOpen, 'picture')} in the queue, and no GPU is lent right now.` };
  if (jobsOpen > 0)
    return { word: 'Waiting', sentence: `${plural(jobsOpen, 'picture')} in the queue; ${plural(workers, 'GPU')} about to take a part.` };
  if (workers > 0) return { word: 'Idle', sentence: `${plural(workers, 'GPU')} waiting for work.` };
  return { word: 'Quiet', sentence: 'Nobody is lending a GPU yet, and no picture waits.' };
}

export class NetworkWatch {
  view = $state.raw<NetworkView | null>(null);
  policy = $state.raw<Policy | null>(null);
  name = $state('');
  reachable = $state(true);
  /** When the last answer came; null before the first. */
  asOfMs = $state<number | null>(null);
  readonly said: Word = $derived(networkWord(this.view, this.reachable));

  mount(): () => void {
    const stop = new AbortController();
    const ask = (): void => {
      if (document.visibilityState === 'visible') void this.ask(stop.signal);
    };
    ask();
    const timer = setInterval(ask, POLL_MS);
    document.addEventListener('visibilitychange', ask, { signal: stop.signal });
    stop.signal.addEventListener('abort', () => clearInterval(timer));
    return () => stop.abort();
  }

  async ask(signal: AbortSignal): Promise<void> {
    try {
      const response = await fetch('/api/status', { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) });
      const parsed = response.ok ? v.safeParse(StatusSchema, await response.json()) : null;
      if (!parsed?.success) {
        this.reachable = false;
        return;
      }
      this.view = parsed.output.view;
      this.policy = parsed.output.policy;
      this.name = parsed.output.network;
      this.asOfMs = Date.now();
      this.reachable = true;
    } catch {
      if (!signal.aborted) this.reachable = false;
    }
  }
}
