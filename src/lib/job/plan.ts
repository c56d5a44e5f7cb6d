/**
 * How a job is cut: into tiles, into passes, and so into leases. Pure arithmetic that creator,
 * coordinator, worker and checker all compute for themselves from the order.
 */
import type { JobOrder } from '../protocol/order.ts';
import { LEAF_SIDE_PX, TILE_SIDE_PX, TILE_SIDE_PX_MIN } from '../protocol/limits.ts';

/** A rectangle of pixels; origin at the top left of the frame. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A picture's shape at another size, by its longer side; no side is shorter than a leaf. */
export function shrunk({ width, height }: Pick<JobOrder, 'width' | 'height'>, sidePx: number): { width: number; height: number } {
  const scale = sidePx / Math.max(width, height);
  const side = (px: number): number => Math.max(LEAF_SIDE_PX, Math.round(px * scale));
  return { width: side(width), height: side(height) };
}

/** Samples [first, first + count) of every pixel; count is a power of two and first a multiple of it. */
export interface Pass {
  readonly first: number;
  readonly count: number;
}

type Size = Pick<JobOrder, 'width' | 'height' | 'tileSide'>;

/** Small pictures are cut finer, so that several workers find something to do. */
const TILES_WANTED = 12;

/** How the pictures that are ordered here are cut. */
export function tileSideOf({ width, height }: Pick<JobOrder, 'width' | 'height'>): number {
  let tileSide = TILE_SIDE_PX;
  while (tileSide > TILE_SIDE_PX_MIN && tileCount({ width, height, tileSide }) < TILES_WANTED) tileSide /= 2;
  return tileSide;
}

export function tilesAcross(order: Size): { readonly columns: number; readonly rows: number } {
  return { columns: Math.ceil(order.width / order.tileSide), rows: Math.ceil(order.height / order.tileSide) };
}

export function tileCount(order: Size): number {
  const { columns, rows } = tilesAcross(order);
  return columns * rows;
}

/** Tile `index` in row order; tiles at the right and bottom edge are cut to the frame. */
export function tileRect(order: Size, index: number): Rect {
  const { columns } = tilesAcross(order);
  const x = (index % columns) * order.tileSide;
  const y = Math.floor(index / columns) * order.tileSide;
  return { x, y, width: Math.min(order.tileSide, order.width - x), height: Math.min(order.tileSide, order.height - y) };
}

/**
 * Passes double from one sample, so that a picture stands at once and each pass is an aligned block
 * of the sampler's net; they stop growing at `passSamples`. A count that is no multiple of the last
 * size ends in smaller aligned blocks.
 */
export function passes(order: Pick<JobOrder, 'samples' | 'passSamples'>): Pass[] {
  const out: Pass[] = [];
  let first = 0;
  while (first < order.samples) {
    const aligned = first === 0 ? 1 : first & -first;
    let count = Math.min(aligned, order.passSamples);
    while (first + count > order.samples) count >>= 1;
    out.push({ first, count });
    first += count;
  }
  return out;
}

export function leaseCount(order: Size & Pick<JobOrder, 'samples' | 'passSamples'>): number {
  return tileCount(order) * passes(order).length;
}

/** The leaves of a tile in row order: 8×8 pixels, cut at the tile's edge. */
export function leafRects(tile: Rect): Rect[] {
  const out: Rect[] = [];
  for (let y = 0; y < tile.height; y += LEAF_SIDE_PX) {
    for (let x = 0; x < tile.width; x += LEAF_SIDE_PX) {
      out.push({
        x: tile.x + x,
        y: tile.y + y,
        width: Math.min(LEAF_SIDE_PX, tile.width - x),
        height: Math.min(LEAF_SIDE_PX, tile.height - y),
      });
    }
  }
  return out;
}

/**
 * Most rays one path may trace: the camera's, then at each of its bounces + 1 scatterings a shadow
 * ray and the ray that scatters; the last one only closes the path on a light.
 */
export const segmentsPerPathMax = (bounces: number): number => 2 * (bounces + 1) + 1;
