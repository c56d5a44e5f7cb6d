/**
 * Walker's alias table in Vose's construction (1991), with the stacks filled in index order so that
 * equal weights give equal tables everywhere. Thresholds are rounded to f32, and `probability` is
 * what the rounded table really yields, so sampling and density agree exactly.
 */
export interface AliasTable {
  /** Keep row i when u < threshold[i], else take other[i]. */
  readonly threshold: Float32Array<ArrayBuffer>;
  readonly other: Uint32Array<ArrayBuffer>;
  /** Sums to 1 within rounding; exactly 0 for weight 0. */
  readonly probability: Float64Array<ArrayBuffer>;
}

/** @param weights finite, none negative, at least one positive. */
export function buildAliasTable(weights: Float64Array): AliasTable {
  const n = weights.length;
  let total = 0;
  for (let i = 0; i < n; i++) total += weights[i] as number;
  const scaled = new Float64Array(n);
  const small = new Uint32Array(n);
  const large = new Uint32Array(n);
  let [smalls, larges, heaviest] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    scaled[i] = ((weights[i] as number) / total) * n;
    if ((scaled[i] as number) < 1) small[smalls++] = i;
    else large[larges++] = i;
    if ((weights[i] as number) > (weights[heaviest] as number)) heaviest = i;
  }
  const threshold = new Float32Array(n).fill(1);
  const other = Uint32Array.from({ length: n }, (_, i) => i);
  while (smalls > 0 && larges > 0) {
    const s = small[--smalls] as number;
    const l = large[larges - 1] as number;
    threshold[s] = scaled[s] as number;
    other[s] = l;
    scaled[l] = (scaled[l] as number) - (1 - (scaled[s] as number));
    if ((scaled[l] as number) < 1) {
      larges -= 1;
      small[smalls++] = l;
    }
  }
  // Left-over small rows are full up to rounding, except rows of weight 0, which nothing may pick.
  while (smalls > 0) {
    const s = small[--smalls] as number;
    if ((weights[s] as number) > 0) continue;
    threshold[s] = 0;
    other[s] = heaviest;
  }
  const probability = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const keep = threshold[i] as number;
    probability[i] = (probability[i] as number) + keep / n;
    const target = other[i] as number;
    probability[target] = (probability[target] as number) + (1 - keep) / n;
  }
  return { threshold, other, probability };
}
