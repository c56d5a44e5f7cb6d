/**
 * How thick a round is, and so by which rule it clears; and the posted reference, which is the price
 * where too few stand to make one. Whoever can push a price does not make it: an owner is counted
 * once however many machines or jobs it brings, and one with a large part of a side makes no price.
 */
import { crossingPrice, type Book, type Clearing, type Rule } from './clearing.ts';

/** Fewer owners than this on a side: the posted reference. */
const POSTED_OWNERS = 3;
/** Fewer owners than this on a side: McAfee's rule. */
const THICK_OWNERS = 8;
/**
 * An owner with more than this part of a side, in millionths, makes no price. One with the part s of
 * a market of even values gains s²/16 / (4 (1 - s/2)(1/2 + s/4)) of 1/8 by a markup: 1 % at a fifth,
 * 4.2 % at two fifths.
 */
const DOMINANT_PPM = 200_000;
/** Thick rounds whose median the reference follows. */
const MEDIAN_ROUNDS = 15;
const MEDIAN_AGE_MS = 24 * 3_600_000;
/** Most the reference moves in a round, hundredths. */
const STEP_HUNDREDTHS = 10n;

/** What is said of the owners behind a book. */
export interface Depth {
  readonly askOwners: number;
  readonly bidOwners: number;
  /** Part of a side that its largest owner offers, millionths. */
  readonly askTopPpm: number;
  readonly bidTopPpm: number;
}

const fewest = ({ askOwners, bidOwners }: Depth): number => Math.min(askOwners, bidOwners);
/** An owner that is one of few has a large part of necessity. */
const dominated = ({ askOwners, askTopPpm, bidOwners, bidTopPpm }: Depth): boolean =>
  (askOwners >= THICK_OWNERS && askTopPpm > DOMINANT_PPM) || (bidOwners >= THICK_OWNERS && bidTopPpm > DOMINANT_PPM);

export function ruleOf(depth: Depth): Rule {
  if (fewest(depth) < POSTED_OWNERS || dominated(depth)) return 'posted';
  return fewest(depth) < THICK_OWNERS ? 'mcafee' : 'uniform';
}

/** What one tier remembers from round to round. */
export interface Reference {
  readonly micro: bigint;
  /** Prices of the last thick rounds, the newest last. */
  readonly thick: readonly { readonly micro: bigint; readonly atMs: number }[];
}

/** @param floorMicro the operator's price. */
export const firstReference = (floorMicro: bigint): Reference => ({ micro: floorMicro, thick: [] });

function median(values: readonly bigint[]): bigint {
  const sorted = values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2n;
}

/** One step from `from` towards `target`, never below a micro-token. */
export function stepTowards(from: bigint, target: bigint): bigint {
  const step = (from * STEP_HUNDREDTHS) / 100n;
  const most = step > 0n ? step : 1n;
  const next = target > from + most ? from + most : target < from - most ? from - most : target;
  return next > 0n ? next : 1n;
}

export interface Round {
  readonly book: Book;
  readonly depth: Depth;
  readonly rule: Rule;
  readonly clearing: Clearing;
  readonly atMs: number;
}

/**
 * The reference after a round: towards the median of the day's last thick rounds, or the operator's
 * price without any. After one that somebody dominates, towards where its curves crossed: what he says
 * counts from the next round on, and by a tenth at most.
 */
export function nextReference(before: Reference, round: Round, floorMicro: bigint): Reference {
  const { book, depth, rule, clearing, atMs } = round;
  const fresh = rule !== 'posted' && clearing.units > 0n ? [{ micro: (clearing.buyMicro + clearing.sellMicro) / 2n, atMs }] : [];
  const thick = [...before.thick.filter((price) => atMs - price.atMs <= MEDIAN_AGE_MS), ...fresh].slice(-MEDIAN_ROUNDS);
  const made = fewest(depth) >= POSTED_OWNERS && dominated(depth) ? crossingPrice(book) : null;
  const target = made ?? (thick.length > 0 ? median(thick.map(({ micro }) => micro)) : floorMicro);
  return { micro: stepTowards(before.micro, target), thick };
}
