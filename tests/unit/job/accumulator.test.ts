/** Sums depend on which samples are in, not on the order in which passes came or how they were cut. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TileAccumulator } from '#lib/job/accumulator.ts';
import type { Pass } from '#lib/job/plan.ts';

/** One pixel; sample values are arbitrary floats so that the order of addition matters. */
const value = (sample: number): number => Math.fround(Math.sqrt(sample + 1) * 1.37e-3 + (sample % 7) * 1e3);

/** What a kernel writes for an aligned pass: the balanced tree sum. */
function treeSum(first: number, count: number): number {
  if (count === 1) return value(first);
  return Math.fround(treeSum(first, count / 2) + treeSum(first + count / 2, count / 2));
}

function lightOf(pass: Pass): Uint8Array<ArrayBuffer> {
  const sum = treeSum(pass.first, pass.count);
  return new Uint8Array(Float32Array.of(sum, sum, sum, 0).buffer);
}

function meanOf(order: readonly Pass[]): number {
  const tile = new TileAccumulator(1);
  for (const pass of order) expect(tile.add(pass, lightOf(pass))).toBe(true);
  return tile.mean()[0]!;
}

const blocks = (count: number, size: number): Pass[] => Array.from({ length: count }, (_, i) => ({ first: i * size, count: size }));

describe('TileAccumulator', () => {
  it('gives the same bits for one pass of 64 and four of 16, sixteen of 4, sixty-four of 1', () => {
    const whole = meanOf(blocks(1, 64));
    for (const [count, size] of [
      [4, 16],
      [16, 4],
      [64, 1],
    ] as const)
      expect(meanOf(blocks(count, size))).toBe(whole);
  });

  it('gives the same bits whatever the order of arrival', () => {
    const whole = meanOf(blocks(16, 2));
    fc.assert(fc.property(fc.shuffledSubarray(blocks(16, 2), { minLength: 16 }), (order) => meanOf(order) === whole));
  });

  it('would differ under plain summation (control: the values are chosen so that order matters)', () => {
    let plain = 0;
    for (let s = 0; s < 64; s++) plain = Math.fround(plain + value(s));
    expect(plain).not.toBe(treeSum(0, 64));
  });

  it('refuses a pass that is already in, alone or inside a merged block', () => {
    const tile = new TileAccumulator(1);
    expect(tile.add({ first: 0, count: 1 }, lightOf({ first: 0, count: 1 }))).toBe(true);
    expect(tile.add({ first: 1, count: 1 }, lightOf({ first: 1, count: 1 }))).toBe(true);
    expect(tile.add({ first: 1, count: 1 }, lightOf({ first: 1, count: 1 }))).toBe(false);
    expect(tile.samples).toBe(2);
  });

  it('throws when the light is not the size of the tile', () => {
    expect(() => new TileAccumulator(2).add({ first: 0, count: 1 }, new Uint8Array(16))).toThrow(/16 bytes/);
  });
});
