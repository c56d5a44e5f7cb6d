/**
 * Rays per second of the traversal alone: one primary ray per pixel and, where it hits, one ambient
 * occlusion ray, cosine-distributed and of unlimited reach, closest hit. The same mix as public
 * traversal benchmarks use, so that figures can be set side by side.
 */
import { treeModules, type Tree } from '#shaders/index.ts';
import { link } from '#shaders/linker.ts';
import { SceneBuffers } from '#workers/render/scene-buffers.ts';
import type { CompiledScene } from '#workers/scene/compiled-scene.ts';
import type { BenchCamera } from './page/contract.ts';
import type { PerRay } from './bound.ts';

const WORKGROUP = 64;

const PROGRAM = `//#import scene/traverse
//#import scene/instance
struct MixFrame { eye: vec3f, width: u32, right: vec3f, height: u32, up: vec3f, seed: u32, forward: vec3f, pad: u32 }
@group(1) @binding(0) var<uniform> mix_frame: MixFrame;
/// Rays, node visits, triangle tests, bits of the distances.
@group(1) @binding(1) var<storage, read_write> mix_out: array<vec4u>;

fn mix_unit(a: u32, b: u32) -> f32 {
  var x = a * 747796405u + b * 2891336453u + 277803737u;
  x = ((x >> ((x >> 28u) + 4u)) ^ x) * 277803737u;
  return f32((x ^ (x >> 22u)) >> 8u) * (1.0 / 16777216.0);
}

@compute @workgroup_size(${WORKGROUP}) fn mix_trace(@builtin(global_invocation_id) id: vec3u) {
  let pixel = id.x;
  if (pixel >= mix_frame.width * mix_frame.height) { return; }
  let at = (vec2f(f32(pixel % mix_frame.width), f32(pixel / mix_frame.width)) + 0.5) / vec2f(f32(mix_frame.width), f32(mix_frame.height));
  var direction = normalize(mix_frame.forward + mix_frame.right * (at.x * 2.0 - 1.0) - mix_frame.up * (at.y * 2.0 - 1.0));
  var origin = mix_frame.eye;
  var skip = NONE;
  var rays = 0u;
  var bits = 0u;
  for (var turn = 0u; turn < 2u; turn++) {
    let hit = search(Quest(Ray(origin, FAR, direction, skip), sight_along(origin, direction, 0u), 0.0, 0u, false));
    rays++;
    bits = bits * 31u + bitcast<u32>(hit.t);
    if (hit.t >= FAR) { break; }
    let t = triangles[hit.triangle];
    let outward = normalize(normal_to_world(hit.instance, cross(t.v1 - t.v0, t.v2 - t.v0)));
    let normal = select(outward, -outward, dot(outward, direction) > 0.0);
    let z = 1.0 - 2.0 * mix_unit(pixel, mix_frame.seed);
    let phi = 6.2831853 * mix_unit(pixel, mix_frame.seed ^ 0x9e3779b9u);
    let ring = sqrt(max(0.0, 1.0 - z * z));
    origin += direction * hit.t;
    skip = hit.primitive;
    direction = normalize(normal * 1.0001 + vec3f(ring * cos(phi), ring * sin(phi), z));
  }
  mix_out[pixel] = vec4u(rays, node_visits, triangle_tests, bits);
}`;

export interface MixResult {
  readonly rays: number;
  readonly raysPerSecond: number;
  /** Of this process: what a software adapter took. */
  readonly raysPerCpuSecond: number;
  readonly perRay: PerRay;
}

type Vec3 = readonly [number, number, number];
const sub = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const cross = (a: Vec3, b: Vec3): Vec3 => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const scale = (a: Vec3, by: number): Vec3 => [a[0] * by, a[1] * by, a[2] * by];
const unit = (a: Vec3): Vec3 => scale(a, 1 / Math.hypot(...a));

