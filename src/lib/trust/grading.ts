/**
 * What a checker's word is worth: how often it was right where the truth came out, by known answers
 * or by a majority, and how often it answered when drawn. Integers throughout, so that pay replays.
 */
export interface Grades {
  /** Films that turned out good, and how many of them it passed. */
  readonly good: number;
  readonly goodRight: number;
  readonly bad: number;
  readonly badRight: number;
  readonly answered: number;
  readonly missed: number;
}

export const UNGRADED: Grades = { good: 0, goodRight: 0, bad: 0, badRight: 0, answered: 0, missed: 0 };

/** Beta(9, 1): as if it had been right nine times of ten before it came. */
const PRIOR_RIGHT = 9;
const PRIOR = 10;
/** Below it, a checker is not paid. */
export const PAID_FROM = 900;
/** Below it, a checker is not drawn either: its word would only cost others a second check. */
export const DRAWN_FROM = 700;

/** Posterior mean of a rate, per thousand, rounded down. */
const rate = (right: number, all: number): number => Math.floor((1000 * (PRIOR_RIGHT + right)) / (PRIOR + all));

/** Balanced accuracy, per thousand: the mean of both rates, so that always yes is worth no more than always no. */
export const accuracyOf = ({ good, goodRight, bad, badRight }: Grades): number =>
  Math.floor((rate(goodRight, good) + rate(badRight, bad)) / 2);

/** Share of its draws that it answered, per thousand, under the same prior. */
export const presenceOf = ({ answered, missed }: Grades): number => rate(answered, answered + missed);

/**
 * What part of its fee a checker gets, per thousand. Presence pays nothing by itself: it only takes away.
 * @param unprovenPay what is left of it, per thousand, until it has found a false film: less than looking brings,
 * so that fresh keys that don't look are worth less than one that does.
 */
export function payFactor(grades: Grades, unprovenPay = 1000): number {
  const accuracy = accuracyOf(grades);
  if (accuracy < PAID_FROM) return 0;
  // Nine answers of ten is what everybody is given: only a record of absence costs.
  const presence = Math.min(Math.floor((1000 * presenceOf(grades)) / PAID_FROM), 1000);
  const full = Math.floor((accuracy * presence) / 1000);
  return grades.badRight > 0 ? full : Math.floor((full * unprovenPay) / 1000);
}

export const mayBeDrawn = (grades: Grades): boolean => accuracyOf(grades) >= DRAWN_FROM;

/** Checks answered before a key's word on an appeal is heard. */
const REVIEW_FROM = 16;

/** Has it shown that it looks? Many fresh keys are no jury. */
export const mayReview = (grades: Grades): boolean => grades.answered >= REVIEW_FROM && accuracyOf(grades) >= PAID_FROM;

/** @param weight how many films it counts as; one unless said. */
export function graded(grades: Grades, { truth, right, weight = 1 }: { truth: 'good' | 'bad'; right: boolean; weight?: number }): Grades {
  const rights = right ? weight : 0;
  return truth === 'good'
    ? { ...grades, good: grades.good + weight, goodRight: grades.goodRight + rights }
    : { ...grades, bad: grades.bad + weight, badRight: grades.badRight + rights };
}

export const answered = (grades: Grades): Grades => ({ ...grades, answered: grades.answered + 1 });
export const missed = (grades: Grades): Grades => ({ ...grades, missed: grades.missed + 1 });
