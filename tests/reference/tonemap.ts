/**
 * Tone operators from what they were fitted to: the ACES splines themselves, the sigmoid of AgX, and
 * Khronos' inverse of PBR Neutral; matrices from chromaticities. Slow, in doubles, grey or colour.
 */
type Rgb = readonly [number, number, number];
type Matrix = readonly [Rgb, Rgb, Rgb];

const dot = (a: Rgb, b: Rgb): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const times = (m: Matrix, v: Rgb): Rgb => [dot(m[0], v), dot(m[1], v), dot(m[2], v)];
const column = (m: Matrix, c: 0 | 1 | 2): Rgb => [m[0][c], m[1][c], m[2][c]];
const product = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => [dot(row, column(b, 0)), dot(row, column(b, 1)), dot(row, column(b, 2))]) as unknown as Matrix;

function inverse(m: Matrix): Matrix {
  const cross = (a: Rgb, b: Rgb): Rgb => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  const [x, y, z] = [cross(m[1], m[2]), cross(m[2], m[0]), cross(m[0], m[1])];
  const d = dot(m[0], x);
  return [0, 1, 2].map((i) => [x[i]! / d, y[i]! / d, z[i]! / d]) as unknown as Matrix;
}

/** To CIE XYZ from primaries and a white of luminance 1 (SMPTE RP 177). */
function toXyz(primaries: readonly (readonly [number, number])[], white: readonly [number, number]): Matrix {
  const xyz = ([x, y]: readonly [number, number]): Rgb => [x / y, 1, (1 - x - y) / y];
  const [r, g, b] = primaries.map(xyz) as [Rgb, Rgb, Rgb];
  const plain = [0, 1, 2].map((i) => [r[i]!, g[i]!, b[i]!]) as unknown as Matrix;
  const scale = times(inverse(plain), xyz(white));
  return plain.map((row) => [row[0] * scale[0], row[1] * scale[1], row[2] * scale[2]]) as unknown as Matrix;
}

const D65 = [0.3127, 0.329] as const;
const REC709 = toXyz(
  [
    [0.64, 0.33],
    [0.3, 0.6],
    [0.15, 0.06],
  ] as const,
  D65,
);
const REC2020 = toXyz(
  [
    [0.708, 0.292],
    [0.17, 0.797],
    [0.131, 0.046],
  ] as const,
  D65,
);
const FROM_709 = product(inverse(REC2020), REC709);

// ---- AgX -----------------------------------------------------------------------------------

const PIVOT = [10 / 16.5, 0.5] as const;
const SLOPE = 2;
const POWERS = { toe: 3, shoulder: 3.25 } as const;

/** The sigmoid of Sobotka's configuration: a hyperbola of each side that meets the pivot with the slope and its corner exactly. */
function agxSigmoid(x: number): number {
  const high = x >= PIVOT[0];
  const power = high ? POWERS.shoulder : POWERS.toe;
  const [a, b] = high ? [1 - PIVOT[0], 1 - PIVOT[1]] : PIVOT;
  const scale = ((SLOPE * a) ** -power * ((SLOPE * (a / b)) ** power - 1)) ** (-1 / power);
  const t = (SLOPE * Math.abs(x - PIVOT[0])) / scale;
  return PIVOT[1] + (high ? 1 : -1) * ((scale * t) / (1 + t ** power) ** (1 / power));
}

/** Blender's inset, and the inverse of its outset, in Rec. 2020 as EaryChow's generator and Filament publish them. */
const INSET: Matrix = [
  [0.856627153315983, 0.0951212405381588, 0.0482516061458583],
  [0.137318972929847, 0.761241990602591, 0.101439036467562],
  [0.11189821299995, 0.0767994186031903, 0.811302368396859],
];
const OUTSET_INVERSE: Matrix = [
  [0.899796955911611, 0.0871996192028351, 0.013003424885555],
  [0.11142098895748, 0.875575586156966, 0.0130034248855548],
  [0.11142098895748, 0.0871996192028349, 0.801379391839686],
];

