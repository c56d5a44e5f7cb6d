/**
 * The picture of one job as its films come in: one accumulator per tile, and the mean of what is
 * there. A voided lease rebuilds its tile from the films that remain.
 */
import { TileAccumulator } from '../job/accumulator.ts';
import { copyRows } from '../job/layers.ts';
import { passes, tileCount, tileRect, type Pass } from '../job/plan.ts';
import type { Lease } from '../protocol/control.ts';
import type { JobOrder } from '../protocol/order.ts';
import type { Bytes } from '../protocol/bytes.ts';

export class Picture {
  /** Mean linear radiance, width × height × 3; the same array for the life of the job. */
  readonly image: Float32Array<ArrayBuffer>;
  /** Share of paths that saw a surface, width × height; as long-lived as `image`. */
  readonly coverage: Float32Array<ArrayBuffer>;
  readonly #order: JobOrder;
  readonly #passes: readonly Pass[];
  readonly #tiles: TileAccumulator[];

  constructor(order: JobOrder) {
    this.#order = order;
    this.#passes = passes(order);
    this.image = new Float32Array(order.width * order.height * 3);
    this.coverage = new Float32Array(order.width * order.height);
    this.#tiles = Array.from({ length: tileCount(order) }, (_, tile) => this.#empty(tile));
  }

  get tileSamples(): readonly number[] {
    return this.#tiles.map((tile) => tile.samples);
  }

  /** @returns false when the pass of that tile is in already, or the lease is none of this order's. */
  add(lease: Pick<Lease, 'tile' | 'pass'>, light: Bytes): boolean {
    const pass = this.#passes[lease.pass];
    const tile = this.#tiles[lease.tile];
    if (!pass || !tile || !tile.add(pass, light)) return false;
    this.#draw(lease.tile, tile);
    return true;
  }

  /** Starts a tile again from these films. */
  rebuild(tile: number, films: readonly { readonly lease: Pick<Lease, 'tile' | 'pass'>; readonly light: Bytes }[]): void {
    if (!this.#tiles[tile]) return;
    const fresh = this.#empty(tile);
    this.#tiles[tile] = fresh;
    for (const film of films) {
      const pass = this.#passes[film.lease.pass];
      if (pass) fresh.add(pass, film.light);
    }
    this.#draw(tile, fresh);
  }

  #empty(tile: number): TileAccumulator {
    const { width, height } = tileRect(this.#order, tile);
    return new TileAccumulator(width * height);
  }

  #draw(index: number, tile: TileAccumulator): void {
    const rect = tileRect(this.#order, index);
    copyRows(this.image, tile.mean(), this.#order.width, rect, 3);
    copyRows(this.coverage, tile.coverage(), this.#order.width, rect, 1);
  }
}
