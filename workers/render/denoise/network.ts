/**
 * One network on one device: its layers, its tensors for tiles of one size, and the work of a tile
 * in steps that each fit the dispatch budget. Refuses to know pictures: it is handed encoded tiles.
 */
import { DENOISE_SCRATCH_BYTES } from '#lib/protocol/limits.ts';
import { Pool } from '#shaders/denoise/layout.ts';
import { group, uniform, write } from './buffers.ts';
import { dispatchPixels, type DenoiseKernels, type Kind } from './kernels.ts';
import { LayerPass, patchStride, type Band } from './layer-pass.ts';
import { planMemory } from './memory.ts';
import { BLOCK, blocksOf } from './packing.ts';
import { ROWS_MIN, type Pace } from './pace.ts';
import type { Layer, UNet } from './unet.ts';

/** Multiplications of one row of a layer. */
const rowWork = (layer: Layer, width: number): number => width * layer.inputs * layer.outputs * 9;

/** Of pooling a block of a pixel: what it moves takes as long as so many multiplications. */
const POOL_WORK = 64;

/** Bytes of the 16 planes before and after a layer's products. */
const planeBytes = (layer: Layer, bytes: number, width: number, rows: number): readonly [planes: number, products: number] => {
  const stride = 16 * BLOCK * patchStride(width, rows);
  return [stride * blocksOf(layer.inputs) * bytes, stride * blocksOf(layer.outputs) * 4];
};

/** Most rows, an even number, whose planes fit the scratch memory. */
export function bandRows(layer: Layer, bytes: number, width: number, height: number): number {
  let rows = Math.ceil(height / 2) * 2;
  const fits = (): boolean => {
    const [planes, products] = planeBytes(layer, bytes, width, rows);
    // Layers share the two buffers, each as large as the layer that needs most of it.
    return Math.max(planes, products) <= DENOISE_SCRATCH_BYTES / 2;
  };
  while (rows > 2 && !fits()) rows = Math.max(2, Math.floor(rows / 4) * 2);
  return rows;
}

/** What a network takes of a device's memory. */
export interface NetworkBytes {
  readonly tensors: number;
  readonly scratch: number;
  /** Of the largest buffer. */
  readonly largest: number;
}

/** Memory for tiles of this size, to the byte; weights come on top. @param kinds how each layer is convolved. */
export function networkBytes(net: UNet, kinds: readonly Kind[], bytes: number, width: number, height: number): NetworkBytes {
  const sizes = [...planMemory(net).floatsPerPixel, wholeFloats(net)].map((floats) => floats * bytes * width * height);
  const [planes, products] = scratchBytes(net, kinds, bytes, width, height);
  return {
    tensors: sizes.reduce((a, b) => a + b, 0),
    scratch: planes + products,
    largest: Math.max(...sizes, planes, products),
  };
}

function scratchBytes(net: UNet, kinds: readonly Kind[], bytes: number, width: number, height: number): readonly [number, number] {
  const each = net.layers
    .filter((_, i) => kinds[i] === 'winograd')
    .map((layer) => {
      const [w, h] = [width >> layer.level, height >> layer.level];
      return planeBytes(layer, bytes, w, bandRows(layer, bytes, w, h));
    });
  return [Math.max(0, ...each.map(([planes]) => planes)), Math.max(0, ...each.map(([, products]) => products))];
}

/** Floats per pixel of the tile of what is pooled, where a layer pools. */
const wholeFloats = (net: UNet): number =>
  Math.max(...net.layers.filter(({ after }) => after === 'pool').map(({ outputs, level }) => (blocksOf(outputs) * BLOCK) / 4 ** level));

interface Tensors {
  readonly width: number;
  readonly height: number;
  readonly places: readonly GPUBuffer[];
  /** Before pooling. */
  readonly whole: GPUBuffer;
  readonly planes: GPUBuffer | null;
  readonly products: GPUBuffer | null;
}

export class Network {
  readonly net: UNet;
  readonly #device: GPUDevice;
  readonly #kernels: DenoiseKernels;
  readonly #layers: readonly LayerPass[];
  readonly #poolPipeline: GPUComputePipeline;
  readonly #poolFrame: GPUBuffer;
  readonly #placeOf: readonly number[];
  #tensors: Tensors | null = null;

  private constructor(device: GPUDevice, kernels: DenoiseKernels, net: UNet, layers: readonly LayerPass[], pool: GPUComputePipeline) {
    this.net = net;
    this.#device = device;
    this.#kernels = kernels;
    this.#layers = layers;
    this.#poolPipeline = pool;
    this.#poolFrame = uniform(device, 'pool frame', Pool);
    this.#placeOf = planMemory(net).placeOf;
  }

  /** @param kindOf the way to convolve a layer. */
  static async create(device: GPUDevice, kernels: DenoiseKernels, net: UNet, kindOf: (layer: Layer) => Kind): Promise<Network> {
    const layers = await Promise.all(net.layers.map((layer) => LayerPass.create(device, kernels, layer, kindOf(layer))));
    return new Network(device, kernels, net, layers, await kernels.pool());
  }

  get kinds(): readonly Kind[] {
    return this.#layers.map(({ kind }) => kind);
  }

