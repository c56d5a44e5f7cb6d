/**
 * A picture as video encoders take it: 8-bit sRGB with even sides, because chroma comes in pairs; an
 * odd last column or row stands twice. Video has no alpha here: what is see-through lies over black.
 */
import { toneMap, type ToneOptions } from './tonemap.ts';

export interface VideoFrameBytes {
  readonly width: number;
  readonly height: number;
  /** R, G, B, A of rows from the top. */
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
}

const even = (side: number): number => side + (side % 2);

/** @param rgb width × height × 3 linear values, multiplied with any alpha. */
export function videoFrame(rgb: Float32Array, width: number, height: number, tone: ToneOptions): VideoFrameBytes {
  const [wide, high] = [even(width), even(height)];
  const rgba = new Uint8ClampedArray(wide * high * 4);
  for (let y = 0; y < high; y++) {
    const from = Math.min(y, height - 1) * width * 3;
    const row = rgba.subarray(y * wide * 4, (y + 1) * wide * 4);
    toneMap(rgb.subarray(from, from + width * 3), row.subarray(0, width * 4), tone);
    if (wide > width) row.copyWithin(width * 4, (width - 1) * 4, width * 4);
  }
  return { width: wide, height: high, rgba };
}
