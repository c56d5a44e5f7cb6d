/**
 * Replays how leases and jobs come to their ends: receipts and waivers, second audits that nobody was there
 * to make, what a lease may be voided for, and when a job is over. What a creator or a checker must have
 * said before is looked up among what they signed; who was connected when is the coordinator's word.
 * Sentences as in replay.ts.
 */
import { CHECKS_UNAVAILABLE_MAX, FILM_MISSING_MAX } from '../protocol/limits.ts';
import type { Leaf } from './leaf.ts';
import { isOwn, type JobState, type LeaseState } from './postings.ts';
import { isComplete } from './quiet.ts';
import { leave, winnerOf } from './slots.ts';

export function receiptFault(leaf: Leaf<'receipt'>, lease: LeaseState | undefined): string | null {
  if (!lease) return 'A receipt for a lease that was never committed.';
  if (leaf.signed.key !== lease.job.leaf.creator) return 'A receipt that is not its creator’s.';
  if (leaf.root !== lease.commitment.root) return 'A receipt for another root than the committed one.';
  if (lease.end) return `A receipt for a lease that was ${lease.end}.`;
  if (leaf.verdict === 'received') lease.receipt = 'received';
  if (leaf.verdict === 'missing') lease.missing++;
  return null;
}

export function waiverFault(lease: LeaseState | undefined): string | null {
  if (!lease) return 'A waiver for a lease that was never committed.';
  if (lease.end) return `A waiver for a lease that was ${lease.end}.`;
  if (!lease.passed && !isOwn(lease)) return 'A receipt is waived before a checker passed the lease.';
  if (lease.receipt !== 'none') return 'A receipt is waived that was given or waived before.';
  lease.receipt = 'waived';
  return null;
}

export function aloneFault(lease: LeaseState | undefined): string | null {
  const due = lease && !lease.end && lease.second && lease.opinions.length > 0 && !lease.passed;
  if (!due || lease.opinions.some(({ verdict }) => verdict === 'fail')) return 'A second audit is left out that was not due.';
  lease.passed = true;
  return null;
}

export function missedFault(leaf: Leaf<'missed'>, lease: LeaseState | undefined): string | null {
  const drawn = lease?.draws.get(leaf.nonceCommitment);
  if (drawn?.leaf.checker !== leaf.checker || drawn.answered) return 'A check is called missed that was not drawn or is answered.';
  if (lease!.end) return `A check is called missed of a lease that was ${lease!.end}.`;
  drawn.answered = true;
  return null;
}

export function voidFault(leaf: Leaf<'void'>, lease: LeaseState | undefined): string | null {
  if (!lease) return 'A lease is voided that was never committed.';
  if (lease.end) return `A lease is voided after it was ${lease.end}.`;
  if (!isGround(leaf.reason, lease)) return 'A lease is voided for a reason that the log does not bear.';
  lease.end = 'voided';
  lease.reason = leaf.reason;
  leave(lease);
  lease.job.verified.delete(leaf.lease);
  return null;
}

/** Did those who must have said it say it? Of a worker that left or gave its lease back nobody signs anything. */
function isGround(reason: string, lease: LeaseState): boolean {
  const { drill, finders, said, missing } = lease;
  const failed = said.filter(({ verdict }) => verdict === 'fail');
  if (drill) return reason === 'drill';
  if (reason === 'check-aggregate') return finders?.length === 1;
  if (reason === 'check-undecided') return !finders && failed.length > 0 && said.some(({ verdict }) => verdict === 'pass');
  if (reason.startsWith('check-')) return failed.some((one) => reason === `check-${one.reason}`);
  if (finders || reason === 'drill') return false;
  if (reason === 'twin-passed') return winnerOf(lease) !== undefined;
  if (reason === 'film-missing') return missing >= FILM_MISSING_MAX;
  if (reason === 'film-unavailable') return said.filter((one) => one.reason === 'unreachable').length >= CHECKS_UNAVAILABLE_MAX;
  return true;
}

export function closedFault({ state }: Leaf<'closed'>, job: JobState | undefined): string | null {
  if (!job || job.closed) return 'A job is closed that is not open.';
  if (state === 'done' && !isComplete(job)) return 'A job is called done before all of it is settled.';
  if (job.verified.size > 0) return 'A job is closed before all that checks passed is paid.';
  job.closed = true;
  return null;
}
