/**
 * What work costs, in integer micro-tokens. Pure arithmetic that creator, coordinator and anyone who
 * replays the log compute alike: floats never touch money, rounding is named, and no lease costs more
 * than its share of the job's cap.
 */
import { segmentsPerPathMax, tileCount, tileRect, passes } from '../job/plan.ts';
import type { Policy } from '../protocol/control.ts';
import type { JobOrder } from '../protocol/order.ts';

const SEGMENTS_PER_WORK_UNIT = 1_000_000_000n;
const THOUSAND = 1000n;

const ceilDiv = (a: bigint, b: bigint): bigint => (a + b - 1n) / b;

/** Paths of a whole job: pixels × samples. */
export const jobPaths = (order: Pick<JobOrder, 'width' | 'height' | 'samples'>): number => order.width * order.height * order.samples;

/** Paths of one lease. `slot` = pass index × tiles + tile index, the order in which leases are granted. */
export function leasePaths(order: JobOrder, slot: number): number {
  const tiles = tileCount(order);
  const pass = passes(order)[Math.floor(slot / tiles)];
  if (!pass) throw new RangeError(`slot ${slot} is outside the job`);
  const rect = tileRect(order, slot % tiles);
  return rect.width * rect.height * pass.count;
}

/** Price of `segments` traced rays, rounded up to a whole micro-token. */
export const workPrice = (segments: number | bigint, pricePerWorkUnitMicro: bigint): bigint =>
  ceilDiv(BigInt(segments) * pricePerWorkUnitMicro, SEGMENTS_PER_WORK_UNIT);

export interface LeaseBill {
  readonly segments: number;
  readonly paths: number;
  readonly jobPaths: number;
  readonly capMicro: bigint;
  readonly pricePerWorkUnitMicro: bigint;
}

/** What a settled lease costs its creator: verified work, never above the lease's share of the cap (rounded down). */
export function leasePrice(bill: LeaseBill): bigint {
  const work = workPrice(bill.segments, bill.pricePerWorkUnitMicro);
  const share = (bill.capMicro * BigInt(bill.paths)) / BigInt(bill.jobPaths);
  return work < share ? work : share;
}

/** The least a job may be capped at: what its paths cost if each ended where it began. */
export const capFloor = (order: Pick<JobOrder, 'width' | 'height' | 'samples'>, pricePerWorkUnitMicro: bigint): bigint =>
  workPrice(jobPaths(order), pricePerWorkUnitMicro);

/** Settled leases that say something about a job's cap: no fewer than this, or a quarter of a small job's. */
const CAP_EVIDENCE_LEASES = 8;

export interface Spending {
  readonly slots: number;
  readonly settled: number;
  /** Of settled leases. */
  readonly segments: number;
  readonly spentMicro: bigint;
  readonly priceMicro: bigint;
}

/** Has the cap cut what settled leases earned to less than half of what their work costs? */
export function capFallsShort({ slots, settled, segments, spentMicro, priceMicro }: Spending): boolean {
  if (settled < Math.min(CAP_EVIDENCE_LEASES, Math.ceil(slots / 4))) return false;
  return settled > 0 && workPrice(segments, priceMicro) > 2n * spentMicro + BigInt(settled);
}

export interface Split {
  readonly workerMicro: bigint;
  readonly checkerMicro: bigint;
  readonly feeMicro: bigint;
}

/** Cuts a lease's price; checker and fee round down, the worker gets the rest. */
export function splitPrice(amountMicro: bigint, shares: Pick<Policy, 'checkerShare' | 'feeShare'>): Split {
  const checkerMicro = (amountMicro * BigInt(shares.checkerShare)) / THOUSAND;
  const feeMicro = (amountMicro * BigInt(shares.feeShare)) / THOUSAND;
  return { workerMicro: amountMicro - checkerMicro - feeMicro, checkerMicro, feeMicro };
}

/** `amount` in `parts` integer parts that differ by at most one and sum to it; the first get the odd micro-tokens. */
export function evenParts(amountMicro: bigint, parts: number): bigint[] {
  const base = amountMicro / BigInt(parts);
  const odd = Number(amountMicro % BigInt(parts));
  return Array.from({ length: parts }, (_, i) => base + (i < odd ? 1n : 0n));
}

export interface Quote {
  readonly paths: number;
  /** At the measured rays per path. */
  readonly estimateMicro: bigint;
  /** If every path used every bounce: a cap at or above this is never reached. */
  readonly worstMicro: bigint;
  /** How an estimate's worth of tokens is cut. */
  readonly split: Split;
}

/** @param segmentsPerPath measured on the creator's own device, or a guess; cut to what the bounces allow. */
export function quote(order: Pick<JobOrder, 'width' | 'height' | 'samples' | 'bounces'>, policy: Policy, segmentsPerPath: number): Quote {
  const paths = jobPaths(order);
  const most = segmentsPerPathMax(order.bounces);
  const price = BigInt(policy.pricePerWorkUnitMicro);
  const estimateMicro = workPrice(Math.ceil(paths * Math.min(Math.max(segmentsPerPath, 1), most)), price);
  return { paths, estimateMicro, worstMicro: workPrice(paths * most, price), split: splitPrice(estimateMicro, policy) };
}
