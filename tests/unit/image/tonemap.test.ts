import { describe, expect, test } from 'vitest';
import { aces, agx, neutral } from '#lib/image/tone-operators.ts';
import { toneMap, type ToneOperator } from '#lib/image/tonemap.ts';
import { acesGreyReference, agxReference, neutralInverse } from '../../reference/tonemap.ts';

function one(rgb: readonly number[], operator: ToneOperator, exposure = 0): number[] {
  const out = new Uint8ClampedArray(4);
  toneMap(new Float32Array(rgb), out, { exposure, operator });
  return [...out];
}

test('none is the sRGB curve, clipped', () => {
  expect(one([0, 0.5, 1], 'none')).toEqual([0, 188, 255, 255]);
  expect(one([2, 0.002, -1], 'none')).toEqual([255, 7, 0, 255]);
});

test('exposure counts in stops', () => {
  expect(one([0.25, 0.25, 0.25], 'none', 1)).toEqual(one([0.5, 0.5, 0.5], 'none'));
});

test('coverage becomes alpha, and colours come out as if nothing had been let through', () => {
  const out = new Uint8ClampedArray(8);
  toneMap(new Float32Array([0.25, 0.25, 0.25, 0, 0, 0]), out, { exposure: 0, operator: 'none' }, new Float32Array([0.5, 0]));
  expect([...out]).toEqual([...one([0.5, 0.5, 0.5], 'none').slice(0, 3), 128, 0, 0, 0, 0]);
});

test('neutral keeps a base colour true: 4 % Fresnel is taken off, nothing else below 0.76', () => {
  expect(one([0.54, 0.34, 0.14], 'neutral')).toEqual(one([0.5, 0.3, 0.1], 'none'));
});

test.each(['neutral', 'agx', 'aces'] as const)('%s never clips, grows with light and stays grey on grey', (operator) => {
  let last = -1;
  for (const light of [0, 0.01, 0.1, 0.5, 1, 2, 8]) {
    const [r, g, b] = one([light, light, light], operator) as [number, number, number];
    expect(Math.max(r, g, b) - Math.min(r, g, b)).toBeLessThanOrEqual(1);
    expect(g).toBeGreaterThanOrEqual(last);
    last = g;
  }
  const bright = one([50, 0.5, 0.5], operator);
  expect(bright[1]).toBeGreaterThan(60);
});

test('agx gives its published middle grey', () => {
  // 0.18 is the pivot of the sigmoid, half of the display range.
  const [grey] = one([0.18, 0.18, 0.18], 'agx');
  expect(Math.abs(grey! - 127.5)).toBeLessThan(4);
});

test('bad light makes black or white, never noise', () => {
  expect(one([Number.NaN, -5, Number.NEGATIVE_INFINITY], 'neutral')).toEqual([0, 0, 0, 255]);
  expect(one([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY], 'neutral')).toEqual([255, 255, 255, 255]);
});

test('a buffer of the wrong size is refused', () => {
  expect(() => toneMap(new Float32Array(6), new Uint8ClampedArray(4))).toThrow(RangeError);
});

test('16 bits are the same picture, finer', () => {
  const out = new Uint16Array(8);
  toneMap(new Float32Array([0, 0.5, 1, 0.002, 9, -1]), out, { exposure: 0, operator: 'none' });
  // 65535 × (1.055 · 0.5^(1/2.4) − 0.055) and 65535 × 12.92 × 0.002.
  expect([...out]).toEqual([0, 48_192, 65_535, 65_535, 1693, 65_535, 0, 65_535]);
});

describe('against what the operators were made from', () => {
  type Color = [number, number, number];
  const after = (operate: (color: Color) => void, color: readonly [number, number, number]): Color => {
    const out: Color = [...color];
    operate(out);
    return out;
  };
  const srgb = (linear: number): number => {
    const x = Math.min(Math.max(linear, 0), 1);
    return x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055;
  };
  /** Colours of -10 to +6 stops, from any three numbers. */
  const colours = Array.from(
    { length: 1000 },
    (_, i): Color => [0.618, 0.414, 0.732].map((step) => 2 ** (((i * step) % 1) * 16 - 10)) as Color,
  );

  test("neutral is undone by Khronos' inverse", () => {
    for (const color of colours.map((one) => one.map((x) => Math.min(x, 16)) as Color)) {
      const back = neutralInverse(after(neutral, color));
      back.forEach((value, c) => expect(Math.abs(value / color[c]! - 1)).toBeLessThan(1e-7));
    }
    // Control: another operator is not.
    expect(neutralInverse(after(agx, [0.5, 0.5, 0.5]))[0]).not.toBeCloseTo(0.5, 2);
  });

  test('agx follows the sigmoid and the primaries of its configuration', () => {
    // The polynomial parts from the sigmoid by at most 0.0058; outset and the sRGB curve stretch that to 0.034 in saturated darks.
    for (const color of colours)
      after(agx, color).forEach((value, c) => expect(Math.abs(srgb(value) - srgb(agxReference(color)[c]!))).toBeLessThan(0.035));
    for (const stops of [-4, -2, 0, 2, 4]) {
      const grey = 0.18 * 2 ** stops;
      expect(Math.abs(srgb(after(agx, [grey, grey, grey])[0]) - srgb(agxReference([grey, grey, grey])[0]))).toBeLessThan(0.005);
    }
    // Control: light that was not mapped at all.
    expect(Math.abs(srgb(0.18) - srgb(agxReference([0.18, 0.18, 0.18])[0]))).toBeGreaterThan(0.02);
  });

  test("aces follows the splines of ACES 1.0 along greys, three's exposure aside", () => {
    // Published: middle grey comes out at 4.8 of 48 nits.
    expect(acesGreyReference(0.18)).toBeCloseTo(4.78 / 47.98, 3);
    for (let stops = -10; stops <= 8; stops++) {
      const grey = 0.18 * 2 ** stops;
      const [ours] = after(aces, [grey * 0.6, grey * 0.6, grey * 0.6]);
      expect(Math.abs(ours - acesGreyReference(grey)), `${stops} stops`).toBeLessThan(0.013);
    }
    expect(Math.abs(after(neutral, [0.18, 0.18, 0.18])[0] - acesGreyReference(0.18))).toBeGreaterThan(0.03);
  });
});
