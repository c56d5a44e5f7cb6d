/**
 * What rough metal really reflects: light walks on a random GGX surface from facet to facet until it
 * leaves (Heitz, Hanika, d'Eon and Dachsbacher, "Multiple-Scattering Microfacet BSDFs with the Smith
 * Model", SIGGRAPH 2016; uniform heights). The truth that energy compensation stands in for. Gives
 * albedos, no lobes.
 */
import { dot, unit, type V3 } from './material.ts';

/** Smith's Λ for GGX, upward and downward directions. */
function lambda(w: V3, alpha: number): number {
  const cosine = Math.min(Math.abs(w[2]), 1);
  const a = cosine / (alpha * Math.sqrt(Math.max(1 - cosine * cosine, 1e-20)));
  return 0.5 * (-1 + Math.sign(w[2]) * Math.sqrt(1 + 1 / (a * a)));
}

/** Cumulated height (0 the deepest, 1 the top) of the next facet along w from one at `height`; null: w leaves. */
function nextHeight(w: V3, height: number, alpha: number, u: number): number | null {
  if (w[2] > 0.9999) return null;
  if (w[2] < -0.9999) return height * u;
  if (Math.abs(w[2]) < 1e-4) return height;
  const shape = lambda(w, alpha);
  if (w[2] > 0 && u > 1 - height ** shape) return null;
  return Math.min(Math.max(height / (1 - u) ** (1 / shape), 0), 1);
}

/** A facet normal as seen from v, which may come from below (Dupuy and Benyoub 2023). */
function visibleNormal(v: V3, alpha: number, random: () => number): V3 {
  const stretched = unit([v[0] * alpha, v[1] * alpha, v[2]]);
  const phi = 2 * Math.PI * random();
  const z = (1 - random()) * (1 + stretched[2]) - stretched[2];
  const r = Math.sqrt(Math.max(0, 1 - z * z));
  return unit([(r * Math.cos(phi) + stretched[0]) * alpha, (r * Math.sin(phi) + stretched[1]) * alpha, Math.max(z + stretched[2], 1e-12)]);
}

/** Albedo of a metal with Schlick's Fresnel term, seen at `cosine`; mean over `walks` walks, and over their first steps alone. */
export function metalAlbedo(
  f0: number,
  alpha: number,
  cosine: number,
  walks: number,
  random: () => number,
): { readonly all: number; readonly once: number } {
  let [all, once] = [0, 0];
  for (let i = 0; i < walks; i++) {
    let w: V3 = [-Math.sqrt(1 - cosine * cosine), 0, -cosine];
    let [height, weight, steps] = [1, 1, 0];
    for (; steps < 1000; steps++) {
      const next = nextHeight(w, height, alpha, random());
      if (next === null) break;
      height = next;
      const v: V3 = [-w[0], -w[1], -w[2]];
      const n = visibleNormal(v, alpha, random);
      const d = dot(v, n);
      weight *= f0 + (1 - f0) * (1 - Math.min(Math.abs(d), 1)) ** 5;
      w = [2 * d * n[0] - v[0], 2 * d * n[1] - v[1], 2 * d * n[2] - v[2]];
    }
    all += weight / walks;
    if (steps === 1) once += weight / walks;
  }
  return { all, once };
}
