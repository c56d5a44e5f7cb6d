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

export interface TileGrid {
  readonly columns: readonly TileSpan[];
  readonly rows: readonly TileSpan[];
}

const aligned = (px: number): number => Math.ceil(px / UNET_ALIGN_PX) * UNET_ALIGN_PX;

/** So many tiles along one side, as equal as the alignment lets them be. */
export function tileSpans(length: number, count: number, overlap: number): readonly TileSpan[] {
  if (count === 1) return [{ from: 0, length: aligned(length), keep: 0, kept: length }];
  const step = aligned(length / count);
  const spans: TileSpan[] = [];
  for (let keep = 0; keep < length; keep += step) {
    const kept = Math.min(step, length - keep);
    const from = Math.max(0, keep - overlap);
    spans.push({ from, length: aligned(Math.min(keep + kept + overlap, length) - from), keep, kept });
  }
  return spans;
}

const longest = (spans: readonly TileSpan[]): number => Math.max(...spans.map(({ length }) => length));
const total = (spans: readonly TileSpan[]): number => spans.reduce((sum, { length }) => sum + length, 0);

/** The cut whose tiles all fit and that makes the network see the fewest pixels. @param fits whether a tile of this size may be. */
export function tileGrid(width: number, height: number, overlap: number, fits: (width: number, height: number) => boolean): TileGrid {
  let best: TileGrid | null = null;
  let least = Infinity;
  for (let across = 1; across <= Math.ceil(width / UNET_ALIGN_PX); across++) {
    const columns = tileSpans(width, across, overlap);
    // More columns only see more.
    if (total(columns) * aligned(height) >= least) break;
    const wide = longest(columns);
    // Even the flattest tile of this width is too large.
    if (!fits(wide, UNET_ALIGN_PX)) continue;
    const rows = rowsFor(height, overlap, (tall) => fits(wide, tall));
    if (!rows) continue;
    const seen = total(columns) * total(rows);
    if (seen < least) [best, least] = [{ columns, rows }, seen];
  }
  // What is kept may be no less than one step: such tiles are taken even where they don't fit.
  return best ?? { columns: smallest(width, overlap), rows: smallest(height, overlap) };
}

const smallest = (length: number, overlap: number): readonly TileSpan[] => tileSpans(length, Math.ceil(length / UNET_ALIGN_PX), overlap);

function rowsFor(height: number, overlap: number, fits: (tall: number) => boolean): readonly TileSpan[] | null {
  for (let down = 1; down <= Math.ceil(height / UNET_ALIGN_PX); down++) {
    const rows = tileSpans(height, down, overlap);
    if (fits(longest(rows))) return rows;
  }
  return null;
}
