/**
 * Turns linear radiance (Rec. 709 primaries) into display bytes: exposure, an operator, the sRGB
 * curve. The operators are the two that artists know from elsewhere, with the constants of their
 * sources. Refuses to guess exposure.
 */

/**
 * `neutral`: Khronos PBR Neutral (2024), keeps base colours true; `agx`: Troy Sobotka's AgX, as the
 * polynomial fit of Benjamin Wrensch, films gracefully into white; `none`: clips.
 */
export type ToneOperator = 'neutral' | 'agx' | 'none';

export interface ToneOptions {
  /** Stops; radiance is multiplied by 2^exposure. */
  readonly exposure: number;
  readonly operator: ToneOperator;
}

export const DEFAULT_TONE: ToneOptions = { exposure: 0, operator: 'neutral' };

/**
 * @param rgb linear R, G, B per pixel; not-finite and negative values count as 0.
 * @param out R, G, B, A per pixel; length must be rgb.length / 3 × 4.
 * @param coverage alpha per pixel, 0 to 1, that `rgb` is multiplied with; colours come out unmultiplied. Absent: opaque.
 */
export function toneMap(rgb: Float32Array, out: Uint8ClampedArray, options: ToneOptions = DEFAULT_TONE, coverage?: Float32Array): void {
  const pixels = rgb.length / 3;
  if (out.length !== pixels * 4) throw new RangeError(`out has ${out.length} bytes, ${pixels} pixels need ${pixels * 4}`);
  const exposure = 2 ** options.exposure;
  const operate = OPERATORS[options.operator];
  const color: Color = [0, 0, 0];
  for (let p = 0; p < pixels; p++) {
    const alpha = coverage ? coverage[p]! : 1;
    const scale = alpha > 0 ? exposure / alpha : 0;
    for (let c = 0; c < 3; c++) {
      const value = rgb[p * 3 + c]! * scale;
      // An Infinity is a very bright pixel, a NaN none at all.
      color[c] = value > 0 ? Math.min(value, RADIANCE_MAX) : 0;
    }
    operate(color);
    for (let c = 0; c < 3; c++) out[p * 4 + c] = encodeSrgb(color[c]!);
    out[p * 4 + 3] = alpha * 255;
  }
}

type Color = [number, number, number];
const RADIANCE_MAX = 1e9;

/** IEC 61966-2-1, linear 0..1 to 0..255; values outside are clipped by the caller's clamped array. */
function encodeSrgb(linear: number): number {
  return 255 * (linear <= 0.0031308 ? 12.92 * linear : 1.055 * Math.min(linear, 1) ** (1 / 2.4) - 0.055);
}

/** Khronos, "PBR Neutral Tone Mapper" (ToneMapping repository, pbrNeutral.glsl). */
function neutral(color: Color): void {
  const startCompression = 0.8 - 0.04;
  const desaturation = 0.15;
  const least = Math.min(color[0], color[1], color[2]);
  const offset = least < 0.08 ? least - 6.25 * least * least : 0.04;
  for (let c = 0; c < 3; c++) color[c]! -= offset;
  const peak = Math.max(color[0], color[1], color[2]);
  if (peak < startCompression) return;
  const d = 1 - startCompression;
  const newPeak = 1 - (d * d) / (peak + d - startCompression);
  const white = 1 - 1 / (desaturation * (peak - newPeak) + 1);
  for (let c = 0; c < 3; c++) color[c] = color[c]! * (newPeak / peak) * (1 - white) + newPeak * white;
}

// Rows of the inset matrix and of its inverse, and the exposure range in stops (AgX base look).
const AGX_IN = [
  0.842479062253094, 0.0784335999999992, 0.0792237451477643, 0.0423282422610123, 0.878468636469772, 0.0791661274605434, 0.0423756549057051,
  0.0784336, 0.879142973793104,
];
const AGX_OUT = [
  1.19687900512017, -0.0980208811401368, -0.0990297440797205, -0.0528968517574562, 1.15190312990417, -0.0989611768448433,
  -0.0529716355144438, -0.0980434501171241, 1.15107367264116,
];
const AGX_STOPS_MIN = -12.47393;
const AGX_STOPS_MAX = 4.026069;

function agx(color: Color): void {
  multiply(AGX_IN, color);
  for (let c = 0; c < 3; c++) {
    const stops = Math.min(Math.max(Math.log2(Math.max(color[c]!, 1e-10)), AGX_STOPS_MIN), AGX_STOPS_MAX);
    color[c] = agxContrast((stops - AGX_STOPS_MIN) / (AGX_STOPS_MAX - AGX_STOPS_MIN));
  }
  multiply(AGX_OUT, color);
  // The curve ends in display values of gamma 2.2; back to linear for the common sRGB encoding.
  for (let c = 0; c < 3; c++) color[c] = Math.max(color[c]!, 0) ** 2.2;
}

/** Sixth-order fit of the AgX sigmoid on 0..1. */
function agxContrast(x: number): number {
  const x2 = x * x;
  const x4 = x2 * x2;
  return 15.5 * x4 * x2 - 40.14 * x4 * x + 31.96 * x4 - 6.868 * x2 * x + 0.4298 * x2 + 0.1191 * x - 0.00232;
}

function multiply(rows: readonly number[], color: Color): void {
  const [r, g, b] = color;
  for (let c = 0; c < 3; c++) color[c] = rows[c * 3]! * r + rows[c * 3 + 1]! * g + rows[c * 3 + 2]! * b;
}

const OPERATORS: Readonly<Record<ToneOperator, (color: Color) => void>> = { neutral, agx, none: () => undefined };
