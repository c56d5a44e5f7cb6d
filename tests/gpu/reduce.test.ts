/**
 * The reduction alone, on slots made up here: integers against plain sums, floats against the
 * balanced tree in f32, in every pass size. A twin in TypeScript, so a carry between packed fields
 * or another order of adding shows.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FILM_BYTES_PER_PIXEL, filmCounters, readPixel, viewOfFilm, type PixelSums } from '#lib/job/film.ts';
import { Frame, NONE, PathSlot, TALLY_FAULT } from '#shaders/layout.ts';
import { ReducePass } from '#workers/render/reduce-pass.ts';
import { hashWord } from '../reference/random.ts';
import { testGpu } from './device.ts';

interface Slot {
  readonly light: readonly [number, number, number];
  readonly segments: number;
  readonly signature: number;
  readonly depth: number;
  readonly albedo: readonly [number, number, number];
  readonly normal: readonly [number, number, number];
  readonly object: number;
}

const PIXELS = 5;
let device: GPUDevice;
let reduce: ReducePass;
beforeAll(async () => {
  const adapter = await (await testGpu()).requestAdapter();
  device = await adapter!.requestDevice({ label: 'reduce test' });
  reduce = await ReducePass.create(device);
});
afterAll(() => device.destroy());

const word = (i: number, k: number): number => hashWord(hashWord(i) ^ (k * 0x9e3779b1)) >>> 0;

/** Every seventh path sees nothing. */
function randomSlot(i: number): Slot {
  const seen = i % 7 !== 0;
  const of = (k: number, steps: number): number => (seen ? word(i, k) % (steps + 1) : 0);
  return {
    light: [word(i, 1) / 2 ** 28, word(i, 2) / 2 ** 30, word(i, 3) / 2 ** 34],
    segments: word(i, 4) % 67,
    signature: word(i, 5) & 0xffff,
    depth: of(6, 1e6) / 1e3,
    albedo: [of(7, 1023), of(8, 1023), of(9, 1023)],
    normal: [of(10, 1022) - (seen ? 511 : 0), of(11, 1022) - (seen ? 511 : 0), of(12, 1022) - (seen ? 511 : 0)],
    object: seen ? word(i, 13) : NONE,
  };
}

/** What is largest in every field at once: nothing may carry over. */
const full: Slot = {
  light: [1, 1, 1],
  segments: 66,
  signature: 0xffff,
  depth: 1,
  albedo: [1023, 1023, 1023],
  normal: [-511, 511, -511],
  object: 0,
};

function pack(slots: readonly Slot[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(slots.length * PathSlot.size));
  const at = PathSlot.offsets;
  const thirds = ([x, y, z]: readonly [number, number, number]): number => ((x & 1023) | ((y & 1023) << 10) | ((z & 1023) << 20)) >>> 0;
  slots.forEach((slot, i) => {
    const from = i * PathSlot.size;
    slot.light.forEach((value, c) => view.setFloat32(from + at.light + c * 4, value, true));
    view.setUint32(from + at.tally, ((slot.segments << 16) | slot.signature) >>> 0, true);
    view.setFloat32(from + at.depth, slot.depth, true);
    view.setUint32(from + at.albedo, thirds(slot.albedo), true);
    view.setUint32(from + at.normal, thirds(slot.normal), true);
    view.setUint32(from + at.object, slot.object, true);
  });
  return new Uint8Array(view.buffer);
}

async function reduced(
  slots: Uint8Array<ArrayBuffer>,
  samples: number,
  count = false,
): Promise<{ film: Uint8Array<ArrayBuffer>; signatures: Uint16Array }> {
  const { STORAGE, COPY_DST, COPY_SRC, UNIFORM, MAP_READ } = GPUBufferUsage;
  const [filmBytes, signatureBytes] = [PIXELS * FILM_BYTES_PER_PIXEL, Math.ceil((PIXELS * samples) / 2) * 4];
  const make = (size: number, usage: number): GPUBuffer => device.createBuffer({ label: 'reduce test', size, usage });
  const [frame, from] = [make(Frame.size, UNIFORM | COPY_DST), make(slots.byteLength, STORAGE | COPY_DST)];
  const [film, signatures] = [make(filmBytes, STORAGE | COPY_SRC), make(signatureBytes, STORAGE | COPY_SRC)];
  const staging = make(filmBytes + signatureBytes, COPY_DST | MAP_READ);
  const uniform = new DataView(new ArrayBuffer(Frame.size));
  uniform.setUint32(Frame.offsets.pixels, PIXELS, true);
  uniform.setUint32(Frame.offsets.samples_log2, Math.log2(samples), true);
  device.queue.writeBuffer(frame, 0, uniform.buffer);
  device.queue.writeBuffer(from, 0, slots);
  const encoder = device.createCommandEncoder({ label: 'reduce test' });
  reduce.run(encoder, reduce.bind(frame, from, film, signatures), { pixels: PIXELS, paths: PIXELS * samples, count });
  encoder.copyBufferToBuffer(film, 0, staging, 0, filmBytes);
  encoder.copyBufferToBuffer(signatures, 0, staging, filmBytes, signatureBytes);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const bytes = staging.getMappedRange().slice(0);
  return { film: new Uint8Array(bytes.slice(0, filmBytes)), signatures: new Uint16Array(bytes.slice(filmBytes), 0, PIXELS * samples) };
}

