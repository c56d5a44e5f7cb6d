/**
 * Which postings an entry must have: computed from the job's terms and what its leases were found to
 * be, never read from the entry. What is false comes back as a sentence.
 */
import { leaseShares, OWN_SHARES, type LeaseShares, type WorkPrice } from '../market/price.ts';
import type { JobOrder } from '../protocol/order.ts';
import type { Opinion } from '../trust/escalation.ts';
import { forfeitParts } from '../trust/standing.ts';
import type { Words } from '../trust/review.ts';
import type { TrustRules } from '../trust/rules.ts';
import { checkerLines, type Funds } from './fees.ts';
import { CHECKERS, escrowOf, heldOf, MINT, TREASURY, type Leaf } from './leaf.ts';

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
  /** Tiles of which no more is wanted, and since when. */
  readonly quiet: Map<number, number>;
  /** Slots settled. */
  settled: number;
  /** Leases of each slot that are committed or settled, in the order of their commitments (slots.ts). */
  readonly taken: Map<number, readonly LeaseState[]>;
  /** Leases that are to be paid, and only wait for a receipt. */
  readonly verified: Set<string>;
}

/** A draw as far as it was replayed. */
export interface DrawState {
  readonly leaf: Leaf<'draw'>;
  answered: boolean;
  /** What its checker committed to before it saw the film, and the beacon after that. */
  retrace: { readonly root: string; readonly beacon: string } | null;
}

/** A lease as far as it was replayed. */
export interface LeaseState {
  readonly commitment: Leaf<'commitment'>;
  readonly job: JobState;
  /** Of the round that it was leased in, else of its job's terms. */
  readonly price: WorkPrice;
  /** Nonce commitment → its draw. */
  readonly draws: Map<string, DrawState>;
  readonly opinions: Opinion[];
  /** Every verdict on it, also those that are no opinion. */
  readonly said: { readonly verdict: Leaf<'verdict'>['verdict']; readonly reason: string }[];
  /** Checker → leaves that it traced again. */
  readonly traced: Map<string, number>;
  /** Is a second opinion due after a first that passes? */
  second: boolean;
  /** By enough verdicts, or by one where nobody else was there. */
  passed: boolean;
  /** Who found the worker at fault over this lease; null while nobody did. */
  finders: readonly string[] | null;
  receipt: 'none' | 'received' | 'waived';
  /** How often its creator said that the film had not come. */
  missing: number;
  end: 'settled' | 'voided' | null;
  /** Why it was voided; empty before. */
  reason: string;
  /** A drill whose seal is open: which leaves tell, and what its checker is due. */
  drill: { readonly tells: readonly boolean[]; dueMicro: bigint; checker: string } | null;
  /** Taken of its worker when it was found at fault. */
  forfeitMicro: bigint;
  hearing: Hearing | null;
}

/** An appeal as far as it was heard. */
export interface Hearing {
  readonly appealedMs: number;
  /** Who spoke. */
  readonly reviewers: Set<string>;
  words: Words;
  outcome: 'open' | 'granted' | 'denied';
}

type Line = readonly [account: string, micro: bigint];

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

/** Was it rendered on its creator's own machine? Then nobody pays, nobody is paid, and nobody need check it. */
export const isOwn = ({ commitment, job }: Pick<LeaseState, 'commitment' | 'job'>): boolean => commitment.worker === job.leaf.creator;

/** What a settled lease takes from escrow, and how it is cut. */
export function splitOf(lease: LeaseState): LeaseShares {
  const { commitment, job, price } = lease;
  if (isOwn(lease)) return OWN_SHARES;
  const { segments, paths } = commitment;
  const { costPerMille } = job.order;
  return leaseShares({ segments, costPerMille, paths, jobPaths: job.leaf.paths, capMicro: BigInt(job.leaf.capMicro) }, price, job.leaf);
}

/** Micro-tokens. */
export const amountOf = (lease: LeaseState): bigint => splitOf(lease).amountMicro;

