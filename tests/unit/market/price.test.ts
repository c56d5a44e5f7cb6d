/** Money arithmetic: whole micro-tokens, nothing lost in a split, never above the cap. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { leaseCount } from '#lib/job/plan.ts';
import { evenParts, jobPaths, leasePaths, leasePrice, splitPrice, workPrice, worstPrice } from '#lib/market/price.ts';
import { priceOfWork } from '#lib/market/estimate.ts';
import { DEFAULT_POLICY } from '#lib/server/policy.ts';
import { testOrder } from '../server/harness.ts';

test('work is rounded up to a whole micro-token', () => {
  expect(workPrice(0, 1_000_000n)).toBe(0n);
  expect(workPrice(1, 1_000_000n)).toBe(1n);
  expect(workPrice(1_000, 1_000_000n)).toBe(1n);
  expect(workPrice(1_001, 1_000_000n)).toBe(2n);
  expect(workPrice(1_000_000_000, 1_000_000n)).toBe(1_000_000n);
});

test('the paths of all leases are the paths of the job, also where tiles are cut', () => {
  for (const order of [testOrder(), testOrder({ width: 70, height: 33, samples: 11, passSamples: 4 })]) {
    const all = Array.from({ length: leaseCount(order) }, (_, slot) => leasePaths(order, slot));
    expect(all.reduce((a, b) => a + b)).toBe(jobPaths(order));
  }
  expect(() => leasePaths(testOrder(), 4)).toThrow(RangeError);
});

test('whatever workers claim, all leases together never cost more than the cap', () => {
  fc.assert(
    fc.property(
      fc.bigInt(0n, 10n ** 15n),
      fc.array(fc.integer({ min: 0, max: 2 ** 50 }), { minLength: 4, maxLength: 4 }),
      (capMicro, claims) => {
        const order = testOrder();
        const prices = claims.map((segments, slot) =>
          leasePrice({ segments, paths: leasePaths(order, slot), jobPaths: jobPaths(order), capMicro, pricePerWorkUnitMicro: 1_000_000n }),
        );
        expect(prices.reduce((a, b) => a + b)).toBeLessThanOrEqual(capMicro);
      },
    ),
  );
});

test('a split and its parts sum to the whole', () => {
  fc.assert(
    fc.property(
      fc.bigInt(0n, 10n ** 18n),
      fc.integer({ min: 0, max: 500 }),
      fc.integer({ min: 0, max: 500 }),
      fc.integer({ min: 1, max: 5 }),
      (amount, checkerShare, feeShare, parts) => {
        const split = splitPrice(amount, { checkerShare, feeShare });
        expect(split.workerMicro + split.checkerMicro + split.feeMicro).toBe(amount);
        expect(split.workerMicro).toBeGreaterThanOrEqual(0n);
        const even = evenParts(split.checkerMicro, parts);
        expect(even.reduce((a, b) => a + b)).toBe(split.checkerMicro);
        expect(even[0]! - even.at(-1)!).toBeLessThanOrEqual(1n);
      },
    ),
  );
});

test('the worst case is every path through every bounce, and a price says where the money goes', () => {
  const order = { width: 1_000, height: 1_000, samples: 100, bounces: 4 };
  // 10^8 paths of at most 2 · (4 + 1) + 1 segments are 1.1 work units, at 3 segments each 0.3.
  expect(worstPrice(order, 1_000_000n)).toBe(1_100_000n);
  const priced = priceOfWork({ segments: 3e8, low: 2e8, high: 4e8 }, {}, 1_000_000n, DEFAULT_POLICY);
  expect(priced).toEqual({
    ...{ estimateMicro: 300_000n, lowMicro: 200_000n, highMicro: 400_000n, milliUnits: 300 },
    split: { workerMicro: 270_000n, checkerMicro: 24_000n, feeMicro: 6_000n },
  });
});