/** The balanced tree over a power of two of values, each sum rounded to f32. */
function tree(values: readonly number[]): number {
  if (values.length === 1) return Math.fround(values[0]!);
  const half = values.length / 2;
  return Math.fround(tree(values.slice(0, half)) + tree(values.slice(half)));
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

function expected(slots: readonly Slot[]): Omit<PixelSums, 'moment'> {
  const channels = (of: (slot: Slot) => readonly number[], add: (values: readonly number[]) => number): [number, number, number] =>
    [0, 1, 2].map((c) => add(slots.map((slot) => of(slot)[c]!))) as [number, number, number];
  return {
    light: channels(({ light }) => light, tree),
    segments: sum(slots.map(({ segments }) => segments)),
    albedo: channels(({ albedo }) => albedo, sum),
    normal: channels(({ normal }) => normal, sum),
    coverage: slots.filter(({ object }) => object !== NONE).length,
    depth: tree(slots.map(({ depth }) => depth)),
    object: slots.find(({ object }) => object !== NONE)?.object ?? NONE,
  };
}

describe.each([1, 2, 16, 64])('a pass of %i', (samples) => {
  it.each([
    ['made up', randomSlot],
    ['full to the brim', (): Slot => full],
  ])('sums slots that are %s as the twin does', async (_, slot) => {
    const slots = Array.from({ length: PIXELS * samples }, (_, i) => slot(i));
    const { film, signatures } = await reduced(pack(slots), samples);
    expect([...signatures]).toEqual(slots.map(({ signature }) => signature));
    for (let p = 0; p < PIXELS; p++) {
      const own = slots.slice(p * samples, (p + 1) * samples);
      const { moment, ...rest } = readPixel(viewOfFilm(film), p);
      expect(rest).toEqual(expected(own));
      // A device may contract the products of a luminance: within a few units in the last place.
      const squares = sum(own.map(({ light: [r, g, b] }) => (0.2126 * r + 0.7152 * g + 0.0722 * b) ** 2));
      expect(Math.abs(moment - squares)).toBeLessThanOrEqual(2e-6 * squares);
    }
  });
});

describe('a fault', () => {
  it('of one path is its pixel’s, and of no other', async () => {
    const slots = Array.from({ length: PIXELS * 4 }, (_, i) => ({ ...randomSlot(i), ...(i === 9 ? { segments: TALLY_FAULT } : {}) }));
    const { film } = await reduced(pack(slots), 4);
    const faults = Array.from({ length: PIXELS }, (_, p) => readPixel(viewOfFilm(film), p).segments === NONE);
    expect(faults).toEqual([false, false, true, false, false]);
  });
});

describe('counters', () => {
  it('are summed as whole words', async () => {
    const bytes = pack(Array.from({ length: PIXELS * 4 }, (_, i) => randomSlot(i)));
    const view = viewOfFilm(bytes);
    for (let i = 0; i < PIXELS * 4; i++) {
      const from = i * PathSlot.size;
      view.setUint32(from + PathSlot.offsets.albedo, 100_000 + i, true);
      view.setUint32(from + PathSlot.offsets.normal, 70_000 + i, true);
      view.setUint32(from + PathSlot.offsets.object, i, true);
      view.setFloat32(from + PathSlot.offsets.depth, i, true);
    }
    const paths = PIXELS * 4;
    const triangle = (paths * (paths - 1)) / 2;
    const { film } = await reduced(bytes, 4, true);
    expect(filmCounters(film)).toMatchObject({
      nodeVisits: 100_000 * paths + triangle,
      triangleTests: 70_000 * paths + triangle,
      shadingCalls: triangle,
      texelReads: triangle,
    });
  });
});
