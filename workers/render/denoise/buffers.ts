/** Small things that the denoiser makes on a device: storage with values, uniforms, bind groups. */
import type { Fields, StructLayout } from '#shaders/struct.ts';

export function filled(device: GPUDevice, label: string, values: Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>): GPUBuffer {
  const buffer = device.createBuffer({ label, size: values.byteLength, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
  device.queue.writeBuffer(buffer, 0, values);
  return buffer;
}

export const uniform = (device: GPUDevice, label: string, layout: StructLayout): GPUBuffer =>
  device.createBuffer({ label, size: Math.ceil(layout.size / 16) * 16, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });

/** Writes a struct of single words. */
export function write<F extends Fields>(
  device: GPUDevice,
  buffer: GPUBuffer,
  layout: StructLayout<F>,
  values: Readonly<Record<keyof F, number>>,
): void {
  const view = new DataView(new ArrayBuffer(layout.size));
  for (const name of Object.keys(layout.fields)) {
    const [offset, value] = [layout.offsets[name]!, values[name]!];
    if (layout.fields[name]![0] === 'f32') view.setFloat32(offset, value, true);
    else view.setUint32(offset, value, true);
  }
  device.queue.writeBuffer(buffer, 0, view.buffer);
}

export function group(device: GPUDevice, label: string, pipeline: GPUComputePipeline, buffers: readonly GPUBuffer[]): GPUBindGroup {
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  return device.createBindGroup({ label, layout: pipeline.getBindGroupLayout(0), entries });
}
