/**
 * What the next leaf of a log must be. A coordinator writes what follows from a word in the transaction of
 * that word: a fault is voided, forfeited and never let off, what is earned is paid, what is left is given
 * back. So a payment that was dropped is false at the very next line, not when somebody misses it.
 */
import type { LogLeaf } from './leaf.ts';
import { isOwn, type JobState, type LeaseState } from './postings.ts';

export interface Due {
  readonly type: 'void' | 'twin' | 'verdict' | 'forfeit' | 'drill' | 'restore' | 'waiver' | 'settle' | 'closed' | 'refund';
  /** The lease, or of `closed` and `refund` the job. */
  readonly of: string;
}

const NOT_AT_ONCE: Record<Due['type'], string> = {
  void: 'A lease that was found faulty is not voided at once.',
  twin: 'A lease is not voided at once when another of its slot has passed.',
  verdict: 'A drill is opened before a checker has spoken.',
  forfeit: 'What was held back of a worker at fault is not forfeited at once.',
  drill: 'The checker of a drill is not paid at once.',
  restore: 'What a granted appeal gives back is not given back at once.',
  waiver: 'A lease of a closed job is not paid at once.',
  settle: 'A lease that was passed and received is not settled at once.',
  closed: 'A job of which all is settled is not closed at once.',
  refund: 'What is left of the escrow of a closed job is not given back at once.',
};

export function dueFault(due: Due | null, leaf: LogLeaf): string | null {
  if (!due) return null;
  const type = leaf.type === 'entry' ? leaf.kind : leaf.type;
  const of = due.type === 'closed' || due.type === 'refund' ? 'job' : 'lease';
  const named = (leaf as { readonly job?: string | null; readonly lease?: string | null })[of];
  return type === (due.type === 'twin' ? 'void' : due.type) && named === due.of ? null : NOT_AT_ONCE[due.type];
}

/** What a lease that is not over is due: its pay, once it was passed, and received or no receipt is waited for. */
export function payDue(lease: LeaseState): Due | null {
  const { job, commitment, receipt, end, passed, finders } = lease;
  if (end || finders || !(passed || isOwn(lease))) return null;
  job.verified.add(commitment.lease);
  if (receipt !== 'none') return { type: 'settle', of: commitment.lease };
  return job.closed ? { type: 'waiver', of: commitment.lease } : null;
}

/** What a job is due once a lease of it is over. @param leftMicro in its escrow. */
export function endDue({ leaf, settled, slots, closed, refunded, taken }: JobState, leftMicro: bigint): Due | null {
  if (!closed) return settled === slots ? { type: 'closed', of: leaf.job } : null;
  return !refunded && taken.size === settled && leftMicro > 0n ? { type: 'refund', of: leaf.job } : null;
}
