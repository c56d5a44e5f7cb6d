/**
 * Runs the material model by itself, without rays: one WGSL body over rows of numbers, each with a
 * surface, a viewer and what else the body asks for. Shader modules can be replaced, so that a test
 * can show that it fails when the physics is broken.
 */
import { shaderModules } from '#shaders/index.ts';
import { Material } from '#shaders/layout.ts';
import { link, type ShaderModules } from '#shaders/linker.ts';
import { albedoTexture } from '#workers/render/albedo-texture.ts';
import { FEATURES, PLAIN, type Feature } from '#workers/render/features.ts';
import { packRows } from '#workers/scene/rows.ts';
import { material, type MaterialRow } from './kit.ts';

const WORKGROUP = 64;
const ROW_FLOATS = 12;

export interface Row {
  /** Index of the material. */
  readonly material?: number;
  /** Viewer: cosine with the geometric normal (+z), and azimuth in radians. */
  readonly cosine: number;
  readonly phi?: number;
  /** Shading normal: x and y of the unit vector. */
  readonly tilt?: readonly [number, number];
  /** Seen from inside; the frame is the viewer's: +z is the viewer's side. */
  readonly inside?: boolean;
  readonly seed?: number;
  /** Direction of the light, or whatever the body wants. */
  readonly vector?: readonly [number, number, number];
}

/** WGSL around every body: `s`, `wo` and the row's `seed` and `vector` are ready. */
const FRAME = `
@group(1) @binding(0) var<storage, read> rows: array<array<vec4f, 3>>;
@group(1) @binding(1) var<storage, read_write> results: array<vec4f>;
fn test_surface(row: array<vec4f, 3>, wo: vec3f) -> Surface {
  var s: Surface;
  s.material = u32(row[0].x);
  s.geometric = vec3f(0.0, 0.0, 1.0);
  s.front = row[0].w == 0.0;
  s.smooth_normal = s.geometric;
  let maps = load_material(&s, TexturePoint(vec2f(0.0), vec2f(0.0), vec2f(0.0)), vec3f(1.0));
  let n = vec3f(row[1].xy, sqrt(max(1.0 - dot(row[1].xy, row[1].xy), 0.0)));
  s.normal = facing_normal(n, wo);
  s.coat_normal = s.normal;
  s.tangent = normalize(vec3f(1.0, 0.0, 0.0) - s.normal * s.normal.x);
  return s;
}
@compute @workgroup_size(${WORKGROUP}) fn test_main(@builtin(global_invocation_id) id: vec3u) {
  let index = id.x + id.y * 65535u * ${WORKGROUP}u;
  if (index >= arrayLength(&results)) { return; }
  let repeat = arrayLength(&results) / arrayLength(&rows);
  let row = rows[index / repeat];
  let sine = sqrt(max(1.0 - row[0].y * row[0].y, 0.0));
  // Not the built-in sine: it may be so far off that wo is no unit vector to a narrow lobe.
  let wo = vec3f(sine * cos_sin_turns(row[0].z * (0.5 * INV_PI)), row[0].y);
  // No body does without the tables, as far as the layout goes.
  if (row[2].w != 0.0) { results[index] = textureLoad(albedo_tables, vec2u(0u), 0u, 0); return; }
  results[index] = test_body(test_surface(row, wo), wo, u32(row[1].z) + index % repeat, row[2].xyz);
}`;

export interface BsdfRun {
  readonly materials: readonly MaterialRow[];
  readonly rows: readonly Row[];
  /** Results for each row, with seeds that count on from the row's. */
  readonly repeat?: number;
  /** Statements that read `s: Surface`, `wo: vec3f`, `seed: u32`, `vector: vec3f` and end in `return` of a vec4f. */
  readonly body: string;
  readonly features?: readonly Feature[];
  /** Modules that stand in for the real ones. */
  readonly broken?: ShaderModules;
}

export class BsdfBench {
  readonly #device: GPUDevice;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();

  private constructor(device: GPUDevice) {
    this.#device = device;
  }

