/**
 * How far a noisy picture is from a converged one: relMSE per channel, (a-b)² / (b² + 0.01), the
 * worst 0.1 % of pixels left out, since one firefly of 10^10 would be the whole mean. Pictures of
 * another size are brought to the reference's by exact boxes, or the reference to theirs.
 */
import { readFileSync } from 'node:fs';
import { readExr } from '#workers/scene/exr.ts';

export interface Image {
  readonly width: number;
  readonly height: number;
  /** R, G, B, rows from the top. */
  readonly data: Float32Array;
}

const EPSILON = 0.01;
const LEFT_OUT_SHARE = 0.001;

export function readReference(path: string): Image {
  const refuse = (what: string): never => {
    throw new Error(`${path} ${what}`);
  };
  return readExr(Uint8Array.from(readFileSync(path)), refuse);
}

export const imageOf = (base64: string, width: number, height: number): Image => {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  return { width, height, data: new Float32Array(bytes.buffer) };
};

/** Means over k × k boxes. */
function boxed({ width, height, data }: Image, k: number): Image {
  const [w, h] = [width / k, height / k];
  const out = new Float32Array(w * h * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) out[(Math.floor(y / k) * w + Math.floor(x / k)) * 3 + c]! += data[(y * width + x) * 3 + c]! / (k * k);
  return { width: w, height: h, data: out };
}

/** Both at the smaller of their sizes. @returns null where no whole number of pixels makes a box. */
function alike(a: Image, b: Image): readonly [Image, Image] | null {
  const [small, large] = a.width <= b.width ? [a, b] : [b, a];
  const k = large.width / small.width;
  if (!Number.isInteger(k) || large.height !== small.height * k) return null;
  const less = k === 1 ? large : boxed(large, k);
  return small === a ? [a, less] : [less, b];
}

/** @returns null where the sizes don't fit. */
export function relMse(image: Image, reference: Image): number | null {
  const pair = alike(image, reference);
  if (!pair) return null;
  const [{ data: a }, { data: b }] = pair;
  const errors = Float64Array.from({ length: a.length / 3 }, (_, p) => {
    let sum = 0;
    for (let i = p * 3; i < p * 3 + 3; i++) {
      const value = Number.isFinite(a[i]!) ? a[i]! : 0;
      sum += (value - b[i]!) ** 2 / (b[i]! ** 2 + EPSILON);
    }
    return sum / 3;
  }).toSorted();
  const kept = errors.subarray(0, errors.length - Math.floor(errors.length * LEFT_OUT_SHARE));
  return kept.reduce((sum, error) => sum + error, 0) / kept.length;
}

/** One point of a convergence curve. */
export interface Reading {
  /** Per pixel. */
  readonly samples: number;
  readonly relMse: number;
}

/**
 * Samples until the curve came down to `goal`: between two readings by a straight line of their
 * logarithms, outside of them with the slope -1 of independent samples.
 */
export function samplesTo(goal: number, readings: readonly Reading[]): number | null {
  const [first] = readings;
  if (!first || !(goal > 0)) return null;
  if (first.relMse <= goal) return (first.samples * first.relMse) / goal;
  for (const [i, now] of readings.entries()) {
    const before = readings[i - 1];
    if (!before || now.relMse > goal) continue;
    const share = Math.log(before.relMse / goal) / Math.log(before.relMse / now.relMse);
    return before.samples * (now.samples / before.samples) ** share;
  }
  const last = readings.at(-1)!;
  return (last.samples * last.relMse) / goal;
}
