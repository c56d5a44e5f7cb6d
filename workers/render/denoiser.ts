/**
 * Open Image Denoise's networks on one device: takes linear light with or without albedo and normals,
 * gives light without grain. Guides are cleaned by their own networks first when the best quality is
 * asked for. Runs at the creator only, never inside a lease. Refuses by outcome: aborted, a lost
 * device, weights that cannot be had.
 */
import type { DenoiseRequest, DenoiseResult } from '#lib/gpu/engine.ts';
import { DENOISE_PIXELS_MAX, DENOISE_TENSOR_BYTES_MAX } from '#lib/protocol/limits.ts';
import { Tile } from '#shaders/denoise/layout.ts';
import { autoExposure } from './denoise/exposure.ts';
import { DenoiseKernels, dispatchPixels, type Guides, type Transfer } from './denoise/kernels.ts';
import { filled, group, uniform, write } from './denoise/buffers.ts';
import { Network } from './denoise/network.ts';
import { Pace } from './denoise/pace.ts';
import { longestSide, tileSpans, type TileSpan } from './denoise/tiles.ts';
import { parseTza } from './denoise/tza.ts';
import { overlapPx, planUNet } from './denoise/unet.ts';
import type { DenoiseModel, LoadWeights } from './denoise/weights.ts';
import { loadVerified, WeightsError } from './denoise/weights-check.ts';

const LOST = 'The device was lost while denoising.';
const STOPPED = 'Stopped.';
const refused = (reason: Exclude<DenoiseResult, { ok: true }>['reason'], text: string): DenoiseResult => ({ ok: false, reason, text });

/** One network over one picture: what it is given, how that is encoded, and what becomes of it. */
export interface Step {
  readonly model: DenoiseModel;
  readonly transfer: Transfer;
  readonly guides: Guides;
  /** Layer of the picture that is read and replaced. */
  readonly layer: Layer;
}
type Layer = 'color' | 'albedo' | 'normal';
type Layers = { readonly [K in Layer]?: Float32Array<ArrayBuffer> | undefined };

const guidesOf = ({ albedo, normal }: Pick<DenoiseRequest, 'albedo' | 'normal'>): Guides => (albedo ? (normal ? 2 : 1) : 0);

/** Networks for a request, in their order. Noisy guides of a final picture are cleaned first: then they count as clean. */
export function stepsFor({ quality, guides: grain = 'noisy', ...layers }: DenoiseRequest): readonly Step[] {
  const guides = guidesOf(layers);
  const light = (model: DenoiseModel): Step => ({ model, transfer: 'light', guides, layer: 'color' });
  if (quality === 'fast') {
    if (guides === 2 && grain === 'clean') return [light('rt_hdr_calb_cnrm_small')];
    return [light((['rt_hdr_small', 'rt_hdr_alb_small', 'rt_hdr_alb_nrm_small'] as const)[guides])];
  }
  const cleaning: readonly Step[] = [
    { model: 'rt_alb', transfer: 'srgb', guides: 0, layer: 'albedo' },
    { model: 'rt_nrm', transfer: 'normal', guides: 0, layer: 'normal' },
  ];
  const last = light((['rt_hdr', 'rt_hdr_alb', 'rt_hdr_calb_cnrm_large'] as const)[guides]);
  return guides === 2 && grain === 'noisy' ? [...cleaning, last] : [last];
}

/** @returns why a request can't be met, or null. */
export function defectOf({ width, height, color, albedo, normal }: DenoiseRequest): string | null {
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) return 'A picture needs whole sides above zero.';
  if (width * height > DENOISE_PIXELS_MAX)
    return `A picture of ${width} × ${height} is too large to denoise: ${DENOISE_PIXELS_MAX} pixels are the most.`;
  const short = [color, albedo, normal].find((values) => values !== undefined && values.length !== width * height * 3);
  return short ? `A layer has ${short.length} numbers; ${width} × ${height} pixels take ${width * height * 3}.` : null;
}

interface Held {
  readonly network: Network;
  readonly overlap: number;
}

export class Denoiser {
  readonly #device: GPUDevice;
  readonly #load: LoadWeights;
  #kernels: Promise<DenoiseKernels> | null = null;
  readonly #networks = new Map<DenoiseModel, Promise<Held>>();
  #lost = false;
  /** Of the last picture: the longest dispatch, milliseconds, and the tensors' bytes. */
  last = { longestDispatchMs: 0, tensorBytes: 0 };

