/** Pearson's chi-square test as pbrt applies it to samplers: sparse bins are pooled. */

import { lnGamma } from './statistics.ts';

/** P(X > x) for a chi-square variable: the upper regularised incomplete gamma function. */
export function chiSquareTail(x: number, degrees: number): number {
  const [a, z] = [degrees / 2, x / 2];
  if (z <= 0) return 1;
  const front = Math.exp(-z + a * Math.log(z) - lnGamma(a));
  if (z < a + 1) {
    let [term, sum] = [1 / a, 1 / a];
    for (let n = 1; n < 10_000 && term > sum * 1e-15; n++) {
      term *= z / (a + n);
      sum += term;
    }
    return 1 - front * sum;
  }
  // Continued fraction (Lentz).
  let [b, c] = [z + 1 - a, 1e300];
  let d = 1 / b;
  let h = d;
  for (let n = 1; n < 10_000; n++) {
    const an = -n * (n - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-14) break;
  }
  return front * h;
}

/** The p-value of observed counts. Bins that expect less than 5 are pooled; one that expects nothing may hold 1e-5 of all. */
export function chiSquareTest(observed: ArrayLike<number>, expected: ArrayLike<number>): number {
  const order = Array.from(expected, (value, i) => [value, i] as const).toSorted((a, b) => a[0] - b[0]);
  const stray = 1e-5 * Array.from(observed).reduce((sum, count) => sum + count, 0);
  let [statistic, degrees, pooledExpected, pooledObserved] = [0, -1, 0, 0];
  for (const [want, i] of order) {
    if (want === 0) {
      if (observed[i]! > stray) return 0;
    } else if (want < 5 || (pooledExpected > 0 && pooledExpected < 5)) {
      pooledExpected += want;
      pooledObserved += observed[i]!;
    } else {
      statistic += (observed[i]! - want) ** 2 / want;
      degrees++;
    }
  }
  if (pooledExpected > 0) {
    statistic += (pooledObserved - pooledExpected) ** 2 / pooledExpected;
    degrees++;
  }
  return degrees > 0 ? chiSquareTail(statistic, degrees) : 1;
}
