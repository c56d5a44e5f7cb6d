/** The denoiser against its twin in plain loops, and tiles against the whole. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDevice } from '#workers/render/device.ts';
import { softwareKind } from '#workers/render/denoise/choice.ts';
import { autoExposure } from '#workers/render/denoise/exposure.ts';
import { networkBytes } from '#workers/render/denoise/network.ts';
import { parseTza } from '#workers/render/denoise/tza.ts';
import { planUNet } from '#workers/render/denoise/unet.ts';
import type { DenoiseRequest } from '#lib/gpu/engine.ts';
import { Denoiser } from '#workers/render/denoiser.ts';
import { encodeLight, psnr, unet } from '../reference/unet.ts';
import { testGpu } from './device.ts';
import { testWeights } from './weights.ts';

const NEVER = new AbortController().signal;

/** A grainy picture of bright and dark squares, the same everywhere. */
function grainy(width: number, height: number): DenoiseRequest {
  let state = 1;
  const noise = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const color = new Float32Array(width * height * 3);
  const albedo = new Float32Array(color.length);
  const normal = new Float32Array(color.length);
  for (let p = 0; p < width * height; p++) {
    const lit = ((Math.floor((p % width) / 11) + Math.floor(p / width / 7)) & 1) === 1;
    const light = (lit ? 3 : 0.2) * -Math.log(1 - noise());
    color.set([light, light * 0.8, light * 0.3], p * 3);
    albedo.set(lit ? [0.9, 0.8, 0.3] : [0.3, 0.3, 0.2], p * 3);
    normal.set(lit ? [0, 0, 1] : [0, 1, 0], p * 3);
  }
  return { width, height, color, albedo, normal, quality: 'fast' };
}

/** Channel by channel, as the networks take pictures. */
const planar = (values: Float32Array, encode: (v: number) => number): number[] =>
  [0, 1, 2].flatMap((c) => Array.from({ length: values.length / 3 }, (_, p) => encode(values[p * 3 + c]!)));

