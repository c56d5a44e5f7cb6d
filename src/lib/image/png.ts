/** PNG for looking at: 8 bits, sRGB, tone mapped, with straight alpha when asked. Raw radiance goes to EXR or PFM instead. */
import { encode } from 'fast-png';
import type { Bytes } from './bytes.ts';
import { DEFAULT_TONE, toneMap, type ToneOptions } from './tonemap.ts';

/**
 * @param rgb width × height × 3 linear values, rows from the top.
 * @param coverage alpha per pixel, 0 to 1, that `rgb` is multiplied with; PNG keeps colours unmultiplied. Absent: opaque.
 */
export function encodePng(
  rgb: Float32Array,
  width: number,
  height: number,
  tone: ToneOptions = DEFAULT_TONE,
  coverage?: Float32Array,
): Bytes {
  const rgba = new Uint8ClampedArray(width * height * 4);
  toneMap(rgb, rgba, tone, coverage);
  if (coverage) return new Uint8Array(encode({ width, height, data: rgba, channels: 4, depth: 8 }));
  const data = new Uint8Array(width * height * 3);
  for (let p = 0; p < width * height; p++) {
    for (let c = 0; c < 3; c++) data[p * 3 + c] = rgba[p * 4 + c]!;
  }
  return new Uint8Array(encode({ width, height, data, channels: 3, depth: 8 }));
}
