/** Who comes before the court: checkers by what they do, workers by how they cheat. */
import type { Observation } from '#lib/trust/aggregate.ts';
import type { Grades } from '#lib/trust/grading.ts';
import { NEWCOMER, type Standing } from '#lib/trust/standing.ts';
import { PRICE, type Attack } from './arena.ts';

/** What a checker knows when it decides. */
export interface Look {
  readonly leaves: number;
  readonly whole: boolean;
  /** Words that stand in the log already. */
  readonly before: readonly ('pass' | 'fail')[];
  /** Leases that the worker was paid for in a row. */
  readonly passes: number;
  readonly friend: boolean;
  /** What a re-trace says; of the first so much of what is drawn, and 'missed' where it passes and another leaf is to be shown (trust/retrace). */
  trace(share?: number): 'pass' | 'fail' | 'missed';
}
export type Strategy = (look: Look) => 'pass' | 'fail' | 'missed';

export const honest: Strategy = (look) => look.trace();

export interface Party {
  readonly key: string;
  /** Its address prefix. */
  readonly network: string;
  readonly strategy: Strategy;
  grades: Grades;
  checks: number;
  /** Graded wrong by a drill. */
  missedDrills: number;
  /** Checks until its fee was nothing. */
  unpaidAfter: number | null;
  earned: bigint;
  /** Leaves traced. */
  traced: number;
  /** Of these two, what came of words after another's. */
  readonly second: { earned: bigint; traced: number };
}

export interface Labourer {
  readonly attack: Attack;
  readonly friend: boolean;
  standing: Standing;
  seen: Observation[];
  held: bigint;
  /** Paid out, held or lost, less what its work took: in leases' pay. */
  profit: number;
  leases: number;
  faults: number;
}

export interface Films {
  readonly honest: Attack;
  /** Films of drills, by kind. */
  readonly spoilt: ReadonlyMap<string, Attack>;
}

export const labourer = (attack: Attack, friend = false): Labourer => ({
  ...{ attack, friend, standing: NEWCOMER, seen: [], held: 0n, profit: 0, leases: 0, faults: 0 },
});

/** In leases' pay. */
export const profitOf = ({ earned, traced }: Party, leavesPerLease: number): number =>
  Number(earned) / Number(PRICE) - traced / leavesPerLease;
