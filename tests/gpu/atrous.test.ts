/**
 * The edge-avoiding filter against its twin in plain loops, and what it promises: objects keep their
 * edges, a constant picture stays as it is, grain on a wall falls, the mean stays, strips show no seam.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Atrous, strips, type AtrousImages } from '#workers/render/atrous.ts';
import { openDevice } from '#workers/render/device.ts';
import { REACH_PX } from '#shaders/atrous/layout.ts';
import { atrous } from '../reference/atrous.ts';
import { testGpu } from './device.ts';

const NEVER = new AbortController().signal;

interface Look {
  readonly light: number;
  readonly albedo: readonly [number, number, number];
  readonly normal: readonly [number, number, number];
  readonly depth: number;
}
const WALL: Look = { light: 1, albedo: [0.8, 0.7, 0.6], normal: [0, 0, 1], depth: 5 };

/** Paths whose light is distributed exponentially around `look(x, y).light`, as a film would hold them. */
function grainy(
  width: number,
  height: number,
  paths: number,
  look: (x: number, y: number) => Look,
): Required<Omit<AtrousImages, 'exposure'>> {
  let state = 1;
  const noise = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const pixels = width * height;
  const [color, albedo, normal] = [0, 1, 2].map(() => new Float32Array(pixels * 3)) as [F32, F32, F32];
  const [depth, moment] = [new Float32Array(pixels), new Float32Array(pixels)];
  for (let p = 0; p < pixels; p++) {
    const seen = look(p % width, Math.floor(p / width));
    const returned = luminance(seen.albedo);
    for (let i = 0; i < paths; i++) {
      const light = -Math.log(1 - noise()) * seen.light;
      seen.albedo.forEach((a, c) => (color[p * 3 + c]! += (a * light) / paths));
      moment[p]! += (returned * light) ** 2 / paths;
    }
    albedo.set(seen.albedo, p * 3);
    normal.set(seen.normal, p * 3);
    depth[p] = seen.depth;
  }
  return { width, height, color, albedo, normal, depth, moment, samples: new Float32Array(pixels).fill(paths) };
}
type F32 = Float32Array<ArrayBuffer>;

const luminance = (c: readonly number[]): number => 0.2126 * c[0]! + 0.7152 * c[1]! + 0.0722 * c[2]!;

/** Mean and standard deviation of green over the pixels that `of` picks. */
function green(image: Float32Array | Float64Array, of: (p: number) => boolean = () => true): { mean: number; deviation: number } {
  const values = Array.from({ length: image.length / 3 }, (_, p) => p)
    .filter(of)
    .map((p) => image[p * 3 + 1]!);
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length) };
}

/** Bright and dark squares of everything a guide can tell apart, with textures on them and sky beside. */
const mixed = (x: number, y: number): Look => {
  if (y < 6) return { light: 3, albedo: [0, 0, 0], normal: [0, 0, 0], depth: 0 };
  const square = (Math.floor(x / 11) + Math.floor(y / 9)) & 3;
  const albedo = (
    [
      [0.9, 0.8, 0.3],
      [0.3, 0.3, 0.2],
      [0.02, 0.02, 0.05],
      [0.6, (x % 5) / 6 + 0.1, 0.5],
    ] as const
  )[square]!;
  const normal = (
    [
      [0, 0, 1],
      [0, 1, 0],
      [0.6, 0, 0.8],
      [0, 0, 1],
    ] as const
  )[square]!;
  return { light: square === 1 ? 0.1 : 1.5, albedo, normal, depth: 3 + square + x * 0.05 };
};

