/**
 * How grainy a tile is, and how many samples it takes to be as quiet as ordered: from the sums of
 * squared luminance that films carry. The measure is the standard error of a pixel's mean against the
 * tile's own brightness, so that dark tiles are not sampled for ever; refuses tiles of too few samples.
 */
import { readPixel, viewOfFilm, FILM_BYTES_PER_PIXEL } from '../job/film.ts';
import { passes } from '../job/plan.ts';

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
}

const luminanceOf = ([r, g, b]: readonly [number, number, number]): number => 0.2126 * r + 0.7152 * g + 0.0722 * b;

/** @param films disjoint passes of one tile: their light, FilmPixel per pixel, and samples per pixel. @returns null for fewer than two samples. */
export function tileNoise(films: readonly { readonly light: Uint8Array; readonly samples: number }[]): TileNoise | null {
  const samples = films.reduce((sum, film) => sum + film.samples, 0);
  const pixels = (films[0]?.light.length ?? 0) / FILM_BYTES_PER_PIXEL;
  if (samples < 2 || pixels === 0) return null;
  const views = films.map(({ light }) => viewOfFilm(light));
  let [luminance, variance, segments] = [0, 0, 0];
  for (let pixel = 0; pixel < pixels; pixel++) {
    let [light, moment] = [0, 0];
    for (const view of views) {
      const sums = readPixel(view, pixel);
      light += luminanceOf(sums.light);
      moment += sums.moment;
      segments += sums.segments;
    }
    const mean = light / samples;
    luminance += mean;
    variance += Math.max(0, moment / samples - mean * mean) * (samples / (samples - 1));
  }
  return { pixels, samples, luminance: luminance / pixels, variance: variance / pixels, segments: segments / pixels / samples };
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
  let sum = 0;
  for (const { count } of passes(order)) {
    if (sum >= Math.max(wanted, Math.min(NOISE_SAMPLES_MIN, order.samples))) break;
    sum += count;
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
