/**
 * Directional albedos of the BSDF lobes by quadrature in double precision: what the tables in
 * shaders/bsdf/tables.ts hold, and how they are laid out. Slow and plain on purpose; the kernels
 * read the tables.
 */

export type Direction = readonly [number, number, number];
export type Widths = readonly [number, number];

/** Narrowest GGX of the kernels (ALPHA_MIN) and narrowest Charlie sheen. */
export const ALPHA_MIN = 1e-3;
export const SHEEN_ALPHA_MIN = 0.01;

export const direction = (cosine: number, phi = 0): Direction => {
  const sine = Math.sqrt(Math.max(0, 1 - cosine * cosine));
  return [sine * Math.cos(phi), sine * Math.sin(phi), cosine];
};

const stretch = (w: Direction, [ax, ay]: Widths): number => Math.hypot(ax * w[0], ay * w[1], w[2]);
const schlick = (cosine: number): number => (1 - cosine) ** 5;

/** Fresnel reflectance of unpolarised light that meets an interface of relative ior `eta` (pbrt-v4, section 9.3.5). */
export function fresnel(eta: number, cosine: number): number {
  const inner2 = 1 - (1 - cosine * cosine) / (eta * eta);
  if (inner2 <= 0) return 1;
  const inner = Math.sqrt(inner2);
  const parallel = (eta * cosine - inner) / (eta * cosine + inner);
  const perpendicular = (cosine - eta * inner) / (cosine + eta * inner);
  return (parallel ** 2 + perpendicular ** 2) / 2;
}

/** The rise of that reflectance from normal incidence (0) to grazing (1) for the usual ior of 1.5. */
const rise = (cosine: number): number => (fresnel(1.5, cosine) - 0.04) / 0.96;

/** Its multiples lie evenly in [0, 1) however many there are. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * Calls back for half vectors visible from `o` with their weights, which sum to one (Dupuy and Benyoub
 * 2023): `side` turns of `side` heights, finest at the top and at the rim, where what reflects upwards
 * ends. Every turn has heights of its own: seen from straight in front the edge of total reflection is a
 * ring, which would fall between two rings of a grid, and was up to 0.9 % off.
 */
function visibleNormals(o: Direction, alpha: Widths, side: number, visit: (x: number, y: number, z: number, weight: number) => void): void {
  const length = stretch(o, alpha);
  const [sx, sy, sz] = [(o[0] * alpha[0]) / length, (o[1] * alpha[1]) / length, o[2] / length];
  const whole = alpha[0] === alpha[1] && o[1] === 0 ? Math.PI : 2 * Math.PI; // half of it mirrors the other
  for (let i = 0; i < side; i++) {
    const turn = (whole * (i + 0.5)) / side;
    const offset = ((i + 0.5) * GOLDEN) % 1;
    for (let j = 0; j < side; j++) {
      const v = (j + offset) / side;
      const weight = (30 * v * v * (1 - v) * (1 - v)) / side ** 2;
      const z = v * v * v * (10 - 15 * v + 6 * v * v) * (1 + sz) - sz;
      const r = Math.sqrt(Math.max(0, 1 - z * z));
      const [mx, my, mz] = [(r * Math.cos(turn) + sx) * alpha[0], (r * Math.sin(turn) + sy) * alpha[1], Math.max(z + sz, 1e-12)];
      const norm = Math.sqrt(mx * mx + my * my + mz * mz);
      visit(mx / norm, my / norm, mz / norm, weight);
    }
  }
}

/** G2/G1 of a reflection about a half vector with o·h = d; 0 below the horizon. */
function reflected(o: Direction, alpha: Widths, x: number, y: number, z: number, d: number): number {
  const wi: Direction = [2 * d * x - o[0], 2 * d * y - o[1], 2 * d * z - o[2]];
  if (wi[2] <= 0) return 0;
  const lengthOut = stretch(o, alpha);
  return (wi[2] * (o[2] + lengthOut)) / (wi[2] * lengthOut + o[2] * stretch(wi, alpha));
}

/**
 * [A, B, C]: with Schlick's Fresnel term the albedo of the reflection is F0 A + F90 B; with the exact
 * one of a dielectric it is F0 (A + B - C) + F90 C.
 */
export function mirrorAlbedo(o: Direction, alpha: Widths, side: number): readonly [number, number, number] {
  let [a, b, c] = [0, 0, 0];
  visibleNormals(o, alpha, side, (x, y, z, share) => {
    const d = o[0] * x + o[1] * y + o[2] * z;
    const weight = share * reflected(o, alpha, x, y, z, d);
    a += weight * (1 - schlick(d));
    b += weight * schlick(d);
    c += weight * rise(d);
  });
  return [a, b, c];
}

/**
 * A rough interface with relative ior `eta`, reflection and refraction together: [albedo with its
 * Fresnel term, albedo when nothing but total reflection is reflected].
 */
export function glassAlbedo(o: Direction, alpha: number, eta: number, side: number): readonly [number, number] {
  const widths: Widths = [alpha, alpha];
  let [both, open] = [0, 0];
  visibleNormals(o, widths, side, (x, y, z, weight) => {
    const d = o[0] * x + o[1] * y + o[2] * z;
    if (d <= 0) return;
    const up = reflected(o, widths, x, y, z, d);
    const sin2 = (1 - d * d) / (eta * eta);
    const inner = Math.sqrt(Math.max(0, 1 - sin2));
    const back = fresnel(eta, d);
    const bend = d / eta - inner;
    const through: Direction = [bend * x - o[0] / eta, bend * y - o[1] / eta, bend * z - o[2] / eta];
    const down = sin2 >= 1 || through[2] >= 0 ? 0 : (-2 * through[2]) / (-through[2] + stretch(through, widths));
    both += weight * (back * up + (1 - back) * down);
    open += weight * (sin2 >= 1 ? up : down);
  });
  return [both, open];
}

/** Charlie distribution with Ashikhmin's visibility; above 1 where it is narrow and seen at a grazing angle. */
export function sheenAlbedo(cosine: number, alpha: number, side: number): number {
  const sine = Math.sqrt(1 - cosine * cosine);
  let sum = 0;
  for (let i = 0; i < side; i++) {
    const u = (i + 0.5) / side;
    const z = u * u; // denser near the horizon, where narrow lobes lie
    const r = Math.sqrt(1 - z * z);
    for (let j = 0; j < side; j++) {
      const turn = (Math.PI * (j + 0.5)) / side;
      const [x, y, up] = [sine + r * Math.cos(turn), r * Math.sin(turn), cosine + z];
      const sin2 = Math.max(1 - (up * up) / (x * x + y * y + up * up), 1e-7);
      const d = ((2 + 1 / alpha) * sin2 ** (0.5 / alpha)) / (2 * Math.PI);
      sum += (d / (4 * (cosine + z - cosine * z))) * z * 2 * u;
    }
  }
  return (sum * 2 * Math.PI) / side ** 2;
}
