/**
 * The leaf test: does an opened leaf agree with a re-trace of the same paths? Signatures are
 * integers and compare exactly. Where all of a pixel's agree, its film must agree to rounding and
 * its counts exactly, but for the few pixels that drifted (below); where some differ, only those paths may have made a difference, and what
 * they may have made is bounded per pixel and per leaf. Refuses to decide about people: it returns
 * findings, and what follows from them is the coordinator's.
 *
 * The bounds for d of a pixel's and D of the leaf's N paths that differ, with m the re-trace's mean
 * light per path and b its brightest pixel, which bounds the light of each of its paths (and one
 * sample's share more):
 *  - a pixel may differ by d·b, and by d paths' worth of segments;
 *  - the sum of all differences, sign and all, may be b + 4·√D·m: paths that fell another way for
 *    rounding's sake are draws from the same distribution, so their differences cancel but for noise;
 *  - the sum of their sizes may be b + (2D + 4·√D)·m, and segments have a bound of the same form.
 * Albedo, normal, depth and the rest have bounds of their own kind (compare-layers).
 * A pixel drifted when its paths decided alike and its light, or what it saw in mirrors and through
 * lenses, still differs by more than rounding: between curved surfaces the last bit of a direction grows
 * with every bounce, and need not change what is hit, but where. It counts as a pixel with one
 * differing path, and no more than `driftedShareMax` of a leaf's pixels may be such.
 * A tenth of a leaf's paths may differ, and four standard deviations of such a share more: behind curved glass
 * a leaf of 64 paths had 13 that fell another way.
 * What remains possible is a bounded bias. Who disowns as many paths of an evenly lit leaf as may differ
 * can shift its light by 1/64 + 4·√D/N (6.2 % at 16 samples, less at more) or add one false bright pixel
 * no brighter than the brightest; a pass of one sample proves least. Who does so in many leaves is found by
 * their sum (aggregate.ts). Light is taken from the
 * re-trace alone, so no claim widens its own tolerance.
 */
import { FILM_BYTES_PER_PIXEL, readPixel, viewOfFilm, type PixelSums } from '../job/film.ts';
import type { LeafParts } from './commitment.ts';
import { LayerTest, type Differing } from './compare-layers.ts';

export interface CompareThresholds {
  /** Least share of paths whose signatures are equal; of a leaf a few more may differ, by chance (`differingMax`). */
  readonly signatureShareMin: number;
  /** Relative bound for pixels whose signatures all agree. */
  readonly lightRelativeMax: number;
  /** Radiance sum below which differences are absolute. */
  readonly lightFloor: number;
  /** Largest share of a leaf's pixels that may differ by more, though all their signatures agree. */
  readonly driftedShareMax: number;
}

/**
 * As `npm run trust:calibrate` found them to be needed (tests/reference/adapter-pairs.json): of 286,000 honest
 * leaves none had more differing paths or drifted pixels than these allow. A film with fewer samples or
 * shallower paths shares far fewer signatures than this.
 */
export const DEFAULT_THRESHOLDS: CompareThresholds = {
  signatureShareMin: 0.9,
  lightRelativeMax: 1e-3,
  lightFloor: 1e-4,
  driftedShareMax: 1 / 8,
};

/** Standard deviations of noise that honest divergence may show in a sum over a leaf. */
export const NOISE = 4;
/** As NOISE, in units of the most segments one path may have: their spread is at most about a third of that. */
const SEGMENT_NOISE = 1.5;

/** How many of so many paths may differ. */
export function differingMax(paths: number, { signatureShareMin } = DEFAULT_THRESHOLDS): number {
  const share = 1 - signatureShareMin;
  return share * paths + NOISE * Math.sqrt(share * signatureShareMin * paths);
}

/** What the lease says of the leaf's paths. */
export interface LeafPaths {
  /** Per pixel. */
  readonly samples: number;
  /** Of one path (job/plan). */
  readonly segmentsMax: number;
}

export interface LeafFinding {
  readonly paths: number;
  readonly pathsEqual: number;
  /** Pixels whose film differs by more than their paths allow; all that differ, when only their sum does. */
  readonly pixelsWrong: number;
  /** Largest relative difference of light among pixels whose signatures all agree. */
  readonly lightRelativeWorst: number;
  readonly agrees: boolean;
  readonly reason: 'agrees' | 'size' | 'signatures' | 'light' | 'not-finite';
}

/** Sums over the pixels of a leaf in which some path differs, or that drifted. */
interface Diverged {
  pixels: number;
  paths: number;
  readonly lightSigned: [number, number, number];
  readonly lightSize: [number, number, number];
  segments: number;
}

/** Light of one path of the re-trace, from its brightest channel. */
export interface Brightness {
  readonly mean: number;
  readonly most: number;
}