/** Display light, not clipped. */
export function agxReference(color: Rgb): Rgb {
  const inset = times(INSET, times(FROM_709, color));
  const curved = inset.map((value) => agxSigmoid(Math.min(Math.max((Math.log2(Math.max(value, 1e-10) / 0.18) + 10) / 16.5, 0), 1)));
  const display = times(inverse(OUTSET_INVERSE), curved as unknown as Rgb).map((value) => Math.max(value, 0) ** 2.2);
  return times(inverse(FROM_709), display as unknown as Rgb);
}

// ---- ACES ----------------------------------------------------------------------------------

interface Spline {
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** log10 of what goes in and comes out at the least, the middle and the most. */
  readonly min: readonly [number, number];
  readonly mid: readonly [number, number];
  readonly max: readonly [number, number];
}

/** Quadratic B-spline in log10, by segments of equal width either side of the middle (ACES 1.0, ACESlib.Tonescales). */
function tonescale(x: number, { low, high, min, mid, max }: Spline): number {
  const log = Math.min(Math.max(Math.log10(Math.max(x, 1e-10)), min[0]), max[0]);
  const [knots, from, to] = log < mid[0] ? [low, min[0], mid[0]] : [high, mid[0], max[0]];
  // The outermost knot of each side lies beyond its end.
  const segments = knots.length - 3;
  const at = ((log - from) / (to - from)) * segments;
  const j = Math.min(Math.floor(at), segments - 1);
  const t = at - j;
  const [a, b, c] = [knots[j]!, knots[j + 1]!, knots[j + 2]!];
  return 10 ** (0.5 * (t * t * (a - 2 * b + c) + 2 * t * (b - a) + a + b));
}

const log10s = (pair: readonly [number, number]): readonly [number, number] => [Math.log10(pair[0]), Math.log10(pair[1])];

const RRT: Spline = {
  low: [-4, -4, -3.1573765773, -0.4852499958, 1.8477324706, 1.8477324706],
  high: [-0.7185482425, 2.0810307172, 3.6681241237, 4, 4, 4],
  min: log10s([0.18 * 2 ** -15, 0.0001]),
  mid: log10s([0.18, 4.8]),
  max: log10s([0.18 * 2 ** 18, 10_000]),
};
const through = (stops: number): number => tonescale(0.18 * 2 ** stops, RRT);
const ODT_48_NITS: Spline = {
  low: [-1.6989700043, -1.6989700043, -1.4779, -1.2291, -0.8648, -0.448, 0.00518, 0.4511080334, 0.9113744414, 0.9113744414],
  high: [0.5154386965, 0.8470437783, 1.1358, 1.3802, 1.5197, 1.5985, 1.6467, 1.6746091357, 1.687873339, 1.687873339],
  min: log10s([through(-6.5), 0.02]),
  mid: log10s([through(0), 4.8]),
  max: log10s([through(6.5), 48]),
};

/** Display light of a grey through the reference rendering transform and the output transform for 48 nits. */
export const acesGreyReference = (grey: number): number => (tonescale(tonescale(grey, RRT), ODT_48_NITS) - 0.02) / (48 - 0.02);

// ---- PBR Neutral ---------------------------------------------------------------------------

/** Khronos' inverse of the operator: display light to the radiance it came from. */
export function neutralInverse(color: Rgb): Rgb {
  const [fresnel, desaturation] = [0.04, 0.15];
  const start = 0.8 - fresnel;
  const peak = Math.max(...color);
  let open = color as readonly number[];
  if (peak > start) {
    const d = 1 - start;
    const before = (d * d) / (1 - peak) - d + start;
    const white = 1 - 1 / (desaturation * (before - peak) + 1);
    open = color.map((value) => (((value - white * peak) / (1 - white)) * before) / peak);
  }
  const least = Math.min(...open);
  const offset = least <= fresnel ? Math.sqrt(least / 6.25) - least : fresnel;
  return open.map((value) => value + offset) as unknown as Rgb;
}
