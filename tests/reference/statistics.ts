/** Welch's t-test in double precision: do two sets of independent measurements have one mean? */

/** ln Γ(x), x > 0 (Lanczos, g = 7). */
export function lnGamma(x: number): number {
  const c = [
    0.9999999999998099, 676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
    -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
  ];
  const t = x + 6.5;
  const sum = c.reduce((total, value, i) => (i === 0 ? value : total + value / (x + i - 1)), 0);
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

/** Regularised incomplete beta function by Lentz's continued fraction. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(lnGamma(a + b) - lnGamma(a) - lnGamma(b) + a * Math.log(x) + b * Math.log(1 - x)) / a;
  let [f, c, d] = [1, 1, 0];
  for (let i = 0; i <= 300; i++) {
    const m = i >> 1;
    let numerator = 1;
    if (i > 0)
      numerator =
        i % 2 === 0 ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)) : (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + numerator * d || 1e-300);
    c = 1 + numerator / c || 1e-300;
    f *= c * d;
    if (Math.abs(1 - c * d) < 1e-12) break;
  }
  return front * (f - 1);
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const spread = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1) / values.length;

export interface Welch {
  readonly difference: number;
  readonly standardError: number;
  /** Chance of a difference this large if the means were one, two-sided. */
  readonly p: number;
}

/** At least two measurements on each side. Equal constants give p = 1. */
export function welch(a: readonly number[], b: readonly number[]): Welch {
  const [va, vb] = [spread(a), spread(b)];
  const difference = mean(a) - mean(b);
  const standardError = Math.sqrt(va + vb);
  if (standardError === 0) return { difference, standardError, p: difference === 0 ? 1 : 0 };
  const freedom = (va + vb) ** 2 / (va ** 2 / (a.length - 1) + vb ** 2 / (b.length - 1));
  const t2 = (difference / standardError) ** 2;
  return { difference, standardError, p: incompleteBeta(freedom / (freedom + t2), freedom / 2, 0.5) };
}
