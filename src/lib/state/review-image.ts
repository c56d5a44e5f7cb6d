/**
 * Turns two films of one patch into what a person compares: pictures, their difference, their difference in
 * units of the noise that so few samples leave, and where it is largest. Judges nothing.
 */
import { filmLight, FILM_BYTES_PER_PIXEL, readPixel, viewOfFilm } from '../job/film.ts';
import type { Bytes } from '../protocol/bytes.ts';

/** Mean light of a patch, and what is known of its spread. */
export interface Plate {
  readonly width: number;
  readonly height: number;
  /** R, G, B per pixel. */
  readonly mean: Float32Array<ArrayBuffer>;
  /** Mean squared luminance of a pixel's paths. */
  readonly moment: Float32Array<ArrayBuffer>;
  /** Paths per pixel; 0 where nothing was traced yet. */
  readonly samples: Float32Array<ArrayBuffer>;
}

export interface Spot {
  readonly x: number;
  readonly y: number;
}

export interface Compared {
  readonly image: Float32Array<ArrayBuffer>;
  /** What is drawn as white. */
  readonly white: number;
  /** Largest value of all pixels, in the unit of `white`. */
  readonly largest: number;
  readonly at: Spot | null;
}

/** So many standard deviations of noise are drawn as white. */
export const SIGMAS_WHITE = 4;

const luminance = (rgb: Float32Array, pixel: number): number =>
  0.2126 * rgb[pixel * 3]! + 0.7152 * rgb[pixel * 3 + 1]! + 0.0722 * rgb[pixel * 3 + 2]!;

export function emptyPlate(width: number, height: number): Plate {
  const pixels = width * height;
  return { width, height, mean: new Float32Array(pixels * 3), moment: new Float32Array(pixels), samples: new Float32Array(pixels) };
}

/** @param light a film's, of this size, sums over `samples` paths. */
export function plateOf(light: Bytes, width: number, height: number, samples: number): Plate {
  return added(emptyPlate(width, height), light, { x: 0, y: 0, width, height }, samples);
}

/**
 * A plate with more paths in a part of it. @param rect within the plate; `light` has its size. @returns a new plate: the old one
 * may be on screen.
 */
export function added(plate: Plate, light: Bytes, rect: Spot & { width: number; height: number }, samples: number): Plate {
  const { width, height } = plate;
  const [mean, moment, counts] = [plate.mean.slice(), plate.moment.slice(), plate.samples.slice()];
  const view = viewOfFilm(light);
  for (let i = 0; i < light.length / FILM_BYTES_PER_PIXEL; i++) {
    const p = (rect.y + Math.floor(i / rect.width)) * width + rect.x + (i % rect.width);
    const sums = readPixel(view, i);
    const [before, all] = [counts[p]!, counts[p]! + samples];
    for (let c = 0; c < 3; c++) mean[p * 3 + c] = (mean[p * 3 + c]! * before + sums.light[c]!) / all;
    moment[p] = (moment[p]! * before + sums.moment) / all;
    counts[p] = all;
  }
  return { width, height, mean, moment, samples: counts };
}

/** Is there any light in it? */
export const isLit = (light: Bytes): boolean => filmLight(light).some((value) => value > 0);

/** Absolute difference where both were traced, stretched so that the largest is white. */
export function differenceOf(a: Plate, b: Plate): Compared {
  return stretched(a, b, (p) => {
    let most = 0;
    for (let c = 0; c < 3; c++) most = Math.max(most, Math.abs(a.mean[p * 3 + c]! - b.mean[p * 3 + c]!));
    return most;
  });
}

/**
 * Difference of luminance over the standard deviation that two pictures of so many paths each differ by if
 * they are of one truth. The variance of a path is taken from squared luminance over a pixel's neighbours
 * (3 × 3), since one pixel of few samples knows little of its own.
 */
export function sigmasOf(a: Plate, b: Plate): Compared {
  return stretched(
    a,
    b,
    (p) => {
      const difference = Math.abs(luminance(a.mean, p) - luminance(b.mean, p));
      if (difference === 0) return 0;
      const deviation = Math.sqrt(varianceAt(b, p) * (1 / a.samples[p]! + 1 / b.samples[p]!));
      // What differs where no path of the re-trace sees anything but one value is no noise at all.
      return deviation > 0 ? difference / deviation : SIGMAS_WHITE * 4;
    },
    SIGMAS_WHITE,
  );
}

/** Of one path's luminance around a pixel, among pixels that were traced. */
function varianceAt({ width, height, mean, moment, samples }: Plate, pixel: number): number {
  const [x, y] = [pixel % width, Math.floor(pixel / width)];
  let [count, squares, sum] = [0, 0, 0];
  for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
    for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
      const p = v * width + u;
      if (samples[p] === 0) continue;
      count++;
      squares += moment[p]!;
      sum += luminance(mean, p);
    }
  }
  return count === 0 ? 0 : Math.max(squares / count - (sum / count) ** 2, 0);
}

/** @param value of a pixel that both have; not finite counts as the most there is. @param white default: the largest value. */
function stretched(a: Plate, b: Plate, value: (pixel: number) => number, white?: number): Compared {
  const pixels = b.width * b.height;
  const values = new Float32Array(pixels);
  let [largest, at]: [number, Spot | null] = [0, null];
  for (let p = 0; p < pixels; p++) {
    if (a.samples[p] === 0 || b.samples[p] === 0) continue;
    const found = value(p);
    values[p] = Number.isFinite(found) ? found : Number.MAX_VALUE;
    if (values[p]! <= largest) continue;
    largest = values[p]!;
    at = { x: p % b.width, y: Math.floor(p / b.width) };
  }
  const full = white ?? largest;
  const image = new Float32Array(pixels * 3);
  for (let i = 0; i < image.length; i++) image[i] = full > 0 ? Math.min(values[Math.floor(i / 3)]! / full, 1) : 0;
  return { image, white: full, largest, at };
}