function frameOf({ eye, target, up, vfov }: BenchCamera, width: number, height: number): Float32Array<ArrayBuffer> {
  const half = Math.tan((vfov * Math.PI) / 360);
  const forward = unit(sub(target, eye));
  const right = unit(cross(forward, up));
  const out = new Float32Array(16);
  const words = new Uint32Array(out.buffer);
  out.set(eye, 0);
  out.set(scale(right, (half * width) / height), 4);
  out.set(scale(cross(right, forward), half), 8);
  out.set(forward, 12);
  [words[3], words[7], words[11]] = [width, height, 1];
  return out;
}

/** @param seconds about how long to trace. */
export async function measureMix(
  device: GPUDevice,
  scene: CompiledScene,
  tree: Tree,
  camera: BenchCamera,
  { width, height, seconds }: { readonly width: number; readonly height: number; readonly seconds: number },
): Promise<MixResult> {
  const buffers = new SceneBuffers(device, scene, tree);
  const { STORAGE, COPY_SRC, COPY_DST, UNIFORM, MAP_READ } = GPUBufferUsage;
  const bytes = width * height * 16;
  const make = (label: string, size: number, usage: number): GPUBuffer => device.createBuffer({ label, size, usage });
  const [frame, out, staging] = [
    make('mix frame', 64, UNIFORM | COPY_DST),
    make('mix out', bytes, STORAGE | COPY_SRC),
    make('mix staging', bytes, COPY_DST | MAP_READ),
  ];
  device.queue.writeBuffer(frame, 0, frameOf(camera, width, height));
  const module = device.createShaderModule({ label: 'mix', code: link({ ...treeModules(tree), mix: PROGRAM }, 'mix') });
  const pipelineOf = (count: boolean): Promise<GPUComputePipeline> =>
    device.createComputePipelineAsync({
      label: 'mix',
      layout: 'auto',
      compute: { module, entryPoint: 'mix_trace', constants: { INSTANCED: Number(buffers.features.INSTANCED), COUNT: Number(count) } },
    });
  const dispatch = async (pipeline: GPUComputePipeline, read: boolean): Promise<void> => {
    const encoder = device.createCommandEncoder({ label: 'mix' });
    const pass = encoder.beginComputePass({ label: 'mix' });
    const entries = (list: readonly [number, GPUBindingResource][]): GPUBindGroupEntry[] =>
      list.map(([binding, resource]) => ({ binding, resource }));
    const group = (index: number, list: readonly [number, GPUBindingResource][]): GPUBindGroup =>
      device.createBindGroup({ layout: pipeline.getBindGroupLayout(index), entries: entries(list) });
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      group(0, [
        [1, buffers.resources[0]!],
        [2, buffers.resources[1]!],
      ]),
    );
    pass.setBindGroup(
      1,
      group(1, [
        [0, { buffer: frame }],
        [1, { buffer: out }],
      ]),
    );
    pass.dispatchWorkgroups(Math.ceil((width * height) / WORKGROUP));
    pass.end();
    if (read) encoder.copyBufferToBuffer(out, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
  };
  try {
    await dispatch(await pipelineOf(true), true);
    await staging.mapAsync(MAP_READ);
    const counted = new Uint32Array(staging.getMappedRange().slice(0));
    const sum = (word: number): number => counted.reduce((total, value, i) => (i % 4 === word ? total + value : total), 0);
    const rays = sum(0);
    const plain = await pipelineOf(false);
    await dispatch(plain, false);
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    let turns = 0;
    for (; turns === 0 || performance.now() - start < seconds * 1000; turns++) await dispatch(plain, false);
    const [elapsed, used] = [(performance.now() - start) / 1000, process.cpuUsage(cpu)];
    return {
      rays,
      raysPerSecond: (rays * turns) / elapsed,
      raysPerCpuSecond: (rays * turns * 1e6) / (used.user + used.system),
      perRay: { nodes: sum(1) / rays, triangles: sum(2) / rays },
    };
  } finally {
    buffers.destroy();
    for (const buffer of [frame, out, staging]) buffer.destroy();
  }
}
