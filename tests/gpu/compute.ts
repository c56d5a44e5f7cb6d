/** Runs one WGSL expression over an array of vec4u inputs, one invocation each, and returns vec4u. */
import { shaderModules } from '#shaders/index.ts';
import { link } from '#shaders/linker.ts';

const WORKGROUP = 64;

/** @param body statements that read `x: vec4u` and end in `return` of a vec4u. */
export async function computeWords(
  gpu: GPU,
  imports: readonly string[],
  body: string,
  input: Uint32Array<ArrayBuffer>,
): Promise<Uint32Array<ArrayBuffer>> {
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error('no WebGPU adapter');
  const device = await adapter.requestDevice({ label: 'compute test' });
  const source = `${imports.map((name) => `//#import ${name}`).join('\n')}
    @group(0) @binding(0) var<storage, read> test_input: array<vec4u>;
    @group(0) @binding(1) var<storage, read_write> test_output: array<vec4u>;
    fn test_body(x: vec4u) -> vec4u { ${body} }
    @compute @workgroup_size(${WORKGROUP}) fn test_main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x < arrayLength(&test_input)) { test_output[id.x] = test_body(test_input[id.x]); }
    }`;
  const module = device.createShaderModule({ label: 'compute test', code: link({ ...shaderModules, test: source }, 'test') });
  const pipeline = await device.createComputePipelineAsync({
    label: 'compute test',
    layout: 'auto',
    compute: { module, entryPoint: 'test_main' },
  });
  const { STORAGE, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
  const make = (label: string, usage: number): GPUBuffer => device.createBuffer({ label, size: input.byteLength, usage });
  const [from, to, staging] = [make('input', STORAGE | COPY_DST), make('output', STORAGE | COPY_SRC), make('staging', COPY_DST | MAP_READ)];
  device.queue.writeBuffer(from, 0, input);
  const entries = [from, to].map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = device.createBindGroup({ label: 'compute test', layout: pipeline.getBindGroupLayout(0), entries });
  const encoder = device.createCommandEncoder({ label: 'compute test' });
  const pass = encoder.beginComputePass({ label: 'compute test' });
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(Math.ceil(input.length / 4 / WORKGROUP));
  pass.end();
  encoder.copyBufferToBuffer(to, 0, staging, 0, input.byteLength);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const words = new Uint32Array(staging.getMappedRange().slice(0));
  device.destroy();
  return words;
}
