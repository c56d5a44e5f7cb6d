/** A job in one word and one sentence, from what the coordinator says of it. */
import { plural } from './format.ts';
import type { JobView } from '../protocol/control.ts';
import type { Word } from './network.svelte.ts';

type Told = Pick<JobView, 'state' | 'reason' | 'leased' | 'committed' | 'settled' | 'leases' | 'checks'>;

/** The coordinator's reasons for standing still, with what a person can do about each. */
const STANDSTILLS: Readonly<Record<string, Word>> = {
  'waiting for a worker': { word: 'Waiting', sentence: 'Nobody lends a GPU right now. Open “Lend” in another tab to begin at once.' },
  'waiting for a checker': {
    word: 'Checking',
    sentence: 'What is traced waits for a checker, who must be somebody else: open “Check” in another browser, or wait for one.',
  },
  'workers measured that its rays cost more than the order says: cancel it and order again': {
    word: 'Waiting',
    sentence:
      'The workers here measured that this scene takes more work than the order pays for, and left. Cancel it and send it again: it is then measured anew.',
  },
  'waiting for its creator’s tab': { word: 'Connecting', sentence: 'The coordinator does not see this tab yet.' },
};

export function jobWord(view: Told): Word {
  const coming = view.committed > 0 ? ` ${plural(view.committed, 'lease')} already traced will still be checked and paid.` : '';
  switch (view.state) {
    case 'done':
      return { word: 'Done', sentence: `Every lease is checked, received and paid; ${plural(view.checks, 'check')} vouch for it.` };
    case 'cancelled':
      return { word: 'Cancelled', sentence: `${told(view.reason)}What was done is kept; what is left of the cap comes back.${coming}` };
    case 'failed':
      return { word: 'Failed', sentence: `${told(view.reason)}What was done is kept; what is left of the cap comes back.${coming}` };
    case 'open':
      return openWord(view);
  }
}

function openWord(view: Told): Word {
  const still = STANDSTILLS[view.reason];
  if (still && (view.leased === 0 || still.word !== 'Checking')) return still;
  const sentence = still?.sentence ?? sentenceOf(view.reason);
  if (view.leased > 0)
    return {
      word: 'Rendering',
      sentence: sentence || `${plural(view.leased, 'lease')} being traced now; the picture refines everywhere at once.`,
    };
  if (view.committed > 0) return { word: 'Checking', sentence: sentence || 'Traced; being checked and delivered.' };
  return { word: 'Waiting', sentence: sentence || 'In the queue: a GPU will take the first part in a moment.' };
}

/** Before another sentence. */
const told = (reason: string): string => (reason === '' ? '' : `${sentenceOf(reason)} `);

/** `cap used up` → `Cap used up.` */
const sentenceOf = (reason: string): string =>
  reason === '' ? '' : `${reason.charAt(0).toUpperCase()}${reason.slice(1).replace(/\.?$/, '.')}`;
