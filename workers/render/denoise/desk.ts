/**
 * Where an engine's pictures are denoised: opens a device of its own at the first one, apart from
 * the one that traces, so that neither waits for or falls with the other, and takes one picture at a
 * time. A lost device ends the picture with an outcome; the next picture opens another.
 */
import type { DenoiseRequest, DenoiseResult } from '#lib/gpu/engine.ts';
import { Atrous } from '../atrous.ts';
import type { Adapter } from '#lib/protocol/control.ts';
import { sha256, toHex, utf8 } from '#lib/protocol/bytes.ts';
import { DENOISE_TENSOR_BYTES_MAX } from '#lib/protocol/limits.ts';
import { directProgram, gemmProgram, winogradPrograms } from '#shaders/denoise/index.ts';
import type { TuneStore } from '../autotune.ts';
import { DEFAULT_LIMITS, openDevice, type OpenOutcome } from '../device.ts';
import { Denoiser, type DenoiserOptions } from '../denoiser.ts';
import { chooseKinds, softwareKindOf } from './choice.ts';
import { SHAPES } from './kernels.ts';
import type { LoadWeights } from './weights.ts';

interface Opened {
  readonly device: GPUDevice;
  readonly denoiser: Denoiser;
  readonly atrous: Atrous;
}

const NO_WEIGHTS: LoadWeights = () => Promise.reject(new Error('this engine was made without them.'));
const refused = (reason: Exclude<DenoiseResult, { ok: true }>['reason'], text: string): DenoiseResult => ({ ok: false, reason, text });

export class DenoiseDesk {
  readonly #gpu: GPU | undefined;
  readonly #load: LoadWeights | undefined;
  readonly #tune: TuneStore | undefined;
  #opened: Opened | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  readonly #closing = new AbortController();

  /** @param tune where it is kept which kernels are the fastest. */
  constructor(gpu: GPU | undefined, load: LoadWeights | undefined, tune?: TuneStore) {
    this.#gpu = gpu;
    this.#load = load;
    this.#tune = tune;
  }

  denoise(signal: AbortSignal, request: DenoiseRequest, onProgress?: (share: number) => void): Promise<DenoiseResult> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    const turn = this.#queue.then(() => this.#denoise(either, request, onProgress));
    this.#queue = turn.catch(() => undefined);
    // Whoever stops does not wait for weights and pipelines under way; the next picture does.
    return new Promise((resolve, reject) => {
      const stopped = (): void => resolve(refused('aborted', 'Stopped.'));
      either.addEventListener('abort', stopped);
      turn.finally(() => either.removeEventListener('abort', stopped)).then(resolve, reject);
    });
  }

  /** Ends what is under way as aborted and gives the device back. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#queue;
    this.#opened?.device.destroy();
    this.#opened = null;
  }

  async #denoise(signal: AbortSignal, request: DenoiseRequest, onProgress?: (share: number) => void): Promise<DenoiseResult> {
    if (signal.aborted) return refused('aborted', 'Stopped.');
    const live = request.quality === 'live';
    if (!this.#load && !live) return refused('weights', 'This engine was made without weights for the denoiser.');
    if (!this.#opened) {
      const opened = await openRoomy(this.#gpu);
      if (!opened.ok) return refused('device-lost', opened.text);
      const { device } = opened;
      const denoiser = new Denoiser(device, this.#load ?? NO_WEIGHTS, optionsFor(opened, this.#tune));
      this.#opened = { device, denoiser, atrous: new Atrous(device) };
    }
    const { device, denoiser, atrous } = this.#opened;
    const result = await (live ? atrous : denoiser).run(signal, request, onProgress);
    if (!result.ok && (result.reason === 'device-lost' || result.reason === 'no-memory')) {
      device.destroy();
      this.#opened = null;
    }
    return result;
  }
}

/** A device that binds as much as a tile's tensors may take, or what its adapter can, with halves where it has them. */
async function openRoomy(gpu: GPU | undefined): Promise<OpenOutcome> {
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  const limits = adapter?.limits ?? DEFAULT_LIMITS;
  const roomy = (name: 'maxStorageBufferBindingSize' | 'maxBufferSize'): number =>
    Math.max(DEFAULT_LIMITS[name], Math.min(limits[name], DENOISE_TENSOR_BYTES_MAX));
  const needs = {
    ...DEFAULT_LIMITS,
    maxStorageBufferBindingSize: roomy('maxStorageBufferBindingSize'),
    maxBufferSize: roomy('maxBufferSize'),
  };
  return openDevice(gpu, needs, ['shader-f16']);
}

/** Processors convert halves where they have to, so on software adapters they only cost. */
function optionsFor({ device, adapter }: { device: GPUDevice; adapter: Adapter }, store: TuneStore | undefined): DenoiserOptions {
  if (adapter.software) return { choose: async () => softwareKindOf(adapter.name) };
  const precision = device.features.has('shader-f16') ? 'f16' : 'f32';
  const texts = [directProgram(SHAPES.strip, precision), directProgram(SHAPES.direct, precision), gemmProgram(precision)];
  const kernels = toHex(sha256(utf8([...texts, ...Object.values(winogradPrograms(precision))].join('')))).slice(0, 16);
  const key = `denoise ${adapter.class} ${adapter.name} ${precision} ${kernels}`;
  return {
    precision,
    choose: (layers, built) => chooseKinds(layers, { device, kernels: built, store, key, now: () => performance.now() }),
  };
}