describe('the denoiser', () => {
  let device: GPUDevice;
  let denoiser: Denoiser;
  beforeAll(async () => {
    const opened = await openDevice(await testGpu());
    if (!opened.ok) throw new Error(opened.text);
    ({ device } = opened);
    denoiser = new Denoiser(device, testWeights, { choose: async () => softwareKind });
  });
  afterAll(() => device?.destroy());

  const denoised = async (images: DenoiseRequest, by = denoiser): Promise<Float32Array> => {
    const outcome = await by.run(NEVER, images);
    if (!outcome.ok) throw new Error(outcome.text);
    return outcome.image;
  };

  it('gives what its twin gives', async () => {
    const images = grainy(48, 32);
    const { width, height, color, albedo, normal } = images;
    const exposure = autoExposure(color, width, height);
    const input = [
      ...planar(color, (v) => encodeLight(v * exposure)),
      ...planar(albedo!, (v) => v),
      ...planar(normal!, (v) => v * 0.5 + 0.5),
    ];
    const tensors = parseTza(await testWeights('rt_hdr_alb_nrm_small'));
    const twin = unet(tensors, { channels: 9, width, height, values: Float64Array.from(input) });
    const image = planar(await denoised(images), (v) => encodeLight(v * exposure));
    expect(psnr(image, twin.values)).toBeGreaterThan(80);
    // Control: what came in is another picture.
    expect(psnr(input.slice(0, image.length), twin.values)).toBeLessThan(30);
  });

  it('takes numbers that are none for black, and keeps what is brighter than white', async () => {
    const images = grainy(32, 32);
    images.color.set([NaN, Infinity, -Infinity], 0);
    images.color.fill(5000, 600, 900);
    const image = await denoised(images);
    expect(image.every((v) => Number.isFinite(v) && v >= 0)).toBe(true);
    expect(Math.max(...image)).toBeGreaterThan(1000);
  });

  it('leaves no seam: tiles give what the whole picture gives, for every picture in the same memory', async () => {
    const images = grainy(330, 16);
    const whole = await denoised(images);
    expect(denoiser.last.tiles).toBe(1);
    const net = planUNet(parseTza(await testWeights('rt_hdr_alb_nrm_small')));
    const tensorBytes = networkBytes(net, [], 4, 336, 16).tensors * 0.9;
    const cut = new Denoiser(device, testWeights, { choose: async () => softwareKind, tensorBytes });
    const tiled = await denoised(images, cut);
    expect(cut.last.tiles).toBe(2);
    expect(cut.last.bytes).toBeLessThan(denoiser.last.bytes);
    const encoded = (image: Float32Array): number[] => Array.from(image, encodeLight);
    expect(psnr(encoded(tiled), encoded(whole))).toBeGreaterThan(110);
    // Control: a picture whose right half was never there is another one, left of the middle too.
    const half = await denoised(grainy(176, 16));
    const left = Float32Array.from({ length: half.length }, (_, i) => whole[Math.floor(i / 528) * 990 + (i % 528)]!);
    expect(psnr(encoded(half), encoded(left))).toBeLessThan(60);
    await cut.dispose();
  });

  it.each([
    [1, 1],
    [17, 5],
    [3, 40],
  ])('takes %i × %i pixels', async (width, height) => {
    const shares: number[] = [];
    const outcome = await denoiser.run(NEVER, grainy(width, height), (share) => shares.push(share));
    expect(outcome).toMatchObject({ ok: true, models: ['rt_hdr_alb_nrm_small'] });
    expect(outcome.ok && outcome.image.every((v) => Number.isFinite(v) && v >= 0)).toBe(true);
    expect(outcome.ok && outcome.image).toHaveLength(width * height * 3);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
  });

  it('gives the light itself where its variance says that it is none of noise, and otherwise what the network gives', async () => {
    const images = grainy(32, 32);
    const { color } = images;
    const samples = new Float32Array(32 * 32).fill(64);
    const luminance = (p: number): number => 0.2126 * color[p * 3]! + 0.7152 * color[p * 3 + 1]! + 0.0722 * color[p * 3 + 2]!;
    const moment = samples.map((_, p) => luminance(p) ** 2);
    const encoded = (image: Float32Array): number[] => Array.from(image, encodeLight);
    const [known, unknown] = [await denoised({ ...images, moment, samples }), await denoised(images)];
    expect(psnr(encoded(known), encoded(color))).toBeGreaterThan(50);
    // Control: without variance there is no evidence.
    expect(psnr(encoded(unknown), encoded(color))).toBeLessThan(30);
    const text = 'A layer has 1000 numbers; 32 × 32 pixels take 1024.';
    expect(await denoiser.run(NEVER, { ...images, moment: moment.subarray(24), samples })).toEqual({ ok: false, reason: 'size', text });
  });

  it('refuses layers that are too short, and pictures without pixels', async () => {
    const text = 'A layer has 3072 numbers; 32 × 33 pixels take 3168.';
    expect(await denoiser.run(NEVER, { ...grainy(32, 32), height: 33 })).toEqual({ ok: false, reason: 'size', text });
    expect(await denoiser.run(NEVER, { ...grainy(1, 1), width: 0 })).toMatchObject({ ok: false, reason: 'size' });
  });

  it('stops when asked to, before or on the way, and goes on with the next picture', async () => {
    expect(await denoiser.run(AbortSignal.abort(), grainy(32, 32))).toMatchObject({ ok: false, reason: 'aborted' });
    const stop = new AbortController();
    const shares: number[] = [];
    const outcome = await denoiser.run(stop.signal, grainy(64, 32), (share) => {
      shares.push(share);
      if (share > 0.2) stop.abort();
    });
    expect(outcome).toMatchObject({ ok: false, reason: 'aborted' });
    expect(Math.max(...shares)).toBeLessThan(0.9);
    expect((await denoiser.run(NEVER, grainy(16, 16))).ok).toBe(true);
  });

  it('says so when the device goes away', async () => {
    const opened = await openDevice(await testGpu());
    if (!opened.ok) throw new Error(opened.text);
    const other = new Denoiser(opened.device, testWeights);
    const outcome = await other.run(NEVER, grainy(64, 32), () => opened.device.destroy());
    expect(outcome).toEqual({ ok: false, reason: 'device-lost', text: 'The device was lost while denoising.' });
  });

  it('refuses weights that are not those it was made for', async () => {
    const other = new Denoiser(device, async () => testWeights('rt_hdr_small'));
    expect(await other.run(NEVER, grainy(16, 16))).toMatchObject({
      ok: false,
      reason: 'weights',
      text: expect.stringContaining('are damaged'),
    });
  });

  it('says which weights could not be loaded, and takes them the next time', async () => {
    let broken = true;
    const other = new Denoiser(device, (model) => (broken ? Promise.reject(new Error('offline')) : testWeights(model)));
    expect(await other.run(NEVER, grainy(16, 16))).toMatchObject({
      ok: false,
      reason: 'weights',
      text: "The denoiser's weights 'rt_hdr_alb_nrm_small' could not be loaded: offline",
    });
    broken = false;
    expect((await other.run(NEVER, grainy(16, 16))).ok).toBe(true);
    await other.dispose();
  });
});