export function compareLeaf(claimed: LeafParts, traced: LeafParts, of: LeafPaths, thresholds = DEFAULT_THRESHOLDS): LeafFinding {
  const { samples, segmentsMax } = of;
  const pixels = traced.light.length / FILM_BYTES_PER_PIXEL;
  const paths = pixels * samples;
  const empty = { paths, pathsEqual: 0, pixelsWrong: 0, lightRelativeWorst: 0, agrees: false } as const;
  if (claimed.light.length !== traced.light.length || claimed.signatures.length !== traced.signatures.length)
    return { ...empty, reason: 'size' };
  const claims = pixelsOf(claimed.light);
  const truth = pixelsOf(traced.light);
  const brightness = brightnessOf(truth, samples);
  const layers = new LayerTest(truth, samples, brightness, thresholds);
  const diverged: Diverged = { pixels: 0, paths: 0, lightSigned: [0, 0, 0], lightSize: [0, 0, 0], segments: 0 };
  let wrong = 0;
  let drifted = 0;
  let worst = 0;
  for (const [p, a] of claims.entries()) {
    const b = truth[p]!;
    const { difference, scale } = lightDifference(a, b, thresholds.lightFloor);
    if (!Number.isFinite(difference + a.depth + a.moment)) return { ...empty, reason: 'not-finite' };
    const rounding = thresholds.lightRelativeMax * scale;
    const differing = differingSignatures(claimed.signatures, traced.signatures, p, samples);
    const drifts = differing.count === 0 && (difference > rounding || layers.drifts(a, b));
    const paths = drifts ? 1 : differing.count;
    const segments = a.segments - b.segments;
    if (drifts) drifted++;
    if (differing.count === 0) worst = Math.max(worst, difference / scale);
    if (paths > 0) addDiverged(diverged, a, b, paths, segments);
    const lit = difference <= rounding + paths * brightness.most && Math.abs(segments) <= differing.count * segmentsMax;
    if (!layers.pixelHolds(a, b, { ...differing, drifts }) || !lit) wrong++;
  }
  if (drifted > thresholds.driftedShareMax * pixels) wrong += drifted;
  if (wrong === 0 && !(sumsHold(diverged, brightness, segmentsMax, thresholds) && layers.sumsHold())) wrong = diverged.pixels;
  const pathsEqual = paths - diverged.paths;
  // A drifted pixel counts as one path that differs, but its signatures all agree: too many of them are about light.
  const reason = paths - pathsEqual - drifted > differingMax(paths, thresholds) ? 'signatures' : wrong > 0 ? 'light' : 'agrees';
  return { paths, pathsEqual, pixelsWrong: wrong, lightRelativeWorst: worst, agrees: reason === 'agrees', reason };
}

function pixelsOf(light: Uint8Array): PixelSums[] {
  const view = viewOfFilm(light);
  return Array.from({ length: light.length / FILM_BYTES_PER_PIXEL }, (_, p) => readPixel(view, p));
}

function brightnessOf(truth: readonly PixelSums[], samples: number): Brightness {
  const total = [0, 0, 0];
  let most = 0;
  for (const { light } of truth) {
    for (const [c, value] of light.entries()) {
      total[c]! += value;
      most = Math.max(most, value);
    }
  }
  // The brightest pixel of few paths says less about the brightest path.
  return { mean: Math.max(...total) / (truth.length * samples), most: most * (1 + 1 / samples) };
}

function addDiverged(sums: Diverged, a: PixelSums, b: PixelSums, paths: number, segments: number): void {
  sums.pixels++;
  sums.paths += paths;
  sums.segments += segments;
  for (let c = 0; c < 3; c++) {
    const difference = a.light[c]! - b.light[c]!;
    sums.lightSigned[c]! += difference;
    sums.lightSize[c]! += Math.abs(difference);
  }
}

function sumsHold(sums: Diverged, { mean, most }: Brightness, segmentsMax: number, thresholds: CompareThresholds): boolean {
  const { pixels, paths } = sums;
  if (paths === 0) return true;
  const noise = NOISE * Math.sqrt(paths) * mean;
  const rounding = pixels * Math.max(thresholds.lightFloor, most) * thresholds.lightRelativeMax;
  const signedMax = rounding + most + noise;
  const sizeMax = signedMax + 2 * paths * mean;
  const segmentPaths = Math.min(paths, SEGMENT_NOISE * Math.sqrt(paths));
  return (
    sums.lightSigned.every((sum) => Math.abs(sum) <= signedMax) &&
    sums.lightSize.every((sum) => sum <= sizeMax) &&
    Math.abs(sums.segments) <= segmentPaths * segmentsMax
  );
}

function differingSignatures(a: Uint8Array, b: Uint8Array, pixel: number, samples: number): Omit<Differing, 'drifts'> {
  let count = 0;
  let first = samples;
  for (let s = samples - 1; s >= 0; s--) {
    const at = (pixel * samples + s) * 2;
    if (a[at] === b[at] && a[at + 1] === b[at + 1]) continue;
    count++;
    first = s;
  }
  return { count, first };
}

/** Largest channel difference, and the re-trace's brightest channel; NaN when either is not finite. */
function lightDifference(a: PixelSums, b: PixelSums, floor: number): { difference: number; scale: number } {
  let difference = 0;
  let scale = floor;
  for (let c = 0; c < 3; c++) {
    const [x, y] = [a.light[c]!, b.light[c]!];
    if (!Number.isFinite(x) || !Number.isFinite(y)) return { difference: Number.NaN, scale };
    difference = Math.max(difference, Math.abs(x - y));
    // Of the re-trace alone: a claim must not widen its own bound.
    scale = Math.max(scale, Math.abs(y));
  }
  return { difference, scale };
}
