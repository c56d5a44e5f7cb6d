/** Runs a piece of the light shaders over many inputs, with light tree, profiles or environment bound. */
import { shaderModules } from '#shaders/index.ts';
import { Frame, LIGHT_NODES_PER_ROW, LightNode, PROFILE_ROW } from '#shaders/layout.ts';
import { link, type ShaderModules } from '#shaders/linker.ts';
import { aliasDensity } from '#workers/render/scene-buffers.ts';
import type { CompiledEnvironment } from '#workers/scene/compiled-scene.ts';

const WORKGROUP = 64;

export interface LightBindings {
  /** LightNode[]. */
  readonly nodes?: Uint8Array<ArrayBuffer>;
  readonly treeShare?: number;
  readonly profiles?: Float32Array<ArrayBuffer>;
  readonly environment?: CompiledEnvironment;
  /** Modules that stand in for the real ones. */
  readonly broken?: ShaderModules;
}

/**
 * @param body statements that read `i: u32` and `data: array<f32>` and end in `return` of a vec2f.
 * @returns two floats per invocation.
 */
export async function runLight(
  gpu: GPU,
  imports: readonly string[],
  body: string,
  bindings: LightBindings,
  data: Float32Array<ArrayBuffer>,
  count: number,
): Promise<Float32Array> {
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error('no WebGPU adapter');
  const device = await adapter.requestDevice({ label: 'light test' });
  const source = `${imports.map((name) => `//#import ${name}`).join('\n')}
    @group(1) @binding(0) var<storage, read> data: array<f32>;
    @group(1) @binding(1) var<storage, read_write> test_output: array<vec2f>;
    fn test_body(i: u32) -> vec2f { ${body} }
    @compute @workgroup_size(${WORKGROUP}) fn test_main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x < arrayLength(&test_output)) { test_output[id.x] = test_body(id.x); }
    }`;
  const module = device.createShaderModule({
    label: 'light test',
    code: link({ ...shaderModules, ...bindings.broken, test: source }, 'test'),
  });
  const pipeline = await device.createComputePipelineAsync({
    label: 'light test',
    layout: 'auto',
    compute: { module, entryPoint: 'test_main' },
  });
  const { STORAGE, COPY_DST, COPY_SRC, MAP_READ, UNIFORM } = GPUBufferUsage;
  const make = (label: string, size: number, usage: number): GPUBuffer => device.createBuffer({ label, size, usage });
  const input = make('data', data.byteLength, STORAGE | COPY_DST);
  const output = make('output', count * 8, STORAGE | COPY_SRC);
  const staging = make('staging', count * 8, COPY_DST | MAP_READ);
  device.queue.writeBuffer(input, 0, data);
  const entries: GPUBindGroupEntry[] = [];
  if (bindings.nodes || bindings.environment) {
    const frame = make('frame', Frame.size, UNIFORM | COPY_DST);
    const uniform = new DataView(new ArrayBuffer(Frame.size));
    uniform.setFloat32(Frame.offsets.tree_share, bindings.treeShare ?? 1, true);
    uniform.setUint32(Frame.offsets.env_width, bindings.environment?.width ?? 1, true);
    uniform.setUint32(Frame.offsets.env_height, bindings.environment?.height ?? 1, true);
    device.queue.writeBuffer(frame, 0, uniform.buffer);
    entries.push({ binding: 0, resource: { buffer: frame } });
  }
  if (bindings.nodes) {
    const nodes = rows(device, 'rgba32uint', bindings.nodes, LIGHT_NODES_PER_ROW * LightNode.size);
    entries.push({ binding: 11, resource: nodes.createView() });
  }
  if (bindings.environment) entries.push(...environmentEntries(device, bindings.environment));
  if (bindings.profiles) {
    const bytes = new Uint8Array(bindings.profiles.buffer);
    entries.push({ binding: 12, resource: rows(device, 'r32float', bytes, PROFILE_ROW * 4).createView() });
  }
  const encoder = device.createCommandEncoder({ label: 'light test' });
  const pass = encoder.beginComputePass({ label: 'light test' });
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ label: 'scene', layout: pipeline.getBindGroupLayout(0), entries }));
  const own = [input, output].map((buffer, binding) => ({ binding, resource: { buffer } }));
  pass.setBindGroup(1, device.createBindGroup({ label: 'test', layout: pipeline.getBindGroupLayout(1), entries: own }));
  pass.dispatchWorkgroups(Math.ceil(count / WORKGROUP));
  pass.end();
  encoder.copyBufferToBuffer(output, 0, staging, 0, count * 8);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const values = new Float32Array(staging.getMappedRange().slice(0));
  device.destroy();
  return values;
}

function rows(
  device: GPUDevice,
  format: 'rgba32uint' | 'rgba32float' | 'rg32uint' | 'r32float',
  bytes: Uint8Array<ArrayBuffer>,
  rowBytes: number,
): GPUTexture {
  const height = Math.ceil(bytes.length / rowBytes);
  const padded = new Uint8Array(height * rowBytes);
  padded.set(bytes);
  const width = rowBytes / { r32float: 4, rg32uint: 8, rgba32uint: 16, rgba32float: 16 }[format];
  const usage = GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST;
  const texture = device.createTexture({ label: format, size: [width, height], format, usage });
  device.queue.writeTexture({ texture }, padded, { bytesPerRow: rowBytes, rowsPerImage: height }, [width, height]);
  return texture;
}

/** Radiance with the density that the alias table implies, and the table, as the product uploads them. */
function environmentEntries(device: GPUDevice, { width, texels, alias }: CompiledEnvironment): GPUBindGroupEntry[] {
  const radiance = texels.slice();
  aliasDensity(alias).forEach((value, i) => (radiance[i * 4 + 3] = value));
  return [
    { binding: 9, resource: rows(device, 'rgba32float', new Uint8Array(radiance.buffer), width * 16).createView() },
    { binding: 10, resource: rows(device, 'rg32uint', new Uint8Array(alias.buffer), width * 8).createView() },
  ];
}
