/**
 * What a worker's record is and what follows from it: how many of its leaves are drawn, how often all
 * of them, how much of its earnings is held back. Pure transitions that the coordinator stores and
 * everyone who replays the log repeats. Money is in micro-tokens; refuses to know who anybody is.
 */
import { alarms, FRESH, observe, OBSERVATIONS_MAX, stands, type Aggregate, type Observation } from './aggregate.ts';
import type { TrustRules } from './rules.ts';

export interface Standing {
  /** Leases settled in a row since the last doubt or fault. */
  readonly passes: number;
  /** Confirmed. */
  readonly faults: number;
  readonly doubts: number;
  /** Its dearest lease so far, what the worker got for it: what is held back is measured by this. */
  readonly topMicro: bigint;
  readonly aggregate: Aggregate;
}

export const NEWCOMER: Standing = { passes: 0, faults: 0, doubts: 0, topMicro: 0n, aggregate: FRESH };

/** How a lease of this worker is challenged now. @param jobLeaves what its job's checks draw in probation. */
export function challengeOf({ passes }: Standing, jobLeaves: number, rules: TrustRules): { count: number; auditPpm: number } {
  const count = passes < rules.probationLeases ? jobLeaves : Math.min(rules.leavesTrusted, jobLeaves);
  return { count, auditPpm: Math.max(rules.auditFloorPpm, Math.floor(1_000_000 / Math.max(passes, 1))) };
}

export const blocked = ({ faults }: Standing, { faultsBlocked }: TrustRules): boolean => faults >= faultsBlocked;

/** Fraction of full trust, 0 to 1000: for screens. Nothing is decided by it. */
export const reputationOf = ({ passes, faults }: Standing, { probationLeases }: TrustRules): number =>
  faults > 0 && passes === 0 ? 0 : Math.floor((1000 * Math.min(passes, probationLeases)) / Math.max(probationLeases, 1));

export const settled = (standing: Standing, earnedMicro: bigint): Standing => ({
  ...standing,
  passes: standing.passes + 1,
  topMicro: earnedMicro > standing.topMicro ? earnedMicro : standing.topMicro,
});

/** A check failed and nobody could confirm it: as new, and not a token lost. */
export const doubted = (standing: Standing): Standing => ({ ...standing, passes: 0, doubts: standing.doubts + 1, aggregate: FRESH });

export const faulted = (standing: Standing): Standing => ({ ...standing, passes: 0, faults: standing.faults + 1, aggregate: FRESH });

/** An appeal was granted: the fault never was. */
export const cleared = (standing: Standing): Standing => ({ ...standing, faults: Math.max(standing.faults - 1, 0) });

/** What was held has been paid out: the next lease sets the measure anew. */
export const released = (standing: Standing): Standing => ({ ...standing, topMicro: 0n });

/** How much of a lease's earnings is held back, given what is held already. */
export function withheld(standing: Standing, heldMicro: bigint, earnedMicro: bigint, { holdHundredths }: TrustRules): bigint {
  const { topMicro } = settled(standing, earnedMicro);
  const lacks = (topMicro * BigInt(holdHundredths)) / 100n - heldMicro;
  if (lacks <= 0n) return 0n;
  return lacks < earnedMicro ? lacks : earnedMicro;
}

/** Where a forfeit goes: to those who found the fault in even parts, the rest and all odd micro-tokens to the creator. */
export function forfeitParts(
  heldMicro: bigint,
  finders: number,
  { finderShare }: TrustRules,
): { creatorMicro: bigint; finderMicro: bigint } {
  const finderMicro = finders === 0 ? 0n : (heldMicro * BigInt(finderShare)) / 1000n / BigInt(finders);
  return { creatorMicro: heldMicro - finderMicro * BigInt(finders), finderMicro };
}

/**
 * A check's effect on the running test. An alarm that rests on one checker's word makes the worker as
 * new, so that the next leases are audited whole and others speak; one that stands without any single
 * checker is a fault.
 * @param seen all checks since the last doubt or fault, this one last.
 */
export function observed(
  standing: Standing,
  seen: readonly Observation[],
  rules: TrustRules,
): { readonly standing: Standing; readonly alarm: 'none' | 'suspect' | 'fault' } {
  const last = seen.at(-1);
  const aggregate = last ? observe(standing.aggregate, last, rules) : standing.aggregate;
  if (!alarms(aggregate)) return { standing: { ...standing, aggregate }, alarm: 'none' };
  return stands(seen.slice(-OBSERVATIONS_MAX), rules)
    ? { standing: faulted(standing), alarm: 'fault' }
    : { standing: { ...standing, passes: 0, aggregate }, alarm: 'suspect' };
}
