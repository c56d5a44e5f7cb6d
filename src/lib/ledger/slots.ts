/**
 * A slot and the leases that were committed for it: one, or at the end of a job two, of which the first that
 * passes is paid. Refuses a commitment where nothing is left to win, a check out of turn, and knows which
 * lease must end because another has passed.
 */
import { LEASES_PER_SLOT_MAX } from '../protocol/limits.ts';
import type { Leaf } from './leaf.ts';
import type { JobState, LeaseState } from './postings.ts';

const besides = ({ commitment, job }: LeaseState): readonly LeaseState[] => job.taken.get(commitment.slot) ?? [];

/** Why nobody may commit to this slot any more, or not this worker. */
export function takenFault({ slot, worker }: Leaf<'commitment'>, { leaf, taken }: JobState): string | null {
  const others = taken.get(slot) ?? [];
  if (others.some(({ passed, end }) => passed || end === 'settled')) return 'A slot is committed after another lease of it has passed.';
  if (others.length >= LEASES_PER_SLOT_MAX) return 'A slot is committed while two leases of it are undecided.';
  const keys = others.map(({ commitment }) => commitment.worker);
  if (keys.includes(worker)) return 'A slot is committed twice by one worker.';
  return keys.length > 0 && [...keys, worker].includes(leaf.creator) ? 'Own work is committed beside another lease of its slot.' : null;
}

export function take(lease: LeaseState): void {
  lease.job.taken.set(lease.commitment.slot, [...besides(lease), lease]);
}

/** The lease is void: its place in the slot is free again. */
export function leave(lease: LeaseState): void {
  const left = besides(lease).filter((other) => other !== lease);
  if (left.length > 0) lease.job.taken.set(lease.commitment.slot, left);
  else lease.job.taken.delete(lease.commitment.slot);
}

/** A check of the later one while the one that was committed before it is undecided. */
export const turnFault = (lease: LeaseState): string | null =>
  besides(lease)[0] === lease ? null : 'A check is drawn of a lease while one of its slot that was committed before it is undecided.';

/** The lease of the same slot that has passed. */
export const winnerOf = (lease: LeaseState): LeaseState | undefined => besides(lease).find((other) => other !== lease && other.passed);

/** The lease that must end because this one has passed. */
export const beatenBy = (lease: LeaseState): LeaseState | undefined =>
  lease.passed ? besides(lease).find((other) => other !== lease) : undefined;
