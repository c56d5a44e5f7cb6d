/**
 * Turns linear radiance (Rec. 709 primaries) into display values: exposure, an operator, the sRGB
 * curve, 8 or 16 bits. The operators are those that artists know from elsewhere, with the constants
 * of their sources. Refuses to guess exposure.
 */
import { aces, agx, neutral, type Color } from './tone-operators.ts';

/**
 * `neutral`: Khronos PBR Neutral, keeps base colours true; `agx`: AgX's base look, films gracefully into white;
 * `aces`: Hill's fit of the ACES reference transforms, contrasty; `none`: clips. Sources: tone-operators.ts.
 */
export const TONE_OPERATORS = ['neutral', 'agx', 'aces', 'none'] as const;
export type ToneOperator = (typeof TONE_OPERATORS)[number];

export interface ToneOptions {
  /** Stops; radiance is multiplied by 2^exposure. */
  readonly exposure: number;
  readonly operator: ToneOperator;
}

export const DEFAULT_TONE: ToneOptions = { exposure: 0, operator: 'neutral' };

const OPERATE: Readonly<Record<ToneOperator, (color: Color) => void>> = { neutral, agx, aces, none: () => undefined };

/**
 * @param rgb linear R, G, B per pixel; not-finite and negative values count as 0.
 * @param out R, G, B, A per pixel, full scale 255 or 65,535; length must be rgb.length / 3 × 4.
 * @param coverage alpha per pixel, 0 to 1, that `rgb` is multiplied with; colours come out unmultiplied. Absent: opaque.
 */
export function toneMap(
  rgb: Float32Array,
  out: Uint8ClampedArray | Uint16Array,
  options: ToneOptions = DEFAULT_TONE,
  coverage?: Float32Array,
): void {
  const pixels = rgb.length / 3;
  if (out.length !== pixels * 4) throw new RangeError(`out has ${out.length} values, ${pixels} pixels need ${pixels * 4}`);
  const full = out instanceof Uint16Array ? 65_535 : 255;
  const exposure = 2 ** options.exposure;
  const operate = OPERATE[options.operator];
  const color: Color = [0, 0, 0];
  for (let p = 0; p < pixels; p++) {
    const alpha = coverage ? Math.min(Math.max(coverage[p]!, 0), 1) : 1;
    const scale = alpha > 0 ? exposure / alpha : 0;
    for (let c = 0; c < 3; c++) {
      const value = rgb[p * 3 + c]! * scale;
      // An Infinity is a very bright pixel, a NaN none at all.
      color[c] = value > 0 ? Math.min(value, RADIANCE_MAX) : 0;
    }
    operate(color);
    for (let c = 0; c < 3; c++) out[p * 4 + c] = Math.round(full * encodeSrgb(color[c]!));
    out[p * 4 + 3] = Math.round(full * alpha);
  }
}

const RADIANCE_MAX = 1e9;

/** IEC 61966-2-1: linear to coded, both 0 to 1, clipped to that. */
function encodeSrgb(linear: number): number {
  if (linear <= 0.0031308) return linear > 0 ? 12.92 * linear : 0;
  return linear < 1 ? 1.055 * linear ** (1 / 2.4) - 0.055 : 1;
}
