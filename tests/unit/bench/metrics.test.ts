/** The bench's arithmetic: errors, curves, bounds and CPU time, against values known on paper. */
import { describe, expect, it } from 'vitest';
import { issueBound, instructionsPerRay } from '../../bench/bound.ts';
import { cpuSeconds } from '../../bench/cpu.ts';
import { relMse, samplesTo, type Image } from '../../bench/metrics.ts';
import { readOptions } from '../../bench/options.ts';

const flat = (width: number, height: number, value: (pixel: number) => number): Image => ({
  width,
  height,
  data: Float32Array.from({ length: width * height * 3 }, (_, i) => value(Math.floor(i / 3))),
});

describe('relMSE', () => {
  it('is (a-b)² / (b² + 0.01), and 0 for the same picture (control)', () => {
    expect(
      relMse(
        flat(4, 4, () => 2),
        flat(4, 4, () => 1),
      ),
    ).toBeCloseTo(1 / 1.01, 6);
    expect(
      relMse(
        flat(4, 4, () => 1),
        flat(4, 4, () => 1),
      ),
    ).toBe(0);
  });

  it('leaves out one firefly among a thousand pixels, not one among ten', () => {
    const firefly = (pixel: number): number => (pixel === 5 ? 1e10 : 1);
    expect(
      relMse(
        flat(40, 25, firefly),
        flat(40, 25, () => 1),
      ),
    ).toBe(0);
    expect(
      relMse(
        flat(5, 2, firefly),
        flat(5, 2, () => 1),
      ),
    ).toBeGreaterThan(1e15);
  });

  it('brings the larger picture to the smaller by boxes, and refuses sizes that no box fits', () => {
    const checkers = flat(4, 4, (pixel) => (pixel % 2 === 0 ? 0 : 2));
    expect(
      relMse(
        checkers,
        flat(2, 2, () => 1),
      ),
    ).toBe(0);
    expect(
      relMse(
        flat(2, 2, () => 1),
        checkers,
      ),
    ).toBe(0);
    expect(
      relMse(
        flat(3, 3, () => 1),
        checkers,
      ),
    ).toBeNull();
  });
});

describe('samples to an error', () => {
  const curve = [
    { samples: 1, relMse: 0.4 },
    { samples: 4, relMse: 0.1 },
    { samples: 16, relMse: 0.05 },
  ];

  it('lie on the line of logarithms between two readings, on slope -1 outside', () => {
    expect(samplesTo(0.2, curve)).toBeCloseTo(2, 9);
    expect(samplesTo(0.1, curve)).toBeCloseTo(4, 9);
    expect(samplesTo(0.8, curve)).toBeCloseTo(0.5, 9);
    expect(samplesTo(0.005, curve)).toBeCloseTo(160, 9);
  });

  it('are unknown without readings', () => expect(samplesTo(0.1, [])).toBeNull());
});

describe('the issue-rate bound', () => {
  it('is lanes per second over instructions per ray, for chips by name only', () => {
    const perRay = { nodes: 25, triangles: 6 };
    expect(instructionsPerRay(perRay, 'wide')).toBe(25 * 218 + 6 * 45 + 30);
    expect(issueBound('NVIDIA H100 80GB HBM3', perRay, 'wide')).toBeCloseTo(29.65e12 / 5750, -9);
    expect(issueBound('llvmpipe (LLVM 15.0.6, 256 bits)', perRay, 'wide')).toBeNull();
  });
});

describe('CPU seconds', () => {
  it('grow while this process works, and are 0 for one that is not there (control)', () => {
    const before = cpuSeconds(process.pid);
    const end = process.cpuUsage().user + 100_000;
    while (process.cpuUsage().user < end) Math.hypot(1, 2);
    expect(cpuSeconds(process.pid) - before).toBeGreaterThan(0.05);
    expect(cpuSeconds(2 ** 30)).toBe(0);
  });
});

describe('options', () => {
  it('are read, or refused in a sentence', () => {
    expect(readOptions(['--scenes', 'a,b', '--size', '64x48', '--json'])).toMatchObject({
      mode: 'browser',
      scenes: ['a', 'b'],
      size: { width: 64, height: 48 },
      json: true,
    });
    expect(() => readOptions(['--only', 'cycles'])).toThrow('--only takes ours, webgl, webgpu, not cycles');
    expect(() => readOptions(['--size', 'large'])).toThrow('--size must be such as 256x192, not large');
  });
});