  static async open(gpu: GPU): Promise<BsdfBench> {
    const adapter = await gpu.requestAdapter();
    if (!adapter) throw new Error('no WebGPU adapter');
    return new BsdfBench(await adapter.requestDevice({ label: 'bsdf bench' }));
  }

  dispose(): void {
    this.#device.destroy();
  }

  #pipeline({ body, features = [], broken = {} }: BsdfRun): Promise<GPUComputePipeline> {
    const source = `//#import bsdf/evaluate\n//#import common/random\n${FRAME}\nfn test_body(s: Surface, wo: vec3f, seed: u32, vector: vec3f) -> vec4f { ${body} }`;
    const code = link({ ...shaderModules, ...broken, test: source }, 'test');
    const key = `${features.join('+')}\n${code}`;
    const known = this.#pipelines.get(key);
    if (known) return known;
    const module = this.#device.createShaderModule({ label: 'bsdf bench', code });
    const used = FEATURES.filter((name) => new RegExp(`override ${name}\\b`).test(code));
    const constants = Object.fromEntries(used.map((name) => [name, Number(PLAIN[name] || features.includes(name))]));
    const compute = { module, entryPoint: 'test_main', constants };
    const made = this.#device.createComputePipelineAsync({ label: 'bsdf bench', layout: 'auto', compute });
    this.#pipelines.set(key, made);
    return made;
  }

  #buffer(label: string, data: ArrayBufferView<ArrayBuffer>, usage = 0): GPUBuffer {
    const buffer = this.#device.createBuffer({
      label,
      size: data.byteLength,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | usage,
    });
    this.#device.queue.writeBuffer(buffer, 0, data);
    return buffer;
  }

  /** Four floats for each row and repetition. */
  async run(run: BsdfRun): Promise<Float32Array> {
    const device = this.#device;
    const pipeline = await this.#pipeline(run);
    const input = new Float32Array(run.rows.length * ROW_FLOATS);
    run.rows.forEach((row, i) => {
      const { material: index = 0, cosine, phi = 0, tilt = [0, 0], inside = false, seed = 0, vector = [0, 0, 0] } = row;
      input.set([index, cosine, phi, Number(inside), ...tilt, seed, 0, ...vector, 0], i * ROW_FLOATS);
    });
    const count = run.rows.length * (run.repeat ?? 1);
    const bytes = count * 16;
    const rows = this.#buffer('rows', input);
    const results = device.createBuffer({ label: 'results', size: bytes, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
    const staging = device.createBuffer({ label: 'staging', size: bytes, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
    const materials = this.#buffer(
      'materials',
      packRows(
        Material,
        run.materials.map((row) => material(row)),
      ),
    );
    const uses = this.#buffer('texture uses', new Uint8Array(64));
    const texels = device.createTexture({ label: 'texels', size: [1, 1, 1], format: 'rgba8uint', usage: GPUTextureUsage.TEXTURE_BINDING });
    const scene = [
      { binding: 5, resource: { buffer: materials } },
      { binding: 6, resource: { buffer: uses } },
      { binding: 8, resource: texels.createView({ dimension: '2d-array' }) },
      { binding: 13, resource: albedoTexture(device).createView({ dimension: '2d-array' }) },
    ];
    const entries = [rows, results].map((buffer, binding) => ({ binding, resource: { buffer } }));
    const encoder = device.createCommandEncoder({ label: 'bsdf bench' });
    const pass = encoder.beginComputePass({ label: 'bsdf bench' });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ label: 'scene', layout: pipeline.getBindGroupLayout(0), entries: scene }));
    pass.setBindGroup(1, device.createBindGroup({ label: 'rows', layout: pipeline.getBindGroupLayout(1), entries }));
    const groups = Math.ceil(count / WORKGROUP);
    pass.dispatchWorkgroups(Math.min(groups, 65535), Math.ceil(groups / 65535));
    pass.end();
    encoder.copyBufferToBuffer(results, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const out = new Float32Array(staging.getMappedRange().slice(0));
    for (const buffer of [rows, results, staging, materials, uses]) buffer.destroy();
    texels.destroy();
    return out;
  }
}
