/**
 * The edge-avoiding wavelet filter on one device: light with as little as one sample per pixel, and
 * what guides it, to light without most of its grain, in milliseconds and without weights. For live
 * views and weak devices; the networks of denoiser.ts do better and take longer. Like them it runs at
 * the creator only, never inside a lease. Refuses by outcome: aborted, a lost device.
 */
import type { DenoiseRequest, DenoiseResult } from '#lib/gpu/engine.ts';
import { ATROUS_STRIP_BYTES_MAX } from '#lib/protocol/limits.ts';
import { atrousPrograms, type AtrousEntry } from '#shaders/atrous/index.ts';
import { REACH_PX, STEPS, Strip, TAPS_REACH, VARIANCE_REACH, WORKGROUP_PX } from '#shaders/atrous/layout.ts';
import { filled, group, uniform, write } from './denoise/buffers.ts';
import { Pace } from './denoise/pace.ts';
import { defectOf } from './denoiser.ts';

/** What is absent guides nothing; samples may differ from pixel to pixel. */
export type AtrousImages = Omit<DenoiseRequest, 'quality' | 'guides'>;

/** Rows that are filtered at once, and which of them are kept. */
export interface Span {
  readonly from: number;
  readonly rows: number;
  readonly keep: number;
  readonly kept: number;
}

const GUIDES = ['albedo', 'normal', 'depth', 'moment'] as const;
const FLOATS = { color: 3, albedo: 3, normal: 3, depth: 1, moment: 1, samples: 1 } as const;
const LIGHT_BYTES = 16;
const GUIDE_BYTES = 32;
/** On the device, all buffers of a strip together. */
const BYTES_PER_PIXEL = 15 * 4 + GUIDE_BYTES + 2 * LIGHT_BYTES;
/** Multiplications of a tap: what dispatches are sized by. */
const TAP_WORK = 40;
const TAPS = (2 * TAPS_REACH + 1) ** 2;
const VARIANCE_TAPS = (2 * VARIANCE_REACH + 1) ** 2;

const LOST: DenoiseResult = { ok: false, reason: 'device-lost', text: 'The device was lost while denoising.' };
const STOPPED: DenoiseResult = { ok: false, reason: 'aborted', text: 'Stopped.' };

/** Strips of a picture that hold no more than `rowsMax` rows each, unless that would keep none of them. */
export function strips(height: number, rowsMax: number): readonly Span[] {
  if (height <= rowsMax) return [{ from: 0, rows: height, keep: 0, kept: height }];
  const step = Math.max(rowsMax - 2 * REACH_PX, REACH_PX);
  return Array.from({ length: Math.ceil(height / step) }, (_, i) => {
    const keep = i * step;
    const end = Math.min(keep + step, height);
    const from = Math.max(0, keep - REACH_PX);
    return { from, rows: Math.min(end + REACH_PX, height) - from, keep, kept: end - keep };
  });
}

/** The buffers of one strip. */
interface Bench {
  readonly frame: GPUBuffer;
  readonly inputs: readonly GPUBuffer[];
  readonly guides: GPUBuffer;
  readonly lights: readonly [GPUBuffer, GPUBuffer];
  readonly image: GPUBuffer;
}

export class Atrous {
  readonly #device: GPUDevice;
  readonly #rowsMax: (width: number) => number;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  #lost = false;