  constructor(device: GPUDevice, load: LoadWeights) {
    this.#device = device;
    this.#load = load;
    void device.lost.then(() => (this.#lost = true));
  }

  /** @param onProgress share of the work that is done, 0 to 1. @param steps others than the request asks for, for benches. */
  async run(
    signal: AbortSignal,
    request: DenoiseRequest,
    onProgress?: (share: number) => void,
    steps: readonly Step[] = stepsFor(request),
  ): Promise<DenoiseResult> {
    const defect = defectOf(request);
    if (defect !== null) return refused('size', defect);
    const startMs = performance.now();
    const pace = new Pace();
    this.last = { longestDispatchMs: 0, tensorBytes: 0 };
    const layers: { [K in Layer]?: Float32Array<ArrayBuffer> | undefined } = { ...request };
    try {
      for (const [i, step] of steps.entries()) {
        const image = await this.#picture(signal, pace, step, { ...request, ...layers }, (part) => onProgress?.((i + part) / steps.length));
        this.last.longestDispatchMs = pace.longestMs;
        if (this.#lost) return refused('device-lost', LOST);
        if (!image) return refused('aborted', STOPPED);
        layers[step.layer] = image;
      }
    } catch (error) {
      if (this.#lost) return refused('device-lost', LOST);
      if (error instanceof WeightsError) return refused('weights', error.message);
      throw error;
    }
    const seconds = (performance.now() - startMs) / 1000;
    return { ok: true, image: layers.color!, models: steps.map(({ model }) => model), seconds };
  }

  /** Gives tensors and weights back; the device stays. */
  async dispose(): Promise<void> {
    const held = await Promise.all(this.#networks.values());
    for (const { network } of held) network.destroy();
    this.#networks.clear();
  }

  /** One network over one picture, tile by tile. @returns null when aborted. */
  async #picture(
    signal: AbortSignal,
    pace: Pace,
    { model, transfer, guides, layer }: Step,
    images: { readonly width: number; readonly height: number } & Layers,
    onShare: (share: number) => void,
  ): Promise<Float32Array<ArrayBuffer> | null> {
    const { width, height } = images;
    const color = images[layer]!;
    const device = this.#device;
    this.#kernels ??= DenoiseKernels.create(device);
    const [kernels, { network, overlap }] = await Promise.all([this.#kernels, this.#network(model)]);
    const [encoder, decoder] = await Promise.all([kernels.encoder(transfer, guides), kernels.decoder(transfer)]);
    const { all, largest } = network.floatsPerPixel;
    const longest = longestSide([device.limits.maxStorageBufferBindingSize / (largest * 4), DENOISE_TENSOR_BYTES_MAX / (all * 4)], overlap);
    const [columns, rows] = [tileSpans(width, longest, overlap), tileSpans(height, longest, overlap)];
    const scale = transfer === 'light' ? autoExposure(color, width, height) : 1;
    const sources = [color, images.albedo, images.normal].map((values, i) => filled(device, `picture ${i}`, values ?? NOTHING));
    const result = device.createBuffer({
      label: 'denoised',
      size: color.byteLength,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
    });
    const frame = uniform(device, 'tile', Tile);
    try {
      let done = 0;
      for (const y of rows) {
        for (const x of columns) {
          network.resize(x.length, y.length);
          this.last.tensorBytes = Math.max(this.last.tensorBytes, all * 4 * x.length * y.length);
          write(device, frame, Tile, { ...tileOf(x, y), image_width: width, image_height: height, first_block: network.inputBlock, scale });
          submitPixels(device, encoder, [frame, ...sources, network.input], x.length, y.length);
          if (!(await network.run(signal, pace))) return null;
          submitPixels(device, decoder, [frame, network.output, result], x.kept, y.kept);
          await pace.settle();
          onShare(++done / (rows.length * columns.length));
        }
      }
      return await readBack(device, result);
    } finally {
      for (const buffer of [...sources, result, frame]) buffer.destroy();
    }
  }

  #network(model: DenoiseModel): Promise<Held> {
    const known = this.#networks.get(model);
    if (known) return known;
    const held = this.#open(model);
    this.#networks.set(model, held);
    // A failed download may be tried again.
    held.catch(() => this.#networks.delete(model));
    return held;
  }

  async #open(model: DenoiseModel): Promise<Held> {
    const bytes = await loadVerified(this.#load, model);
    this.#kernels ??= DenoiseKernels.create(this.#device);
    const tensors = parseTza(bytes);
    return { network: new Network(this.#device, await this.#kernels, planUNet(tensors)), overlap: overlapPx(tensors) };
  }
}

/** Bound where a picture has no guide. */
const NOTHING = new Float32Array(4);

const tileOf = (x: TileSpan, y: TileSpan) => ({
  x: x.from,
  y: y.from,
  width: x.length,
  height: y.length,
  keep_x: x.keep,
  keep_y: y.keep,
  keep_width: x.kept,
  keep_height: y.kept,
});

function submitPixels(device: GPUDevice, pipeline: GPUComputePipeline, buffers: readonly GPUBuffer[], width: number, height: number): void {
  const encoder = device.createCommandEncoder({ label: pipeline.label });
  const pass = encoder.beginComputePass({ label: pipeline.label });
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group(device, pipeline.label, pipeline, buffers));
  dispatchPixels(pass, width, height);
  pass.end();
  device.queue.submit([encoder.finish()]);
}

async function readBack(device: GPUDevice, buffer: GPUBuffer): Promise<Float32Array<ArrayBuffer>> {
  const staging = device.createBuffer({
    label: 'denoised staging',
    size: buffer.size,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const encoder = device.createCommandEncoder({ label: 'read back' });
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const values = new Float32Array(staging.getMappedRange().slice(0));
  staging.destroy();
  return values;
}
