/**
 * A quote with an error bar: what the creator's own device traced of each region says how much work a
 * picture is, and how much that scatters says how sure it is. The one estimate of page and command line.
 * Statistics are floats; money is integers from the first price on.
 */
import { segmentsPerPathMax, tileCount, tileRect, tileSideOf, type Rect } from '../job/plan.ts';
import type { Policy } from '../protocol/control.ts';
import { LEAF_SIDE_PX } from '../protocol/limits.ts';
import type { JobOrder } from '../protocol/order.ts';
import { noiseAfter, samplesFor, type NoiseSums, type TileNoise } from './noise.ts';
import { capFloor, jobPaths, PLAIN_COST_PER_MILLE, splitPrice, workPrice, worstPrice, type Split } from './price.ts';

/** Two-sided 90 % of the normal distribution. */
const Z90 = 1.645;
/**
 * Error of the rays per path beside that of as many independent paths: the sampler's nets err less.
 * Measured by tests/deep/quotes over the shared scenes, as the next one.
 */
const NET_ERROR = 0.75;
/** How far a tile's variance, told from a small picture's few samples, lies from what stops it, nine times in ten. */
const VARIANCE_FACTOR = 2.25;
/** Before anything was measured: an open scene of mixed materials traces about this many rays per path. */
const SEGMENTS_PER_PATH_GUESS = 6;
/** The cap leaves room for parts of the picture that are harder than its mean. */
const CAP_FACTOR = 2n;

export type Wanted = Pick<JobOrder, 'width' | 'height' | 'samples' | 'passSamples' | 'bounces' | 'costPerMille' | 'noisePpm'>;

export interface WorkEstimate {
  /** Rays of the whole job: expected, and the ends of its 90 % interval. */
  readonly segments: number;
  readonly low: number;
  readonly high: number;
  /** Mean samples per pixel. */
  readonly samples: number;
  /** Of the picture as ordered, mean over regions; null where nothing was measured. */
  readonly noise: number | null;
}

type Size = Pick<JobOrder, 'width' | 'height'>;

/**
 * What a preview says, region by region: each is what a tile of the order shows, for a tile stops as one,
 * or several of them where the preview is too small. Empty until each pixel has two samples.
 */
export function regionsOf(order: Size, preview: Size, sums: NoiseSums): TileNoise[] {
  const scale = preview.width / order.width;
  let tileSide = tileSideOf(order);
  while (tileSide * scale < LEAF_SIDE_PX) tileSide *= 2;
  const cut = { ...order, tileSide };
  const rects = Array.from({ length: tileCount(cut) }, (_, i) => scaled(tileRect(cut, i), order, preview));
  // A sliver of a tile at the edge may be no pixel of the preview.
  const found = rects.filter(({ width, height }) => width * height > 0).map((rect) => sums.of(rect));
  return found.every((region) => region !== null) ? found : [];
}

function scaled({ x, y, width, height }: Rect, from: Size, to: Size): Rect {
  const [left, right] = [x, x + width].map((px) => Math.round((px / from.width) * to.width)) as [number, number];
  const [top, bottom] = [y, y + height].map((px) => Math.round((px / from.height) * to.height)) as [number, number];
  return { x: left, y: top, width: right - left, height: bottom - top };
}

const pixelsOf = (regions: readonly TileNoise[]): number => regions.reduce((sum, { pixels }) => sum + pixels, 0);

/** Mean over the picture. */
const meanOf = (regions: readonly TileNoise[], of: (region: TileNoise, i: number) => number): number =>
  regions.reduce((sum, region, i) => sum + region.pixels * of(region, i), 0) / pixelsOf(regions);

/**
 * @param regions of a preview, at least one, together the whole picture.
 * @param target noise at which tiles stop; null for the ordered samples everywhere.
 */
export function workOf(order: Omit<Wanted, 'bounces'>, regions: readonly TileNoise[], target: number | null): WorkEstimate {
  if (regions.length === 0) throw new RangeError('a quote needs a measured picture');
  const picture = meanOf(regions, ({ luminance }) => luminance);
  const samplesAt = (factor: number): number[] =>
    regions.map((region) =>
      target === null ? order.samples : samplesFor({ ...region, variance: factor * region.variance }, picture, target, order),
    );
  const perPixel = (samples: readonly number[]): number => meanOf(regions, (region, i) => region.segments * samples[i]!);
  const samples = samplesAt(1);
  const pixels = order.width * order.height;
  const mean = meanOf(regions, (_, i) => samples[i]!);
  const error = pathsError(regions, pixels * mean);
  return {
    segments: perPixel(samples) * pixels,
    // A share, not a difference: work is never below nothing.
    low: (perPixel(samplesAt(1 / VARIANCE_FACTOR)) * pixels) / (1 + error),
    high: perPixel(samplesAt(VARIANCE_FACTOR)) * pixels * (1 + error),
    samples: mean,
    noise: meanOf(regions, (region, i) => noiseAfter(region, picture, samples[i]!)),
  };
}

