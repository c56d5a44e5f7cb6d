/**
 * How rare what was never seen may be. Two answers of different strength: a bound that holds whatever the
 * distribution is, and an extrapolation that assumes its tail goes on as it began. Both are named where
 * they are printed.
 */

/** 95 %. */
const CONFIDENCE = 0.95;

/**
 * Upper end of the one-sided 95 % confidence interval of a rate (Clopper and Pearson 1934); with none seen
 * that is 1 − 0.05^(1/n), about 3/n.
 */
export function rateAtMost(seen: number, of: number): number {
  if (seen >= of) return 1;
  let [low, high] = [0, 1];
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (chanceOfAtMost(seen, of, middle) > 1 - CONFIDENCE) low = middle;
    else high = middle;
  }
  return high;
}

/** P(X ≤ k) of a binomial, by its terms in logarithms. */
function chanceOfAtMost(k: number, n: number, p: number): number {
  if (p <= 0) return 1;
  let term = n * Math.log1p(-p);
  let sum = Math.exp(term);
  for (let i = 1; i <= k; i++) {
    term += Math.log((n - i + 1) / i) + Math.log(p) - Math.log1p(-p);
    sum += Math.exp(term);
  }
  return sum;
}

/** A generalised Pareto distribution of what exceeds `above`. */
export interface Tail {
  readonly above: number;
  /** Values above it, of how many in all. */
  readonly excesses: number;
  readonly of: number;
  readonly shape: number;
  readonly scale: number;
}

/** Of the largest values, so many make the tail. */
const TAIL_SHARE = 0.005;
const EXCESSES_MIN = 30;

/**
 * Peaks over a threshold (Pickands 1975), fitted by probability-weighted moments (Hosking and Wallis 1987,
 * there with the shape's sign turned). @returns null where too few values differ from the rest to fit anything.
 */
export function tailOf(values: readonly number[]): Tail | null {
  const sorted = values.toSorted((a, b) => a - b);
  const wanted = Math.max(EXCESSES_MIN, Math.floor(sorted.length * TAIL_SHARE));
  const above = sorted[Math.max(sorted.length - wanted - 1, 0)] ?? 0;
  const excesses = sorted.filter((value) => value > above).map((value) => value - above);
  const n = excesses.length;
  if (n < EXCESSES_MIN) return null;
  let [mean, weighted] = [0, 0];
  for (const [i, excess] of excesses.entries()) {
    mean += excess / n;
    weighted += (excess * (n - i - 0.65)) / n / n;
  }
  const spread = mean - 2 * weighted;
  return { above, excesses: n, of: sorted.length, shape: 2 - mean / spread, scale: (2 * mean * weighted) / spread };
}

/** Chance that one more value exceeds `limit`, if the tail goes on as it was fitted; 0 beyond its end. */
export function chanceBeyond({ above, excesses, of, shape, scale }: Tail, limit: number): number {
  if (limit <= above) return excesses / of;
  const stretch = 1 + (shape * (limit - above)) / scale;
  if (stretch <= 0) return 0;
  const beyond = Math.abs(shape) < 1e-9 ? Math.exp(-(limit - above) / scale) : stretch ** (-1 / shape);
  return (excesses / of) * beyond;
}

/** The limit that one more value exceeds with this chance. */
export function limitFor({ above, excesses, of, shape, scale }: Tail, chance: number): number {
  const ratio = (chance * of) / excesses;
  if (ratio >= 1) return above;
  return above + (Math.abs(shape) < 1e-9 ? -scale * Math.log(ratio) : (scale * (ratio ** -shape - 1)) / shape);
}

/** The value that a share `q` of all does not exceed. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return 0;
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))]!;
}
