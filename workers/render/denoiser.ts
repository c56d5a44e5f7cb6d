/**
 * Open Image Denoise's networks on one device: takes linear light with or without albedo and normals,
 * gives light without grain. Guides are cleaned by their own networks first when the best quality is
 * asked for. Where the light's variance is known, networks see its fireflies dimmed, and what they lost is
 * put back. Runs at the creator only, never inside a lease. Refuses by outcome: aborted, a lost device,
 * weights that cannot be had.
 */
import type { DenoiseRequest, DenoiseResult, DispatchTimes } from '#lib/gpu/engine.ts';
import { DENOISE_PIXELS_MAX, DENOISE_TENSOR_BYTES_MAX, DENOISE_TILE_PX_MAX } from '#lib/protocol/limits.ts';
import type { Precision } from '#shaders/denoise/kernel-text.ts';
import type { KindOf } from './denoise/choice.ts';
import { blendByEvidence, keepMean } from './denoise/evidence.ts';
import { autoExposure } from './denoise/exposure.ts';
import { dimFireflies } from './denoise/fireflies.ts';
import { DenoiseKernels, type Guides, type Kind, type Transfer } from './denoise/kernels.ts';
import { Network } from './denoise/network.ts';
import { Pace } from './denoise/pace.ts';
import { TilePass } from './denoise/tile-pass.ts';
import { tileGrid } from './denoise/tiles.ts';
import { parseTza } from './denoise/tza.ts';
import { overlapPx, planUNet, type Layer } from './denoise/unet.ts';
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
  readonly layer: PictureLayer;
}
type PictureLayer = 'color' | 'albedo' | 'normal';

/** What a picture took. */
export interface DenoiseFigures {
  readonly dispatches: DispatchTimes;
  /** Multiplications of the largest dispatch. */
  readonly mostWork: number;
  /** On the device, without weights: tensors, scratch and one tile of the picture, at their most. */
  readonly bytes: number;
  readonly tiles: number;
}

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
export function defectOf({ width, height, color, albedo, normal, moment, samples }: DenoiseRequest): string | null {
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) return 'A picture needs whole sides above zero.';
  if (width * height > DENOISE_PIXELS_MAX)
    return `A picture of ${width} × ${height} is too large to denoise: ${DENOISE_PIXELS_MAX} pixels are the most.`;
  const short = [color, albedo, normal].find((values) => values !== undefined && values.length !== width * height * 3);
  if (short) return `A layer has ${short.length} numbers; ${width} × ${height} pixels take ${width * height * 3}.`;
  const single = [moment, samples].find((values) => values !== undefined && values.length !== width * height);
  return single ? `A layer has ${single.length} numbers; ${width} × ${height} pixels take ${width * height}.` : null;
}

interface Held {
  readonly network: Network;
  readonly overlap: number;
}

export interface DenoiserOptions {
  /** Of tensors and weights; f16 needs the device's `shader-f16`. */
  readonly precision?: Precision;
  /** Picks the way to convolve each layer of a network; the direct kernel when left out. */
  readonly choose?: (layers: readonly Layer[], kernels: DenoiseKernels) => Promise<KindOf>;
  /** Bytes that the tensors of one tile may take. */
  readonly tensorBytes?: number;
}

export class Denoiser {
  readonly #device: GPUDevice;
  readonly #load: LoadWeights;
  readonly #options: DenoiserOptions;
  readonly #kernels: DenoiseKernels;
  readonly #networks = new Map<DenoiseModel, Promise<Held>>();
  #lost = false;
  /** Of the last picture. */
  last: DenoiseFigures = { dispatches: new Pace().times.read(), mostWork: 0, bytes: 0, tiles: 0 };

