/** The pass of shaders/reduce.wgsl: slots to film pixels and packed signatures. */
import { reduceProgram } from '#shaders/index.ts';
import { WORKGROUP } from '#shaders/layout.ts';

export class ReducePass {
  readonly #device: GPUDevice;
  readonly #layout: GPUBindGroupLayout;
  readonly #pack: GPUComputePipeline;
  readonly #reduce: GPUComputePipeline;
  readonly #count: GPUComputePipeline;

  private constructor(
    device: GPUDevice,
    layout: GPUBindGroupLayout,
    pipelines: readonly [GPUComputePipeline, GPUComputePipeline, GPUComputePipeline],
  ) {
    this.#device = device;
    this.#layout = layout;
    [this.#pack, this.#reduce, this.#count] = pipelines;
  }

  static async create(device: GPUDevice): Promise<ReducePass> {
    const visibility = GPUShaderStage.COMPUTE;
    const layout = device.createBindGroupLayout({
      label: 'reduce',
      entries: [
        { binding: 0, visibility, buffer: { type: 'uniform' } },
        ...[1, 2, 3].map((binding) => ({ binding, visibility, buffer: { type: 'storage' as const } })),
      ],
    });
    const module = device.createShaderModule({ label: 'reduce', code: reduceProgram });
    const pipelineLayout = device.createPipelineLayout({ label: 'reduce', bindGroupLayouts: [layout] });
    const make = (entryPoint: string, constants: Record<string, number> = {}): Promise<GPUComputePipeline> =>
      device.createComputePipelineAsync({ label: entryPoint, layout: pipelineLayout, compute: { module, entryPoint, constants } });
    return new ReducePass(device, layout, await Promise.all([make('pack'), make('reduce'), make('reduce', { COUNT: 1 })]));
  }

  bind(frame: GPUBuffer, slots: GPUBuffer, light: GPUBuffer, signatures: GPUBuffer): GPUBindGroup {
    const entries = [frame, slots, light, signatures].map((buffer, binding) => ({ binding, resource: { buffer } }));
    return this.#device.createBindGroup({ label: 'reduce', layout: this.#layout, entries });
  }

  /** @param count the slots hold counters. */
  run(
    encoder: GPUCommandEncoder,
    group: GPUBindGroup,
    work: { readonly pixels: number; readonly paths: number; readonly count: boolean },
  ): void {
    const { pixels, paths, count } = work;
    const pass = encoder.beginComputePass({ label: 'reduce' });
    pass.setBindGroup(0, group);
    pass.setPipeline(this.#pack);
    pass.dispatchWorkgroups(Math.ceil(Math.ceil(paths / 2) / WORKGROUP));
    pass.setPipeline(count ? this.#count : this.#reduce);
    pass.dispatchWorkgroups(Math.ceil(pixels / WORKGROUP));
    pass.end();
  }
}
