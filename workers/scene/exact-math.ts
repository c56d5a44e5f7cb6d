/**
 * Elementary functions from +, -, *, / and sqrt alone, so that every engine returns the same bits
 * (ECMA-262 leaves Math.sin, pow, exp and log to the implementation). Accurate to about 1e-15
 * unless said otherwise; not meant for huge arguments and not meant to be fast.
 */

export const PI = 3.141592653589793;
const HALF_PI = 1.5707963267948966;
const LN2 = 0.6931471805599453;

const floats = new Float64Array(1);
const words = new Uint32Array(floats.buffer);
const single = new Float32Array(1);
const singleBits = new Int32Array(single.buffer);

/** The natural logarithm of a positive, normal double. */
export function ln(x: number): number {
  floats[0] = x;
  const high = words[1] ?? 0;
  let exponent = ((high >>> 20) & 0x7ff) - 1023;
  words[1] = (high & 0xfffff) | (1023 << 20);
  let mantissa = floats[0];
  // Centring on 1 keeps |s| below 0.172, where twelve terms reach double precision.
  if (mantissa > 1.4142135623730951) {
    mantissa /= 2;
    exponent += 1;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const s2 = s * s;
  let sum = 0;
  for (let n = 23; n >= 1; n -= 2) sum = sum * s2 + 1 / n;
  return exponent * LN2 + 2 * s * sum;
}

function sinCore(x: number): number {
  const x2 = x * x;
  let sum = 1;
  for (let n = 18; n >= 2; n -= 2) sum = 1 - (sum * x2) / (n * (n + 1));
  return x * sum;
}

function cosCore(x: number): number {
  const x2 = x * x;
  let sum = 1;
  for (let n = 17; n >= 1; n -= 2) sum = 1 - (sum * x2) / (n * (n + 1));
  return sum;
}

/** The sine of x radians, |x| below 1e6. */
export function sin(x: number): number {
  const turns = Math.floor(x / HALF_PI + 0.5);
  const rest = x - turns * HALF_PI;
  const quadrant = ((turns % 4) + 4) % 4;
  const value = quadrant % 2 === 0 ? sinCore(rest) : cosCore(rest);
  return quadrant < 2 ? value : -value;
}

/** The cosine of x radians, |x| below 1e6. */
export const cos = (x: number): number => sin(x + HALF_PI);

export const tan = (x: number): number => sin(x) / cos(x);

/** The arc cosine, absolute error below 2e-8 (Abramowitz and Stegun 4.4.46). */
export function acos(x: number): number {
  const a = Math.min(1, Math.abs(x));
  const terms = [-0.0012624911, 0.0066700901, -0.0170881256, 0.030891881, -0.0501743046, 0.0889789874, -0.2145988016, 1.570796305];
  let sum = 0;
  for (const term of terms) sum = sum * a + term;
  const angle = Math.sqrt(1 - a) * sum;
  return x < 0 ? PI - angle : angle;
}

/** IEC 61966-2-1 decoding of the 256 codes; 2.4 = 2 + 2/5, and fifth roots fall to Newton. */
export const srgbToLinear: Float64Array = Float64Array.from({ length: 256 }, (_, code) => {
  const c = code / 255;
  if (c <= 0.04045) return c / 12.92;
  const x = (c + 0.055) / 1.055;
  let root = 1;
  for (let i = 0; i < 40; i++) root -= (root - (x * x) / (root * root * root * root)) / 5;
  return x * x * root;
});

/** Rec. 709 luminance of linear light. */
export const luminance = (r: number, g: number, b: number): number => 0.2126 * r + 0.7152 * g + 0.0722 * b;

/** The largest f32 not above x. */
export function roundDown(x: number): number {
  const rounded = Math.fround(x);
  if (rounded <= x) return rounded;
  return stepTowards(rounded, -1);
}

/** The smallest f32 not below x. */
export function roundUp(x: number): number {
  const rounded = Math.fround(x);
  if (rounded >= x) return rounded;
  return stepTowards(rounded, 1);
}

/** The next f32 below (direction -1) or above (direction 1). */
function stepTowards(value: number, direction: 1 | -1): number {
  if (value === 0) return direction * 1.401298464324817e-45;
  single[0] = value;
  singleBits[0] = (singleBits[0] ?? 0) + (value > 0 === direction > 0 ? 1 : -1);
  return single[0];
}
