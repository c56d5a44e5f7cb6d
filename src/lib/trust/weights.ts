/**
 * How much each leaf of a film can tell, 0 to 15: by how far its light spreads around its mean. Sky
 * and flat walls match whatever was traced, so a draw that knows this looks where a lie would show.
 * The worker says it with its commitment and every checker computes it again from the light it was
 * opened, so it is a function of the film's bytes by +, −, × and ÷ alone.
 */
import { readPixel, viewOfFilm } from '../job/film.ts';
import { leafRects, type Rect } from '../job/plan.ts';
import { fromBase64Url, toBase64Url, type Bytes } from '../protocol/bytes.ts';

const CLASS_MAX = 15;
/** Square of the relative deviation at which class 1 begins; each class doubles it. */
const FIRST = 1 / 4096;
/** Chance to be drawn, by class: grows with the deviation, not its square, or one firefly would draw every check. */
export const CLASS_WEIGHTS: readonly number[] = [0, 1, 1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128];

/** @param light a film's, of the tile's size. @returns one class per leaf, in leaf order. */
export function leafClasses(light: Uint8Array, tile: Rect, samples: number): number[] {
  const view = viewOfFilm(light);
  return leafRects(tile).map((leaf) => {
    const paths = leaf.width * leaf.height * samples;
    let sum = 0;
    let squares = 0;
    for (let y = leaf.y - tile.y; y < leaf.y - tile.y + leaf.height; y++) {
      for (let x = leaf.x - tile.x; x < leaf.x - tile.x + leaf.width; x++) {
        const pixel = readPixel(view, y * tile.width + x);
        const [r, g, b] = pixel.light;
        sum += 0.2126 * r + 0.7152 * g + 0.0722 * b;
        squares += pixel.moment;
      }
    }
    const mean = sum / paths;
    return classOf(squares / paths - mean * mean, mean * mean);
  });
}

/** What is not finite tells most: it is looked at first. */
function classOf(variance: number, square: number): number {
  if (!Number.isFinite(variance + square)) return CLASS_MAX;
  let level = 0;
  for (let from = FIRST; level < CLASS_MAX && variance > 0 && variance >= from * square; from *= 2) level++;
  return level;
}

/** Two classes to a byte, the first in the low half; base64url. */
export function packClasses(classes: readonly number[]): string {
  const bytes = new Uint8Array(Math.ceil(classes.length / 2));
  for (const [i, level] of classes.entries()) bytes[i >> 1]! |= level << (4 * (i & 1));
  return toBase64Url(bytes);
}

/** @returns null unless `text` is the one spelling of `leaves` classes. */
export function unpackClasses(text: string, leaves: number): number[] | null {
  const bytes: Bytes | null = fromBase64Url(text);
  if (bytes?.length !== Math.ceil(leaves / 2)) return null;
  const classes = Array.from({ length: leaves }, (_, i) => (bytes[i >> 1]! >> (4 * (i & 1))) & 15);
  return packClasses(classes) === text ? classes : null;
}
