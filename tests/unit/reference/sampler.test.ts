/**
 * What the random numbers promise, shown on the twin that tests/gpu/math.test.ts holds the shader to
 * bit for bit: every aligned block of 2^m samples of a dimension pair is a (0, m, 2)-net, Owen's
 * scrambling is a bijection that respects leading bits, and a unit number is never 1.
 */
import { describe, expect, it } from 'vitest';
import { hashPair, hashWord, pixelKey, reverseBits, sampleBits, scrambleReversed, sobolSecond, unit } from '../../reference/random.ts';

type Draw = (sample: number) => readonly [number, number];

/** Elementary intervals of 2^-a × 2^-b, a + b = m, that do not hold exactly one of the block's points. */
function defects(draw: Draw, first: number, m: number): number {
  const points = Array.from({ length: 2 ** m }, (_, i) => draw(first + i));
  let bad = 0;
  for (let a = 0; a <= m; a++) {
    const cells = new Set(
      points.map(([x, y]) => Math.floor((x / 2 ** 32) * 2 ** a) * 2 ** (m - a) + Math.floor((y / 2 ** 32) * 2 ** (m - a))),
    );
    bad += 2 ** m - cells.size;
  }
  return bad;
}

const PIXELS = [pixelKey(0, 0, 1), pixelKey(17, 3, 1), pixelKey(959, 639, 4242)];

describe('sample points', () => {
  it.each([0, 1, 2, 7, 43])('of pair %i fill every elementary interval of every aligned block once', (pair) => {
    for (const pixel of PIXELS) {
      for (const m of [0, 1, 2, 3, 5, 8]) {
        for (const block of [0, 1, 5, 1023]) expect(defects((sample) => sampleBits({ pixel, sample }, pair), block * 2 ** m, m)).toBe(0);
      }
    }
  });

  it('do so near the last sample index too', () => {
    expect(defects((sample) => sampleBits({ pixel: PIXELS[1]!, sample }, 3), 2 ** 32 - 256, 8)).toBe(0);
  });

  it('would not if they were independent, or if the block were not aligned (controls)', () => {
    expect(defects((sample) => [hashPair(sample, 1), hashPair(sample, 2)], 0, 6)).toBeGreaterThan(30);
    expect(defects((sample) => sampleBits({ pixel: PIXELS[0]!, sample }, 0), 3, 6)).toBeGreaterThan(0);
  });

  it('are drawn apart for pixels, pairs and seeds', () => {
    const drawn = new Set<number>();
    for (const pixel of PIXELS) for (let pair = 0; pair < 40; pair++) drawn.add(sampleBits({ pixel, sample: 0 }, pair)[0]);
    expect(drawn.size).toBe(PIXELS.length * 40);
  });

  it('have means of one half and no correlation between pairs, within four standard errors', () => {
    const count = 1 << 14;
    let [sum, product] = [0, 0];
    for (let i = 0; i < count; i++) {
      const pixel = pixelKey(i % 128, i >> 7, 9);
      const [x, y] = [unit(sampleBits({ pixel, sample: 0 }, 4)[0]) - 0.5, unit(sampleBits({ pixel, sample: 0 }, 5)[0]) - 0.5];
      sum += x;
      product += x * y;
    }
    // Var x = 1/12, Var xy = 1/144.
    expect(Math.abs(sum / count)).toBeLessThan(4 * Math.sqrt(1 / 12 / count));
    expect(Math.abs(product / count)).toBeLessThan(4 / (12 * Math.sqrt(count)));
  });
});

describe('scrambling', () => {
  const seeds = [0, 1, 0x9e3779b9, 0xffffffff, hashWord(5)];

  it('permutes all 2^16 words of the leading 16 bits', () => {
    for (const seed of seeds) {
      const seen = new Uint8Array(1 << 16);
      for (let x = 0; x < 1 << 16; x++) seen[scrambleReversed(x, seed) & 0xffff]!++;
      expect(seen.every((times) => times === 1)).toBe(true);
    }
  });

  it('keeps every leading bit free of those behind it and turns each bit over with its own', () => {
    for (const seed of seeds) {
      for (let i = 0; i < 200; i++) {
        const x = hashPair(i, seed);
        for (let k = 0; k < 32; k++) {
          const change = (scrambleReversed(x, seed) ^ scrambleReversed((x ^ (1 << k)) >>> 0, seed)) >>> 0;
          // Bits are reversed here: those below k lead, bit k must differ, the rest may.
          expect(change & -change).toBe(k === 31 ? -(2 ** 31) : 1 << k);
        }
      }
    }
  });
});

describe('unit numbers', () => {
  it('are in [0, 1), exact in f32, for every word', () => {
    expect([unit(0), unit(0xffffffff), unit(0xff)]).toEqual([0, 1 - 2 ** -24, 0]);
    for (let i = 0; i < 1000; i++) {
      const value = unit(hashWord(i));
      expect(Math.fround(value)).toBe(value);
      expect(value).toBeLessThan(1);
    }
  });

  it('come from a Sobol sequence whose closed form reverses to its direction numbers', () => {
    expect([1, 2, 3, 4].map((i) => sobolSecond(i) / 2 ** 32)).toEqual([0.5, 0.75, 0.25, 0.625]);
    expect(reverseBits(1)).toBe(0x80000000);
  });
});
