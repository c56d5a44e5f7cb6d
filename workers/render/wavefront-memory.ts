/**
 * What the paths of one lane keep between the kernels of shaders/wavefront: the state, the control
 * buffers of counts and indirect dispatches, and what each round of each chunk is told. As large as
 * the lane's slots and the scene's features need, and never above a default binding of 128 MiB:
 * what does not fit is traced in chunks.
 */
import { PathSlot } from '#shaders/layout.ts';
import { QUEUES, ROUNDS_MAX, ROW_BYTES, ROWS_ALWAYS, ROWS_WITH_MEDIA, Stage, STATE_ROWS, type Queue } from '#shaders/wavefront/layout.ts';
import type { Features } from './features.ts';

/** Paths that the state holds at most: 16 rows of 16 bytes for each fill 128 MiB. */
export const STATE_PATHS_MAX = 1 << 19;
/** Chunks of one dispatch of a lane. */
export const CHUNKS_MAX = 4;
/** Dynamic offsets are multiples of this (WebGPU specification, minUniformBufferOffsetAlignment). */
const OFFSET_ALIGNMENT = 256;

/** Rows of the state that scenes with these features need. */
export function stateRows(features: Features): number {
  if (features.LIGHT_TREE && features.EMISSIVE) return STATE_ROWS.length;
  return features.VOLUMES ? ROWS_WITH_MEDIA : ROWS_ALWAYS;
}

/** Bytes from the start of a control buffer to the indirect dispatch of a queue. */
export const dispatchOffset = (round: number, queue: Queue): number => (round * QUEUES.length + QUEUES.indexOf(queue)) * 16;

export const stageOffset = (chunk: number, round: number): number => (chunk * ROUNDS_MAX + round) * OFFSET_ALIGNMENT;

export interface MemoryLayouts {
  readonly ends: GPUBindGroupLayout;
  readonly work: GPUBindGroupLayout;
  readonly sort: GPUBindGroupLayout;
}

export class WavefrontMemory {
  readonly capacity: number;
  readonly rows: number;
  /**
   * Rounds take turns, because no kernel may write what it is dispatched from: who sorts in a round
   * reads the buffer of the round's parity and writes the other.
   */
  readonly control: readonly [GPUBuffer, GPUBuffer];
  /** Group 1 of `generate` and `finish`. */
  readonly ends: GPUBindGroup;
  /** Group 1 of tracing and shading, by the control buffer that is read. */
  readonly work: readonly [GPUBindGroup, GPUBindGroup];
  /** Group 1 of sorting, likewise. */
  readonly sort: readonly [GPUBindGroup, GPUBindGroup];
  readonly #owned: readonly GPUBuffer[];

  /** @param slots of the lane: PathSlot for as many paths as a dispatch may have. */
  constructor(device: GPUDevice, layouts: MemoryLayouts, slots: GPUBuffer, features: Features) {
    const paths = slots.size / PathSlot.size;
    if (paths > STATE_PATHS_MAX * CHUNKS_MAX) throw new Error(`${paths} paths are more than ${CHUNKS_MAX} chunks hold`);
    this.capacity = Math.min(paths, STATE_PATHS_MAX);
    this.rows = stateRows(features);
    const { STORAGE, UNIFORM, INDIRECT, COPY_DST } = GPUBufferUsage;
    const make = (label: string, size: number, usage: number): GPUBuffer => device.createBuffer({ label, size, usage });
    const state = make('path state', this.capacity * this.rows * ROW_BYTES, STORAGE);
    const stages = make('stages', stageOffset(CHUNKS_MAX, 0), UNIFORM | COPY_DST);
    const queues = (): GPUBuffer => make('queues', dispatchOffset(ROUNDS_MAX, 'extend'), STORAGE | UNIFORM | INDIRECT | COPY_DST);
    const [even, odd] = (this.control = [queues(), queues()]);
    device.queue.writeBuffer(stages, 0, this.#stages());
    this.#owned = [state, stages, even, odd];
    const stage = { buffer: stages, size: Stage.size };
    const bind = (label: string, layout: GPUBindGroupLayout, ...resources: GPUBindingResource[]): GPUBindGroup =>
      device.createBindGroup({ label, layout, entries: resources.map((resource, binding) => ({ binding, resource })) });
    const reading = (read: GPUBuffer): GPUBindGroup => bind('stages', layouts.work, { buffer: state }, { buffer: read }, stage);
    const sorting = (read: GPUBuffer, written: GPUBuffer): GPUBindGroup =>
      bind('sort', layouts.sort, { buffer: state }, { buffer: written }, stage, { buffer: read });
    this.ends = bind('ends', layouts.ends, { buffer: state }, { buffer: even }, stage, { buffer: slots });
    this.work = [reading(even), reading(odd)];
    this.sort = [sorting(even, odd), sorting(odd, even)];
  }

  destroy(): void {
    for (const buffer of this.#owned) buffer.destroy();
  }

  #stages(): Uint32Array<ArrayBuffer> {
    const words = new Uint32Array(stageOffset(CHUNKS_MAX, 0) / 4);
    for (let chunk = 0; chunk < CHUNKS_MAX; chunk++) {
      for (let round = 0; round < ROUNDS_MAX; round++) {
        const put = (field: keyof (typeof Stage)['offsets'], value: number): void => {
          words[(stageOffset(chunk, round) + Stage.offsets[field]) / 4] = value;
        };
        put('vertex', round);
        put('capacity', this.capacity);
        put('first', chunk * this.capacity);
        put('queues', round * QUEUES.length);
        put('parity', round % 2);
      }
    }
    return words;
  }
}
