/** Image files, read back by other people's readers. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { DataUtils, FloatType } from 'three';
import { EXRLoader } from 'three/addons/loaders/EXRLoader.js';
import { describe, expect, test } from 'vitest';
import { encodeAuxiliary } from '#lib/image/auxiliary.ts';
import { ALL_LAYERS, develop } from '#lib/image/develop.ts';
import { encodeExr, toHalf } from '#lib/image/exr.ts';
import { encodePfm, readPfm } from '#lib/image/pfm.ts';
import { encodePng } from '#lib/image/png.ts';
import { openExr, readExrChannels } from '#workers/scene/exr.ts';

const refuse = (what: string): never => {
  throw new Error(what);
};
const BOUNDS = { sidePx: 1000, pixels: 10_000 };
const WIDTH = 37;
const HEIGHT = 21;

/** Smooth, with a few values far outside display range. */
function picture(): Float32Array<ArrayBuffer> {
  const rgb = new Float32Array(WIDTH * HEIGHT * 3);
  for (let i = 0; i < rgb.length; i++) rgb[i] = (i % (WIDTH * 3)) / 50 + (i % 97 === 0 ? 900.5 : 0);
  return rgb;
}

test('pfm round-trips exactly and stores the bottom row first', () => {
  const rgb = picture();
  const bytes = encodePfm(rgb, WIDTH, HEIGHT);
  expect(readPfm(bytes, BOUNDS)).toEqual({ ok: true, image: { width: WIDTH, height: HEIGHT, channels: 3, values: rgb } });
  const head = `PF\n${WIDTH} ${HEIGHT}\n-1.0\n`;
  expect(new DataView(bytes.buffer).getFloat32(head.length, true)).toBe(rgb[(HEIGHT - 1) * WIDTH * 3]);
  expect(readPfm(bytes.subarray(0, -1), BOUNDS)).toEqual({ ok: false, text: expect.stringContaining('is cut off') });
});

const CLIPPED = { exposure: 0, operator: 'none' } as const;

test('png holds the tone-mapped bytes', async () => {
  const image = decode(await encodePng(new Float32Array([0, 0.5, 1, 2, 0, 0]), null, { width: 2, height: 1, bits: 8 }, CLIPPED));
  expect([image.width, image.height, image.channels, image.depth]).toEqual([2, 1, 3, 8]);
  expect([...image.data]).toEqual([0, 188, 255, 255, 0, 0]);
});

test('png keeps colours unmultiplied beside alpha', async () => {
  const rgb = new Float32Array([0.25, 0.5, 0, 0, 0, 0]);
  const image = decode(await encodePng(rgb, new Float32Array([0.5, 0]), { width: 2, height: 1, bits: 8 }, CLIPPED));
  expect([image.width, image.height, image.channels]).toEqual([2, 1, 4]);
  expect([...image.data]).toEqual([188, 255, 0, 128, 0, 0, 0, 0]);
});

test('an auxiliary is a PFM of one or three values, and no object is -1', () => {
  const one = new Float32Array([1, 2]);
  const three = new Float32Array([1, 2, 3, 4, 5, 6]);
  const auxiliary = { albedo: three, normal: three, depth: one, moment: one, object: new Uint32Array([7, 0xffffffff]) };
  const exposed = { light: three, samples: 4, auxiliary };
  const normals = { width: 2, height: 1, channels: 3, values: three };
  expect(readPfm(encodeAuxiliary('normal', exposed, 2, 1), BOUNDS)).toEqual({ ok: true, image: normals });
  const ids = encodeAuxiliary('object', exposed, 2, 1);
  const head = 'Pf\n2 1\n-1.0\n';
  expect(new TextDecoder().decode(ids.subarray(0, head.length))).toBe(head);
  expect([...new Float32Array(ids.slice(head.length).buffer)]).toEqual([7, -1]);
});

