/**
 * A picture in the making on this machine: adds films of any tile and pass and keeps the mean
 * radiance of the whole frame, so that a canvas can be painted from it at any moment.
 */
import { TileAccumulator } from '../job/accumulator.ts';
import { copyRows } from '../job/layers.ts';
import { passes, type Pass, type Rect } from '../job/plan.ts';
import type { Bytes } from '../protocol/bytes.ts';
import type { JobOrder } from '../protocol/order.ts';

export class Frame {
  readonly width: number;
  readonly height: number;
  /** Mean linear radiance, width × height × 3, rows from the top; zeros where nothing is in. */
  readonly image: Float32Array<ArrayBuffer>;
  /** Share of paths that saw a surface, width × height. */
  readonly coverage: Float32Array<ArrayBuffer>;
  readonly #tiles = new Map<string, TileAccumulator>();

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.image = new Float32Array(width * height * 3);
    this.coverage = new Float32Array(width * height);
  }

  /** @param light a film of rect. @returns false when it was in already. */
  add(rect: Rect, pass: Pass, light: Bytes): boolean {
    const key = `${rect.x},${rect.y}`;
    const tile = this.#tiles.get(key) ?? new TileAccumulator(rect.width * rect.height);
    this.#tiles.set(key, tile);
    if (!tile.add(pass, light)) return false;
    copyRows(this.image, tile.mean(), this.width, rect, 3);
    copyRows(this.coverage, tile.coverage(), this.width, rect, 1);
    return true;
  }
}

/** The pass of a lease; null when the order has no such pass. */
export const passOf = (order: Pick<JobOrder, 'samples' | 'passSamples'>, index: number): Pass | null => passes(order)[index] ?? null;
