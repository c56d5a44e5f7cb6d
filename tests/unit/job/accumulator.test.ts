/** Sums depend on which samples are in, not on the order in which passes came or how they were cut. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TileAccumulator } from '#lib/job/accumulator.ts';
import { FILM_BYTES_PER_PIXEL, readPixel, viewOfFilm, writePixel } from '#lib/job/film.ts';
import type { Pass } from '#lib/job/plan.ts';
import { FILM_DELIVERY_BYTES_MAX, LEAF_SIDE_PX, TILE_SIDE_PX_MAX } from '#lib/protocol/limits.ts';
import { NONE } from '#shaders/layout.ts';

/** One pixel; sample values are arbitrary floats so that the order of addition matters. */
const value = (sample: number): number => Math.fround(Math.sqrt(sample + 1) * 1.37e-3 + (sample % 7) * 1e3);

/** What a kernel writes for an aligned pass: the balanced tree sum. */
function treeSum(first: number, count: number): number {
  if (count === 1) return value(first);
  return Math.fround(treeSum(first, count / 2) + treeSum(first + count / 2, count / 2));
}

function lightOf(pass: Pass): Uint8Array<ArrayBuffer> {
  const sum = treeSum(pass.first, pass.count);
  const light = new Uint8Array(FILM_BYTES_PER_PIXEL);
  const samples = Array.from({ length: pass.count }, (_, i) => pass.first + i);
  const seen = samples.filter((sample) => sample % 5 > 0);
  const total = (of: (sample: number) => number): number => seen.reduce((all, sample) => all + of(sample), 0);
  writePixel(viewOfFilm(light), 0, {
    light: [sum, sum, sum],
    segments: 3 * pass.count,
    albedo: [total((s) => s % 1024), total(() => 1023), total((s) => (s * 7) % 1024)],
    normal: [total((s) => (s % 1023) - 511), total(() => -511), total(() => 511)],
    coverage: seen.length,
    depth: sum,
    moment: sum,
    object: seen[0] ?? NONE,
  });
  return light;
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
    expect(() => new TileAccumulator(2).add({ first: 0, count: 1 }, new Uint8Array(48))).toThrow(/48 bytes, the tile needs 96/);
  });
});

describe('layers', () => {
  const layersOf = (order: readonly Pass[]) => {
    const tile = new TileAccumulator(1, true);
    for (const pass of order) tile.add(pass, lightOf(pass));
    return tile.layers();
  };

  it('are the same bits for one pass of 64 and any cut of it, in any order', () => {
    const whole = layersOf(blocks(1, 64));
    for (const size of [16, 4, 1]) {
      const cut = blocks(64 / size, size);
      fc.assert(
        fc.property(fc.shuffledSubarray(cut, { minLength: cut.length }), (order) => {
          expect(layersOf(order)).toEqual(whole);
        }),
        { numRuns: 20 },
      );
    }
  });

  it('are means: over all paths, depth over those that saw a surface', () => {
    const layers = layersOf(blocks(1, 64))!;
    const seen = 64 - 13;
    expect(layers.coverage[0]).toBeCloseTo(seen / 64, 6);
    expect(layers.albedo[1]).toBeCloseTo(seen / 64, 6);
    expect(layers.normal[1]).toBeCloseTo(-seen / 64, 6);
    expect(layers.normal[2]).toBeCloseTo(seen / 64, 6);
    expect(layers.depth[0]).toBeCloseTo(treeSum(0, 64) / seen, 3);
    expect(layers.moment[0]).toBeCloseTo(treeSum(0, 64) / 64, 3);
    // Sample 0 saw nothing.
    expect(layers.object[0]).toBe(1);
  });

  it('say NONE and zero where no path saw a surface, and are not kept unless asked for', () => {
    const layers = layersOf([{ first: 0, count: 1 }])!;
    expect([layers.object[0], layers.depth[0], layers.coverage[0]]).toEqual([NONE, 0, 0]);
    expect(new TileAccumulator(1).layers()).toBeNull();
  });

  it('leave coverage, which every tile keeps: the alpha of a transparent picture', () => {
    const tile = new TileAccumulator(1);
    expect([...tile.coverage()]).toEqual([0]);
    for (const pass of blocks(4, 16)) tile.add(pass, lightOf(pass));
    expect(tile.coverage()[0]).toBeCloseTo((64 - 13) / 64, 6);
  });
});

describe('a film pixel', () => {
  it('holds the largest sums of a pass of 64 without one field running into another', () => {
    const full = {
      light: [1, 2, 3],
      segments: 0xfffffffe,
      albedo: [64 * 1023, 64 * 1023, 64 * 1023],
      normal: [64 * 511, -64 * 511, -64 * 511],
      coverage: 64,
      depth: 5,
      moment: 6,
      object: 7,
    } as const;
    const view = viewOfFilm(new Uint8Array(2 * FILM_BYTES_PER_PIXEL));
    writePixel(view, 1, full);
    expect(readPixel(view, 1)).toEqual(full);
    expect(readPixel(view, 0)).toMatchObject({ segments: 0, coverage: 0, normal: [0, 0, 0] });
  });

  it('of the largest tile fits the bound of a delivery, with a hash per leaf', () => {
    const leaves = (TILE_SIDE_PX_MAX / LEAF_SIDE_PX) ** 2;
    expect(FILM_DELIVERY_BYTES_MAX).toBe(TILE_SIDE_PX_MAX ** 2 * FILM_BYTES_PER_PIXEL + leaves * 32);
  });
});
