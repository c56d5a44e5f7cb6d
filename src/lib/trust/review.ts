/**
 * What people are asked about: leases on which checkers disagreed, and rejections that their worker
 * appealed against. The queue's form on the wire (`GET /api/review`), and how words become a decision.
 * Names no key: who made a film and who judged it is told with one case (`/api/review/LEASE`), to be
 * looked up after a verdict. Refuses to weigh words: each counts once.
 */
import * as v from 'valibot';
import { LeaseSchema } from '../protocol/control.ts';
import { LEAVES_PER_TILE_MAX } from '../protocol/limits.ts';
import { JobOrderSchema } from '../protocol/order.ts';
import { count, finite, hex32, id16, leafWeights, shortText } from '../protocol/schema.ts';

const big = count(Number.MAX_SAFE_INTEGER);

/** One checker's word, without its key. */
export const OpinionViewSchema = v.strictObject({
  verdict: v.picklist(['pass', 'fail', 'unavailable']),
  reason: shortText,
  /** Leaves that it drew, ascending. */
  drawn: v.pipe(v.array(count(0xffff)), v.maxLength(LEAVES_PER_TILE_MAX)),
  paths: big,
  pathsEqual: big,
  pixelsWrong: big,
  adapterClass: shortText,
  atMs: big,
});
export type OpinionView = v.InferOutput<typeof OpinionViewSchema>;

export const CASE_KINDS = ['appeal', 'disagreement', 'doubt'] as const;

export const ReviewCaseSchema = v.strictObject({
  lease: LeaseSchema,
  /** `appeal`: voided, and its worker says wrongly. `disagreement`: undecided, and not all agree. `doubt`: voided, and nobody could confirm why. */
  kind: v.picklist(CASE_KINDS),
  /** 0 to 1: the queue is ordered by it, most doubtful first. */
  doubt: v.pipe(finite, v.minValue(0), v.maxValue(1)),
  order: JobOrderSchema,
  root: hex32,
  segments: big,
  /** What the worker said each leaf can tell (trust/weights). */
  weights: v.nullable(leafWeights),
  adapterClass: shortText,
  /** Why it was voided, `check-…`; empty while undecided. */
  reason: shortText,
  opinions: v.pipe(v.array(OpinionViewSchema), v.maxLength(64)),
  appeal: v.nullable(v.strictObject({ text: shortText, atMs: big })),
  /** People's words so far. */
  words: v.strictObject({ accept: big, reject: big, unsure: big }),
  /** Like words that decide an appeal; other cases are not decided by people. */
  needed: count(16),
  committedMs: big,
});
export type ReviewCase = v.InferOutput<typeof ReviewCaseSchema>;

export const ReviewQueueSchema = v.strictObject({ cases: v.pipe(v.array(ReviewCaseSchema), v.maxLength(64)) });
export type ReviewQueue = v.InferOutput<typeof ReviewQueueSchema>;

/** `GET /api/review/LEASE`: whose case it is. */
export const ProvenanceSchema = v.strictObject({
  lease: id16,
  job: id16,
  creator: hex32,
  worker: hex32,
  adapterClass: shortText,
  shader: hex32,
  sceneRoot: hex32,
  root: hex32,
  /** In the order of `opinions`. */
  checkers: v.pipe(v.array(hex32), v.maxLength(64)),
  outcome: v.picklist(['none', 'open', 'granted', 'denied']),
});
export type Provenance = v.InferOutput<typeof ProvenanceSchema>;

/** One row of `GET /api/board`: keys with settled work, most first. */
export const BoardRowSchema = v.strictObject({
  key: hex32,
  adapterClass: shortText,
  settled: big,
  /** Of settled leases. */
  segments: big,
  paths: big,
  pathsEqual: big,
  faults: big,
  doubts: big,
  passes: big,
});
export const BoardSchema = v.strictObject({ workers: v.pipe(v.array(BoardRowSchema), v.maxLength(100)) });
export type Board = v.InferOutput<typeof BoardSchema>;

export interface Words {
  readonly accept: number;
  readonly reject: number;
  readonly unsure: number;
}

/** Two of three, or one of the operator's own reviewers. */
export const WORDS_NEEDED = 2;

/** @param house the word of one of the operator's own, which is as many as are needed. */
export const wordsWith = (words: Words, word: keyof Words, house: boolean): Words => ({
  ...words,
  [word]: words[word] + (house ? WORDS_NEEDED : 1),
});

/** What people's words so far make of an appeal. Not sure is no word. */
export function appealOutcome({ accept, reject }: Words): 'open' | 'granted' | 'denied' {
  if (accept >= WORDS_NEEDED && accept > reject) return 'granted';
  return reject >= WORDS_NEEDED && reject > accept ? 'denied' : 'open';
}

/** How doubtful a case is: most where opinions balance, an appeal before all else. */
export function doubtOf(kind: ReviewCase['kind'], passes: number, fails: number): number {
  const all = passes + fails;
  const balance = all === 0 ? 0 : 1 - Math.abs(passes - fails) / all;
  return kind === 'appeal' ? 0.5 + balance / 2 : kind === 'disagreement' ? 0.25 + balance / 4 : balance / 4;
}
