/** A picture made small: every pixel is the mean of a block, so that grain averages out. */

/**
 * @param image width × height × 3 linear values, rows from the top. @param sidePx of the longer side, at most.
 * @returns the picture itself where it is small already.
 */
export function thumbOf(
  image: Float32Array<ArrayBuffer>,
  width: number,
  height: number,
  sidePx: number,
): { readonly image: Float32Array<ArrayBuffer>; readonly width: number; readonly height: number } {
  const step = Math.ceil(Math.max(width, height) / sidePx);
  if (step <= 1) return { image: image.slice(), width, height };
  const [w, h] = [Math.ceil(width / step), Math.ceil(height / step)];
  const out = new Float32Array(w * h * 3);
  const counts = new Uint32Array(w * h);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const to = Math.floor(y / step) * w + Math.floor(x / step);
      counts[to]!++;
      for (let c = 0; c < 3; c++) out[to * 3 + c]! += image[(y * width + x) * 3 + c]!;
    }
  }
  for (let i = 0; i < out.length; i++) out[i]! /= counts[Math.floor(i / 3)]!;
  return { image: out, width: w, height: h };
}
