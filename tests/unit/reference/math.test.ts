/**
 * How far the portable functions are from the truth, over their whole domains, whichever way a
 * device rounds `fma`. The bounds are the promise of shaders/common/math.wgsl; what the sweep of
 * 2^16 points measures stands beside each, and the GPU itself is held to the twins in tests/gpu.
 */
import { describe, expect, it } from 'vitest';
import {
  acosPoly,
  atan2Turns,
  basisAround,
  cosSinTurns,
  exp2Poly,
  fusedFma,
  log2Poly,
  splitFma,
  srgbToLinear,
  unpackNormal,
  unpackTangent,
  type Fma,
  type V3,
} from '../../reference/math.ts';

const COUNT = 1 << 16;
const f = Math.fround;
const TAU = 2 * Math.PI;
const between = (low: number, high: number) => (i: number) => f(low + ((high - low) * i) / (COUNT - 1));
const decades = (low: number, high: number) => (i: number) => f(2 ** (low + ((high - low) * i) / (COUNT - 1)));

interface Sweep {
  readonly at: (i: number) => number;
  readonly twin: (x: number, fma: Fma) => number;
  readonly truth: (x: number) => number;
  /** What an error is divided by; 1 unless given. */
  readonly scale?: (truth: number) => number;
}

function worst({ at, twin, truth, scale }: Sweep): number {
  let most = 0;
  for (const fma of [splitFma, fusedFma]) {
    for (let i = 0; i < COUNT; i++) {
      const x = at(i);
      const exact = truth(x);
      const error = Math.abs(twin(x, fma) - exact) / (scale?.(exact) ?? 1);
      most = Number.isNaN(error) ? Infinity : Math.max(most, error);
    }
  }
  return most;
}

const relative = (truth: number): number => Math.abs(truth);
const linear = (c: number): number => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const around = (turns: number): readonly [number, number] => [f(Math.sin(TAU * turns) * 3), f(Math.cos(TAU * turns) * 3)];