/**
 * Relative half width of the interval of the rays per path. The preview saw all of the picture, so that
 * its parts differ is no error: what errs are the paths that it drew through each pixel, and those that the job will.
 */
function pathsError(regions: readonly TileNoise[], jobPaths: number): number {
  const segments = meanOf(regions, (region) => region.segments);
  const spread = meanOf(regions, (region) => region.spread);
  const drawn = regions.reduce((sum, { pixels, samples }) => sum + pixels * samples, 0);
  return segments > 0 ? (Z90 * NET_ERROR * Math.sqrt(spread * (1 / drawn + 1 / jobPaths))) / segments : 0;
}

/** The same without a preview: its ends are those of any picture. */
function guessOf(order: Wanted): WorkEstimate {
  const paths = jobPaths(order);
  const most = segmentsPerPathMax(order.bounces);
  return {
    segments: paths * Math.min(SEGMENTS_PER_PATH_GUESS, most),
    ...{ low: paths, high: paths * most },
    ...{ samples: order.samples, noise: null },
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

type Shares = Pick<Policy, 'checkerShare' | 'feeShare'>;

/** At a price per work unit that may be the market's. */
export function priceOfWork(
  work: Pick<WorkEstimate, 'segments' | 'low' | 'high'>,
  { costPerMille: cost = PLAIN_COST_PER_MILLE }: { readonly costPerMille?: number | undefined },
  priceMicro: bigint,
  shares: Shares,
): PricedWork {
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

export interface Quote extends PricedWork {
  readonly work: WorkEstimate;
  /** By a preview; else a guess. */
  readonly measured: boolean;
  /** What the order may cost at most. */
  readonly capMicro: bigint;
}

/** What quotes are made at. */
export interface Terms {
  /** Of a work unit, in the market that the order belongs to. */
  readonly priceMicro: bigint;
  readonly policy: Policy;
}

/** @param regions of a preview of this picture; empty before there is one. */
export function quoteOf(order: Wanted, regions: readonly TileNoise[], { priceMicro, policy }: Terms): Quote {
  const measured = regions.length > 0;
  const work = measured ? workOf(order, regions, order.noisePpm === undefined ? null : order.noisePpm / 1e6) : guessOf(order);
  return { ...priceOfWork(work, order, priceMicro, policy), work, measured, capMicro: capOf(order, regions, { priceMicro, policy }) };
}

/**
 * Leases are paid from their paths' share of the cap, so it is reckoned with every sample that the
 * order allows, however early its tiles may stop. Never more than the worst case nor less than a job needs.
 */
function capOf(order: Wanted, regions: readonly TileNoise[], { priceMicro, policy }: Terms): bigint {
  const { segments } = regions.length > 0 ? workOf(order, regions, null) : guessOf(order);
  const roomy = workPrice(Math.ceil(segments), priceMicro, order.costPerMille) * CAP_FACTOR;
  const worst = worstPrice(order, priceMicro);
  const floor = capFloor(order, BigInt(policy.pricePerWorkUnitMicro));
  const cap = roundUp(roomy < worst ? roomy : worst);
  return cap > floor ? cap : floor;
}

/** Up to two significant digits: a promise is easier to keep in mind when it is short. */
function roundUp(micro: bigint): bigint {
  const step = 10n ** BigInt(Math.max(0, micro.toString().length - 2));
  return ((micro + step - 1n) / step) * step;
}

/** The same picture so many times, as a sequence has it. */
export function timesQuote(one: Quote, frames: number): Quote {
  const n = BigInt(frames);
  const { workerMicro, checkerMicro, feeMicro } = one.split;
  return {
    ...one,
    ...{ estimateMicro: one.estimateMicro * n, lowMicro: one.lowMicro * n, highMicro: one.highMicro * n },
    milliUnits: one.milliUnits * frames,
    split: { workerMicro: workerMicro * n, checkerMicro: checkerMicro * n, feeMicro: feeMicro * n },
    work: { ...one.work, segments: one.work.segments * frames, low: one.work.low * frames, high: one.work.high * frames },
    capMicro: one.capMicro * n,
  };
}

/** The most samples that any region needs for a noise, and no more than `order.samples`: what an order of that noise allows. */
export function samplesWithin(order: Omit<Wanted, 'bounces'>, regions: readonly TileNoise[], target: number): number {
  if (regions.length === 0) return order.samples;
  const picture = meanOf(regions, ({ luminance }) => luminance);
  return Math.max(...regions.map((region) => samplesFor(region, picture, target, order)));
}
