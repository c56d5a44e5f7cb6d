/** A sequence in one word and one sentence. */
import type { SequencePlan } from '../roles/sequence-plan.ts';
import { plural } from './format.ts';
import { jobWord } from './job-word.ts';
import type { Word } from './network.svelte.ts';
import type { FrameMark } from './sequence.svelte.ts';

export function sequenceWord({ state }: Pick<SequencePlan, 'state'>, marks: readonly FrameMark[], running: boolean): Word {
  const done = marks.filter((mark) => mark.state === 'done').length;
  if (done === marks.length && done > 0) return { word: 'Done', sentence: `All ${plural(done, 'frame')} are traced, checked and paid.` };
  if (!running) {
    const sentence = `${plural(done, 'frame')} of ${marks.length} are here; the others are not being made.`;
    return { word: state === 'stopped' ? 'Stopped' : 'Paused', sentence };
  }
  const open = marks.flatMap(({ view }) => (view?.state === 'open' ? [view] : []));
  const moving = open.find(({ leased }) => leased > 0);
  if (moving)
    return { word: 'Rendering', sentence: `${plural(open.length, 'frame')} under way now; each appears as soon as it is finished.` };
  // What holds up the first of them holds up all.
  if (open[0]) return jobWord(open[0]);
  return { word: 'Ordering', sentence: 'The next frame is being compiled and sent.' };
}
