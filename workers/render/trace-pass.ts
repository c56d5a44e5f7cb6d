/**
 * The pass of shaders/trace.wgsl: one invocation per path fills its slot. Bind group 0 is frame and
 * scene, group 1 the slots.
 */
import { traceProgram } from '#shaders/index.ts';
import { WORKGROUP } from '#shaders/layout.ts';
import type { SceneBuffers } from './scene-buffers.ts';

const STORAGE_SECTIONS = 7;

/** Which estimators count: all, BSDF sampling alone, light sampling alone. The last two are for tests. */
export type Estimator = 'both' | 'bsdf' | 'light';
const ESTIMATOR: Readonly<Record<Estimator, number>> = { both: 0, bsdf: 1, light: 2 };

export class TracePass {
  readonly #device: GPUDevice;
  readonly #pipeline: GPUComputePipeline;
  readonly #sceneLayout: GPUBindGroupLayout;
  readonly #slotsLayout: GPUBindGroupLayout;

  private constructor(device: GPUDevice, pipeline: GPUComputePipeline, sceneLayout: GPUBindGroupLayout, slotsLayout: GPUBindGroupLayout) {
    this.#device = device;
    this.#pipeline = pipeline;
    this.#sceneLayout = sceneLayout;
    this.#slotsLayout = slotsLayout;
  }

  /** Rejects with the compiler's message when the shader is refused. */
  static async create(device: GPUDevice, estimator: Estimator): Promise<TracePass> {
    const visibility = GPUShaderStage.COMPUTE;
    const sections = Array.from({ length: STORAGE_SECTIONS }, (_, i) => ({ binding: i + 1, visibility, buffer: { type: 'read-only-storage' as const } }));
    const sceneLayout = device.createBindGroupLayout({
      label: 'scene',
      entries: [
        { binding: 0, visibility, buffer: { type: 'uniform' } },
        ...sections,
        { binding: 8, visibility, texture: { sampleType: 'uint', viewDimension: '2d-array' } },
        { binding: 9, visibility, texture: { sampleType: 'unfilterable-float' } },
        { binding: 10, visibility, texture: { sampleType: 'uint' } },
      ],
    });
    const slotsLayout = device.createBindGroupLayout({ label: 'slots', entries: [{ binding: 0, visibility, buffer: { type: 'storage' } }] });
    const pipeline = await device.createComputePipelineAsync({
      label: 'trace',
      layout: device.createPipelineLayout({ label: 'trace', bindGroupLayouts: [sceneLayout, slotsLayout] }),
      compute: {
        module: device.createShaderModule({ label: 'trace', code: traceProgram }),
        entryPoint: 'trace',
        constants: { ESTIMATOR: ESTIMATOR[estimator] },
      },
    });
    return new TracePass(device, pipeline, sceneLayout, slotsLayout);
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
    return this.#device.createBindGroup({ label: 'slots', layout: this.#slotsLayout, entries: [{ binding: 0, resource: { buffer: slots } }] });
  }

  run(encoder: GPUCommandEncoder, scene: GPUBindGroup, slots: GPUBindGroup, paths: number): void {
    const pass = encoder.beginComputePass({ label: 'trace' });
    pass.setPipeline(this.#pipeline);
    pass.setBindGroup(0, scene);
    pass.setBindGroup(1, slots);
    pass.dispatchWorkgroups(Math.ceil(paths / WORKGROUP));
    pass.end();
  }
}