  /** @param stripBytes of all buffers of a strip together. */
  constructor(device: GPUDevice, stripBytes: number = ATROUS_STRIP_BYTES_MAX) {
    this.#device = device;
    const room = Math.min(stripBytes / BYTES_PER_PIXEL, device.limits.maxStorageBufferBindingSize / GUIDE_BYTES);
    this.#rowsMax = (width) => Math.floor(room / width);
    void device.lost.then(() => (this.#lost = true));
  }

  /** @param onProgress share of the passes that are through, 0 to 1. */
  async run(signal: AbortSignal, images: AtrousImages, onProgress?: (share: number) => void): Promise<DenoiseResult> {
    const defect = defectOf({ ...images, quality: 'live' }) ?? defectOfMore(images);
    if (defect !== null) return { ok: false, reason: 'size', text: defect };
    const startMs = performance.now();
    const { width, height } = images;
    const pace = new Pace();
    const image = new Float32Array(width * height * 3);
    const spans = strips(height, this.#rowsMax(width));
    try {
      for (const [i, span] of spans.entries()) {
        const part = await this.#strip(signal, pace, images, span, (share) => onProgress?.((i + share) / spans.length));
        if (this.#lost) return LOST;
        if (!part) return STOPPED;
        const skipped = (span.keep - span.from) * width * 3;
        image.set(part.subarray(skipped, skipped + span.kept * width * 3), span.keep * width * 3);
      }
    } catch (error) {
      if (this.#lost) return LOST;
      throw error;
    }
    return { ok: true, image, models: [], seconds: (performance.now() - startMs) / 1000 };
  }

  /** @returns null when aborted. */
  async #strip(
    signal: AbortSignal,
    pace: Pace,
    images: AtrousImages,
    { from, rows }: Span,
    onShare: (share: number) => void,
  ): Promise<Float32Array | null> {
    const { width } = images;
    const bench = this.#bench(images, from, rows);
    const { guides, lights, image, inputs } = bench;
    try {
      const there = Object.fromEntries(GUIDES.map((name) => [name.toUpperCase(), Number(isThere(images, name))]));
      const passes: readonly Pass[] = [
        { entry: 'prepare', constants: there, buffers: [...inputs, lights[0], guides], taps: 1, step: 0 },
        { entry: 'judge', buffers: [guides, lights[0], lights[1]], taps: VARIANCE_TAPS, step: 0 },
        ...STEPS.map((step, i) => ({
          entry: 'smooth_light' as const,
          buffers: [guides, lights[(i + 1) % 2]!, lights[i % 2]!],
          taps: TAPS,
          step,
        })),
        { entry: 'restore', buffers: [guides, lights[(STEPS.length + 1) % 2]!, image], taps: 1, step: 0 },
      ];
      for (const [i, pass] of passes.entries()) {
        if (!(await this.#pass(signal, pace, bench.frame, pass, width, rows))) return null;
        onShare((i + 1) / passes.length);
      }
      await pace.settle();
      return await this.#read(image);
    } finally {
      for (const buffer of [bench.frame, guides, image, ...lights, ...inputs]) buffer.destroy();
    }
  }

  #bench(images: AtrousImages, from: number, rows: number): Bench {
    const device = this.#device;
    const pixels = images.width * rows;
    const make = (label: string, size: number, usage = 0): GPUBuffer =>
      device.createBuffer({ label, size, usage: GPUBufferUsage.STORAGE | usage });
    const inputs = (Object.keys(FLOATS) as (keyof typeof FLOATS)[]).map((name) => {
      const row = images.width * FLOATS[name];
      return filled(device, name, images[name]?.subarray(from * row, (from + rows) * row) ?? NOTHING);
    });
    return {
      frame: uniform(device, 'strip', Strip),
      inputs,
      guides: make('guides', pixels * GUIDE_BYTES),
      lights: [make('light', pixels * LIGHT_BYTES), make('light', pixels * LIGHT_BYTES)],
      image: make('filtered', pixels * 12, GPUBufferUsage.COPY_SRC),
    };
  }

  /** @returns false when aborted. */
  async #pass(signal: AbortSignal, pace: Pace, frame: GPUBuffer, pass: Pass, width: number, height: number): Promise<boolean> {
    const device = this.#device;
    const pipeline = await this.#pipeline(pass);
    const bound = group(device, pass.entry, pipeline, [frame, ...pass.buffers]);
    const rowWork = width * pass.taps * TAP_WORK;
    for (let first = 0; first < height;) {
      if (signal.aborted) {
        await pace.settle();
        return false;
      }
      const rows = Math.min(pace.rows(rowWork), height - first);
      write(device, frame, Strip, { width, height, first_row: first, end_row: first + rows, step: pass.step });
      const encoder = device.createCommandEncoder({ label: pass.entry });
      const work = encoder.beginComputePass({ label: pass.entry });
      work.setPipeline(pipeline);
      work.setBindGroup(0, bound);
      work.dispatchWorkgroups(Math.ceil(width / WORKGROUP_PX), Math.ceil(rows / WORKGROUP_PX));
      work.end();
      await pace.submit(device.queue, encoder.finish(), rowWork * rows);
      first += rows;
    }
    return true;
  }

  #pipeline({ entry, constants = {} }: Pass): Promise<GPUComputePipeline> {
    const key = `${entry} ${Object.values(constants).join('')}`;
    const known = this.#pipelines.get(key);
    if (known) return known;
    const module = this.#device.createShaderModule({ label: entry, code: atrousPrograms[entry] });
    const made = this.#device.createComputePipelineAsync({
      label: entry,
      layout: 'auto',
      compute: { module, entryPoint: entry, constants },
    });
    this.#pipelines.set(key, made);
    return made;
  }

  async #read(buffer: GPUBuffer): Promise<Float32Array> {
    const staging = this.#device.createBuffer({
      label: 'filtered staging',
      size: buffer.size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    const encoder = this.#device.createCommandEncoder({ label: 'read back' });
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
    this.#device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const values = new Float32Array(staging.getMappedRange().slice(0));
    staging.destroy();
    return values;
  }
}

interface Pass {
  readonly entry: AtrousEntry;
  readonly constants?: Record<string, number>;
  /** Bound from 1 on, after the strip. */
  readonly buffers: readonly GPUBuffer[];
  readonly taps: number;
  readonly step: number;
}

/** Bound where a guide is absent. */
const NOTHING = new Float32Array(4);

const isThere = (images: AtrousImages, name: (typeof GUIDES)[number]): boolean =>
  images[name] !== undefined && (name !== 'moment' || images.samples !== undefined);

/** @returns why what only this filter reads can't be used, or null. */
function defectOfMore({ width, height, depth, moment, samples }: AtrousImages): string | null {
  const short = [depth, moment, samples].find((values) => values !== undefined && values.length !== width * height);
  return short ? `A layer has ${short.length} numbers; ${width} × ${height} pixels take ${width * height}.` : null;
}
