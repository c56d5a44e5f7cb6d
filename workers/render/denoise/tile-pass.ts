/**
 * One network over one picture, tile by tile: each tile's pixels go to the device, through the
 * network, and what is kept of it comes back. The device holds one tile at a time, so a picture may
 * be of any size.
 */
import { Tile } from '#shaders/denoise/layout.ts';
import { filled, group, uniform, write } from './buffers.ts';
import { dispatchPixels } from './kernels.ts';
import type { Network } from './network.ts';
import type { Pace } from './pace.ts';
import type { TileGrid, TileSpan } from './tiles.ts';

export interface TilePicture {
  readonly width: number;
  readonly height: number;
  /** What is denoised, then its guides; width × height × 3 each. */
  readonly sources: readonly Float32Array<ArrayBuffer>[];
  /** Exposure that light is multiplied with before it is encoded. */
  readonly scale: number;
}

/** Bound where a picture has no guide. */
const NOTHING = new Float32Array(4);
/** Of a pixel that is encoded or decoded: its powers and logarithms take as long as so many multiplications. */
const CODE_WORK = 256;
/** A picture, its albedo and its normals. */
const SOURCES = 3;

export class TilePass {
  readonly #device: GPUDevice;
  readonly #network: Network;
  readonly #encoder: GPUComputePipeline;
  readonly #decoder: GPUComputePipeline;
  readonly #frame: GPUBuffer;
  /** Most that the device held at once, without weights. */
  bytes = 0;

  constructor(device: GPUDevice, network: Network, { encoder, decoder }: { encoder: GPUComputePipeline; decoder: GPUComputePipeline }) {
    this.#device = device;
    this.#network = network;
    this.#encoder = encoder;
    this.#decoder = decoder;
    this.#frame = uniform(device, 'tile', Tile);
  }

  /** @returns null when aborted. */
  async run(
    signal: AbortSignal,
    pace: Pace,
    picture: TilePicture,
    { columns, rows }: TileGrid,
    onShare: (share: number) => void,
  ): Promise<Float32Array<ArrayBuffer> | null> {
    const image = new Float32Array(picture.width * picture.height * 3);
    let done = 0;
    for (const y of rows) {
      for (const x of columns) {
        const within = (part: number): void => onShare((done + part) / (rows.length * columns.length));
        const kept = await this.#tile(signal, pace, picture, x, y, within);
        if (!kept) return null;
        for (let row = 0; row < y.kept; row++)
          image.set(kept.subarray(row * x.kept * 3, (row + 1) * x.kept * 3), ((y.keep + row) * picture.width + x.keep) * 3);
        done += 1;
        onShare(done / (rows.length * columns.length));
      }
    }
    return image;
  }

  release(): void {
    this.#network.release();
    this.#frame.destroy();
  }

  async #tile(
    signal: AbortSignal,
    pace: Pace,
    picture: TilePicture,
    x: TileSpan,
    y: TileSpan,
    onShare: (share: number) => void,
  ): Promise<Float32Array<ArrayBuffer> | null> {
    const device = this.#device;
    const network = this.#network;
    network.resize(x.length, y.length);
    const [width, height] = [Math.min(x.length, picture.width - x.from), Math.min(y.length, picture.height - y.from)];
    const sources = Array.from({ length: SOURCES }, (_, i) => {
      const values = picture.sources[i];
      return filled(device, `tile of picture ${i}`, values ? cut(values, picture.width, x.from, y.from, width, height) : NOTHING);
    });
    const size = x.kept * y.kept * 12;
    const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    const result = device.createBuffer({ label: 'denoised tile', size, usage: STORAGE | COPY_SRC });
    const staging = device.createBuffer({ label: 'denoised staging', size, usage: MAP_READ | COPY_DST });
    const { tensors, scratch } = network.bytes(x.length, y.length);
    this.bytes = Math.max(this.bytes, tensors + scratch + sources.reduce((sum, buffer) => sum + buffer.size, 2 * size));
    try {
      const frame = {
        width: x.length,
        height: y.length,
        there_width: width,
        there_height: height,
        keep_x: x.keep - x.from,
        keep_y: y.keep - y.from,
        keep_width: x.kept,
        keep_height: y.kept,
        first_block: network.inputBlock,
        scale: picture.scale,
      };
      await this.#dispatch(pace, this.#encoder, [...sources, network.input], frame, [x.length, y.length]);
      if (!(await network.run(signal, pace, onShare))) return null;
      await this.#dispatch(pace, this.#decoder, [network.output, result], frame, [x.kept, y.kept]);
      const copy = device.createCommandEncoder({ label: 'denoised tile' });
      copy.copyBufferToBuffer(result, 0, staging, 0, size);
      device.queue.submit([copy.finish()]);
      await staging.mapAsync(GPUMapMode.READ);
      await pace.settle();
      return new Float32Array(staging.getMappedRange().slice(0));
    } finally {
      for (const buffer of [...sources, result, staging]) buffer.destroy();
    }
  }

  /** All rows of a tile, as many at a time as a dispatch may take. */
  async #dispatch(
    pace: Pace,
    pipeline: GPUComputePipeline,
    buffers: readonly GPUBuffer[],
    frame: Omit<Record<keyof typeof Tile.fields, number>, 'first_row'>,
    [width, height]: readonly [number, number],
  ): Promise<void> {
    const bound = group(this.#device, pipeline.label, pipeline, [this.#frame, ...buffers]);
    for (let row = 0; row < height;) {
      const rows = Math.min(pace.rows(width * CODE_WORK), height - row);
      write(this.#device, this.#frame, Tile, { ...frame, first_row: row });
      const encoder = this.#device.createCommandEncoder({ label: pipeline.label });
      const pass = encoder.beginComputePass({ label: pipeline.label });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bound);
      dispatchPixels(pass, width, rows);
      pass.end();
      await pace.submit(this.#device.queue, encoder.finish(), rows * width * CODE_WORK);
      row += rows;
    }
  }
}

/** A rectangle of a picture. */
function cut(
  values: Float32Array,
  pictureWidth: number,
  left: number,
  top: number,
  width: number,
  height: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const from = ((top + row) * pictureWidth + left) * 3;
    out.set(values.subarray(from, from + width * 3), row * width * 3);
  }
  return out;
}
