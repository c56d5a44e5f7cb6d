/**
 * The pass of shaders/trace.wgsl: one invocation per path fills its slot. Bind group 0 is frame and
 * scene, group 1 the slots.
 */
import { traceProgramOver } from '#shaders/index.ts';
import { WORKGROUP } from '#shaders/layout.ts';
import { FEATURES, featuresKey, type Features } from './features.ts';
import type { SceneBuffers } from './scene-buffers.ts';
import type { PassOptions } from './variant.ts';

const STORAGE_SECTIONS = 7;

/** Which estimators count: all, BSDF sampling alone, light sampling alone. The last two are for tests. */
export type Estimator = 'both' | 'bsdf' | 'light';
const ESTIMATOR: Readonly<Record<Estimator, number>> = { both: 0, bsdf: 1, light: 2 };

const pipelineKey = (features: Features, count: boolean): string => `${featuresKey(features)}${count ? ' counting' : ''}`;

export class TracePass {
  readonly #device: GPUDevice;
  readonly #estimator: Estimator;
  readonly #sceneLayout: GPUBindGroupLayout;
  readonly #slotsLayout: GPUBindGroupLayout;
  readonly #layout: GPUPipelineLayout;
  readonly #module: GPUShaderModule;
  /** By pipelineKey. */
  readonly #pipelines = new Map<string, GPUComputePipeline>();

  constructor(device: GPUDevice, { estimator, variant }: PassOptions) {
    const visibility = GPUShaderStage.COMPUTE;
    const sections = Array.from({ length: STORAGE_SECTIONS }, (_, i) => ({
      binding: i + 1,
      visibility,
      buffer: { type: 'read-only-storage' as const },
    }));
    this.#device = device;
    this.#estimator = estimator;
    this.#sceneLayout = device.createBindGroupLayout({
      label: 'scene',
      entries: [
        { binding: 0, visibility, buffer: { type: 'uniform' } },
        ...sections,
        { binding: 8, visibility, texture: { sampleType: 'uint', viewDimension: '2d-array' } },
        { binding: 9, visibility, texture: { sampleType: 'unfilterable-float' } },
        { binding: 10, visibility, texture: { sampleType: 'uint' } },
        { binding: 11, visibility, texture: { sampleType: 'uint' } },
        { binding: 12, visibility, texture: { sampleType: 'unfilterable-float' } },
        { binding: 13, visibility, texture: { sampleType: 'unfilterable-float', viewDimension: '2d-array' } },
      ],
    });
    this.#slotsLayout = device.createBindGroupLayout({
      label: 'slots',
      entries: [{ binding: 0, visibility, buffer: { type: 'storage' } }],
    });
    this.#layout = device.createPipelineLayout({ label: 'trace', bindGroupLayouts: [this.#sceneLayout, this.#slotsLayout] });
    this.#module = device.createShaderModule({ label: 'trace', code: traceProgramOver(variant.tree) });
  }

  /**
   * Builds the pipeline for scenes with these features. Rejects with the compiler's message when it is refused.
   * @param count the kernel that counts its work instead of gathering layers.
   */
  async prepare(features: Features, count = false): Promise<void> {
    const key = pipelineKey(features, count);
    if (this.#pipelines.has(key)) return;
    const switches = Object.fromEntries(FEATURES.map((name) => [name, Number(features[name])]));
    const constants = { ESTIMATOR: ESTIMATOR[this.#estimator], ...switches, ...(count ? { COUNT: 1 } : {}) };
    const compute = { module: this.#module, entryPoint: 'trace', constants };
    this.#pipelines.set(key, await this.#device.createComputePipelineAsync({ label: 'trace', layout: this.#layout, compute }));
  }

  bindScene(frame: GPUBuffer, scene: SceneBuffers): GPUBindGroup {
    const resources: GPUBindingResource[] = [{ buffer: frame }, ...scene.resources];
    return this.#device.createBindGroup({
      label: 'scene',
      layout: this.#sceneLayout,
      entries: resources.map((resource, binding) => ({ binding, resource })),
    });
  }

  bindSlots(slots: GPUBuffer): GPUBindGroup {
    return this.#device.createBindGroup({
      label: 'slots',
      layout: this.#slotsLayout,
      entries: [{ binding: 0, resource: { buffer: slots } }],
    });
  }

  /** `prepare` must have been awaited for this kernel. */
  run(
    encoder: GPUCommandEncoder,
    kernel: { readonly features: Features; readonly count: boolean },
    groups: { readonly scene: GPUBindGroup; readonly slots: GPUBindGroup },
    paths: number,
  ): void {
    const pipeline = this.#pipelines.get(pipelineKey(kernel.features, kernel.count));
    if (!pipeline) throw new Error('the trace pipeline was not prepared');
    const pass = encoder.beginComputePass({ label: 'trace' });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, groups.scene);
    pass.setBindGroup(1, groups.slots);
    pass.dispatchWorkgroups(Math.ceil(paths / WORKGROUP));
    pass.end();
  }
}
