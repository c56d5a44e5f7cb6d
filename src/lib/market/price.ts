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

/** Paths of the first `slots` leases of a job, in the order in which they are granted; whole passes, and part of the next in proportion. */
export function pathsOfFirst(order: JobOrder, slots: number): number {
  const tiles = tileCount(order);
  return passes(order).reduce((sum, { count }, i) => {
    const share = Math.min(Math.max(slots - i * tiles, 0), tiles) / tiles;
    return sum + share * order.width * order.height * count;
  }, 0);
}

/** Paths of one lease. `slot` = pass index × tiles + tile index, the order in which leases are granted. */
export function leasePaths(order: JobOrder, slot: number): number {
  const tiles = tileCount(order);
  const pass = passes(order)[Math.floor(slot / tiles)];
  if (!pass) throw new RangeError(`slot ${slot} is outside the job`);
  const rect = tileRect(order, slot % tiles);
  return rect.width * rect.height * pass.count;
}

/** What a segment costs where nobody measured it, thousandths: a work unit is then 10^9 segments. */
export const PLAIN_COST_PER_MILLE = 1000;

/**
 * Price of `segments` traced rays, rounded up to a whole micro-token.
 * @param costPerMille what a thousand of them cost, in the units of which a work unit has 10^9.
 */
export const workPrice = (segments: number | bigint, pricePerWorkUnitMicro: bigint, costPerMille = PLAIN_COST_PER_MILLE): bigint =>
  ceilDiv(BigInt(segments) * BigInt(costPerMille) * pricePerWorkUnitMicro, SEGMENTS_PER_WORK_UNIT * THOUSAND);

export interface LeaseBill {
  readonly segments: number;
  /** Of the job's order; PLAIN_COST_PER_MILLE where it says nothing. */
  readonly costPerMille?: number | undefined;
  readonly paths: number;
  readonly jobPaths: number;
  readonly capMicro: bigint;
  readonly pricePerWorkUnitMicro: bigint;
}

/** What a settled lease costs its creator: verified work, never above the lease's share of the cap (rounded down). */
export function leasePrice(bill: LeaseBill): bigint {
  const work = workPrice(bill.segments, bill.pricePerWorkUnitMicro, bill.costPerMille);
  const share = (bill.capMicro * BigInt(bill.paths)) / BigInt(bill.jobPaths);
  return work < share ? work : share;
}

/** The least a job may be capped at: what its paths cost if each ended where it began. */
export const capFloor = (order: Pick<JobOrder, 'width' | 'height' | 'samples' | 'costPerMille'>, pricePerWorkUnitMicro: bigint): bigint =>
  workPrice(jobPaths(order), pricePerWorkUnitMicro, order.costPerMille);

/** Settled leases that say something about a job's cap: no fewer than this, or a quarter of a small job's. */
const CAP_EVIDENCE_LEASES = 8;

export interface Spending {
  readonly slots: number;
  readonly settled: number;
  /** What settled leases would have cost without a cap. */
  readonly workMicro: bigint;
  readonly spentMicro: bigint;
}

/** Has the cap cut what settled leases earned to less than half of what their work costs? */
export function capFallsShort({ slots, settled, workMicro, spentMicro }: Spending): boolean {
  if (settled < Math.min(CAP_EVIDENCE_LEASES, Math.ceil(slots / 4))) return false;
  return settled > 0 && workMicro > 2n * spentMicro + BigInt(settled);
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

/** What a round of the market made of a work unit; the two differ where McAfee's rule left a pair out. */
export interface WorkPrice {
  readonly buyMicro: bigint;
  readonly sellMicro: bigint;
}

export interface LeaseShares extends Split {
  /** What leaves the job's escrow: the sum of the parts. */
  readonly amountMicro: bigint;
}

/** How a settled lease is paid: at what its seller was promised, and what its buyer pays beyond that goes to the operator. */
export function leaseShares(
  bill: Omit<LeaseBill, 'pricePerWorkUnitMicro'>,
  { buyMicro, sellMicro }: WorkPrice,
  shares: Pick<Policy, 'checkerShare' | 'feeShare'>,
): LeaseShares {
  const amountMicro = leasePrice({ ...bill, pricePerWorkUnitMicro: buyMicro });
  const soldMicro = sellMicro === buyMicro ? amountMicro : leasePrice({ ...bill, pricePerWorkUnitMicro: sellMicro });
  const split = splitPrice(soldMicro, shares);
  return { ...split, feeMicro: split.feeMicro + amountMicro - soldMicro, amountMicro };
}

/** Own machines work for nothing. */
export const OWN_SHARES: LeaseShares = { workerMicro: 0n, checkerMicro: 0n, feeMicro: 0n, amountMicro: 0n };

/** `amount` in `parts` integer parts that differ by at most one and sum to it; the first get the odd micro-tokens. */
export function evenParts(amountMicro: bigint, parts: number): bigint[] {
  const base = amountMicro / BigInt(parts);
  const odd = Number(amountMicro % BigInt(parts));
  return Array.from({ length: parts }, (_, i) => base + (i < odd ? 1n : 0n));
}

/** What a picture costs if every path uses every bounce: a cap at or above this is never reached. */
export const worstPrice = (
  order: Pick<JobOrder, 'width' | 'height' | 'samples' | 'bounces' | 'costPerMille'>,
  pricePerWorkUnitMicro: bigint,
): bigint => workPrice(jobPaths(order) * segmentsPerPathMax(order.bounces), pricePerWorkUnitMicro, order.costPerMille);
