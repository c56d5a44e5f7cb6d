/**
 * A quote with an error bar: a few leaves of each region, traced on the creator's own device, say how
 * much work a picture is; how much they differ says how sure that is. Statistics are floats; money is
 * integers from the first price on.
 */
import type { Policy } from '../protocol/control.ts';
import { noiseAfter, samplesFor, type TileNoise } from './noise.ts';
import { PLAIN_COST_PER_MILLE, splitPrice, workPrice, type Split } from './price.ts';

/** Two-sided 90 % of Student's t for n - 1 degrees of freedom; the normal value beyond the table. */
const T90 = [6.314, 2.92, 2.353, 2.132, 2.015, 1.943, 1.895, 1.86, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753];
const t90 = (leaves: number): number => T90[leaves - 2] ?? 1.645 + 1.9 / Math.max(leaves - 1, 1);

export interface Wanted {
  readonly width: number;
  readonly height: number;
  readonly samples: number;
  readonly passSamples: number;
  readonly costPerMille?: number | undefined;
}

export interface WorkEstimate {
  /** Rays of the whole job: expected, and the ends of its 90 % interval. */
  readonly segments: number;
  readonly low: number;
  readonly high: number;
  /** Mean samples per pixel. */
  readonly samples: number;
  /** Of the picture as ordered, mean over leaves. */
  readonly noise: number;
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * @param leaves of the preview, at least two, evenly spread.
 * @param target noise at which tiles stop; null for the ordered samples everywhere.
 */
export function workOf(order: Wanted, leaves: readonly TileNoise[], target: number | null): WorkEstimate {
  if (leaves.length < 2) throw new RangeError('a quote needs two leaves at least');
  const picture = meanOf(leaves.map(({ luminance }) => luminance));
  const samples = leaves.map((leaf) => (target === null ? order.samples : samplesFor(leaf, picture, target, order)));
  const each = leaves.map((leaf, i) => leaf.segments * samples[i]!);
  const mean = meanOf(each);
  const variance = each.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (each.length - 1);
  const error = mean > 0 ? (t90(leaves.length) * Math.sqrt(variance / leaves.length)) / mean : 0;
  const pixels = order.width * order.height;
  return {
    segments: mean * pixels,
    // A share, not a difference: work is never below nothing.
    low: (mean * pixels) / (1 + error),
    high: mean * pixels * (1 + error),
    samples: meanOf(samples),
    noise: meanOf(leaves.map((leaf, i) => noiseAfter(leaf, picture, samples[i]!))),
  };
}

export interface PricedWork {
  readonly estimateMicro: bigint;
  readonly lowMicro: bigint;
  readonly highMicro: bigint;
  /** Work units, thousandths. */
  readonly milliUnits: number;
  readonly split: Split;
}

/** At a price per work unit that may be the market's. */
export function priceOfWork(
  work: WorkEstimate,
  order: Wanted,
  priceMicro: bigint,
  shares: Pick<Policy, 'checkerShare' | 'feeShare'>,
): PricedWork {
  const cost = order.costPerMille ?? PLAIN_COST_PER_MILLE;
  const price = (segments: number): bigint => workPrice(Math.ceil(segments), priceMicro, cost);
  const estimateMicro = price(work.segments);
  return {
    estimateMicro,
    lowMicro: price(work.low),
    highMicro: price(work.high),
    milliUnits: Math.ceil((work.segments * cost) / 1e9),
    split: splitPrice(estimateMicro, shares),
  };
}
