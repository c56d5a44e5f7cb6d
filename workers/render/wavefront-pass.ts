/**
 * Paths in stages instead of one kernel: `generate`, then for each vertex `extend`, `classify`, a
 * shading kernel per class of materials, `compact` and `shadow`, and `finish` in the end. How many
 * wait in each queue is known on the device alone: dispatches are indirect and nothing is read back.
 * The bits are those of the megakernel, whose functions the stages call.
 */
import { SORT_GROUP, ROUNDS_MAX, roundsOf, type Queue } from '#shaders/wavefront/layout.ts';
import { featuresKey, type Features } from './features.ts';
import type { SceneBuffers } from './scene-buffers.ts';
import type { PathPass, PathTargets, PathWork } from './trace-pass.ts';
import { UnderWay } from './under-way.ts';
import type { PassOptions } from './variant.ts';
import { WavefrontKernelMaker, type WavefrontKernels } from './wavefront-kernels.ts';
import { dispatchOffset, stageOffset, stateRows, WavefrontMemory } from './wavefront-memory.ts';

/** Part of a dispatch that the state holds at once. */
interface Chunk {
  readonly index: number;
  readonly paths: number;
}

export class WavefrontPass implements PathPass {
  readonly #device: GPUDevice;
  readonly #workgroup: number;
  readonly #maker: WavefrontKernelMaker;
  readonly #kernels = new Map<string, WavefrontKernels>();
  readonly #underWay = new UnderWay();
  readonly #memories = new WeakMap<GPUBuffer, WavefrontMemory>();
  readonly #frames = new WeakMap<GPUBuffer, GPUBindGroup>();

  constructor(device: GPUDevice, options: PassOptions) {
    this.#device = device;
    this.#workgroup = options.variant.workgroup;
    this.#maker = new WavefrontKernelMaker(device, options);
  }

  async prepare(features: Features, count = false): Promise<void> {
    if (count) throw new Error('the stages have no kernel that counts');
    const key = featuresKey(features);
    await this.#underWay.once(key, async () => void this.#kernels.set(key, await this.#maker.make(features)));
  }

  run(encoder: GPUCommandEncoder, targets: PathTargets, { paths, bounces, count }: PathWork): void {
    const kernels = this.#kernels.get(featuresKey(targets.scene.features));
    if (!kernels || count) throw new Error('the pipelines of the stages were not prepared');
    if (roundsOf(bounces) > ROUNDS_MAX) throw new Error(`${bounces} bounces are more rounds than the queues hold`);
    const memory = this.#memory(targets.slots, targets.scene);
    for (let index = 0; index === 0 || index * memory.capacity < paths; index++) {
      const chunk = { index, paths: Math.min(paths - index * memory.capacity, memory.capacity) };
      for (const control of memory.control) encoder.clearBuffer(control);
      const pass = encoder.beginComputePass({ label: 'stages' });
      const groups = {
        frame: this.#bindFrame(targets.frame),
        tracing: this.#maker.tracing.bind(targets.frame, targets.scene),
        scene: this.#maker.scene.bind(targets.frame, targets.scene),
      };
      const stages = new Stages(pass, memory, groups, chunk);
      if (paths === 0) stages.rehearse(kernels);
      else this.#encode(stages, kernels, bounces);
      pass.end();
    }
  }

