/**
 * A picture in the making on this machine: adds films of any tile and pass and keeps the mean
 * radiance of the whole frame, so that a canvas can be painted from it at any moment.
 */
import { TileAccumulator } from '../job/accumulator.ts';
import { copyRows, emptyLayers, placeLayers, type Layers } from '../job/layers.ts';
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
  readonly #tiles = new Map<string, { readonly rect: Rect; readonly sums: TileAccumulator }>();
  readonly #keepsLayers: boolean;

  /** @param keepLayers what `layers` gives. */
  constructor(width: number, height: number, keepLayers = false) {
    this.#keepsLayers = keepLayers;
    this.width = width;
    this.height = height;
    this.image = new Float32Array(width * height * 3);
    this.coverage = new Float32Array(width * height);
  }

  /** @param light a film of rect. @returns false when it was in already. */
  add(rect: Rect, pass: Pass, light: Bytes): boolean {
    const key = `${rect.x},${rect.y}`;
    const tile = this.#tiles.get(key) ?? { rect, sums: new TileAccumulator(rect.width * rect.height, this.#keepsLayers) };
    this.#tiles.set(key, tile);
    if (!tile.sums.add(pass, light)) return false;
    copyRows(this.image, tile.sums.mean(), this.width, rect, 3);
    copyRows(this.coverage, tile.sums.coverage(), this.width, rect, 1);
    return true;
  }

  /** What was seen beside light, put together anew; zeros where nothing is in. */
  layers(): Layers {
    const frame = emptyLayers(this.width * this.height);
    for (const { rect, sums } of this.#tiles.values()) {
      const layers = sums.layers();
      if (layers) placeLayers(frame, this.width, rect, layers);
    }
    return frame;
  }
}

/** The pass of a lease; null when the order has no such pass. */
export const passOf = (order: Pick<JobOrder, 'samples' | 'passSamples'>, index: number): Pass | null => passes(order)[index] ?? null;
