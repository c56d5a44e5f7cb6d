/** What a person can say of a case, why, and what that does: the words of the screen. */
import type { ReviewCase } from '../trust/review.ts';

export type Word = 'accept' | 'reject' | 'unsure';

/** A word can be taken back for so long. */
export const UNDO_SECONDS = 8;

export const WORDS: readonly { readonly word: Word; readonly name: string; readonly key: string }[] = [
  { word: 'accept', name: 'Accept', key: 'A' },
  { word: 'reject', name: 'Reject', key: 'R' },
  { word: 'unsure', name: 'Not sure', key: 'N' },
];

export const REJECT_REASONS = [
  'Fewer samples than were ordered',
  'Light is missing or too much',
  'Parts are copied, blurred or enlarged',
  'Another picture than was ordered',
  'Something else looks wrong',
] as const;

export const KINDS: Readonly<Record<ReviewCase['kind'], string>> = {
  appeal: 'Appeal',
  disagreement: 'Disagreement',
  doubt: 'Doubt',
};

/** Why machines found a film wrong, for people. */
const REASONS: Readonly<Record<string, string>> = {
  agrees: 'agrees',
  size: 'the opened leaf has the wrong size',
  signatures: 'too many paths took other turns',
  light: 'the light is not what these paths bring',
  'not-finite': 'there is a number that is none',
  segments: 'more rays are claimed than were traced',
  weights: 'what the leaves can tell was said wrongly',
  opening: 'the opened leaf does not belong to the film',
  refused: 'the worker refused to open it',
  unreachable: 'the worker could not be reached',
  scene: 'the checker could not get the scene',
  aggregate: 'over many checks, more differed than honest devices do',
  undecided: 'the checkers did not agree',
  'film-unavailable': 'no checker could reach the film',
  'film-missing': 'the film never came to its creator',
  'worker-gone': 'the worker left before its film was received',
};

export const reasonWords = (reason: string): string => REASONS[reason.replace(/^check-/, '')] ?? reason;

/** What this word will do, said before and after it is given. */
export function effectOf(word: Word, { kind, words, needed }: ReviewCase): string {
  if (word === 'unsure') return 'It is noted, and decides nothing.';
  if (kind !== 'appeal') return 'It stands in the log beside the words of machines; checkers decide this lease.';
  const like = word === 'accept' ? words.accept : words.reject;
  const missing = Math.max(needed - like - 1, 0);
  const outcome = word === 'accept' ? 'clears the worker of this fault' : 'upholds the rejection';
  return missing === 0 ? `With it the appeal is decided: it ${outcome}.` : `It ${outcome} once ${missing} more say the same.`;
}
