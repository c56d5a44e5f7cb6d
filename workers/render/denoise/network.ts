/**
 * One network on one device: its weights, its tensors for tiles of one size, and the work of a tile
 * in steps that each fit the dispatch budget. Refuses to know pictures: it is handed encoded tiles.
 */
import { Convolution, Pool } from '#shaders/denoise/layout.ts';
import { filled, group, uniform, write } from './buffers.ts';
import { dispatchPixels, type DenoiseKernels } from './kernels.ts';
import { planMemory } from './memory.ts';
import type { Pace } from './pace.ts';
import type { Layer, UNet } from './unet.ts';

const BLOCK = 4;
const blocksOf = (channels: number): number => Math.ceil(channels / BLOCK);

/** Multiplications of one row of a layer. */
const rowWork = (layer: Layer, width: number): number => width * layer.inputs * layer.outputs * 9;

interface LayerBuffers {
  readonly weights: GPUBuffer;
  readonly bias: GPUBuffer;
  readonly frame: GPUBuffer;
}

export class Network {
  readonly net: UNet;
  readonly #device: GPUDevice;
  readonly #kernels: DenoiseKernels;
  readonly #layers: readonly LayerBuffers[];
  readonly #pools: GPUBuffer;
  #places: GPUBuffer[] = [];
  readonly #memory: ReturnType<typeof planMemory>;
  /** Before pooling, where a layer pools. */
  #whole: GPUBuffer | null = null;
  #size = { width: 0, height: 0 };

