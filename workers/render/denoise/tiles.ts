/**
 * Cuts a picture into tiles that the network sees one at a time, with enough overlap that what is
 * kept of each is what the whole picture would have given.
 */
import { UNET_ALIGN_PX } from './unet.ts';

export interface TileSpan {
  /** First pixel that the network sees. */
  readonly from: number;
  /** Pixels it sees: a multiple of UNET_ALIGN_PX, may reach beyond the picture. */
  readonly length: number;
  /** First pixel that is kept, and how many. */
  readonly keep: number;
  readonly kept: number;
}

const aligned = (px: number): number => Math.ceil(px / UNET_ALIGN_PX) * UNET_ALIGN_PX;

/** Tiles along one side. @param longest pixels the network may see at once, a multiple of UNET_ALIGN_PX above twice the overlap. */
export function tileSpans(length: number, longest: number, overlap: number): readonly TileSpan[] {
  if (aligned(length) <= longest) return [{ from: 0, length: aligned(length), keep: 0, kept: length }];
  const step = longest - 2 * overlap;
  const spans: TileSpan[] = [];
  for (let keep = 0; keep < length; keep += step) {
    const kept = Math.min(step, length - keep);
    const from = Math.max(0, keep - overlap);
    spans.push({ from, length: aligned(Math.min(keep + kept + overlap, length) - from), keep, kept });
  }
  return spans;
}

/** The longest side of square tiles of no more than so many pixels, the least of several bounds; at least what makes progress. */
export function longestSide(pixels: readonly number[], overlap: number): number {
  const side = Math.floor(Math.sqrt(Math.min(...pixels)) / UNET_ALIGN_PX) * UNET_ALIGN_PX;
  return Math.max(side, 2 * overlap + 4 * UNET_ALIGN_PX);
}
