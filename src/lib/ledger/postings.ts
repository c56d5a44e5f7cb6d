/**
 * Which postings an entry must have: computed from the job's terms and what its leases were found to
 * be, never read from the entry. What is false comes back as a sentence.
 */
import { evenParts, leasePrice, splitPrice } from '../market/price.ts';
import type { JobOrder } from '../protocol/order.ts';
import { escrowOf, MINT, TREASURY, type Leaf } from './leaf.ts';

/** A job as far as it was replayed. */
export interface JobState {
  readonly leaf: Leaf<'job'>;
  /** As its creator signed it. */
  readonly order: JobOrder;
  readonly slots: number;
  escrowed: boolean;
  closed: boolean;
  refunded: boolean;
  spentMicro: bigint;
  /** Slots settled. */
  settled: number;
  /** Slots whose lease is committed or settled. */
  readonly taken: Set<number>;
}

/** A lease as far as it was replayed. */
export interface LeaseState {
  readonly commitment: Leaf<'commitment'>;
  readonly job: JobState;
  /** Nonce commitment → its draw. */
  readonly draws: Map<string, { readonly leaf: Leaf<'draw'>; answered: boolean }>;
  /** Checkers' keys. */
  readonly passed: string[];
  readonly failed: string[];
  receipt: 'none' | 'received' | 'waived';
  end: 'settled' | 'voided' | null;
}

type Line = readonly [account: string, micro: bigint];

/** Do the verdicts so far pass the lease? One is enough while nobody disagrees, else two. */
export const hasPassed = ({ passed, failed }: LeaseState): boolean => passed.length >= (failed.length === 0 ? 1 : 2);

/** First tokens: from the mint, to the key whose signed request the leaf holds. */
export function grantFault(leaf: Leaf<'entry'>): string | null {
  const key = leaf.signed?.key;
  const micro = leaf.postings.reduce((sum, [account, amount]) => (account === MINT ? sum - BigInt(amount) : sum), 0n);
  if (leaf.job !== null || leaf.lease !== null || key === undefined || micro <= 0n) return NO_GRANT;
  return expects(leaf, [
    [MINT, -micro],
    [key, micro],
  ])
    ? null
    : NO_GRANT;
}
const NO_GRANT = 'A grant that does not come from the mint to the key that asked for it.';

export function escrowFault(leaf: Leaf<'entry'>, job: JobState): string | null {
  if (leaf.lease !== null || leaf.request !== job.leaf.request) return 'An escrow that its job’s request did not cause.';
  const cap = BigInt(job.leaf.capMicro);
  return expects(leaf, [
    [job.leaf.creator, -cap],
    [escrowOf(job.leaf.job), cap],
  ])
    ? null
    : 'An escrow is not the cap of its job.';
}

export function refundFault(leaf: Leaf<'entry'>, job: JobState): string | null {
  if (leaf.lease !== null || leaf.request !== null) return 'A refund names a lease or a request.';
  const left = BigInt(job.leaf.capMicro) - job.spentMicro;
  return expects(leaf, [
    [escrowOf(job.leaf.job), -left],
    [job.leaf.creator, left],
  ])
    ? null
    : 'A refund does not return all of the escrow to the creator.';
}

/** What a settled lease takes from escrow, micro-tokens. */
export function amountOf({ commitment, job: { leaf } }: LeaseState): bigint {
  return leasePrice({
    segments: commitment.segments,
    paths: commitment.paths,
    jobPaths: leaf.paths,
    capMicro: BigInt(leaf.capMicro),
    pricePerWorkUnitMicro: BigInt(leaf.pricePerWorkUnitMicro),
  });
}

export function settlementFault(leaf: Leaf<'entry'>, lease: LeaseState, amount: bigint): string | null {
  const { leaf: terms } = lease.job;
  if (leaf.job !== terms.job || leaf.request !== null) return 'A lease is settled from another job.';
  const split = splitPrice(amount, terms);
  const parts = evenParts(split.checkerMicro, lease.passed.length);
  // Ascending by key: who gets the odd micro-token is nobody's choice.
  const checkers = lease.passed.toSorted().map((key, i): Line => [key, parts[i]!]);
  const lines: Line[] = [
    [escrowOf(terms.job), -amount],
    [lease.commitment.worker, split.workerMicro],
    ...checkers,
    [TREASURY, split.feeMicro],
  ];
  return expects(leaf, lines) ? null : 'A lease is settled for another amount, or to others, than its work and terms imply.';
}

/** Are the postings exactly these, with amounts of one account added up and zeros left out? */
function expects(leaf: Leaf<'entry'>, lines: readonly Line[]): boolean {
  const sums = new Map<string, bigint>();
  for (const [account, micro] of lines) sums.set(account, (sums.get(account) ?? 0n) + micro);
  const left = new Map([...sums].filter(([, micro]) => micro !== 0n));
  for (const [account, micro] of leaf.postings) {
    if (left.get(account) !== BigInt(micro)) return false;
    left.delete(account);
  }
  return left.size === 0;
}
