/**
 * Open Image Denoise's networks on one device: takes linear light with or without albedo and normals,
 * gives light without grain. Guides are cleaned by their own networks first when the best quality is
 * asked for. Runs at the creator only, never inside a lease. Refuses by outcome: aborted, a lost
 * device, weights that cannot be had.
 */
import { DENOISE_TENSOR_BYTES_MAX } from '#lib/protocol/limits.ts';
import { Tile } from '#shaders/denoise/layout.ts';
import { autoExposure } from './denoise/exposure.ts';
import { DenoiseKernels, dispatchPixels, type Guides, type Transfer } from './denoise/kernels.ts';
import { filled, group, uniform, write } from './denoise/buffers.ts';
import { Network } from './denoise/network.ts';
import { Pace } from './denoise/pace.ts';
import { longestSide, tileSpans, type TileSpan } from './denoise/tiles.ts';
import { parseTza } from './denoise/tza.ts';
import { overlapPx, planUNet } from './denoise/unet.ts';

/** Weights by the names that Open Image Denoise gives them. */
export const DENOISE_MODELS = [
  'rt_hdr',
  'rt_hdr_small',
  'rt_hdr_alb',
  'rt_hdr_alb_small',
  'rt_hdr_alb_nrm',
  'rt_hdr_alb_nrm_small',
  'rt_hdr_calb_cnrm',
  'rt_hdr_calb_cnrm_large',
  'rt_alb',
  'rt_nrm',
] as const;
export type DenoiseModel = (typeof DENOISE_MODELS)[number];

/** `fast`: the small network; `balanced`: the base one; `final`: guides cleaned first, then the large one. */
export type DenoiseQuality = 'fast' | 'balanced' | 'final';

/** Linear values, width × height × 3, rows from the top. */
export interface DenoiseImages {
  readonly width: number;
  readonly height: number;
  readonly color: Float32Array<ArrayBuffer>;
  /** 0 to 1. */
  readonly albedo?: Float32Array<ArrayBuffer> | undefined;
  /** -1 to 1; counts only beside albedo. */
  readonly normal?: Float32Array<ArrayBuffer> | undefined;
  /** The guides hold no grain, so they need no cleaning. */
  readonly cleanGuides?: boolean;
}

export type DenoiseOutcome =
  | { readonly ok: true; readonly image: Float32Array<ArrayBuffer>; readonly longestDispatchMs: number; readonly tensorBytes: number }
  | { readonly ok: false; readonly reason: 'aborted' | 'device-lost' | 'weights'; readonly text: string };

export type LoadWeights = (model: DenoiseModel) => Promise<Uint8Array>;

const LOST = 'The device was lost while denoising.';
const refused = (reason: Exclude<DenoiseOutcome, { ok: true }>['reason'], text: string): DenoiseOutcome => ({ ok: false, reason, text });

/** The network for these guides. @param clean they hold no grain. */
export function modelFor(quality: DenoiseQuality, guides: Guides, clean: boolean): DenoiseModel {
  if (guides === 2 && clean && quality !== 'fast') return quality === 'final' ? 'rt_hdr_calb_cnrm_large' : 'rt_hdr_calb_cnrm';
  const base = (['rt_hdr', 'rt_hdr_alb', 'rt_hdr_alb_nrm'] as const)[guides];
  return quality === 'fast' ? `${base}_small` : base;
}

/** Which network, how its picture is encoded, and how many guides it takes. */
interface Step {
  readonly model: DenoiseModel;
  readonly transfer: Transfer;
  readonly guides: Guides;
}

class WeightsError extends Error {}

interface Held {
  readonly network: Network;
  readonly overlap: number;
}

export class Denoiser {
  readonly #device: GPUDevice;
  readonly #load: LoadWeights;
  #kernels: Promise<DenoiseKernels> | null = null;
  readonly #networks = new Map<DenoiseModel, Promise<Held>>();
  #tensorBytes = 0;

  constructor(device: GPUDevice, load: LoadWeights) {
    this.#device = device;
    this.#load = load;
  }

  /** @param onProgress share of the tiles that are through, 0 to 1. */
  async run(
    signal: AbortSignal,
    images: DenoiseImages,
    quality: DenoiseQuality,
    onProgress?: (share: number) => void,
  ): Promise<DenoiseOutcome> {
    let lost = false;
    void this.#device.lost.then(() => (lost = true));
    const pace = new Pace();
    this.#tensorBytes = 0;
    try {
      const guides: Guides = images.albedo ? (images.normal ? 2 : 1) : 0;
      const clean = quality === 'final' && guides === 2;
      const steps = clean && images.cleanGuides !== true ? 3 : 1;
      let done = 0;
      const share = (part: number): void => onProgress?.((done + part) / steps);
      let { albedo, normal } = images;
      if (steps === 3) {
        const cleaned = {
          albedo: { model: 'rt_alb', transfer: 'srgb', guides: 0 },
          normal: { model: 'rt_nrm', transfer: 'normal', guides: 0 },
        } as const;
        albedo = (await this.#picture(signal, pace, cleaned.albedo, { ...images, color: albedo! }, share)) ?? undefined;
        done += 1;
        normal = (await this.#picture(signal, pace, cleaned.normal, { ...images, color: normal! }, share)) ?? undefined;
        done += 1;
        if (!albedo || !normal) return lost ? refused('device-lost', LOST) : refused('aborted', 'Stopped.');
      }
      const model = modelFor(quality, guides, clean || images.cleanGuides === true);
      const image = await this.#picture(signal, pace, { model, transfer: 'light', guides }, { ...images, albedo, normal }, share);
      if (lost) return refused('device-lost', LOST);
      if (!image) return refused('aborted', 'Stopped.');
      return { ok: true, image, longestDispatchMs: pace.longestMs, tensorBytes: this.#tensorBytes };
    } catch (error) {
      if (lost) return refused('device-lost', LOST);
      if (error instanceof WeightsError) return refused('weights', error.message);
      throw error;
    }
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
    { model, transfer, guides }: Step,
    images: DenoiseImages,
    onShare: (share: number) => void,
  ): Promise<Float32Array<ArrayBuffer> | null> {
    const { width, height, color } = images;
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
          this.#tensorBytes = Math.max(this.#tensorBytes, all * 4 * x.length * y.length);
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
    const bytes = await this.#load(model).catch((cause: unknown) => {
      throw new WeightsError(
        `The denoiser's weights '${model}' could not be loaded: ${cause instanceof Error ? cause.message : String(cause)}`,
      );
    });
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
