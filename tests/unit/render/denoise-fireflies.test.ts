/** What a network is shown: fireflies come down to what is around them, all else stays. */
import { describe, expect, it } from 'vitest';
import { dimFireflies } from '#workers/render/denoise/fireflies.ts';

const [WIDTH, HEIGHT] = [96, 64];
const PIXELS = WIDTH * HEIGHT;
const AT = 20 * WIDTH + 20;
const BRIGHT = 1000;

/** Bright to the left, dark to the right; paths' values are exponentially distributed around that, times `sigma`. */
function film(sigma: number, paths: number) {
  let state = 1;
  const random = (): number => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) + 0.5) / 2 ** 32;
  const color = new Float32Array(PIXELS * 3);
  const moment = new Float32Array(PIXELS);
  for (let p = 0; p < PIXELS; p++) {
    const values = Array.from({ length: paths }, () => (p % WIDTH < WIDTH / 2 ? 1 : 0.1) * (1 + sigma * (-Math.log(random()) - 1)));
    color.fill(values.reduce((sum, v) => sum + v, 0) / paths, p * 3, p * 3 + 3);
    moment[p] = values.reduce((sum, v) => sum + v * v, 0) / paths;
  }
  return { width: WIDTH, height: HEIGHT, color, noise: { moment, samples: new Float32Array(PIXELS).fill(paths) } };
}

/** So many of a pixel's paths saw something bright. */
function lit({ color, noise: { moment, samples } }: ReturnType<typeof film>, p: number, paths: number): void {
  const others = (samples[p]! - paths) / samples[p]!;
  color.fill(color[p * 3]! * others + (BRIGHT * paths) / samples[p]!, p * 3, p * 3 + 3);
  moment[p] = moment[p]! * others + (BRIGHT ** 2 * paths) / samples[p]!;
}

const dimmed = (light: ReturnType<typeof film>): Float32Array => dimFireflies(light, light.noise);
const mean = (a: Float32Array): number => a.reduce((sum, v) => sum + v, 0) / a.length;

describe('fireflies', () => {
  it.each([4, 32])('of one path among %i come down to what is around them, alone and in pairs', (paths) => {
    const light = film(0.3, paths);
    for (const p of [AT, AT + 30 * WIDTH, AT + 30 * WIDTH + 1]) lit(light, p, 1);
    const seen = dimmed(light);
    for (const p of [AT, AT + 30 * WIDTH, AT + 30 * WIDTH + 1]) {
      expect(light.color[p * 3]).toBeGreaterThan(30);
      expect(seen[p * 3]).toBeLessThan(3);
      expect(seen[p * 3]).toBeGreaterThan(0.5);
    }
  });

  it('lose no more than their standard error, and what most paths saw loses nothing', () => {
    const light = film(0.3, 32);
    lit(light, AT, 3);
    lit(light, AT + 8, 16);
    lit(light, AT + 16, 32);
    const seen = dimmed(light);
    const few = light.color[AT * 3]!;
    expect(few - seen[AT * 3]!).toBeCloseTo(Math.sqrt((light.noise.moment[AT]! - few ** 2) / 31), 2);
    for (const p of [AT + 8, AT + 16]) expect(seen[p * 3]).toBe(light.color[p * 3]);
  });

  it('are hardly found in grain, however few the paths', () => {
    for (const paths of [2, 4, 32]) {
      const light = film(1, paths);
      expect(mean(dimmed(light)) / mean(light.color)).toBeGreaterThan(0.99);
    }
    expect(dimmed(film(1, 32))).toEqual(film(1, 32).color);
  });

  it('are none where light is no number, of a single path, or has nothing around it', () => {
    const light = film(0.3, 32);
    lit(light, AT, 1);
    light.color[(AT + 1) * 3] = NaN;
    expect(dimmed(light)[AT * 3]).toBeLessThan(2);
    expect(dimmed(light)[(AT + 1) * 3]).toBeNaN();
    light.noise.samples[AT] = 1;
    expect(dimmed(light)[AT * 3]).toBe(light.color[AT * 3]);
    const single = { moment: new Float32Array([BRIGHT ** 2]), samples: new Float32Array([4]) };
    expect([...dimFireflies({ width: 1, height: 1, color: new Float32Array(3).fill(250) }, single)]).toEqual([250, 250, 250]);
  });
});
