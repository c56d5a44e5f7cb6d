/** Rates of what was never seen, against distributions whose tails are known on paper. */
import { describe, expect, it } from 'vitest';
import { chanceBeyond, limitFor, quantile, rateAtMost, tailOf } from '../../calibrate/tail.ts';
import { seededRandom } from '../../sim/virtual-clock.ts';

describe('the bound of a rate', () => {
  it('is the rule of three where nothing was seen', () => {
    expect(rateAtMost(0, 100_000)).toBeCloseTo(1 - 0.05 ** (1 / 100_000), 12);
    expect(rateAtMost(0, 10)).toBeCloseTo(0.2589, 4);
  });

  it('is Clopper and Pearson’s where something was', () => {
    // Their table of 1934: 1 of 10, one-sided 95 %, and 5 of 10.
    expect(rateAtMost(1, 10)).toBeCloseTo(0.3942, 4);
    expect(rateAtMost(5, 10)).toBeCloseTo(0.7776, 4);
    expect(rateAtMost(10, 10)).toBe(1);
  });
});

describe('the tail', () => {
  const draws = (inverse: (u: number) => number): number[] => {
    const random = seededRandom(7);
    return Array.from({ length: 100_000 }, () => inverse(random()));
  };

  it.each([
    // 1 in 10^6 exceeds: −ln 10^-6; 10^(6 / 4); 1 − 10^-6.
    ['exponential', (u: number) => -Math.log(1 - u), -Math.log(1e-6), 0],
    ['Pareto of index 4', (u: number) => (1 - u) ** -0.25, 1e6 ** 0.25, 0.25],
    ['uniform', (u: number) => u, 1 - 1e-6, -1],
  ])('of the %s distribution is found again from 100,000 draws', (_, inverse, limit, shape) => {
    const tail = tailOf(draws(inverse))!;
    expect(tail.excesses).toBe(500);
    expect(Math.abs(tail.shape - shape)).toBeLessThan(0.15);
    expect(limitFor(tail, 1e-6) / limit).toBeGreaterThan(0.7);
    expect(limitFor(tail, 1e-6) / limit).toBeLessThan(1.5);
    expect(chanceBeyond(tail, limitFor(tail, 1e-6))).toBeCloseTo(1e-6, 9);
  });

  it('is none where values hardly differ', () => {
    expect(tailOf(Array.from({ length: 1000 }, () => 0))).toBeNull();
    expect(tailOf([...Array.from({ length: 1000 }, () => 0), 1])).toBeNull();
  });

  it('gives quantiles that so many do not exceed', () => {
    const sorted = Array.from({ length: 100 }, (_, i) => i + 1);
    expect([0.5, 0.99, 1, 0].map((q) => quantile(sorted, q))).toEqual([50, 99, 100, 1]);
    expect(quantile([], 0.5)).toBe(0);
  });
});
