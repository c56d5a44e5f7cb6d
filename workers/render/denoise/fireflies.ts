/**
 * Dims fireflies before a network sees the light: pixels that outshine what is around them by more than
 * noise explains, on the word of one or a few of their paths. A network takes the brightest for things
 * and keeps them. What is taken here comes back when the picture is given the light that came in (evidence).
 */
import { luminance } from '../../scene/exact-math.ts';
import type { Noise } from './evidence.ts';

/** A pixel's standard error, as a share of its light, from which on it can be a firefly. */
const DOUBTFUL = 0.5;
/** Standard errors of what is around that a pixel may be brighter. */
const ERRORS_MAX = 3;

/** Width × height × 3, linear. */
export interface Light {
  readonly color: Float32Array;
  readonly width: number;
  readonly height: number;
}

/**
 * A firefly comes down to three standard errors above its neighbours, though by no more than its own
 * standard error: of a pixel that a single path lit that is all of it, of one that many paths agree on
 * next to nothing. Neighbours count by the second brightest and the second least sure of eight, for
 * fireflies and edges have company.
 * @returns a copy.
 */
export function dimFireflies({ color, width, height }: Light, { moment, samples }: Noise): Float32Array<ArrayBuffer> {
  const dimmed = Float32Array.from(color);
  const luminanceAt = (p: number): number => luminance(color[p * 3]!, color[p * 3 + 1]!, color[p * 3 + 2]!);
  const errorAt = (p: number, light: number): number => Math.sqrt(Math.max(moment[p]! - light * light, 0) / (samples[p]! - 1));
  for (let p = 0; p < width * height; p++) {
    const light = luminanceAt(p);
    const error = errorAt(p, light);
    if (!(samples[p]! > 1 && Number.isFinite(error) && error >= DOUBTFUL * light && light > 0)) continue;
    const [lights, errors] = [new Second(), new Second()];
    for (const q of around(p, width, height)) {
      const beside = luminanceAt(q);
      if (!Number.isFinite(beside) || !(samples[q]! > 1)) continue;
      lights.add(beside);
      errors.add(errorAt(q, beside));
    }
    const over = light - lights.value - ERRORS_MAX * errors.value;
    if (!(over > 0)) continue;
    const left = 1 - Math.min(over, error) / light;
    for (let c = p * 3; c < p * 3 + 3; c++) dimmed[c]! *= left;
  }
  return dimmed;
}

/** The second largest of what was added; endless while there are not two, which says nothing. */
class Second {
  #first = -Infinity;
  #second = -Infinity;

  add(value: number): void {
    this.#second = Math.max(this.#second, Math.min(value, this.#first));
    this.#first = Math.max(this.#first, value);
  }

  get value(): number {
    return this.#second === -Infinity ? Infinity : this.#second;
  }
}

function* around(p: number, width: number, height: number): Generator<number> {
  const [x, y] = [p % width, Math.floor(p / width)];
  for (let j = Math.max(0, y - 1); j <= Math.min(height - 1, y + 1); j++) {
    for (let i = Math.max(0, x - 1); i <= Math.min(width - 1, x + 1); i++) {
      if (j * width + i !== p) yield j * width + i;
    }
  }
}