  /** Stored numbers per pixel of a tile that the tensors take together, and the largest of them alone. */
  get floatsPerPixel(): { readonly all: number; readonly largest: number } {
    const sizes = [...planMemory(this.net).floatsPerPixel, wholeFloats(this.net)];
    return { all: sizes.reduce((a, b) => a + b, 0), largest: Math.max(...sizes) };
  }

  /** What tiles of this size take. */
  bytes(width: number, height: number): NetworkBytes {
    return networkBytes(this.net, this.kinds, this.#kernels.bytes, width, height);
  }

  /** Tensors for tiles of this size; those of another size are given back. */
  resize(width: number, height: number): void {
    if (this.#tensors?.width === width && this.#tensors.height === height) return;
    this.release();
    const { bytes } = this.#kernels;
    const make = (label: string, size: number): GPUBuffer => this.#device.createBuffer({ label, size, usage: GPUBufferUsage.STORAGE });
    const [planes, products] = scratchBytes(this.net, this.kinds, bytes, width, height);
    this.#tensors = {
      width,
      height,
      places: planMemory(this.net).floatsPerPixel.map((floats, i) => make(`tensor ${i}`, floats * bytes * width * height)),
      whole: make('tensor before pooling', wholeFloats(this.net) * bytes * width * height),
      planes: planes > 0 ? make('planes', planes) : null,
      products: products > 0 ? make('products', products) : null,
    };
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

  /** Runs every layer over the tile that lies in `input`. @param onShare of the multiplications, 0 to 1. @returns false when aborted. */
  async run(signal: AbortSignal, pace: Pace, onShare?: (share: number) => void): Promise<boolean> {
    const tensors = this.#tensors!;
    const whole = this.net.layers.reduce((sum, { inputs, outputs, level }) => sum + (inputs * outputs) / 4 ** level, 0);
    let done = 0;
    for (const [i, layer] of this.net.layers.entries()) {
      const [width, height] = [tensors.width >> layer.level, tensors.height >> layer.level];
      const work = rowWork(layer, width);
      const most = this.#layers[i]!.kind === 'winograd' ? bandRows(layer, this.#kernels.bytes, width, height) : height;
      for (let row = 0; row < height;) {
        if (signal.aborted) return false;
        const rows = Math.min(pace.rows(work), most, height - row);
        for (let column = 0; column < width;) {
          // Even two rows may take a processor longer than a dispatch should.
          const columns = rows > ROWS_MIN ? width : Math.min(pace.columns((work / width) * rows), width - column);
          await this.#submit(pace, i, { width, height, column, columns, row, rows }, (work / width) * columns * rows);
          column += columns;
        }
        row += rows;
      }
      if (layer.after === 'pool') await this.#pool(pace, layer, width / 2, height / 2);
      done += (layer.inputs * layer.outputs) / 4 ** layer.level;
      onShare?.(done / whole);
    }
    return true;
  }

  /** Gives the tensors back; weights stay. */
  release(): void {
    if (!this.#tensors) return;
    const { places, whole, planes, products } = this.#tensors;
    for (const buffer of [...places, whole, planes, products]) buffer?.destroy();
    this.#tensors = null;
  }

  destroy(): void {
    this.release();
    for (const layer of this.#layers) layer.destroy();
    this.#poolFrame.destroy();
  }

  async #submit(pace: Pace, i: number, band: Band, work: number): Promise<void> {
    const encoder = this.#device.createCommandEncoder({ label: this.net.layers[i]!.name });
    this.#encode(encoder, i, band);
    await pace.submit(this.#device.queue, encoder.finish(), work);
  }

  #encode(encoder: GPUCommandEncoder, i: number, band: Band): void {
    const layer = this.net.layers[i]!;
    const pools = layer.after === 'pool';
    const { whole, planes, products } = this.#tensors!;
    this.#layers[i]!.encode(encoder, band, {
      source: this.#tensor(layer.from),
      target: pools ? whole : this.#tensor(layer.to),
      targetBlock: pools ? 0 : layer.toChannel / BLOCK,
      planes,
      products,
    });
  }

  async #pool(pace: Pace, layer: Layer, width: number, height: number): Promise<void> {
    const blocks = blocksOf(layer.outputs);
    const buffers = [this.#poolFrame, this.#tensors!.whole, this.#tensor(layer.to)];
    const bound = group(this.#device, 'pool', this.#poolPipeline, buffers);
    const work = width * blocks * POOL_WORK;
    for (let row = 0; row < height;) {
      const rows = Math.min(pace.rows(work), height - row);
      write(this.#device, this.#poolFrame, Pool, { width, height, from_block: 0, to_block: layer.toChannel / BLOCK, first_row: row });
      const encoder = this.#device.createCommandEncoder({ label: 'pool' });
      const pass = encoder.beginComputePass({ label: 'pool' });
      pass.setPipeline(this.#poolPipeline);
      pass.setBindGroup(0, bound);
      dispatchPixels(pass, width, rows, blocks);
      pass.end();
      await pace.submit(this.#device.queue, encoder.finish(), rows * work);
      row += rows;
    }
  }

  #tensor(index: number): GPUBuffer {
    return this.#tensors!.places[this.#placeOf[index]!]!;
  }
}
