/**
 * How grainy a tile is, and how many samples it takes to be as quiet as ordered: from the sums of
 * squared luminance that films carry. The measure is the standard error of a pixel's mean against the
 * tile's own brightness, so that dark tiles are not sampled for ever; refuses tiles of too few samples.
 */
import { FILM_BYTES_PER_PIXEL, filmStatistics, STATISTICS_PER_PIXEL } from '../job/film.ts';
import { passes, type Rect } from '../job/plan.ts';

/** No tile is judged by fewer: the variance of a handful of paths says little, and says it too small. */
export const NOISE_SAMPLES_MIN = 16;
/** Part of the picture's brightness that is added to a tile's own: what is nearly black is seen beside what is not. */
const FLOOR = 0.1;

/** Sums over samples of one tile or leaf. */
export interface TileNoise {
  readonly pixels: number;
  /** Per pixel. */
  readonly samples: number;
  /** Mean luminance. */
  readonly luminance: number;
  /** Mean over pixels of the variance of one sample's luminance. */
  readonly variance: number;
  /** Per sample, rays traced. */
  readonly segments: number;
  /** Mean over pixels of the variance of one sample's rays; 0 where all samples came in one pass, which can't tell. */
  readonly spread: number;
}

const [LIGHT, MOMENT, SEGMENTS, SQUARES, SAMPLES, PASSES, PLANES] = [0, 1, 2, 3, 4, 5, 6];

/** What the films of a picture in the making say of noise and work, pixel by pixel. */
export class NoiseSums {
  readonly #width: number;
  readonly #sums: Float64Array<ArrayBuffer>;

  constructor({ width, height }: { readonly width: number; readonly height: number }) {
    this.#width = width;
    this.#sums = new Float64Array(width * height * PLANES);
  }

  /** @param light FilmPixel per pixel of one pass of `rect`; no pass may be added twice. */
  add(rect: Rect, light: Uint8Array, samples: number): void {
    const film = filmStatistics(light);
    let from = 0;
    for (const at of this.#pixels(rect)) {
      const segments = film[from + 2]!;
      this.#sums[at + LIGHT]! += film[from]!;
      this.#sums[at + MOMENT]! += film[from + 1]!;
      this.#sums[at + SEGMENTS]! += segments;
      this.#sums[at + SQUARES]! += segments ** 2 / samples;
      this.#sums[at + SAMPLES]! += samples;
      this.#sums[at + PASSES]! += 1;
      from += STATISTICS_PER_PIXEL;
    }
  }

  /** @param rect of one pixel at least. @returns null while a pixel of it has fewer than two samples. */
  of(rect: Rect): TileNoise | null {
    const pixels = rect.width * rect.height;
    let [all, luminance, variance, segments, squares, freedom] = [0, 0, 0, 0, 0, 0];
    for (const at of this.#pixels(rect)) {
      const samples = this.#sums[at + SAMPLES]!;
      if (samples < 2) return null;
      const [light, rays] = [this.#sums[at + LIGHT]! / samples, this.#sums[at + SEGMENTS]! / samples];
      all += samples;
      luminance += light;
      variance += Math.max(0, this.#sums[at + MOMENT]! / samples - light * light) * (samples / (samples - 1));
      segments += rays;
      squares += Math.max(0, this.#sums[at + SQUARES]! - rays * rays * samples);
      freedom += this.#sums[at + PASSES]! - 1;
    }
    const means = { luminance: luminance / pixels, variance: variance / pixels, segments: segments / pixels };
    return { pixels, samples: all / pixels, ...means, spread: freedom > 0 ? squares / freedom : 0 };
  }

  *#pixels({ x, y, width, height }: Rect): Generator<number> {
    for (let row = y; row < y + height; row++)
      for (let column = x; column < x + width; column++) yield (row * this.#width + column) * PLANES;
  }
}

/** @param films disjoint passes of one tile: their light, FilmPixel per pixel, and samples per pixel. @returns null for fewer than two samples. */
export function tileNoise(films: readonly { readonly light: Uint8Array; readonly samples: number }[]): TileNoise | null {
  const pixels = (films[0]?.light.length ?? 0) / FILM_BYTES_PER_PIXEL;
  const tile = { x: 0, y: 0, width: pixels, height: 1 };
  const sums = new NoiseSums(tile);
  for (const { light, samples } of films) sums.add(tile, light, samples);
  return pixels > 0 ? sums.of(tile) : null;
}

/** Brightness against which a tile's grain is seen. */
const level = (tile: TileNoise, picture: number): number => tile.luminance + FLOOR * picture;

/** Relative standard error of a pixel after `samples`. @param picture the picture's mean luminance. */
export function noiseAfter(tile: TileNoise, picture: number, samples: number): number {
  const against = level(tile, picture);
  return against > 0 ? Math.sqrt(tile.variance / samples) / against : 0;
}

/** Samples per pixel for a noise of `target`, a whole number of passes of the job, between the least and the ordered. */
export function samplesFor(
  tile: TileNoise,
  picture: number,
  target: number,
  order: { readonly samples: number; readonly passSamples: number },
): number {
  const against = level(tile, picture);
  const wanted = against > 0 ? tile.variance / (target * against) ** 2 : 0;
  let [before, sum] = [0, 0];
  for (const { count } of passes(order)) {
    // As quietEnough: the passes before the newest must be enough to judge by.
    if (before >= NOISE_SAMPLES_MIN && sum >= wanted) break;
    [before, sum] = [sum, sum + count];
  }
  return sum;
}

/**
 * Is this tile done? Judged by the passes before the last one alone: who stops when what he just saw
 * looks quiet stops too early where it looked quieter than it is. So the last pass is never chosen
 * for what it holds; what bias is left is of the earlier passes' weight in the whole.
 */
export function quietEnough(before: TileNoise | null, picture: number, target: number, samplesNow: number): boolean {
  if (!before || before.samples < NOISE_SAMPLES_MIN) return false;
  return noiseAfter(before, picture, samplesNow) <= target;
}
