/** Turns the light of a leaf (sums, 16 bytes per pixel) into pictures to look at. Judges nothing. */
import { LIGHT_BYTES_PER_PIXEL } from '../job/film.ts';
import type { Bytes } from '../protocol/bytes.ts';

/** Mean radiance per pixel, R, G, B. */
export function meanOf(light: Bytes, samples: number): Float32Array<ArrayBuffer> {
  const view = new DataView(light.buffer, light.byteOffset, light.byteLength);
  const pixels = Math.floor(light.byteLength / LIGHT_BYTES_PER_PIXEL);
  const out = new Float32Array(pixels * 3);
  for (let p = 0; p < pixels; p++) {
    for (let c = 0; c < 3; c++) out[p * 3 + c] = view.getFloat32(p * LIGHT_BYTES_PER_PIXEL + c * 4, true) / samples;
  }
  return out;
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
