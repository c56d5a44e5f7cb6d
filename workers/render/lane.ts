/**
 * The buffers of one dispatch in flight: frame, slots, results, and the staging buffers they are
 * read through. Used over and over; they grow by doubling when a dispatch is larger than any
 * before, and so hold what this device's dispatches take and not what the fastest would.
 */
import { FILM_BYTES_PER_PIXEL, SIGNATURE_BYTES_PER_PATH } from '#lib/job/film.ts';
import { Frame, PathSlot } from '#shaders/layout.ts';
import { allocate } from './device.ts';
import { DispatchClock } from './dispatch-clock.ts';
import type { ReducePass } from './reduce-pass.ts';
import type { ReadyScene } from './session.ts';
import type { PathPass, PathWork } from './trace-pass.ts';

/** Most paths of one dispatch: 32 MiB of slots and at most 48 MiB of film. */
export const LANE_PATHS_MAX = 1 << 20;
/** Fewest paths that buffers are made for. */
export const LANE_PATHS_MIN = 1 << 14;

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
  /** What the work took by the device's own clock; null where it has none. */
  readonly deviceMs: number | null;
}

/** What is as large as the largest dispatch. */
interface Storage {
  readonly paths: number;
  readonly pixels: number;
  readonly slots: GPUBuffer;
  readonly light: GPUBuffer;
  readonly signatures: GPUBuffer;
  readonly staging: GPUBuffer;
  readonly sums: GPUBindGroup;
  /** Passes that ran on these slots and keep something beside them. */
  readonly passes: Set<PathPass>;
}

export class Lane {
  readonly #device: GPUDevice;
  readonly #reduce: ReducePass;
  readonly #frame: GPUBuffer;
  readonly #clock: DispatchClock;
  #storage: Storage | null = null;

  constructor(device: GPUDevice, reduce: ReducePass) {
    this.#device = device;
    this.#reduce = reduce;
    this.#frame = device.createBuffer({ label: 'frame', size: Frame.size, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
    this.#clock = new DispatchClock(device);
  }

  /**
   * Submits at once unless buffers have to grow first; resolves when the results are in this process's memory.
   * Rejects when the device is lost.
   */
  async run(scene: ReadyScene, work: LaneWork): Promise<LaneResult | 'no-memory'> {
    const { pass, buffers } = scene;
    const storage = this.#has(scene, work) ? this.#storage : await this.#grow(scene, work);
    if (!storage) return 'no-memory';
    const { staging } = storage;
    const lightBytes = work.pixels * FILM_BYTES_PER_PIXEL;
    const signatureBytes = Math.ceil(work.paths / 2) * 4;
    const bytes = lightBytes + signatureBytes + this.#clock.bytes;
    this.#device.queue.writeBuffer(this.#frame, 0, work.frame);
    const encoder = this.#device.createCommandEncoder({ label: 'chunk' });
    this.#clock.start(encoder);
    storage.passes.add(pass);
    pass.run(encoder, { frame: this.#frame, scene: buffers, slots: storage.slots }, pathWork(work));
    this.#reduce.run(encoder, storage.sums, work);
    this.#clock.stop(encoder, staging, lightBytes + signatureBytes);
    encoder.copyBufferToBuffer(storage.light, 0, staging, 0, lightBytes);
    encoder.copyBufferToBuffer(storage.signatures, 0, staging, lightBytes, signatureBytes);
    this.#device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ, 0, bytes);
    const mapped = staging.getMappedRange(0, bytes);
    const light = new Uint8Array(mapped.slice(0, lightBytes));
    const signatures = new Uint16Array(mapped.slice(lightBytes, lightBytes + signatureBytes), 0, work.paths);
    const deviceMs = this.#clock.read(mapped, lightBytes + signatureBytes);
    staging.unmap();
    return { light, signatures, deviceMs };
  }

  /**
   * Runs the kernels once for a frame without pixels: drivers that finish compiling at the first
   * dispatch do it here. Rejects when the device is lost. @returns whether there was memory for the smallest dispatches.
   */
  async warm(scene: ReadyScene, count: boolean): Promise<boolean> {
    return (await this.run(scene, { frame: NO_PIXELS, pixels: 1, paths: 1, count })) !== 'no-memory';
  }

  #has({ pass, buffers }: ReadyScene, { paths, pixels }: LaneWork): boolean {
    const known = this.#storage;
    return known !== null && known.paths >= paths && known.pixels >= pixels && pass.holds(known.slots, buffers);
  }

  /** Larger buffers, or what a pass keeps beside them. @returns null when the device has no memory for them: what was there stays. */
  async #grow(scene: ReadyScene, { paths, pixels }: LaneWork): Promise<Storage | null> {
    const { pass, buffers } = scene;
    const known = this.#storage;
    const large = known !== null && known.paths >= paths && known.pixels >= pixels;
    const { made, short } = await allocate(this.#device, () => {
      const storage = large
        ? known
        : this.#makeStorage(powerOfTwo(Math.max(paths, known?.paths ?? 0)), powerOfTwo(Math.max(pixels, known?.pixels ?? 0)));
      pass.reserve(storage.slots, buffers);
      return storage;
    });
    if (short) {
      pass.release(made.slots);
      if (made !== known) this.#free(made);
      return null;
    }
    if (known && made !== known) this.#free(known);
    return (this.#storage = made);
  }

  #free(storage: Storage): void {
    for (const pass of storage.passes) pass.release(storage.slots);
    for (const name of ['slots', 'light', 'signatures', 'staging'] as const) storage[name].destroy();
  }

  #makeStorage(paths: number, pixels: number): Storage {
    const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    const make = (label: string, size: number, usage: number): GPUBuffer => this.#device.createBuffer({ label, size, usage });
    const lightBytes = pixels * FILM_BYTES_PER_PIXEL;
    const signatureBytes = paths * SIGNATURE_BYTES_PER_PATH;
    const slots = make('slots', paths * PathSlot.size, STORAGE);
    const light = make('light', lightBytes, STORAGE | COPY_SRC);
    const signatures = make('signatures', signatureBytes, STORAGE | COPY_SRC);
    const staging = make('staging', lightBytes + signatureBytes + this.#clock.bytes, MAP_READ | COPY_DST);
    const sums = this.#reduce.bind(this.#frame, slots, light, signatures);
    return { paths, pixels, slots, light, signatures, staging, sums, passes: new Set() };
  }
}

/** A frame without pixels has no paths: every kernel runs once, over nothing. */
function pathWork({ frame, paths, count }: LaneWork): PathWork {
  const words = new DataView(frame);
  const none = words.getUint32(Frame.offsets.pixels, true) === 0;
  return { paths: none ? 0 : paths, bounces: words.getUint32(Frame.offsets.bounces, true), count };
}

/** `Frame.pixels` is 0: every invocation ends at once. */
const NO_PIXELS = new ArrayBuffer(Frame.size);

const powerOfTwo = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(n, LANE_PATHS_MIN)));
