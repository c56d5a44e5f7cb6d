/**
 * A picture as every video encoder takes it: sRGB as 8-bit Y'CbCr by the matrix of Rec. 709 in its
 * limited range, chroma halved both ways (I420), so that no browser or program converts by a rule of
 * its own. An odd last column or row stands twice. What is see-through lies over black.
 */
import { toneMap, type ToneOptions } from './tonemap.ts';

export interface VideoFrameBytes {
  /** Both even. */
  readonly width: number;
  readonly height: number;
  /** Y' of every pixel, then Cb and Cr of every 2 × 2, rows from the top. */
  readonly planes: Uint8Array<ArrayBuffer>;
}

const even = (side: number): number => side + (side % 2);

// ITU-R BT.709, items 3.2 to 3.4: luma weights, and 8-bit codes 16 to 235 and 16 to 240.
const [RED, GREEN, BLUE] = [0.2126, 0.7152, 0.0722] as const;
const LUMA = 219 / 255;
const CB = 224 / 255 / (2 * (1 - BLUE));
const CR = 224 / 255 / (2 * (1 - RED));

/** @param rgb width × height × 3 linear values, multiplied with any alpha. */
export function videoFrame(rgb: Float32Array, width: number, height: number, tone: ToneOptions): VideoFrameBytes {
  const [wide, high] = [even(width), even(height)];
  const planes = new Uint8Array((wide * high * 3) / 2);
  const rows = [new Uint8ClampedArray(wide * 4), new Uint8ClampedArray(wide * 4)] as const;
  for (let y = 0; y < high; y += 2) {
    rows.forEach((row, i) => {
      const from = Math.min(y + i, height - 1) * width * 3;
      toneMap(rgb.subarray(from, from + width * 3), row.subarray(0, width * 4), tone);
      if (wide > width) row.copyWithin(width * 4, (width - 1) * 4, width * 4);
    });
    toI420(rows, planes, y, wide, high);
  }
  return { width: wide, height: high, planes };
}

function toI420(rows: readonly [Uint8ClampedArray, Uint8ClampedArray], planes: Uint8Array, y: number, wide: number, high: number): void {
  const chroma = wide * high + (y / 2) * (wide / 2);
  for (let x = 0; x < wide; x += 2) {
    let [red, blue, luma] = [0, 0, 0];
    rows.forEach((row, i) => {
      for (let k = x; k < x + 2; k++) {
        const [r, g, b] = [row[k * 4]!, row[k * 4 + 1]!, row[k * 4 + 2]!];
        const light = RED * r + GREEN * g + BLUE * b;
        planes[(y + i) * wide + k] = Math.round(16 + LUMA * light);
        red += r / 4;
        blue += b / 4;
        luma += light / 4;
      }
    });
    planes[chroma + x / 2] = Math.round(128 + CB * (blue - luma));
    planes[chroma + (wide * high) / 4 + x / 2] = Math.round(128 + CR * (red - luma));
  }
}
