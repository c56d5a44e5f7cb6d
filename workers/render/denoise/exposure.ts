/**
 * How bright a picture is, as Open Image Denoise measures it (devices/cpu/cpu_autoexposure): the mean
 * logarithm of luminance over bins of at most 16 × 16 pixels, dark bins left out.
 */

const BIN_PX = 16;
const LUMINANCE_MIN = 1e-8;
/** Where the mean is put: middle grey. */
const KEY = 0.18;

/** @param color width × height × 3, linear. @returns what light is multiplied with; 1 for a black picture. */
export function autoExposure(color: Float32Array, width: number, height: number): number {
  const columns = Math.ceil(width / BIN_PX);
  const rows = Math.ceil(height / BIN_PX);
  let sum = 0;
  let bins = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const mean = binLuminance(color, width, edges(column, columns, width), edges(row, rows, height));
      if (mean <= LUMINANCE_MIN) continue;
      sum += Math.log2(mean);
      bins += 1;
    }
  }
  return bins > 0 ? KEY / 2 ** (sum / bins) : 1;
}

type Span = readonly [from: number, to: number];

const edges = (index: number, count: number, length: number): Span => [
  Math.floor((index * length) / count),
  Math.floor(((index + 1) * length) / count),
];

function binLuminance(color: Float32Array, width: number, [left, right]: Span, [top, bottom]: Span): number {
  let sum = 0;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const at = (y * width + x) * 3;
      const luminance = 0.212671 * color[at]! + 0.71516 * color[at + 1]! + 0.072169 * color[at + 2]!;
      // What is no number counts as dark, as it does for the network.
      if (luminance > 0 && luminance < Infinity) sum += luminance;
    }
  }
  return sum / ((right - left) * (bottom - top));
}
