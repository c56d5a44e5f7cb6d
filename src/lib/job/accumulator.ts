/**
 * Sums the passes of one tile in an order that depends only on which samples are in, never on when
 * they came: aligned blocks of equal size are added in pairs, as the kernel does inside a pass, so
 * that one pass of 64 samples and four of 16 give the same bits. Refuses a pass twice.
 */
import type { Pass } from './plan.ts';

interface Block {
  readonly first: number;
  readonly count: number;
  /** Per pixel R, G, B sums. */
  readonly sum: Float32Array<ArrayBuffer>;
}

export class TileAccumulator {
  readonly pixels: number;
  #blocks: Block[] = [];

  constructor(pixels: number) {
    this.pixels = pixels;
  }

  /** Samples per pixel summed so far. */
  get samples(): number {
    return this.#blocks.reduce((sum, block) => sum + block.count, 0);
  }

  has(pass: Pass): boolean {
    return this.#blocks.some((block) => pass.first >= block.first && pass.first < block.first + block.count);
  }

  /** @param light a film's light: pixels × 16 bytes. @returns false when the pass is already in. */
  add(pass: Pass, light: Uint8Array<ArrayBuffer>): boolean {
    if (this.has(pass)) return false;
    if (light.byteLength !== this.pixels * 16)
      throw new RangeError(`light has ${light.byteLength} bytes, the tile needs ${this.pixels * 16}`);
    const words = new Float32Array(light.buffer.slice(light.byteOffset, light.byteOffset + light.byteLength));
    const sum = new Float32Array(this.pixels * 3);
    for (let p = 0; p < this.pixels; p++) {
      for (let c = 0; c < 3; c++) sum[p * 3 + c] = words[p * 4 + c]!;
    }
    this.#merge({ first: pass.first, count: pass.count, sum });
    return true;
  }

  /** Mean radiance per pixel, R, G, B; zeros while nothing is in. */
  mean(): Float32Array<ArrayBuffer> {
    const out = new Float32Array(this.pixels * 3);
    const ordered = this.#blocks.toSorted((a, b) => a.first - b.first);
    for (const block of ordered) addInto(out, block.sum);
    const samples = this.samples;
    if (samples > 0) for (let i = 0; i < out.length; i++) out[i]! /= samples;
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
    this.#merge({ first: low.first, count: low.count * 2, sum: low.sum });
  }
}

/** f32 addition, correctly rounded: the double sum of two floats rounds to the same float. */
function addInto(into: Float32Array, from: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i]! += from[i]!;
}
