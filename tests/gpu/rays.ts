/**
 * Casts rays at a compiled scene with the traversal alone, or at every triangle of every placement in
 * turn with the same two tests: what the hierarchy finds must be what all of them together give.
 */
import { treeModules, type Tree } from '#shaders/index.ts';
import { BvhNode, Instance, NODE_INSTANCE, NONE } from '#shaders/layout.ts';
import { link } from '#shaders/linker.ts';
import { SceneBuffers } from '#workers/render/scene-buffers.ts';
import type { CompiledScene } from '#workers/scene/compiled-scene.ts';

export type V3 = readonly [number, number, number];
export interface CastRay {
  readonly origin: V3;
  readonly direction: V3;
  /** Id of the primitive it starts on. */
  readonly skip?: number;
}

export interface CastHits {
  /** Infinity for a miss. */
  readonly t: Float32Array;
  /** NONE for a miss. */
  readonly primitive: Uint32Array;
  /** Row of the Instance in the tree that was walked; NONE for the world. */
  readonly instance: Uint32Array;
  /** Nodes visited, and triangles tested. */
  readonly visits: Uint32Array;
  readonly tests: Uint32Array;
  /** Rays that met a bound. */
  readonly faults: number;
}

const WORKGROUP = 64;
const RAYS_PER_DISPATCH = 1 << 19;
const HIT_WORDS = 5;

const PROGRAM = `//#import scene/traverse
struct CastRay { origin: vec3f, skip: u32, direction: vec3f, pad: u32 }
struct CastHit { t: f32, primitive: u32, instance: u32, visits: u32, tests: u32 }
/// Triangles first to end of one placement.
struct CastRange { instance: u32, first: u32, end: u32, pad: u32 }
@group(1) @binding(0) var<storage, read> cast_rays: array<CastRay>;
@group(1) @binding(1) var<storage, read_write> cast_hits: array<CastHit>;
@group(1) @binding(2) var<storage, read> cast_ranges: array<CastRange>;

fn cast_quest(r: CastRay) -> Quest {
  return Quest(Ray(r.origin, FAR, r.direction, r.skip), sight_along(r.origin, r.direction, 0u), 0.0, 0u, false);
}

fn cast_result(hit: Hit) -> CastHit {
  return CastHit(hit.t, hit.primitive, hit.instance, select(node_visits, NONE, path_fault), triangle_tests);
}

@compute @workgroup_size(${WORKGROUP}) fn cast_tree(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= arrayLength(&cast_hits)) { return; }
  cast_hits[id.x] = cast_result(search(cast_quest(cast_rays[id.x])));
}

@compute @workgroup_size(${WORKGROUP}) fn cast_all(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= arrayLength(&cast_hits)) { return; }
  let q = cast_quest(cast_rays[id.x]);
  // First the nearest, then the lowest id within the tie distance of it.
  var hit = no_hit();
  var nearest = q.ray.reach;
  for (var turn = 0u; turn < 2u; turn++) {
    for (var k = 0u; k < arrayLength(&cast_ranges); k++) {
      let range = cast_ranges[k];
      var sight = q.sight;
      var first = 0u;
      if (INSTANCED && range.instance != NONE) {
        let placed = load_instance(range.instance);
        sight = sight_inside(placed, q.ray);
        first = placed.first_primitive;
      }
      for (var i = range.first; i < range.end; i++) {
        let entry = triangle_entry(triangles[i], sight);
        let primitive = first + triangles[i].primitive;
        if (!counts(q, entry.x, primitive, nearest)) { continue; }
        if (turn == 0u) {
          nearest = min(nearest, entry.x);
        } else if (primitive < hit.primitive) {
          hit = Hit(entry.x, i, entry.y, entry.z, primitive, range.instance);
        }
      }
    }
  }
  cast_hits[id.x] = cast_result(hit);
}`;

/** Placements of a compiled scene: the triangles of the world, and those below each instance's root. */
export function placements(scene: CompiledScene): { readonly instance: number; readonly first: number; readonly end: number }[] {
  const words = new Uint32Array(scene.nodes.buffer, scene.nodes.byteOffset, scene.nodes.byteLength / 4);
  const size = BvhNode.size / 4;
  const below = (node: number, instances: number[]): [number, number] => {
    let range: [number, number] = [Infinity, -Infinity];
    const floats = new Float32Array(words.buffer, words.byteOffset, words.length);
    for (const side of ['left', 'right'] as const) {
      const at = (name: 'min' | 'max' | 'ref' | 'count'): number => node * size + BvhNode.offsets[`${side}_${name}`] / 4;
      const [ref, count] = [words[at('ref')]!, words[at('count')]!];
      if (floats[at('min')]! > floats[at('max')]!) continue;
      if (count === NODE_INSTANCE) instances.push(ref);
      else {
        const [first, end] = count === 0 ? below(ref, instances) : [ref, ref + count];
        range = [Math.min(range[0], first), Math.max(range[1], end)];
      }
    }
    return range;
  };
  const instances: number[] = [];
  const world = below(0, instances);
  const ranges = instances.map((instance) => {
    const [first, end] = below(words[instance * size + Instance.offsets.root / 4]!, []);
    return { instance, first, end };
  });
  return [...(world[0] < world[1] ? [{ instance: NONE, first: world[0], end: world[1] }] : []), ...ranges];
}

export class RayCaster {
  readonly #device: GPUDevice;
  readonly #pipelines: Readonly<Record<'tree' | 'all', GPUComputePipeline>>;
  readonly #buffers: SceneBuffers;
  readonly #ranges: GPUBuffer;