describe('exr', () => {
  test.each(['zip', 'none'] as const)("three's reader gets back every float (%s)", async (compression) => {
    const rgb = picture();
    const file = await encodeExr([{ channels: [...'RGB'], values: rgb }], WIDTH, HEIGHT, { type: 'float', compression });
    const read = new EXRLoader().setDataType(FloatType).parse(file.buffer);
    expect([read.width, read.height]).toEqual([WIDTH, HEIGHT]);
    expect(topDown(read.data as Float32Array)).toEqual(rgb);
  });

  test("three's reader gets back halves", async () => {
    const rgb = picture();
    const file = await encodeExr([{ channels: [...'RGB'], values: rgb }], WIDTH, HEIGHT, { type: 'half', compression: 'zip' });
    const read = new EXRLoader().setDataType(FloatType).parse(file.buffer);
    topDown(read.data as Float32Array).forEach((value, i) => expect(Math.abs(value - rgb[i]!)).toBeLessThanOrEqual(rgb[i]! / 2048));
  });

  test('noise that does not shrink is stored plain and still read', async () => {
    const rgb = new Float32Array(WIDTH * HEIGHT * 3);
    let state = 1;
    const bits = new Uint32Array(rgb.buffer);
    for (let i = 0; i < rgb.length; i++) bits[i] = ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) & 0x3fffffff) | 0x20000000;
    const file = await encodeExr([{ channels: [...'RGB'], values: rgb }], WIDTH, HEIGHT, { type: 'float', compression: 'zip' });
    expect(topDown(new EXRLoader().setDataType(FloatType).parse(file.buffer).data as Float32Array)).toEqual(rgb);
  });

  test(`layers are named channels${existsSync('/usr/bin/exrheader') ? ', as exrheader agrees' : ''}`, async () => {
    const rgb = picture();
    const file = await encodeExr(
      [
        { channels: [...'RGB'], values: rgb },
        { channels: ['albedo.R', 'albedo.G', 'albedo.B'], values: rgb },
      ],
      WIDTH,
      HEIGHT,
      { type: 'half', compression: 'zip' },
    );
    const text = new TextDecoder('latin1').decode(file.subarray(0, 400));
    const at = ['B\0', 'G\0', 'R\0', 'albedo.B\0', 'albedo.G\0', 'albedo.R\0'].map((name) => text.indexOf(name));
    expect(at.every((place, i) => place > (at[i - 1] ?? 0))).toBe(true);
    if (!existsSync('/usr/bin/exrheader')) return;
    const path = join(mkdtempSync(join(tmpdir(), 'pictor-exr-')), 'layers.exr');
    writeFileSync(path, file);
    const told = execFileSync('exrheader', [path], { encoding: 'utf8' });
    expect(told).toContain('albedo.G, 16-bit floating-point');
  });

  test('a picture with alpha and every auxiliary is read back by name, ids as whole numbers', async () => {
    const pixels = WIDTH * HEIGHT;
    const of = (k: number, channels: number): Float32Array<ArrayBuffer> =>
      Float32Array.from({ length: pixels * channels }, (_, i) => k + i / 8);
    const auxiliary = {
      albedo: of(1, 3),
      normal: of(2, 3),
      depth: of(3, 1),
      moment: of(4, 1),
      object: Uint32Array.from({ length: pixels }, (_, i) => i * 5_000_011),
    };
    const [light, denoised, coverage] = [picture(), of(6, 3), of(5, 1)];
    const state = { width: WIDTH, height: HEIGHT, light, denoised, coverage, auxiliary, samples: 9 };
    const choices = { format: 'exr', state: 'raw', tone: CLIPPED, layers: ALL_LAYERS, title: 'Täglich / Brot', notes: {} } as const;
    const file = await develop(state, choices);
    expect([file.name, file.type]).toEqual(['Täglich-Brot.exr', 'image/x-exr']);
    const opened = openExr(file.bytes, refuse, { sidePx: 100, texels: 10_000 });
    expect(Object.fromEntries(opened.channels.map(({ name, type }) => [name, type]))).toEqual({
      ...{ A: 1, B: 1, G: 1, R: 1, 'albedo.B': 1, 'albedo.G': 1, 'albedo.R': 1, 'denoised.B': 1, 'denoised.G': 1, 'denoised.R': 1 },
      ...{ 'depth.Z': 2, 'moment.Y': 2, 'normal.X': 2, 'normal.Y': 2, 'normal.Z': 2, 'object.X': 0, 'samples.X': 2, 'variance.Y': 2 },
    });
    const read = (...names: string[]): Float32Array => readExrChannels(opened, names, refuse);
    expect(read('object.X')).toEqual(Float32Array.from(auxiliary.object));
    expect(read('depth.Z')).toEqual(auxiliary.depth);
    expect(read('normal.X', 'normal.Y', 'normal.Z')).toEqual(auxiliary.normal);
    expect(read('denoised.R', 'denoised.G', 'denoised.B')).toEqual(denoised.map((value) => DataUtils.fromHalfFloat(toHalf(value))));
    expect(read('samples.X')).toEqual(new Float32Array(pixels).fill(9));
    const luminance = (p: number): number => 0.2126 * light[p * 3]! + 0.7152 * light[p * 3 + 1]! + 0.0722 * light[p * 3 + 2]!;
    read('variance.Y').forEach((value, p) => expect(value).toBeCloseTo(Math.max(0, auxiliary.moment[p]! - luminance(p) ** 2) / 8, 4));
  });

  test('a float becomes the nearest half, ties to even', () => {
    for (const value of [0, -0, 1, -2, 0.1, 65504, 6.1e-5, 5.96e-8, 1e-9, 1 / 3, 1 + 1 / 2048, 1 + 3 / 2048, 2 ** -25, 3 * 2 ** -25]) {
      const exact = Math.fround(value);
      const read = DataUtils.fromHalfFloat(toHalf(exact));
      const neighbours = [toHalf(exact) - 1, toHalf(exact) + 1]
        .map((bits) => DataUtils.fromHalfFloat(bits & 0xffff))
        .filter(Number.isFinite);
      for (const other of neighbours) expect(Math.abs(read - exact)).toBeLessThanOrEqual(Math.abs(other - exact));
    }
    expect([1 + 1 / 2048, 1 + 3 / 2048, 2 ** -25, 3 * 2 ** -25].map(toHalf)).toEqual([0x3c00, 0x3c02, 0, 2]);
    expect([1e9, -1e9, Number.NaN].map(toHalf)).toEqual([0x7bff, 0xfbff, 0x7e00]);
  });
});

/** three hands out RGBA with the bottom row first. */
function topDown(rgba: Float32Array): Float32Array {
  const rgb = new Float32Array(WIDTH * HEIGHT * 3);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      for (let c = 0; c < 3; c++) rgb[(y * WIDTH + x) * 3 + c] = rgba[((HEIGHT - 1 - y) * WIDTH + x) * 4 + c]!;
    }
  }
  return rgb;
}
