/** A job in one word and one sentence, from what the coordinator says of it. */
import { plural } from './format.ts';
import type { JobView } from '../protocol/control.ts';
import type { Word } from './network.svelte.ts';

export function jobWord(
  view: Pick<JobView, 'state' | 'reason' | 'workers' | 'leased' | 'committed' | 'settled' | 'leases' | 'checks'>,
): Word {
  switch (view.state) {
    case 'done':
      return { word: 'Finished', sentence: `Every lease is checked, received and paid; ${plural(view.checks, 'check')} vouch for it.` };
    case 'cancelled':
      return { word: 'Cancelled', sentence: view.reason || 'What was done is paid and kept; the rest of the cap came back.' };
    case 'failed':
      return { word: 'Failed', sentence: view.reason || 'What was done is kept; the rest of the cap came back.' };
    case 'open':
      return openWord(view);
  }
}

function openWord(view: Pick<JobView, 'reason' | 'workers' | 'leased' | 'committed' | 'settled' | 'leases'>): Word {
  if (view.leased > 0)
    return {
      word: 'Rendering',
      sentence: view.reason || `${plural(view.workers, 'GPU')} at work; the picture refines everywhere at once.`,
    };
  if (view.committed > 0) return { word: 'Checking', sentence: view.reason || 'Traced; waiting for checks and delivery.' };
  return {
    word: 'Waiting',
    sentence: view.reason || 'In the queue: no GPU has taken a part yet. Lend one in another tab to begin at once.',
  };
}