describe('the edge-avoiding filter', () => {
  let device: GPUDevice;
  let filter: Atrous;
  beforeAll(async () => {
    const opened = await openDevice(await testGpu());
    if (!opened.ok) throw new Error(opened.text);
    ({ device } = opened);
    filter = new Atrous(device);
  });
  afterAll(() => device?.destroy());

  const filtered = async (images: AtrousImages, by = filter): Promise<F32> => {
    const result = await by.run(NEVER, images);
    if (!result.ok) throw new Error(result.text);
    return result.image;
  };

  it.each([
    ['one sample', 1, {}],
    ['four samples', 4, {}],
    [
      'four samples and no guide at all',
      4,
      { albedo: undefined, normal: undefined, depth: undefined, moment: undefined, samples: undefined },
    ],
  ])('gives what its twin gives, from %s', async (_name, paths, without) => {
    const images: AtrousImages = { ...grainy(48, 40, paths, mixed), ...without };
    const [image, twin] = [await filtered(images), atrous(images)];
    // A weight is exp of minus a difference in units of noise. Where noise is a share s of light, rounding light at 2^-24 shifts
    // the exponent by 2^-23 / s; pixels whose noise is far below are taken as they are by both. The spline's five passes and exp's
    // own 3 + 2 |x| ulp add a few dozen ulp more. Of what is around a pixel, so in units of the largest light nearby.
    const largest = twin.reduce((most, v) => Math.max(most, v), 0);
    const worst = image.reduce((most, v, i) => Math.max(most, Math.abs(v - twin[i]!)), 0);
    expect(worst / largest).toBeLessThan(2e-5);
    // Control: what came in is another picture.
    expect(images.color.reduce((most, v, i) => Math.max(most, Math.abs(v - twin[i]!)), 0) / largest).toBeGreaterThan(0.1);
  });

  it('leaves a constant picture as it is', async () => {
    const images = { ...grainy(40, 24, 1, () => WALL), moment: undefined, samples: undefined };
    for (let p = 0; p < 40 * 24; p++) images.color.set([0.4, 0.35, 7], p * 3);
    const image = await filtered(images);
    const worst = image.reduce((most, v, i) => Math.max(most, Math.abs(v / images.color[i]! - 1)), 0);
    // Light is divided and multiplied once, and each of five passes is a mean of equal numbers.
    expect(worst).toBeLessThan(1e-5);
  });

  // The mean falls by what bright pixels keep to themselves less than dark ones give them, the more the skewer the noise; light
  // of exponential distribution is skewer than most. Measured: 0.10, 0.11, 0.10 of the grain left, 9.5, 4.8, 0.8 % of the mean lost.
  it.each([
    [1, 0.11],
    [2, 0.06],
    [16, 0.01],
  ])('takes the grain of %i samples from a flat wall, and keeps its mean', async (paths, lost) => {
    const images = grainy(96, 96, paths, () => WALL);
    const [before, after] = [green(images.color), green(await filtered(images))];
    expect(after.deviation / before.deviation).toBeLessThan(1 / 8);
    expect(Math.abs(after.mean / before.mean - 1)).toBeLessThan(lost);
  });

  it('keeps the edge between two objects, which without guides it does not', async () => {
    const images = grainy(64, 32, 16, (x) => (x < 32 ? WALL : { ...WALL, normal: [0, 1, 0], light: 0.5, depth: 6 }));
    const beside = (p: number): boolean => p % 64 === 32 || p % 64 === 33;
    const truth = 0.5 * WALL.albedo[1];
    expect(green(await filtered(images), beside).mean / truth).toBeCloseTo(1, 1);
    const blurred = atrous(images, { guides: false, variance: false });
    expect(green(blurred, beside).mean / truth).toBeGreaterThan(1.3);
  });

  it('keeps texture that the albedo knows, which without albedo it does not', async () => {
    const stripes = grainy(64, 64, 4, (x) => ({ ...WALL, albedo: (x >> 1) & 1 ? [0.8, 0.8, 0.8] : [0.5, 0.5, 0.5] }));
    const contrast = (image: Float32Array): number =>
      green(image, (p) => ((p >> 1) & 1) === 1).mean / green(image, (p) => ((p >> 1) & 1) === 0).mean;
    expect(contrast(await filtered(stripes))).toBeCloseTo(1.6, 1);
    expect(contrast(await filtered({ ...stripes, albedo: undefined }))).toBeLessThan(1.3);
  });

  it('leaves what is seen of the sky as it is, which it cannot without depth', async () => {
    const sky = { light: 1, albedo: [0, 0, 0], normal: [0, 0, 0], depth: 0 } as const;
    const images = grainy(32, 32, 1, () => sky);
    for (let p = 0; p < 32 * 32; p++) images.color!.fill(((p >> 1) & 1) + 0.5, p * 3, p * 3 + 3);
    const off = (image: F32): number => image.reduce((most, v, i) => Math.max(most, Math.abs(v - images.color![i]!)), 0);
    expect(off(await filtered(images))).toBeLessThan(1e-5);
    expect(off(await filtered({ ...images, depth: undefined }))).toBeGreaterThan(0.1);
  });

  it('keeps a shadow that no guide knows once its noise is low, which without variance it does not', async () => {
    const images = grainy(64, 32, 256, (x) => (x < 32 ? WALL : { ...WALL, light: 0.3 }));
    const beside = (p: number): boolean => p % 64 === 32 || p % 64 === 33;
    const truth = 0.3 * WALL.albedo[1];
    expect(Math.abs(green(await filtered(images), beside).mean / truth - 1)).toBeLessThan(0.1);
    expect(green(atrous(images, { guides: true, variance: false }), beside).mean / truth).toBeGreaterThan(1.3);
  });

  it('gives the same bits in strips as at once', async () => {
    const images = grainy(24, 3 * REACH_PX + 50, 2, mixed);
    const pixelBytes = 15 * 4 + 32 + 2 * 16;
    const inStrips = new Atrous(device, pixelBytes * 24 * (3 * REACH_PX));
    expect(strips(images.height, 3 * REACH_PX).length).toBeGreaterThan(2);
    expect(await filtered(images, inStrips)).toEqual(await filtered(images));
  });

  it('takes numbers that are none for black, keeps what is brighter than white, and is never negative', async () => {
    const images = grainy(32, 32, 1, () => WALL);
    images.color.set([NaN, Infinity, -Infinity, 5000, 600, 900, -1, -1, -1]);
    images.depth![40] = NaN;
    images.normal![50] = Infinity;
    const image = await filtered(images);
    expect(image.every((v) => Number.isFinite(v) && v >= 0)).toBe(true);
    expect(Math.max(...image)).toBeGreaterThan(5);
  });

  it('tells how far it is, stops when asked to, and refuses layers of another size', async () => {
    const shares: number[] = [];
    await filter.run(NEVER, grainy(16, 16, 1, mixed), (share) => shares.push(share));
    expect(shares.at(-1)).toBe(1);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(await filter.run(AbortSignal.abort(), grainy(16, 16, 1, mixed))).toMatchObject({ ok: false, reason: 'aborted' });
    expect(await filter.run(NEVER, { ...grainy(16, 16, 1, mixed), depth: new Float32Array(3) })).toMatchObject({
      ok: false,
      reason: 'size',
    });
  });
});
