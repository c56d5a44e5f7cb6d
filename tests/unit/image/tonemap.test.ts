import { expect, test } from 'vitest';
import { toneMap, type ToneOperator } from '#lib/image/tonemap.ts';

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

test.each(['neutral', 'agx'] as const)('%s never clips, grows with light and stays grey on grey', (operator) => {
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
