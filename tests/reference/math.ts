/**
 * Twins of shaders/common/math.wgsl and frame.wgsl in f32, operation by operation. WGSL lets `fma`
 * round once or twice, so every twin takes the multiply-add to use; all else is rounded after each
 * operation. Refuses nothing: outside the stated domains it is as wrong as the shader.
 */

const f = Math.fround;
export type Fma = (a: number, b: number, c: number) => number;
export type V3 = readonly [number, number, number];

/** Rounds after the product and after the sum. */
export const splitFma: Fma = (a, b, c) => f(f(a * b) + c);

const wide = new Float64Array(1);
const words = new BigUint64Array(wide.buffer);

/** Rounds once: the exact product, and a sum rounded to odd before it is rounded to f32. */
export const fusedFma: Fma = (a, b, c) => {
  const product = a * b;
  const sum = product + c;
  const back = sum - product;
  const error = product - (sum - back) + (c - back);
  if (error === 0 || !Number.isFinite(sum)) return f(sum);
  wide[0] = sum;
  if ((words[0]! & 1n) === 0n) words[0]! += error > 0 === sum > 0 ? 1n : -1n;
  return f(wide[0]!);
};

const horner = (fma: Fma, x: number, coefficients: readonly number[]): number => {
  let p = f(coefficients[0]!);
  for (const c of coefficients.slice(1)) p = fma(x, p, f(c));
  return p;
};

const SINE = [-75.39374542236328, 81.59236145019531, -41.3416633605957, 6.2831854820251465];
const COSINE = [59.2028923034668, -85.44229888916016, 64.9393081665039, -19.739208221435547, 1];

export function cosSinTurns(turns: number, fma: Fma): readonly [number, number] {
  const quadrant = Math.floor(f(f(turns * 4) + 0.5));
  const r = f(turns - f(quadrant * 0.25));
  const r2 = f(r * r);
  const s = f(r * horner(fma, r2, SINE));
  const c = horner(fma, r2, COSINE);
  switch (quadrant & 3) {
    case 0:
      return [c, s];
    case 1:
      return [-s, c];
    case 2:
      return [-c, -s];
    default:
      return [s, -c];
  }
}

const ARC_COSINE = [
  -0.0012534428, 0.006638569291681051, -0.01704503409564495, 0.030862705782055855, -0.050164174288511276, 0.08897730708122253,
  -0.21459870040416718, 1.570796251296997,
];

export function acosPoly(x: number, fma: Fma): number {
  const a = Math.min(Math.abs(x), 1);
  const r = f(f(Math.sqrt(f(1 - a))) * horner(fma, a, ARC_COSINE));
  return x < 0 ? f(f(3.14159265358979) - r) : r;
}

const ARC_TANGENT = [
  -0.0007470271666534245, 0.003860149532556534, -0.00946794357150793, 0.015779385343194008, -0.022312819957733154, 0.03178282827138901,
  -0.05304951220750809, 0.15915492177009583,
];

export function atan2Turns(y: number, x: number, fma: Fma): number {
  const [ax, ay] = [Math.abs(x), Math.abs(y)];
  const a = f(Math.min(ax, ay) / Math.max(ax, ay, f(1e-30)));
  let p = f(horner(fma, f(a * a), ARC_TANGENT) * a);
  if (ay > ax) p = f(0.25 - p);
  if (x < 0) p = f(0.5 - p);
  return y < 0 ? -p : p;
}

const POWER = [
  0.00021702249068766832, 0.0012439689598977566, 0.009678840637207031, 0.055483341217041016, 0.24022983014583588, 0.6931470036506653, 1,
];

export function exp2Poly(x: number, fma: Fma): number {
  const clamped = Math.min(Math.max(x, -126), 126);
  const whole = Math.floor(clamped);
  return f(horner(fma, f(clamped - whole), POWER) * 2 ** whole);
}

const single = new Float32Array(1);
const singleWord = new Uint32Array(single.buffer);
const LOGARITHM = [
  0.1258353739976883, -0.20726893842220306, 0.21571584045886993, -0.23894494771957397, 0.28791624307632446, -0.3607036769390106,
  0.48091062903404236, -0.7213473320007324, 1.4426950216293335,
];

export function log2Poly(x: number, fma: Fma): number {
  single[0] = x;
  const bits = singleWord[0]!;
  const exponent = (bits - 0x3f3504f3) >> 23;
  singleWord[0] = (bits - (exponent << 23)) >>> 0;
  const m = f(single[0] - 1);
  return fma(m, horner(fma, m, LOGARITHM), exponent);
}

const SRGB = [
  -0.12352131307125092, 0.4170933663845062, -0.6305057406425476, 0.8101323246955872, 0.49075499176979065, 0.035080306231975555,
  0.0008572006481699646,
];

export const srgbToLinear = (x: number, fma: Fma): number => (x <= f(0.04045) ? f(x * f(1 / 12.92)) : horner(fma, x, SRGB));

const dot = (a: V3, b: V3): number => f(f(f(a[0] * b[0]) + f(a[1] * b[1])) + f(a[2] * b[2]));

export function normalizeOr(v: V3, fallback: V3): V3 {
  const l2 = dot(v, v);
  if (l2 < f(1e-30)) return fallback;
  const length = f(Math.sqrt(l2));
  return [f(v[0] / length), f(v[1] / length), f(v[2] / length)];
}

/** Columns of the frame around unit n. */
export function basisAround(n: V3): readonly [V3, V3, V3] {
  const s = n[2] >= 0 ? 1 : -1;
  const a = f(-1 / f(s + n[2]));
  const b = f(f(n[0] * n[1]) * a);
  return [[f(1 + f(f(f(s * n[0]) * n[0]) * a)), f(s * b), f(-s * n[0])], [b, f(s + f(f(n[1] * n[1]) * a)), -n[1]], n];
}

function octahedral(x: number, y: number): V3 {
  const z = f(f(1 - Math.abs(x)) - Math.abs(y));
  const fold = Math.max(-z, 0);
  return normalizeOr([f(x - (x >= 0 ? fold : -fold)), f(y - (y >= 0 ? fold : -fold)), z], [0, 0, 1]);
}

export const unpackNormal = (word: number): V3 => octahedral(f(((word << 16) >> 16) / 32767), f((word >> 16) / 32767));

export function unpackTangent(word: number): readonly [number, number, number, number] {
  const direction = octahedral(f(((word << 16) >> 16) / 32767), f(((word << 1) >> 17) / 16383));
  return [...direction, word >>> 31 === 1 ? -1 : 1];
}
