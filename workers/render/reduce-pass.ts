/** The pass of shaders/reduce.wgsl: slots to film pixels and packed signatures. */
import { reduceProgram } from '#shaders/index.ts';
import { WORKGROUP } from '#shaders/layout.ts';

export class ReducePass {
  readonly #device: GPUDevice;
  readonly #layout: GPUBindGroupLayout;
  readonly #pack: GPUComputePipeline;
  readonly #reduce: GPUComputePipeline;

  private constructor(device: GPUDevice, layout: GPUBindGroupLayout, pack: GPUComputePipeline, reduce: GPUComputePipeline) {
    this.#device = device;
    this.#layout = layout;
    this.#pack = pack;
    this.#reduce = reduce;
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
    const make = (entryPoint: string): Promise<GPUComputePipeline> =>
      device.createComputePipelineAsync({ label: entryPoint, layout: pipelineLayout, compute: { module, entryPoint } });
    const [pack, reduce] = await Promise.all([make('pack'), make('reduce')]);
    return new ReducePass(device, layout, pack, reduce);
  }

  bind(frame: GPUBuffer, slots: GPUBuffer, light: GPUBuffer, signatures: GPUBuffer): GPUBindGroup {
    const entries = [frame, slots, light, signatures].map((buffer, binding) => ({ binding, resource: { buffer } }));
    return this.#device.createBindGroup({ label: 'reduce', layout: this.#layout, entries });
  }

  run(encoder: GPUCommandEncoder, group: GPUBindGroup, pixels: number, paths: number): void {
    const pass = encoder.beginComputePass({ label: 'reduce' });
    pass.setBindGroup(0, group);
    pass.setPipeline(this.#pack);
    pass.dispatchWorkgroups(Math.ceil(Math.ceil(paths / 2) / WORKGROUP));
    pass.setPipeline(this.#reduce);
    pass.dispatchWorkgroups(Math.ceil(pixels / WORKGROUP));
    pass.end();
  }
}