  private constructor(
    device: GPUDevice,
    pipelines: Readonly<Record<'tree' | 'all', GPUComputePipeline>>,
    buffers: SceneBuffers,
    ranges: GPUBuffer,
  ) {
    this.#device = device;
    this.#pipelines = pipelines;
    this.#buffers = buffers;
    this.#ranges = ranges;
  }

  /** @param edit changes the program, to show that a test would notice. */
  static async create(gpu: GPU, scene: CompiledScene, tree: Tree = 'binary', edit = (code: string): string => code): Promise<RayCaster> {
    const adapter = await gpu.requestAdapter();
    if (!adapter) throw new Error('no WebGPU adapter');
    const device = await adapter.requestDevice({ label: 'rays' });
    const buffers = new SceneBuffers(device, scene, tree);
    const module = device.createShaderModule({ label: 'rays', code: edit(link({ ...treeModules(tree), rays: PROGRAM }, 'rays')) });
    const make = (entryPoint: string): Promise<GPUComputePipeline> =>
      device.createComputePipelineAsync({
        label: entryPoint,
        layout: 'auto',
        compute: { module, entryPoint, constants: { INSTANCED: Number(buffers.features.INSTANCED), COUNT: 1 } },
      });
    const pipelines = { tree: await make('cast_tree'), all: await make('cast_all') };
    const rows = placements(scene).flatMap(({ instance, first, end }) => [instance, first, end, 0]);
    const ranges = device.createBuffer({ label: 'ranges', size: rows.length * 4, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
    device.queue.writeBuffer(ranges, 0, Uint32Array.from(rows));
    return new RayCaster(device, pipelines, buffers, ranges);
  }

  /** The nearest hits, through the hierarchy or by testing everything, which knows instances by their rows in the binary tree alone. */
  async cast(rays: readonly CastRay[], way: 'tree' | 'all' = 'tree'): Promise<CastHits> {
    const words = new Float32Array(rays.length * 8);
    const skips = new Uint32Array(words.buffer);
    rays.forEach(({ origin, direction, skip }, i) => {
      words.set(origin, i * 8);
      words.set(direction, i * 8 + 4);
      skips[i * 8 + 3] = skip ?? NONE;
    });
    return this.castWords(words, way);
  }

  /** 8 words per ray: origin, skip, direction, nothing. */
  async castWords(rays: Float32Array<ArrayBuffer>, way: 'tree' | 'all' = 'tree'): Promise<CastHits> {
    const count = rays.length / 8;
    const hits = {
      t: new Float32Array(count),
      primitive: new Uint32Array(count),
      instance: new Uint32Array(count),
      visits: new Uint32Array(count),
      tests: new Uint32Array(count),
    };
    let faults = 0;
    for (let from = 0; from < count; from += RAYS_PER_DISPATCH) {
      const bits = await this.#dispatch(rays.subarray(from * 8, Math.min(count, from + RAYS_PER_DISPATCH) * 8), way);
      const floats = new Float32Array(bits.buffer);
      for (let i = 0; i < bits.length / HIT_WORDS; i++) {
        const at = i * HIT_WORDS;
        hits.t[from + i] = bits[at + 1] === NONE ? Infinity : floats[at]!;
        hits.primitive[from + i] = bits[at + 1]!;
        hits.instance[from + i] = bits[at + 2]!;
        hits.visits[from + i] = bits[at + 3]!;
        hits.tests[from + i] = bits[at + 4]!;
        if (bits[at + 3] === NONE) faults++;
      }
    }
    return { ...hits, faults };
  }

  async #dispatch(rays: Float32Array<ArrayBuffer>, way: 'tree' | 'all'): Promise<Uint32Array> {
    const device = this.#device;
    const { STORAGE, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
    const bytes = (rays.length / 8) * HIT_WORDS * 4;
    const make = (label: string, size: number, usage: number): GPUBuffer => device.createBuffer({ label, size, usage });
    const [from, to] = [make('rays', rays.byteLength, STORAGE | COPY_DST), make('hits', bytes, STORAGE | COPY_SRC)];
    const staging = make('staging', bytes, COPY_DST | MAP_READ);
    device.queue.writeBuffer(from, 0, rays);
    const pipeline = this.#pipelines[way];
    const group = (index: number, buffers: readonly (readonly [number, GPUBindingResource])[]): GPUBindGroup =>
      device.createBindGroup({
        layout: pipeline.getBindGroupLayout(index),
        entries: buffers.map(([binding, resource]) => ({ binding, resource })),
      });
    const encoder = device.createCommandEncoder({ label: 'rays' });
    const pass = encoder.beginComputePass({ label: 'rays' });
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      group(0, [
        [1, this.#buffers.resources[0]!],
        ...(way === 'tree' && this.#buffers.tree === 'wide-texels'
          ? [[14, this.#buffers.resources[13]!] as const]
          : [[2, this.#buffers.resources[1]!] as const]),
      ]),
    );
    const own: [number, GPUBindingResource][] = [
      [0, { buffer: from }],
      [1, { buffer: to }],
    ];
    pass.setBindGroup(1, group(1, way === 'all' ? [...own, [2, { buffer: this.#ranges }]] : own));
    pass.dispatchWorkgroups(Math.ceil(rays.length / 8 / WORKGROUP));
    pass.end();
    encoder.copyBufferToBuffer(to, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const words = new Uint32Array(staging.getMappedRange().slice(0));
    for (const buffer of [from, to, staging]) buffer.destroy();
    return words;
  }

  destroy(): void {
    this.#buffers.destroy();
    this.#device.destroy();
  }
}
