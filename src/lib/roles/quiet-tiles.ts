/**
 * Which tiles of a job have had enough: a creator who ordered a noise looks at every film that comes and
 * says which tiles need no more. Judges by films that are in, and never by the newest alone.
 */
import { passes } from '../job/plan.ts';
import { quietEnough, tileNoise } from '../market/noise.ts';
import type { JobOrder } from '../protocol/order.ts';
import type { StoredFilm } from './job-store.ts';

/** Has this tile had enough? @param films of it, in any order. @param picture mean luminance of what is in of the whole picture. */
export function isQuiet(order: JobOrder, films: readonly StoredFilm[], picture: number): boolean {
  if (order.noisePpm === undefined) return false;
  const plan = passes(order);
  const samplesOf = (film: StoredFilm): number => plan[film.lease.pass]?.count ?? 0;
  const byPass = new Map(films.map((film) => [film.lease.pass, film]));
  const sorted = [...byPass.values()].sort((a, b) => a.lease.pass - b.lease.pass);
  const before = sorted.slice(0, -1).map((film) => ({ light: film.light, samples: samplesOf(film) }));
  const samples = sorted.reduce((sum, film) => sum + samplesOf(film), 0);
  return quietEnough(tileNoise(before), picture, order.noisePpm / 1e6, samples);
}

/** Mean luminance of an image of R, G, B per pixel. */
export function meanLuminance(image: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < image.length; i += 3) sum += 0.2126 * image[i]! + 0.7152 * image[i + 1]! + 0.0722 * image[i + 2]!;
  return (3 * sum) / image.length;
}
