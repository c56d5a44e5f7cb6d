/**
 * The leaf test's second half: what a film tells beside light. Nobody may send false albedo,
 * normals, depth or ids with honest light. Refuses to judge light and segments (compare).
 *
 * Where all paths of a pixel agree:
 *  - coverage and object are the same;
 *  - albedo and normal are within one step per path: each path rounds its value to a step once, and
 *    two devices whose floats differ in the last bit may round to neighbours. The bias this leaves
 *    is 1/1023 of white, below what anybody sees or a denoiser minds;
 *  - depth and moment agree relatively, a square twice as loosely as what it is the square of.
 * In a pixel that drifted albedo, normal and moment may be off as if one path differed: behind a ball of
 * glass the same texture is met elsewhere.
 * Where d paths differ, each may be off by the whole range of the value (for depth: by the deepest
 * pixel; for moment: by the square of the brightest), and over the leaf's D such paths the signed
 * sum is bounded as for light: one path's range and NOISE standard deviations. The object may be
 * another one only when a path differs that can have been the first to see a surface, and in no
 * larger a share of pixels than paths may differ.
 */
import { ALBEDO_STEPS, NORMAL_STEPS, type PixelSums } from '../job/film.ts';
import { NOISE, type Brightness, type CompareThresholds } from './compare.ts';

/** Paths of one pixel whose signatures differ. */
export interface Differing {
  readonly count: number;
  /** The lowest such sample, counted from the pass's first; the sample count when there is none. */
  readonly first: number;
  /** None differs, and something is off by more than rounding all the same (compare). */
  readonly drifts: boolean;
}

interface Bound {
  readonly of: (pixel: PixelSums) => number;
  /** Most that rounding makes between two devices, in a pixel whose paths all agree. */
  readonly rounding: (traced: PixelSums) => number;
  /** Most by which one differing path can change a pixel. */
  readonly range: number;
  /** Standard deviation of such a change, at most. */
  readonly spread: number;
  /** Whether a path that decided alike may change it so as well. */
  readonly drifts?: true;
}

export class LayerTest {
  readonly #samples: number;
  readonly #bounds: readonly Bound[];
  readonly #objectsMax: number;
  /** Per bound: signed difference and rounding allowance, summed over the pixels in which a path differs. */
  readonly #signed: number[];
  readonly #allowed: number[];
  #paths = 0;
  #objects = 0;

  constructor(truth: readonly PixelSums[], samples: number, brightness: Brightness, thresholds: CompareThresholds) {
    const paths = truth.length * samples;
    this.#samples = samples;
    this.#bounds = [
      ...stepBounds(samples),
      coverageBound,
      depthBound(truth, samples, thresholds),
      momentBound(truth, paths, brightness, thresholds),
    ];
    this.#objectsMax = 1 + (1 - thresholds.signatureShareMin) * truth.length;
    this.#signed = this.#bounds.map(() => 0);
    this.#allowed = this.#bounds.map(() => 0);
  }

  /** @returns false when the claim differs by more than its differing paths allow. */
  pixelHolds(claimed: PixelSums, traced: PixelSums, differing: Differing): boolean {
    let holds = true;
    this.#paths += differing.drifts ? 1 : differing.count;
    for (const [i, { of, rounding, range, drifts }] of this.#bounds.entries()) {
      const difference = of(claimed) - of(traced);
      const paths = drifts && differing.drifts ? 1 : differing.count;
      if (Math.abs(difference) > rounding(traced) + paths * range) holds = false;
      if (paths === 0) continue;
      this.#signed[i]! += difference;
      this.#allowed[i]! += rounding(traced);
    }
    if (claimed.object === traced.object) return holds;
    this.#objects++;
    // The lowest sample with a surface is at most the one after all without.
    return holds && differing.first <= this.#samples - traced.coverage;
  }

  /** Whether more than rounding has changed, in a pixel whose paths decided alike, what such paths may change. */
  drifts(claimed: PixelSums, traced: PixelSums): boolean {
    return this.#bounds.some(({ of, rounding, drifts }) => drifts && Math.abs(of(claimed) - of(traced)) > rounding(traced));
  }

  /** After the last pixel. */
  sumsHold(): boolean {
    if (this.#objects > this.#objectsMax) return false;
    return this.#bounds.every(({ range, spread }, i) => {
      const most = this.#allowed[i]! + range + NOISE * Math.sqrt(this.#paths) * spread;
      return Math.abs(this.#signed[i]!) <= most;
    });
  }
}

/** A value between two ends spreads by at most half their distance. */
const stepBounds = (samples: number): Bound[] =>
  [0, 1, 2].flatMap((c) => [
    { of: ({ albedo }) => albedo[c]!, rounding: () => samples, range: ALBEDO_STEPS, spread: ALBEDO_STEPS / 2, drifts: true },
    { of: ({ normal }) => normal[c]!, rounding: () => samples, range: 2 * NORMAL_STEPS, spread: NORMAL_STEPS, drifts: true },
  ]);

const coverageBound: Bound = { of: ({ coverage }) => coverage, rounding: () => 0, range: 1, spread: 0.5 };

function depthBound(truth: readonly PixelSums[], samples: number, { lightRelativeMax }: CompareThresholds): Bound {
  const depths = truth.map(({ depth }) => depth);
  const range = Math.max(...depths) * (1 + 1 / samples);
  const spread = depths.reduce((sum, depth) => sum + depth, 0) / (truth.length * samples);
  return { of: ({ depth }) => depth, rounding: ({ depth }) => lightRelativeMax * depth, range, spread };
}

function momentBound(truth: readonly PixelSums[], paths: number, { most }: Brightness, thresholds: CompareThresholds): Bound {
  const { lightRelativeMax, lightFloor } = thresholds;
  const spread = truth.reduce((sum, { moment }) => sum + moment, 0) / paths;
  const rounding = ({ moment }: PixelSums): number => 2 * lightRelativeMax * Math.max(moment, lightFloor ** 2);
  return { of: ({ moment }) => moment, rounding, range: most ** 2, spread, drifts: true };
}