  holds(slots: GPUBuffer, scene: SceneBuffers): boolean {
    return (this.#memories.get(slots)?.rows ?? 0) >= stateRows(scene.features);
  }

  reserve(slots: GPUBuffer, scene: SceneBuffers): void {
    this.#memory(slots, scene);
  }

  release(slots: GPUBuffer): void {
    this.#memories.get(slots)?.destroy();
    this.#memories.delete(slots);
  }

  #encode(stages: Stages, kernels: WavefrontKernels, bounces: number): void {
    stages.over(kernels.generate, this.#workgroup);
    const last = roundsOf(bounces) - 1;
    for (let round = 0; round <= last; round++) {
      stages.begin(round);
      stages.waiting(kernels.extend, 'extend', this.#workgroup);
      stages.waiting(kernels.classify, 'sort', SORT_GROUP);
      for (const [name, kernel] of kernels.shade) stages.sorted(kernel, name);
      stages.sorted(kernels.misses, 'miss');
      // At the last vertex nothing scatters.
      if (round === last) break;
      stages.waiting(kernels.compact, 'sort', SORT_GROUP);
      stages.sorted(kernels.shadow, 'shadow');
    }
    stages.over(kernels.finish, this.#workgroup);
  }

  /** Made anew when a scene needs more rows than those before it. */
  #memory(slots: GPUBuffer, scene: SceneBuffers): WavefrontMemory {
    const known = this.#memories.get(slots);
    if (known && known.rows >= stateRows(scene.features)) return known;
    known?.destroy();
    const made = new WavefrontMemory(this.#device, this.#maker.memory, slots, scene.features);
    this.#memories.set(slots, made);
    return made;
  }

  #bindFrame(frame: GPUBuffer): GPUBindGroup {
    let group = this.#frames.get(frame);
    if (group) return group;
    const entries = [{ binding: 0, resource: { buffer: frame } }];
    group = this.#device.createBindGroup({ label: 'frame', layout: this.#maker.frameLayout, entries });
    this.#frames.set(frame, group);
    return group;
  }
}

type Groups = Readonly<Record<'frame' | 'tracing' | 'scene', GPUBindGroup>>;

/** Dispatches of one chunk. */
class Stages {
  readonly #pass: GPUComputePassEncoder;
  readonly #memory: WavefrontMemory;
  readonly #groups: Groups;
  readonly #chunk: Chunk;
  #round = 0;

  constructor(pass: GPUComputePassEncoder, memory: WavefrontMemory, groups: Groups, chunk: Chunk) {
    this.#pass = pass;
    this.#memory = memory;
    this.#groups = groups;
    this.#chunk = chunk;
  }

  /** Every kernel once, where nothing waits in any queue. */
  rehearse(kernels: WavefrontKernels): void {
    const { ends, work, sort } = this.#memory;
    const once = (kernel: GPUComputePipeline, shared: GPUBindGroup, own: GPUBindGroup): void => {
      this.#bind(shared, own);
      this.#pass.setPipeline(kernel);
      this.#pass.dispatchWorkgroups(1);
    };
    for (const kernel of [kernels.generate, kernels.finish]) once(kernel, this.#groups.frame, ends);
    for (const kernel of [kernels.classify, kernels.compact]) once(kernel, this.#groups.frame, sort[0]);
    for (const kernel of [kernels.extend, kernels.shadow]) once(kernel, this.#groups.tracing, work[0]);
    for (const kernel of [...kernels.shade.values(), kernels.misses]) once(kernel, this.#groups.scene, work[0]);
  }

  begin(round: number): void {
    this.#round = round;
  }

  /** The first and the last: over all paths of the chunk. */
  over(kernel: GPUComputePipeline, workgroup: number): void {
    this.#bind(this.#groups.frame, this.#memory.ends);
    this.#dispatch(kernel, workgroup);
  }

  /** Over the paths whose rays are extended in this round: in the first all, later those that the round before left. */
  waiting(kernel: GPUComputePipeline, queue: 'extend' | 'sort', workgroup: number): void {
    const read = this.#round % 2 === 0 ? 0 : 1;
    if (queue === 'sort') this.#bind(this.#groups.frame, this.#memory.sort[read]);
    else this.#bind(this.#groups.tracing, this.#memory.work[read]);
    if (this.#round === 0) this.#dispatch(kernel, workgroup);
    else this.#drain(kernel, queue, read);
  }

  /** Over what this round's sorting put into a queue. */
  sorted(kernel: GPUComputePipeline, queue: Exclude<Queue, 'extend' | 'sort'>): void {
    const written = this.#round % 2 === 0 ? 1 : 0;
    this.#bind(queue === 'shadow' ? this.#groups.tracing : this.#groups.scene, this.#memory.work[written]);
    this.#drain(kernel, queue, written);
  }

  #bind(shared: GPUBindGroup, own: GPUBindGroup): void {
    this.#pass.setBindGroup(0, shared);
    this.#pass.setBindGroup(1, own, [stageOffset(this.#chunk.index, this.#round)]);
  }

  #dispatch(kernel: GPUComputePipeline, workgroup: number): void {
    this.#pass.setPipeline(kernel);
    this.#pass.dispatchWorkgroups(Math.ceil(this.#chunk.paths / workgroup));
  }

  #drain(kernel: GPUComputePipeline, queue: Queue, control: 0 | 1): void {
    this.#pass.setPipeline(kernel);
    this.#pass.dispatchWorkgroupsIndirect(this.#memory.control[control], dispatchOffset(this.#round, queue));
  }
}
