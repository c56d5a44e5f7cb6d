/** How a job is cut: nothing is left out, nothing twice, every pass aligned. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leafRects, leaseCount, passes, tileCount, tileRect, type Rect } from '#lib/job/plan.ts';

const size = fc.record({
  width: fc.integer({ min: 1, max: 400 }),
  height: fc.integer({ min: 1, max: 400 }),
  tileSide: fc.constantFrom(32, 64, 128),
});

function coverage(rects: readonly Rect[], width: number, height: number): Uint8Array {
  const seen = new Uint8Array(width * height);
  for (const rect of rects) {
    for (let y = rect.y; y < rect.y + rect.height; y++) {
      for (let x = rect.x; x < rect.x + rect.width; x++) seen[y * width + x]!++;
    }
  }
  return seen;
}

describe('tiles', () => {
  it('cover every pixel of the frame exactly once', () => {
    fc.assert(
      fc.property(size, (order) => {
        const rects = Array.from({ length: tileCount(order) }, (_, i) => tileRect(order, i));
        expect(coverage(rects, order.width, order.height).every((n) => n === 1)).toBe(true);
      }),
    );
  });
});

describe('leaves', () => {
  it('cover every pixel of a tile exactly once, in row order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 130 }), fc.integer({ min: 1, max: 130 }), (width, height) => {
        const leaves = leafRects({ x: 0, y: 0, width, height });
        expect(coverage(leaves, width, height).every((n) => n === 1)).toBe(true);
        expect(leaves).toEqual(leaves.toSorted((a, b) => a.y - b.y || a.x - b.x));
      }),
    );
  });
});

describe('passes', () => {
  it('start with one sample, double, and stop growing', () => {
    expect(passes({ samples: 64, passSamples: 16 }).map((pass) => pass.count)).toEqual([1, 1, 2, 4, 8, 16, 16, 16]);
  });

  it('take every sample once, each pass a power of two at a multiple of itself', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 0, max: 6 }), (samples, log2) => {
        const cut = passes({ samples, passSamples: 2 ** log2 });
        let next = 0;
        for (const pass of cut) {
          expect(pass.first).toBe(next);
          expect(Math.log2(pass.count) % 1).toBe(0);
          expect(pass.count).toBeLessThanOrEqual(2 ** log2);
          expect(pass.first % pass.count).toBe(0);
          next += pass.count;
        }
        expect(next).toBe(samples);
      }),
    );
  });

  it('times tiles are the leases', () => {
    expect(leaseCount({ width: 300, height: 200, tileSide: 128, samples: 4, passSamples: 64 })).toBe(6 * 3);
  });
});
