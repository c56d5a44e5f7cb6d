/** What the network lost comes back where noise does not explain it, and only there; the picture gets the light that came in. */
import { describe, expect, it } from 'vitest';
import { blendByEvidence, keepMean } from '#workers/render/denoise/evidence.ts';

const [WIDTH, HEIGHT] = [96, 64];
const PIXELS = WIDTH * HEIGHT;
const NEVER = new AbortController().signal;

const grey = (of: (x: number, y: number) => number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: PIXELS * 3 }, (_, i) => of(Math.floor(i / 3) % WIDTH, Math.floor(i / 3 / WIDTH)));

/** Light of so many paths per pixel whose values are exponentially distributed times `sigma`, around what is there. */
function film(truth: Float32Array, sigma: number, paths: number) {
  let state = 1;
  const random = (): number => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) + 0.5) / 2 ** 32;
  const color = new Float32Array(PIXELS * 3);
  const moment = new Float32Array(PIXELS);
  for (let p = 0; p < PIXELS; p++) {
    let [sum, squares] = [0, 0];
    for (let k = 0; k < paths; k++) {
      const value = truth[p * 3]! * (1 + sigma * (-Math.log(random()) - 1));
      sum += value;
      squares += value * value;
    }
    color.fill(sum / paths, p * 3, p * 3 + 3);
    moment[p] = squares / paths;
  }
  return { color, noise: { moment, samples: new Float32Array(PIXELS).fill(paths) } };
}

const error = (a: Float32Array, b: Float32Array): number => a.reduce((sum, v, i) => sum + (v - b[i]!) ** 2, 0) / a.length;
const mean = (a: Float32Array): number => a.reduce((sum, v) => sum + v, 0) / a.length;

async function blended(image: Float32Array, { color, noise }: ReturnType<typeof film>): Promise<Float32Array> {
  const out = image.slice();
  expect(await blendByEvidence(NEVER, { image: out, color, width: WIDTH, height: HEIGHT }, noise)).toBe(true);
  return out;
}

/** Stripes of two pixels, left; nothing, right. */
const striped = grey((x) => (x < WIDTH / 2 ? 1 + 0.4 * ((x >> 1) & 1) : 1));
/** What a network made of it that takes stripes for noise. */
const washed = grey((x) => (x < WIDTH / 2 ? 1.2 : 1));

describe('evidence', () => {
  it('brings back a texture that noise does not explain', async () => {
    const light = film(striped, 0.3, 32);
    const image = await blended(washed, light);
    expect(error(image, striped)).toBeLessThan(0.25 * error(washed, striped));
    // Control: paths as noisy as the stripes are deep say nothing against the network.
    const noisy = film(striped, 3, 32);
    const kept = await blended(washed, noisy);
    expect(error(kept, washed)).toBeLessThan(0.03 * error(noisy.color, washed));
  });

  it('lets hardly any grain back where the network is right', async () => {
    const light = film(striped, 1, 32);
    const image = await blended(striped, light);
    expect(error(image, striped)).toBeLessThan(0.03 * error(light.color, striped));
  });

  it('leaves a firefly out, and what lies around it alone', async () => {
    const light = film(striped, 0, 32);
    const at = 20 * WIDTH + 20;
    light.color.fill(1000 / 32, at * 3, at * 3 + 3);
    light.noise.moment[at] = 1000 ** 2 / 32;
    const image = await blended(striped, light);
    expect(error(image, striped)).toBeLessThan(1e-6);
    // Control: were its variance not known, it would come back.
    light.noise.moment[at] = (1000 / 32) ** 2;
    expect((await blended(striped, light))[at * 3]).toBeGreaterThan(30);
  });

  it('comes to the light itself with many samples, whatever the network makes of it', async () => {
    const light = film(striped, 0.3, 32);
    const converged = { color: striped, noise: { ...light.noise, samples: new Float32Array(PIXELS).fill(1e6) } };
    expect(error(await blended(washed, converged), striped)).toBeLessThan(1e-3 * error(washed, striped));
  });

  it('is none where light is no number or of a single path', async () => {
    const light = film(striped, 0.3, 32);
    light.color[0] = NaN;
    light.noise.samples.fill(1, PIXELS / 2);
    const image = await blended(washed, light);
    expect(image.every(Number.isFinite)).toBe(true);
    expect(image.subarray((PIXELS / 2 + 4 * WIDTH) * 3)).toEqual(washed.subarray((PIXELS / 2 + 4 * WIDTH) * 3));
    expect(image.subarray(0, 9)).toEqual(washed.subarray(0, 9));
  });

  it('is not weighed for whoever stopped', async () => {
    const { color, noise } = film(striped, 0.3, 4);
    expect(await blendByEvidence(AbortSignal.abort(), { image: washed.slice(), color, width: WIDTH, height: HEIGHT }, noise)).toBe(false);
  });
});

describe('the mean', () => {
  const size = { width: WIDTH, height: HEIGHT };
  const lamp = grey((x, y) => (x === 5 && y === 5 ? 300 : 0.2));
  const PATHS = 32;
  /** Every path of a pixel saw the same; or of those that `firefly` names one saw all. */
  const noise = (color: Float32Array, firefly: (light: number) => boolean = () => false) => ({
    moment: Float32Array.from({ length: PIXELS }, (_, p) => color[p * 3]! ** 2 * (firefly(color[p * 3]!) ? PATHS : 1)),
    samples: new Float32Array(PIXELS).fill(PATHS),
  });

  it('becomes that of the light, and what was dark stays as it is', () => {
    const image = lamp.map((v) => (v > 1 ? 270 : v));
    keepMean({ image, color: lamp, ...size }, noise(lamp));
    expect(mean(image) / mean(lamp)).toBeCloseTo(1, 5);
    expect(image[0]! / 0.2).toBeCloseTo(1, 2);
  });

  it('is put back evenly where nothing is brighter than the rest', () => {
    const image = grey(() => 0.97);
    const color = grey(() => 1);
    keepMean({ image, color, ...size }, noise(color));
    expect(
      error(
        image,
        grey(() => 1),
      ),
    ).toBeLessThan(1e-8);
  });

  it('follows no firefly further than a twentieth', () => {
    const color = grey((x, y) => (x === 50 && y === 50 ? 1e6 : 1));
    const image = grey(() => 1);
    keepMean(
      { image, color, ...size },
      noise(color, (light) => light > 1),
    );
    expect(Math.max(...image)).toBeLessThan(1.06);
    expect(mean(image)).toBeCloseTo(1.05, 3);
  });

  it('follows what many paths saw, however bright, into the brightest pixels', () => {
    const color = grey((x, y) => (y === 5 && (x === 5 || x === 50) ? 300 : 0.2));
    const image = grey((x, y) => (y === 5 && x === 5 ? 300 : 0.2));
    keepMean({ image, color, ...size }, noise(color));
    expect(mean(image) / mean(color)).toBeCloseTo(1, 5);
    expect(image[(5 * WIDTH + 5) * 3]! / 300).toBeGreaterThan(1.4);
  });

  it('of a black picture stays', () => {
    const image = grey(() => 0);
    keepMean({ image, color: lamp, ...size }, noise(lamp));
    expect(Math.max(...image)).toBe(0);
  });
});
