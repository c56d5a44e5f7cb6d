/**
 * The buffers of one dispatch in flight: frame, slots, results, and the staging buffers they are
 * read through. Made once per device and used over and over.
 */
import { FILM_BYTES_PER_PIXEL, SIGNATURE_BYTES_PER_PATH } from '#lib/job/film.ts';
import { Frame, PathSlot } from '#shaders/layout.ts';
import type { ReducePass } from './reduce-pass.ts';
import type { SceneBuffers } from './scene-buffers.ts';
import type { TracePass } from './trace-pass.ts';

/** Most paths of one dispatch; 16 MiB of slots and at most 24 MiB of film. */
export const LANE_PATHS_MAX = 1 << 19;

export interface LanePasses {
  readonly trace: TracePass;
  readonly reduce: ReducePass;
}

export interface LaneWork {
  readonly frame: ArrayBuffer;
  readonly pixels: number;
  readonly paths: number;
  /** With the counting kernel, which must have been prepared. */
  readonly count: boolean;
}

export interface LaneResult {
  readonly light: Uint8Array<ArrayBuffer>;
  readonly signatures: Uint16Array<ArrayBuffer>;
}

export class Lane {
  readonly #device: GPUDevice;
  readonly #passes: LanePasses;
  readonly #frame: GPUBuffer;
  readonly #light: GPUBuffer;
  readonly #signatures: GPUBuffer;
  readonly #staging: GPUBuffer;
  readonly #slots: GPUBindGroup;
  readonly #sums: GPUBindGroup;
  readonly #scenes = new WeakMap<SceneBuffers, GPUBindGroup>();

  constructor(device: GPUDevice, passes: LanePasses) {
    this.#device = device;
    this.#passes = passes;
    const { STORAGE, COPY_SRC, COPY_DST, UNIFORM, MAP_READ } = GPUBufferUsage;
    const lightBytes = LANE_PATHS_MAX * FILM_BYTES_PER_PIXEL;
    const signatureBytes = LANE_PATHS_MAX * SIGNATURE_BYTES_PER_PATH;
    const slots = device.createBuffer({ label: 'slots', size: LANE_PATHS_MAX * PathSlot.size, usage: STORAGE });
    this.#frame = device.createBuffer({ label: 'frame', size: Frame.size, usage: UNIFORM | COPY_DST });
    this.#light = device.createBuffer({ label: 'light', size: lightBytes, usage: STORAGE | COPY_SRC });
    this.#signatures = device.createBuffer({ label: 'signatures', size: signatureBytes, usage: STORAGE | COPY_SRC });
    this.#staging = device.createBuffer({ label: 'staging', size: lightBytes + signatureBytes, usage: MAP_READ | COPY_DST });
    this.#slots = passes.trace.bindSlots(slots);
    this.#sums = passes.reduce.bind(this.#frame, slots, this.#light, this.#signatures);
  }

  /** Submits at once; resolves when the results are in this process's memory. Rejects when the device is lost. */
  async run(scene: SceneBuffers, work: LaneWork): Promise<LaneResult> {
    let bound = this.#scenes.get(scene);
    if (!bound) this.#scenes.set(scene, (bound = this.#passes.trace.bindScene(this.#frame, scene)));
    const lightBytes = work.pixels * FILM_BYTES_PER_PIXEL;
    const signatureBytes = Math.ceil(work.paths / 2) * 4;
    this.#device.queue.writeBuffer(this.#frame, 0, work.frame);
    const encoder = this.#device.createCommandEncoder({ label: 'chunk' });
    const kernel = { features: scene.features, count: work.count };
    this.#passes.trace.run(encoder, kernel, { scene: bound, slots: this.#slots }, work.paths);
    this.#passes.reduce.run(encoder, this.#sums, work);
    encoder.copyBufferToBuffer(this.#light, 0, this.#staging, 0, lightBytes);
    encoder.copyBufferToBuffer(this.#signatures, 0, this.#staging, lightBytes, signatureBytes);
    this.#device.queue.submit([encoder.finish()]);
    await this.#staging.mapAsync(GPUMapMode.READ, 0, lightBytes + signatureBytes);
    const mapped = this.#staging.getMappedRange(0, lightBytes + signatureBytes);
    const light = new Uint8Array(mapped.slice(0, lightBytes));
    const signatures = new Uint16Array(mapped.slice(lightBytes), 0, work.paths);
    this.#staging.unmap();
    return { light, signatures };
  }
}
