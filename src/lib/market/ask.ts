/**
 * What workers ask and jobs bid: the automatic ask from a worker's own speed and watts, and what a
 * job still wants for its limits. Refuses to guess a currency: without the operator's rate, a worker
 * that names no number asks the operator's price.
 */
import { segmentsPerPathMax } from '../job/plan.ts';
import type { JobOrder } from '../protocol/order.ts';

const SECONDS_PER_HOUR = 3600;
const WORK_UNIT = 1e9;

export interface Power {
  /** Of the whole machine while it renders, above what it takes anyway. */
  readonly watts: number;
  /** What a kilowatt hour costs, micro-tokens. */
  readonly kwhMicro: number;
  /** Own speed, work units per second. */
  readonly workUnitsPerSecond: number;
}

/** Beyond electricity: wear, and the trouble of it. Hundredths. */
const MARGIN_HUNDREDTHS = 25;

/** Micro-tokens per work unit that pay for electricity and a margin; at least one. */
export function automaticAsk({ watts, kwhMicro, workUnitsPerSecond }: Power): bigint {
  const perSecond = (watts / 1000 / SECONDS_PER_HOUR) * kwhMicro;
  const micro = Math.ceil((perSecond / workUnitsPerSecond) * (1 + MARGIN_HUNDREDTHS / 100));
  return BigInt(Math.max(1, Math.min(Number.isFinite(micro) ? micro : 1, Number.MAX_SAFE_INTEGER)));
}

/** Before any lease of a job has settled. */
const SEGMENTS_PER_PATH_GUESS = 6;

export interface Wants {
  readonly order: Pick<JobOrder, 'bounces' | 'capMicro'> & {
    readonly priceMaxMicro?: string | undefined;
    readonly costPerMille?: number | undefined;
  };
  /** Paths that are still to be leased. */
  readonly pathsLeft: number;
  readonly settledPaths: number;
  readonly settledSegments: number;
  readonly spentMicro: bigint;
}

/** Thousandths of a work unit of so many segments, at least one. */
export function unitsOf(segments: number, costPerMille: number): bigint {
  return BigInt(Math.max(1, Math.ceil((segments * costPerMille) / 1000 / (WORK_UNIT / 1000))));
}

/**
 * What a job bids: its own limit per work unit, or what its cap leaves for each of those it still
 * needs, and no less than the reference, for its leases are cut to their shares of the cap anyhow.
 */
export function bidOf(
  { order, pathsLeft, settledPaths, settledSegments, spentMicro }: Wants,
  referenceMicro: bigint,
): { priceMicro: bigint; units: bigint } {
  const most = segmentsPerPathMax(order.bounces);
  const perPath = settledPaths > 0 ? settledSegments / settledPaths : Math.min(SEGMENTS_PER_PATH_GUESS, most);
  const units = unitsOf(pathsLeft * perPath, order.costPerMille ?? 1000);
  if (order.priceMaxMicro !== undefined) return { priceMicro: BigInt(order.priceMaxMicro), units };
  const left = BigInt(order.capMicro) - spentMicro;
  const affordable = left > 0n ? (left * 1000n) / units : 0n;
  return { priceMicro: affordable > referenceMicro ? affordable : referenceMicro, units };
}