describe('portable functions', () => {
  it.each<[string, number, Sweep]>([
    [
      'cosine within 1e-7 (8.6e-8)',
      1e-7,
      { at: between(-1, 2), twin: (x, fma) => cosSinTurns(x, fma)[0], truth: (x) => Math.cos(TAU * x) },
    ],
    ['sine within 1e-7 (8.7e-8)', 1e-7, { at: between(-1, 2), twin: (x, fma) => cosSinTurns(x, fma)[1], truth: (x) => Math.sin(TAU * x) }],
    ['arc cosine within 5e-7 (4.4e-7)', 5e-7, { at: between(-1, 1), twin: acosPoly, truth: Math.acos }],
    [
      'arc cosine near 1 within a relative 3e-7 (2.2e-7)',
      3e-7,
      { at: (i) => f(1 - decades(-23, -1)(i)), twin: acosPoly, truth: Math.acos, scale: (t) => Math.max(t, 1e-9) },
    ],
    [
      'arc tangent in turns within 5e-8 (3.7e-8)',
      5e-8,
      {
        at: between(0, 1),
        twin: (t, fma) => atan2Turns(...around(t), fma),
        truth: (t) => Math.atan2(...around(t)) / TAU,
      },
    ],
    [
      'powers of two within a relative 1e-7 (9.4e-8)',
      1e-7,
      { at: between(-126, 126), twin: exp2Poly, truth: (x) => 2 ** x, scale: relative },
    ],
    [
      'logarithm within 1e-7 of max(1, |log2 x|) over all normal numbers (7.9e-8)',
      1e-7,
      { at: decades(-126, 127.99), twin: log2Poly, truth: Math.log2, scale: (t) => Math.max(1, Math.abs(t)) },
    ],
    [
      'logarithm near 1 within a relative 2e-7 (1.4e-7)',
      2e-7,
      { at: between(0.75, 1.4), twin: log2Poly, truth: Math.log2, scale: (t) => Math.max(Math.abs(t), 1e-12) },
    ],
    [
      'sRGB within a relative 1.2e-4 (1.1e-4), a sixtieth of a code',
      1.2e-4,
      { at: between(0, 1), twin: srgbToLinear, truth: linear, scale: (t) => Math.max(t, 1e-9) },
    ],
  ])('%s', (_, bound, sweep) => {
    expect(worst(sweep)).toBeLessThan(bound);
  });

  it('say it when a coefficient is wrong (control)', () => {
    const bent = (x: number, fma: Fma): number => exp2Poly(x, fma) * (1 + 2e-7);
    expect(worst({ at: between(-126, 126), twin: bent, truth: (x) => 2 ** x, scale: relative })).toBeGreaterThan(1e-7);
  });

  it('keep to their ends: clamped powers, axes, and the origin', () => {
    for (const fma of [splitFma, fusedFma]) {
      expect([exp2Poly(-1000, fma), exp2Poly(1000, fma), exp2Poly(0, fma)]).toEqual([2 ** -126, 2 ** 126, 1]);
      expect(
        [
          [0, 1],
          [1, 0],
          [0, -1],
          [-1, 0],
          [0, 0],
        ].map(([y, x]) => atan2Turns(y!, x!, fma)),
      ).toEqual([0, 0.25, 0.5, -0.25, 0]);
      expect([acosPoly(1, fma), f(acosPoly(-1, fma))]).toEqual([0, f(Math.PI)]);
      expect([0, 0.25, 0.5, 0.75].map((t) => cosSinTurns(t, fma))).toEqual([
        [1, 0],
        [-0, 1],
        [-1, -0],
        [0, -1],
      ]);
      expect([log2Poly(1, fma), log2Poly(8, fma), srgbToLinear(0, fma)]).toEqual([0, 3, 0]);
    }
  });

  it('never leave [-1, 1] by more than a bit', () => {
    for (let i = 0; i < COUNT; i++) {
      for (const fma of [splitFma, fusedFma])
        expect(Math.max(...cosSinTurns(between(-1, 2)(i), fma).map(Math.abs)) <= f(1 + 2 ** -23)).toBe(true);
    }
  });
});

describe('frames', () => {
  const directions = Array.from({ length: 4096 }, (_, i): V3 => {
    const z = 1 - (2 * i) / 4095;
    const r = Math.sqrt(Math.max(0, 1 - z * z));
    return [f(r * Math.cos(i * 2.4)), f(r * Math.sin(i * 2.4)), f(z)];
  });
  const dot = (a: V3, b: V3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

  it('are orthonormal within 4e-7 for every normal, both poles included', () => {
    for (const n of [...directions, [0, 0, 1], [0, 0, -1], [0, 0, -0]] as V3[]) {
      if (dot(n, n) < 0.5) continue;
      const [t, b] = basisAround(n);
      for (const [value, want] of [
        [dot(t, t), 1],
        [dot(b, b), 1],
        [dot(t, b), 0],
        [dot(t, n), 0],
        [dot(b, n), 0],
      ] as const) {
        expect(Math.abs(value - want)).toBeLessThan(4e-7);
      }
    }
  });

  it('come out of packed words as unit vectors within 1.5e-7', () => {
    for (let i = 0; i < 4096; i++) {
      const word = Math.imul(i, 0x9e3779b1) >>> 0;
      if ((word & 0xffff) === 0x8000 || word >>> 16 === 0x8000) continue;
      expect(Math.abs(Math.hypot(...unpackNormal(word)) - 1)).toBeLessThan(1.5e-7);
      const [x, y, z, sign] = unpackTangent(word);
      expect(Math.abs(Math.hypot(x, y, z) - 1)).toBeLessThan(1.5e-7);
      expect(sign).toBe(word >>> 31 === 1 ? -1 : 1);
    }
  });
});
