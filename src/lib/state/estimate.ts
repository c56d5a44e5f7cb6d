/**
 * What a picture would cost and how long it would take, from what the local preview measured. Every
 * figure is an estimate and is shown as one; the cap alone is a promise.
 */
import { quote, type Quote } from '../market/price.ts';
import type { Policy } from '../protocol/control.ts';

/** Before anything was measured: an open scene of mixed materials traces about this many rays per path. */
const SEGMENTS_PER_PATH_GUESS = 6;
/** The cap leaves room for parts of the picture that are harder than the preview's mean. */
const CAP_FACTOR = 2n;

export interface Wanted {
  readonly width: number;
  readonly height: number;
  readonly samples: number;
  readonly bounces: number;
}

export interface Measured {
  readonly segmentsPerPath: number | null;
  readonly segmentsPerSecond: number | null;
}

export interface Estimate {
  readonly quote: Quote;
  readonly capMicro: bigint;
  /** Of this GPU alone; null until measured. */
  readonly secondsHere: number | null;
  readonly measured: boolean;
}

export function estimate(wanted: Wanted, policy: Policy, measured: Measured): Estimate {
  const perPath = measured.segmentsPerPath ?? SEGMENTS_PER_PATH_GUESS;
  const price = quote(wanted, policy, perPath);
  const roomy = price.estimateMicro * CAP_FACTOR;
  return {
    quote: price,
    capMicro: roundUp(roomy < price.worstMicro ? roomy : price.worstMicro),
    secondsHere: measured.segmentsPerSecond ? (price.paths * perPath) / measured.segmentsPerSecond : null,
    measured: measured.segmentsPerPath !== null,
  };
}

/** The same picture so many times, as a sequence has it. */
export function times({ quote: one, capMicro, secondsHere, measured }: Estimate, frames: number): Estimate {
  const n = BigInt(frames);
  const { workerMicro, checkerMicro, feeMicro } = one.split;
  const split = { workerMicro: workerMicro * n, checkerMicro: checkerMicro * n, feeMicro: feeMicro * n };
  const whole = { paths: one.paths * frames, estimateMicro: one.estimateMicro * n, worstMicro: one.worstMicro * n, split };
  return { quote: whole, capMicro: capMicro * n, secondsHere: secondsHere === null ? null : secondsHere * frames, measured };
}

/** Up to two significant digits: a promise is easier to keep in mind when it is short. */
function roundUp(micro: bigint): bigint {
  const step = 10n ** BigInt(Math.max(0, micro.toString().length - 2));
  return ((micro + step - 1n) / step) * step;
}

/** Seconds left at the pace so far; null while too little has settled to tell. */
export function secondsLeft(done: number, total: number, elapsedSeconds: number): number | null {
  if (done < 1 || elapsedSeconds < 1) return null;
  return ((total - done) / done) * elapsedSeconds;
}
