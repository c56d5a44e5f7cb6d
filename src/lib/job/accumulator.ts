/**
 * Sums the passes of one tile in an order that depends only on which samples are in, never on when
 * they came: aligned blocks of equal size are added in pairs, as the kernel does inside a pass, so
 * that one pass of 64 samples and four of 16 give the same bits. Refuses a pass twice. Keeps the
 * auxiliaries (albedo, normal and so on) only when asked: they take four times the memory of light.
 */
import { addCoverage, FILM_BYTES_PER_PIXEL, filmLight } from './film.ts';
import { LayerSums, type Layers } from './layers.ts';
import type { Pass } from './plan.ts';

/** Sums of floats, block by block. */
interface Block {
  readonly first: number;
  readonly count: number;
  /** Per pixel R, G, B sums. */
  readonly sum: Float32Array<ArrayBuffer>;
  /** Per pixel sums of depth and of squared luminance; empty without layers. */
  readonly more: Float32Array<ArrayBuffer>;
}

export class TileAccumulator {
  readonly pixels: number;
  readonly #layers: LayerSums | null;
  /** Paths per pixel that saw a surface. */
  readonly #covered: Uint32Array<ArrayBuffer>;
  #blocks: Block[] = [];

  /** @param layers keep what `layers()` gives. */
  constructor(pixels: number, layers = false) {
    this.pixels = pixels;
    this.#layers = layers ? new LayerSums(pixels) : null;
    this.#covered = new Uint32Array(pixels);
  }

  /** Samples per pixel summed so far. */
  get samples(): number {
    return this.#blocks.reduce((sum, block) => sum + block.count, 0);
  }

  has(pass: Pass): boolean {
    return this.#blocks.some((block) => pass.first >= block.first && pass.first < block.first + block.count);
  }

  /** @param light a film's: one FilmPixel per pixel. @returns false when the pass is already in. */
  add(pass: Pass, light: Uint8Array): boolean {
    if (this.has(pass)) return false;
    if (light.byteLength !== this.pixels * FILM_BYTES_PER_PIXEL)
      throw new RangeError(`light has ${light.byteLength} bytes, the tile needs ${this.pixels * FILM_BYTES_PER_PIXEL}`);
    addCoverage(this.#covered, light);
    const more = this.#layers?.add(pass, light) ?? new Float32Array(0);
    this.#merge({ first: pass.first, count: pass.count, sum: filmLight(light), more });
    return true;
  }

  /** Mean radiance per pixel, R, G, B; zeros while nothing is in. */
  mean(): Float32Array<ArrayBuffer> {
    const out = this.#total('sum', this.pixels * 3);
    const samples = this.samples;
    if (samples > 0) for (let i = 0; i < out.length; i++) out[i]! /= samples;
    return out;
  }

  /** Share of paths that saw a surface, per pixel; zeros while nothing is in. */
  coverage(): Float32Array<ArrayBuffer> {
    const samples = this.samples;
    return Float32Array.from(this.#covered, (covered) => (samples > 0 ? covered / samples : 0));
  }

  /** Means of everything beside light; null unless they are kept. */
  layers(): Layers | null {
    return this.#layers?.means(this.samples, this.#total('more', this.pixels * 2)) ?? null;
  }

  #total(part: 'sum' | 'more', length: number): Float32Array<ArrayBuffer> {
    const out = new Float32Array(length);
    for (const block of this.#blocks.toSorted((a, b) => a.first - b.first)) addInto(out, block[part]);
    return out;
  }

  #merge(block: Block): void {
    const buddyFirst = block.first ^ block.count;
    const at = this.#blocks.findIndex((other) => other.first === buddyFirst && other.count === block.count);
    if (at < 0) {
      this.#blocks.push(block);
      return;
    }
    const [buddy] = this.#blocks.splice(at, 1) as [Block];
    const [low, high] = buddy.first < block.first ? [buddy, block] : [block, buddy];
    addInto(low.sum, high.sum);
    addInto(low.more, high.more);
    this.#merge({ ...low, count: low.count * 2 });
  }
}

/** f32 addition, correctly rounded: the double sum of two floats rounds to the same float. */
function addInto(into: Float32Array, from: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i]! += from[i]!;
}
