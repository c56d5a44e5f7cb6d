/** Turns the film of a leaf into pictures to look at. Judges nothing. */
import { filmLight } from '../job/film.ts';
import type { Bytes } from '../protocol/bytes.ts';

/** Mean radiance per pixel, R, G, B. */
export function meanOf(light: Bytes, samples: number): Float32Array<ArrayBuffer> {
  return filmLight(light).map((sum) => sum / samples);
}

/** Absolute difference, stretched so that the largest is 1; `scale` is that largest difference. */
export function differenceOf(a: Float32Array, b: Float32Array): { readonly image: Float32Array<ArrayBuffer>; readonly scale: number } {
  const image = new Float32Array(b.length);
  let scale = 0;
  for (let i = 0; i < b.length; i++) {
    const difference = Math.abs((a[i] ?? 0) - b[i]!);
    image[i] = Number.isFinite(difference) ? difference : 0;
    scale = Math.max(scale, image[i]!);
  }
  if (scale > 0) for (let i = 0; i < image.length; i++) image[i]! /= scale;
  return { image, scale };
}
