/**
 * What checkers are paid: by how much they traced again and how often they were right. Of a lease's
 * checkers' share half goes to those who passed it; but nobody gets less than so much of what the worker
 * gets per film traced, for a film that is drawn whole costs as much as rendering it. What that takes
 * beyond the lease's own share comes from fees that nobody earned, to which the other half goes, then from
 * the treasury, as far as they reach. Integers throughout; who gets the odd micro-token is nobody's choice.
 */
import { CHECKERS, TREASURY } from './leaf.ts';

/** One who passed a lease. */
export interface Paid {
  readonly checker: string;
  /** Leaves that it traced again. */
  readonly leaves: number;
  /** Part of its fee that it gets, per thousand (trust/grading). */
  readonly factor: number;
}

export interface FeeTerms {
  /** The lease's checkers' share, and what its worker gets. */
  readonly checkerMicro: bigint;
  readonly workerMicro: bigint;
  /** Leaves of the film. */
  readonly leaves: number;
  /** Hundredths of the worker's pay for a film traced whole; 0: all of the share goes to those who passed, and no more. */
  readonly auditPay: number;
}

export interface Funds {
  readonly checkersMicro: bigint;
  readonly treasuryMicro: bigint;
}

type Line = readonly [account: string, micro: bigint];

const sum = (values: readonly bigint[]): bigint => values.reduce((all, value) => all + value, 0n);
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** Fees in ascending order of keys. */
function feesOf({ checkerMicro, workerMicro, leaves, auditPay }: FeeTerms, sorted: readonly Paid[]): bigint[] {
  const pool = auditPay === 0 ? checkerMicro : checkerMicro / 2n;
  const all = BigInt(sorted.reduce((total, paid) => total + paid.leaves, 0));
  const parts = sorted.map((paid) => (all === 0n ? 0n : (pool * BigInt(paid.leaves)) / all));
  const odd = Number(all === 0n ? 0n : pool - sum(parts));
  return sorted.map((paid, i) => {
    const part = parts[i]! + (i < odd ? 1n : 0n);
    const due = (workerMicro * BigInt(auditPay) * BigInt(paid.leaves)) / (100n * BigInt(Math.max(leaves, 1)));
    return ((part > due ? part : due) * BigInt(paid.factor)) / 1000n;
  });
}

const byKey = (passed: readonly Paid[]): Paid[] => passed.toSorted((a, b) => (a.checker < b.checker ? -1 : 1));

/** What the fees take beyond the lease's own share; nothing most of the time. */
export function feesLack(terms: FeeTerms, passed: readonly Paid[]): bigint {
  const lack = sum(feesOf(terms, byKey(passed))) - terms.checkerMicro;
  return lack > 0n ? lack : 0n;
}

/** Postings of the checkers, of what nobody earned and of what the treasury adds. @param funds as they stand before this entry. */
export function checkerLines(terms: FeeTerms, passed: readonly Paid[], { checkersMicro, treasuryMicro }: Funds): readonly Line[] {
  const sorted = byKey(passed);
  let left = terms.checkerMicro + checkersMicro + treasuryMicro;
  const lines = feesOf(terms, sorted).map((fee, i): Line => {
    const paid = least(fee, left);
    left -= paid;
    return [sorted[i]!.checker, paid];
  });
  const paid = sum(lines.map(([, micro]) => micro));
  const own = least(paid, terms.checkerMicro + checkersMicro);
  return [...lines, [CHECKERS, terms.checkerMicro - own], [TREASURY, own - paid]];
}
