/**
 * Who is drawn to check. Keys are free, so numbers must give no rights: whoever has found what was false
 * before (drills, disputes) is drawn from one pot, all newcomers together from another, which comes first
 * once in ten times and never in a dispute; and all keys of one network have one lot. What a checker says
 * of itself only orders those of one pot. Where nobody is verified yet, there is one pot.
 */
import { accuracyOf, PAID_FROM, type Grades } from './grading.ts';

/** False films found until a checker's word weighs. */
const FOUND_MIN = 2;
/** Of draws that begin no dispute, those that newcomers come first in: how they become known. */
export const NEWCOMERS_FIRST = 0.1;

export const verified = (grades: Grades): boolean => grades.badRight >= FOUND_MIN && accuracyOf(grades) >= PAID_FROM;

export interface Candidate {
  readonly verified: boolean;
  /** Of its network, or its key where that says nothing. */
  readonly group: string;
  /** Of another kind of device than those that spoke: asked first in a dispute. */
  readonly news: boolean;
  /** It was asked before and could not see the film. */
  readonly tried: boolean;
  /** How many times likelier than others, 1 or more. */
  readonly weight: number;
}

/** @param dispute somebody failed it already. @param random uniform in (0, 1]. @returns all of them, in the order in which they are asked. */
export function inLotOrder<T extends Candidate>(candidates: readonly T[], dispute: boolean, random: () => number): T[] {
  const newcomersFirst = !dispute && random() <= NEWCOMERS_FIRST;
  // The least wins: exponential, so that a weight is how many times likelier.
  const lots = new Map<string, number>();
  for (const { group, weight } of candidates) lots.set(group, Math.max(lots.get(group) ?? 1, weight));
  for (const [group, weight] of lots) lots.set(group, -Math.log(random()) / weight);
  const within = new Map(candidates.map((one) => [one, random()]));
  const pot = (one: T): number => Number(one.verified === newcomersFirst);
  return candidates.toSorted(
    (a, b) =>
      Number(a.tried) - Number(b.tried) ||
      pot(a) - pot(b) ||
      Number(b.news) - Number(a.news) ||
      lots.get(a.group)! - lots.get(b.group)! ||
      within.get(a)! - within.get(b)!,
  );
}