  constructor(device: GPUDevice, kernels: DenoiseKernels, net: UNet) {
    this.net = net;
    this.#device = device;
    this.#kernels = kernels;
    this.#memory = planMemory(net);
    this.#layers = net.layers.map((layer) => ({
      weights: filled(device, `${layer.name} weights`, packWeights(layer)),
      bias: filled(device, `${layer.name} bias`, packBias(layer)),
      frame: uniform(device, `${layer.name} frame`, Convolution),
    }));
    this.#pools = uniform(device, 'pool frame', Pool);
  }

  /** Floats per pixel of a tile that the tensors take together, and the largest of them alone. */
  get floatsPerPixel(): { readonly all: number; readonly largest: number } {
    const sizes = [...this.#memory.floatsPerPixel, this.#wholeFloats()];
    return { all: sizes.reduce((a, b) => a + b, 0), largest: Math.max(...sizes) };
  }

  /** Tensors for tiles of this size; those of another size are given back. */
  resize(width: number, height: number): void {
    if (this.#size.width === width && this.#size.height === height) return;
    this.#release();
    this.#size = { width, height };
    const make = (label: string, floats: number): GPUBuffer =>
      this.#device.createBuffer({ label, size: floats * width * height * 4, usage: GPUBufferUsage.STORAGE });
    this.#places = this.#memory.floatsPerPixel.map((floats, i) => make(`tensor ${i}`, floats));
    this.#whole = make('tensor before pooling', this.#wholeFloats());
  }

  get input(): GPUBuffer {
    return this.#tensor(this.net.input.tensor);
  }

  get output(): GPUBuffer {
    return this.#tensor(this.net.output.tensor);
  }

  /** First block of the input in its tensor. */
  get inputBlock(): number {
    return this.net.input.channel / BLOCK;
  }

  /** Runs every layer over the tile that lies in `input`. @returns false when aborted. */
  async run(signal: AbortSignal, pace: Pace): Promise<boolean> {
    for (const [i, layer] of this.net.layers.entries()) {
      const [width, height] = [this.#size.width >> layer.level, this.#size.height >> layer.level];
      const work = rowWork(layer, width);
      for (let row = 0; row < height;) {
        if (signal.aborted) return false;
        const rows = Math.min(pace.rows(work), height - row);
        await pace.submit(this.#device.queue, this.#band(i, layer, { width, height, row, rows }), rows * work);
        row += rows;
      }
      if (layer.after === 'pool') this.#device.queue.submit([this.#pool(layer, width / 2, height / 2)]);
    }
    return true;
  }

  destroy(): void {
    this.#release();
    for (const { weights, bias, frame } of this.#layers) for (const buffer of [weights, bias, frame]) buffer.destroy();
    this.#pools.destroy();
  }

  #band(i: number, layer: Layer, at: { width: number; height: number; row: number; rows: number }): GPUCommandBuffer {
    const { weights, bias, frame } = this.#layers[i]!;
    const pools = layer.after === 'pool';
    write(this.#device, frame, Convolution, {
      width: at.width,
      height: at.height,
      from_block: layer.fromChannel / BLOCK,
      in_blocks: blocksOf(layer.inputs),
      to_block: pools ? 0 : layer.toChannel / BLOCK,
      out_blocks: blocksOf(layer.outputs),
      first_row: at.row,
      enlarge: Number(layer.after === 'enlarge'),
    });
    const { pipeline, shape } = this.#kernels.convolution(blocksOf(layer.outputs));
    const target = pools ? this.#whole! : this.#tensor(layer.to);
    return this.#pass(layer.name, pipeline, [frame, this.#tensor(layer.from), weights, bias, target], (pass) =>
      dispatchPixels(pass, at.width, at.rows, blocksOf(layer.outputs) / shape.blocks, shape.pixels),
    );
  }

  #pool(layer: Layer, width: number, height: number): GPUCommandBuffer {
    write(this.#device, this.#pools, Pool, { width, height, from_block: 0, to_block: layer.toChannel / BLOCK });
    return this.#pass('pool', this.#kernels.pool, [this.#pools, this.#whole!, this.#tensor(layer.to)], (pass) =>
      dispatchPixels(pass, width, height, blocksOf(layer.outputs)),
    );
  }

  #pass(
    label: string,
    pipeline: GPUComputePipeline,
    buffers: readonly GPUBuffer[],
    dispatch: (pass: GPUComputePassEncoder) => void,
  ): GPUCommandBuffer {
    const encoder = this.#device.createCommandEncoder({ label });
    const pass = encoder.beginComputePass({ label });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group(this.#device, label, pipeline, buffers));
    dispatch(pass);
    pass.end();
    return encoder.finish();
  }

  #tensor(index: number): GPUBuffer {
    return this.#places[this.#memory.placeOf[index]!]!;
  }

  #wholeFloats(): number {
    return Math.max(
      ...this.net.layers.filter((layer) => layer.after === 'pool').map((layer) => (blocksOf(layer.outputs) * BLOCK) / 4 ** layer.level),
    );
  }

  #release(): void {
    for (const buffer of this.#places) buffer.destroy();
    this.#whole?.destroy();
    this.#places = [];
    this.#whole = null;
    this.#size = { width: 0, height: 0 };
  }
}

/** As shaders/denoise/convolution.ts reads them: per block out, block in, row, column and channel in, four channels out. */
function packWeights({ weights, inputs, outputs }: Layer): Float32Array<ArrayBuffer> {
  const [ins, outs] = [blocksOf(inputs), blocksOf(outputs)];
  const packed = new Float32Array(outs * ins * 9 * BLOCK * BLOCK);
  for (let o = 0; o < outputs; o++) {
    for (let c = 0; c < inputs; c++) {
      for (let k = 0; k < 9; k++) {
        const block = (Math.floor(o / BLOCK) * ins + Math.floor(c / BLOCK)) * 9 + k;
        packed[(block * BLOCK + (c % BLOCK)) * BLOCK + (o % BLOCK)] = weights[(o * inputs + c) * 9 + k]!;
      }
    }
  }
  return packed;
}

function packBias({ bias, outputs }: Layer): Float32Array<ArrayBuffer> {
  const packed = new Float32Array(blocksOf(outputs) * BLOCK);
  packed.set(bias);
  return packed;
}