  constructor(device: GPUDevice, load: LoadWeights, options: DenoiserOptions = {}) {
    this.#device = device;
    this.#load = load;
    this.#options = options;
    this.#kernels = new DenoiseKernels(device, options.precision ?? 'f32');
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
    this.last = { dispatches: pace.times.read(), mostWork: 0, bytes: 0, tiles: 0 };
    const { moment, samples, width, height } = request;
    const noise = moment && samples ? { moment, samples } : null;
    const picture: { -readonly [K in keyof DenoiseRequest]: DenoiseRequest[K] } = { ...request };
    if (noise) picture.color = dimFireflies(request, noise);
    try {
      for (const [i, step] of steps.entries()) {
        const image = await this.#step(signal, pace, step, picture, (part) => onProgress?.((i + part) / steps.length));
        this.last = { ...this.last, dispatches: pace.times.read(), mostWork: pace.mostWork };
        if (this.#lost) return refused('device-lost', LOST);
        if (image === 'no-memory') return refused('no-memory', 'The device has no memory for denoising a picture of this size.');
        if (image === 'aborted') return refused('aborted', STOPPED);
        picture[step.layer] = image;
      }
      if (noise) {
        const images = { image: picture.color, color: request.color, width, height };
        if (!(await blendByEvidence(signal, images, noise))) return refused('aborted', STOPPED);
        keepMean(images, noise);
      }
    } catch (error) {
      if (this.#lost) return refused('device-lost', LOST);
      if (error instanceof WeightsError) return refused('weights', error.message);
      throw error;
    }
    const seconds = (performance.now() - startMs) / 1000;
    return { ok: true, image: picture.color, models: steps.map(({ model }) => model), seconds };
  }

  /** Gives weights back; the device stays. */
  async dispose(): Promise<void> {
    const held = await Promise.all(this.#networks.values());
    for (const { network } of held) network.destroy();
    this.#networks.clear();
  }

  /** One network over one picture. */
  async #step(
    signal: AbortSignal,
    pace: Pace,
    { model, transfer, guides, layer }: Step,
    picture: DenoiseRequest,
    onShare: (share: number) => void,
  ): Promise<Float32Array<ArrayBuffer> | 'aborted' | 'no-memory'> {
    const device = this.#device;
    const { network, overlap } = await this.#network(model);
    const [encoder, decoder] = await Promise.all([this.#kernels.encoder(transfer, guides), this.#kernels.decoder(transfer)]);
    const source = picture[layer]!;
    const sources = [source, ...[picture.albedo, picture.normal].slice(0, guides)].filter((values) => values !== undefined);
    const { width, height } = picture;
    const { all, largest } = network.floatsPerPixel;
    const { bytes } = this.#kernels;
    const most = Math.min(
      device.limits.maxStorageBufferBindingSize / (largest * bytes),
      (this.#options.tensorBytes ?? DENOISE_TENSOR_BYTES_MAX) / (all * bytes),
    );
    const grid = tileGrid(width, height, overlap, (w, h) => w * h <= most && Math.max(w, h) <= DENOISE_TILE_PX_MAX);
    const scale = transfer === 'light' ? (picture.exposure ?? autoExposure(source, width, height)) : 1;
    device.pushErrorScope('out-of-memory');
    const tiles = new TilePass(device, network, { encoder, decoder });
    // A buffer that was refused may show first as a failure to read it.
    const attempt = await tiles.run(signal, pace, { width, height, sources, scale }, grid, onShare).then(
      (image) => ({ image }),
      (thrown: unknown) => ({ thrown }),
    );
    const { columns, rows } = grid;
    this.last = { ...this.last, bytes: Math.max(this.last.bytes, tiles.bytes), tiles: this.last.tiles + columns.length * rows.length };
    tiles.release();
    const short = await device.popErrorScope().catch(() => null);
    if (short) return 'no-memory';
    if ('thrown' in attempt) throw attempt.thrown;
    return attempt.image ?? 'aborted';
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
    const tensors = parseTza(await loadVerified(this.#load, model));
    const net = planUNet(tensors);
    const kindOf = (await this.#options.choose?.(net.layers, this.#kernels)) ?? ((): Kind => 'direct');
    return { network: await Network.create(this.#device, this.#kernels, net, kindOf), overlap: overlapPx(tensors) };
  }
}
