/** Every way to convolve against the direct kernel, layer by layer: of each number of blocks, on odd sides, in each precision there is. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DenoiseKernels, KINDS, type Kind } from '#workers/render/denoise/kernels.ts';
import { LayerPass, patchStride } from '#workers/render/denoise/layer-pass.ts';
import { blocksOf, inPrecision } from '#workers/render/denoise/packing.ts';
import type { After, Layer } from '#workers/render/denoise/unet.ts';
import type { Precision } from '#shaders/denoise/kernel-text.ts';
import { testGpu } from './device.ts';

function noise(count: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed;
  return Float32Array.from({ length: count }, () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32 - 0.5);
}

function layerOf(inputs: number, outputs: number, after: After): Layer {
  const weights = noise(inputs * outputs * 9, 7);
  const shape = { name: 'layer', from: 0, fromChannel: 4, inputs, to: 1, toChannel: 8, outputs, after, level: 0 };
  return { ...shape, weights, bias: noise(outputs, 9) };
}

const half = (bits: number): number => {
  const [exponent, fraction] = [(bits >>> 10) & 31, bits & 1023];
  const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -size : size;
};

const farthest = (a: Float64Array, b: Float64Array): number => a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]!)), 0);

describe('ways to convolve', () => {
  let device: GPUDevice;
  let precisions: readonly Precision[];
  beforeAll(async () => {
    const adapter = (await (await testGpu()).requestAdapter())!;
    const halves = adapter.features.has('shader-f16');
    device = await adapter.requestDevice({ requiredFeatures: halves ? ['shader-f16'] : [] });
    precisions = halves ? ['f32', 'f16'] : ['f32'];
  });
  afterAll(() => device?.destroy());

  /** All of what a layer leaves, convolved in pieces of 16 rows and so many columns. */
  async function convolved(
    kernels: DenoiseKernels,
    layer: Layer,
    kind: Kind,
    [width, height]: readonly [number, number],
    columnsMax: number,
  ): Promise<Float64Array> {
    const { bytes, precision } = kernels;
    const pass = await LayerPass.create(device, kernels, layer, kind);
    const [ins, outs] = [blocksOf(layer.inputs) * 4, blocksOf(layer.outputs) * 4];
    const wide = layer.after === 'enlarge' ? 4 : 1;
    const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    const make = (numbers: number, usage = STORAGE | COPY_SRC): GPUBuffer =>
      device.createBuffer({ size: Math.ceil((numbers * bytes) / 4) * 4, usage: usage | COPY_DST });
    const source = make((ins + layer.fromChannel) * width * height);
    const target = make((outs + layer.toChannel) * width * height * wide);
    const patches = 16 * patchStride(width, 16);
    const [planes, products] = [make(ins * patches), make((outs * patches * 4) / bytes)];
    const staging = make((outs + layer.toChannel) * width * height * wide, MAP_READ);
    // The channels that pad the last block are zero, as every layer before leaves them.
    const values = noise((ins + layer.fromChannel) * width * height, 3).map((v, i) => {
      const channel = Math.floor(i / 4 / (width * height)) * 4 + (i % 4) - layer.fromChannel;
      return channel < layer.inputs ? v : 0;
    });
    device.queue.writeBuffer(source, 0, inPrecision(values, precision));
    for (let row = 0; row < height; row += 16) {
      for (let column = 0; column < width; column += columnsMax) {
        const encoder = device.createCommandEncoder();
        const band = { width, height, column, columns: Math.min(columnsMax, width - column), row, rows: Math.min(16, height - row) };
        pass.encode(encoder, band, { source, target, targetBlock: layer.toChannel / 4, planes, products });
        device.queue.submit([encoder.finish()]);
      }
    }
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(target, 0, staging, 0, staging.size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const mapped = staging.getMappedRange();
    const found = precision === 'f16' ? Float64Array.from(new Uint16Array(mapped), half) : Float64Array.from(new Float32Array(mapped));
    for (const buffer of [source, target, planes, products, staging]) buffer.destroy();
    pass.destroy();
    return found;
  }

  const SHAPES = [
    ['few in, odd sides', 9, 32, 'nothing', 37, 21],
    ['enlarged', 16, 24, 'enlarge', 24, 18],
    ['one block out', 12, 3, 'nothing', 33, 5],
    ['a single pixel', 8, 16, 'nothing', 1, 1],
    ['wider than a piece', 8, 16, 'enlarge', 149, 3],
  ] as const;

  it.each(SHAPES)('%s: all agree', async (_, inputs, outputs, after, width, height) => {
    const layer = layerOf(inputs, outputs, after);
    for (const precision of precisions) {
      const kernels = new DenoiseKernels(device, precision);
      const direct = await convolved(kernels, layer, 'direct', [width, height], width);
      // A sum of n products of numbers below 1/2 stays within n/4; each of its steps rounds by half a unit. Winograd's patches and
      // weights are sums themselves, of magnitudes 4 and 9/4 times as large. Halves round what is kept to 11 bits.
      const products = inputs * 9;
      const unit = precision === 'f16' ? 2 ** -11 : 2 ** -24;
      for (const kind of KINDS) {
        const found = await convolved(kernels, layer, kind, [width, height], 128);
        const bound = (kind === 'winograd' ? 9 : 1) * Math.sqrt(products) * products * 0.25 * unit;
        expect(farthest(direct, found), `${precision} ${kind}`).toBeLessThanOrEqual(bound);
      }
      // Control: another layer is far away.
      const other = await convolved(kernels, { ...layer, bias: layer.bias.map((v) => v + 1) }, 'direct', [width, height], width);
      expect(farthest(direct, other)).toBeGreaterThan(0.1);
    }
  });
});