/** @param split of this lease. @param keptMicro of the worker's earnings, held back. @param auditPay see fees.ts. */
export function settlementFault(
  leaf: Leaf<'entry'>,
  lease: LeaseState,
  split: LeaseShares,
  keptMicro: bigint,
  factor: (checker: string) => number,
  auditPay: number,
  funds: Funds,
): string | null {
  const { leaf: terms } = lease.job;
  if (leaf.job !== terms.job || leaf.request !== null) return 'A lease is settled from another job.';
  const passed = lease.opinions
    .filter(({ verdict }) => verdict === 'pass')
    .map(({ checker }) => ({ checker, leaves: lease.traced.get(checker) ?? 0, factor: factor(checker) }));
  const { worker } = lease.commitment;
  const lines: Line[] = [
    [escrowOf(terms.job), -split.amountMicro],
    [heldOf(worker), keptMicro],
    [worker, split.workerMicro - keptMicro],
    ...checkerLines({ ...split, leaves: lease.commitment.leaves, auditPay }, passed, funds),
    [TREASURY, split.feeMicro],
  ];
  return expects(leaf, lines) ? null : 'A lease is settled for another amount, or to others, than its work and terms imply.';
}

/** All that is held of a worker at fault, to the creator of the lease it was found by and to the finders. */
export function forfeitLines(
  { worker, creator, finders, heldMicro }: { worker: string; creator: string; finders: readonly string[]; heldMicro: bigint },
  rules: TrustRules,
): readonly (readonly [account: string, micro: bigint])[] {
  const { creatorMicro, finderMicro } = forfeitParts(heldMicro, finders.length, rules);
  return [[heldOf(worker), -heldMicro], [creator, creatorMicro], ...finders.map((key): Line => [key, finderMicro])];
}

export function forfeitFault(leaf: Leaf<'entry'>, lease: LeaseState, heldMicro: bigint, rules: TrustRules): string | null {
  const { commitment, job, finders } = lease;
  const who = { worker: commitment.worker, creator: job.leaf.creator, finders: finders ?? [], heldMicro };
  if (leaf.job !== job.leaf.job || leaf.request !== null || !finders) return 'A forfeit without a fault.';
  return expects(leaf, forfeitLines(who, rules)) ? null : 'A forfeit is not all that was held, or goes to others than creator and finders.';
}

/** Whose held earnings a release pays out, all of them; null when it is none. */
export function releasedWorker(leaf: Leaf<'entry'>, held: (worker: string) => bigint): string | null {
  const worker = leaf.postings.map(([account]) => account).find((account) => /^[0-9a-f]{64}$/.test(account));
  if (worker === undefined || leaf.job !== null || leaf.lease !== null || leaf.request !== null) return null;
  const micro = held(worker);
  const lines: Line[] = [
    [heldOf(worker), -micro],
    [worker, micro],
  ];
  return micro > 0n && expects(leaf, lines) ? worker : null;
}

/** What a checker gets for a drill: what it would have had for a film that passes, from fees that nobody earned, then from the treasury. */
export function drillLines({ checker, dueMicro }: { checker: string; dueMicro: bigint }, funds: Funds): readonly Line[] {
  const fees = dueMicro < funds.checkersMicro ? dueMicro : funds.checkersMicro;
  const left = dueMicro - fees;
  const rest = left < funds.treasuryMicro ? left : funds.treasuryMicro;
  return [
    [CHECKERS, -fees],
    [TREASURY, -rest],
    [checker, fees + rest],
  ];
}

export function drillFault(leaf: Leaf<'entry'>, lease: LeaseState, funds: Funds): string | null {
  if (!lease.drill || leaf.job !== null || leaf.request !== null) return 'A drill is paid that was none.';
  return expects(leaf, drillLines(lease.drill, funds))
    ? null
    : 'A drill is paid for another amount, or to others, than its checker is due.';
}

/** What a granted appeal gives back: what was forfeited, as far as the treasury reaches. */
export function restoreLines(worker: string, forfeitMicro: bigint, treasuryMicro: bigint): readonly Line[] {
  const micro = forfeitMicro < treasuryMicro ? forfeitMicro : treasuryMicro;
  return [
    [TREASURY, -micro],
    [worker, micro],
  ];
}

export function restoreFault(leaf: Leaf<'entry'>, lease: LeaseState, treasuryMicro: bigint): string | null {
  if (lease.hearing?.outcome !== 'granted' || leaf.job !== null || leaf.request !== null)
    return 'Earnings are restored without an appeal that was granted.';
  const lines = restoreLines(lease.commitment.worker, lease.forfeitMicro, treasuryMicro);
  return expects(leaf, lines) ? null : 'A granted appeal restores another amount than was forfeited.';
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
