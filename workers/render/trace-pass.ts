/**
 * The pass of shaders/trace.wgsl: one invocation per path fills its slot. Bind group 0 is frame and
 * scene, group 1 the slots. And the interface that it shares with the pass that does the same in
 * stages (wavefront-pass.ts).
 */
import { traceProgramOver } from '#shaders/index.ts';
import { FEATURES, featuresKey, type Features } from './features.ts';
import type { SceneBuffers } from './scene-buffers.ts';
import { SceneLayout } from './scene-layout.ts';
import { UnderWay } from './under-way.ts';
import type { PassOptions } from './variant.ts';

/** Which estimators count: all, BSDF sampling alone, light sampling alone. The last two are for tests. */
export type Estimator = 'both' | 'bsdf' | 'light';
export const ESTIMATOR: Readonly<Record<Estimator, number>> = { both: 0, bsdf: 1, light: 2 };

/** What a dispatch reads and where its paths end: buffers of one lane, and a scene. */
export interface PathTargets {
  readonly frame: GPUBuffer;
  readonly scene: SceneBuffers;
  /** PathSlot for each path. */
  readonly slots: GPUBuffer;
}

export interface PathWork {
  /** 0: every kernel runs once over nothing, for drivers that finish compiling at the first dispatch. */
  readonly paths: number;
  /** Of the job, as in the frame. */
  readonly bounces: number;
  /** With the kernel that counts its work; the stages have none. */
  readonly count: boolean;
}

/** Fills the slots of a dispatch. Whoever does it, on one adapter the bits are the same. */
export interface PathPass {
  /**
   * Builds the pipelines for scenes with these features, all at the same time, once: also while they are under way.
   * Rejects with the compiler's message when one is refused.
   * @param count the kernel that counts its work instead of gathering layers.
   */
  prepare(features: Features, count?: boolean): Promise<void>;
  /** Encodes the work. `prepare` must have been awaited. Nothing else of this lane may be in flight. */
  run(encoder: GPUCommandEncoder, targets: PathTargets, work: PathWork): void;
  /** Whether all that `run` keeps beside these slots for this scene is there. */
  holds(slots: GPUBuffer, scene: SceneBuffers): boolean;
  /** Makes what is not; the caller listens whether the device has the memory. */
  reserve(slots: GPUBuffer, scene: SceneBuffers): void;
  /** The lane gives these slots up; frees what was kept beside them. */
  release(slots: GPUBuffer): void;
}

export const featureConstants = (features: Features): Record<string, number> =>
  Object.fromEntries(FEATURES.map((name) => [name, Number(features[name])]));

const pipelineKey = (features: Features, count: boolean): string => `${featuresKey(features)}${count ? ' counting' : ''}`;

export class TracePass implements PathPass {
  readonly #device: GPUDevice;
  readonly #options: PassOptions;
  readonly #scene: SceneLayout;
  readonly #slotsLayout: GPUBindGroupLayout;
  readonly #layout: GPUPipelineLayout;
  readonly #module: GPUShaderModule;
  /** By pipelineKey. */
  readonly #pipelines = new Map<string, GPUComputePipeline>();
  readonly #underWay = new UnderWay();
  readonly #slots = new WeakMap<GPUBuffer, GPUBindGroup>();

  constructor(device: GPUDevice, options: PassOptions) {
    this.#device = device;
    this.#options = options;
    this.#scene = new SceneLayout(device, 'all', options.variant.tree);
    this.#slotsLayout = device.createBindGroupLayout({
      label: 'slots',
      entries: [{ binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'storage' } }],
    });
    this.#layout = device.createPipelineLayout({ label: 'trace', bindGroupLayouts: [this.#scene.layout, this.#slotsLayout] });
    this.#module = device.createShaderModule({ label: 'trace', code: traceProgramOver(options.variant.tree) });
  }

  prepare(features: Features, count = false): Promise<void> {
    const key = pipelineKey(features, count);
    return this.#underWay.once(key, async () => void this.#pipelines.set(key, await this.#make(features, count)));
  }

  #make(features: Features, count: boolean): Promise<GPUComputePipeline> {
    const { estimator, variant, software } = this.#options;
    const switches = {
      ...featureConstants(features),
      ESTIMATOR: ESTIMATOR[estimator],
      GROUP: variant.workgroup,
      RELAY: variant.relay ?? 1,
      SOFTWARE: Number(software),
    };
    const compute = { module: this.#module, entryPoint: 'trace', constants: { ...switches, ...(count ? { COUNT: 1 } : {}) } };
    return this.#device.createComputePipelineAsync({ label: 'trace', layout: this.#layout, compute });
  }

  run(encoder: GPUCommandEncoder, { frame, scene, slots }: PathTargets, { paths, count }: PathWork): void {
    const pipeline = this.#pipelines.get(pipelineKey(scene.features, count));
    if (!pipeline) throw new Error('the trace pipeline was not prepared');
    const pass = encoder.beginComputePass({ label: 'trace' });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, this.#scene.bind(frame, scene));
    pass.setBindGroup(1, this.#bindSlots(slots));
    const { workgroup, relay = 1 } = this.#options.variant;
    pass.dispatchWorkgroups(Math.max(Math.ceil(paths / (workgroup * relay)), 1));
    pass.end();
  }

  /** It keeps nothing but a bind group. */
  holds(): boolean {
    return true;
  }

  reserve(slots: GPUBuffer): void {
    this.#bindSlots(slots);
  }

  release(slots: GPUBuffer): void {
    this.#slots.delete(slots);
  }

  #bindSlots(slots: GPUBuffer): GPUBindGroup {
    let group = this.#slots.get(slots);
    if (group) return group;
    const entries = [{ binding: 0, resource: { buffer: slots } }];
    group = this.#device.createBindGroup({ label: 'slots', layout: this.#slotsLayout, entries });
    this.#slots.set(slots, group);
    return group;
  }
}
