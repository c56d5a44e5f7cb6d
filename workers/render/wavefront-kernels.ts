/**
 * The pipelines of shaders/wavefront: small ones, built at the same time, of which scenes of like
 * features share what does not differ. Materials that need less are shaded by pipelines that hold
 * less, a class each; which material is of which class is said at upload (shade-class.ts).
 */
import { wavefrontPrograms } from '#shaders/index.ts';
import { SHADE_CLASSES, type ShadeClass } from '#shaders/wavefront/layout.ts';
import type { Features } from './features.ts';
import { SceneLayout } from './scene-layout.ts';
import { classFeatures, shadeClasses } from './shade-class.ts';
import { ESTIMATOR, featureConstants } from './trace-pass.ts';
import type { PassOptions } from './variant.ts';
import type { MemoryLayouts } from './wavefront-memory.ts';

/** What one scene's paths run through. */
export interface WavefrontKernels {
  readonly generate: GPUComputePipeline;
  readonly finish: GPUComputePipeline;
  readonly classify: GPUComputePipeline;
  readonly compact: GPUComputePipeline;
  readonly extend: GPUComputePipeline;
  readonly shadow: GPUComputePipeline;
  readonly misses: GPUComputePipeline;
  readonly shade: ReadonlyMap<ShadeClass, GPUComputePipeline>;
}

type Program = keyof ReturnType<typeof wavefrontPrograms>;
const PROGRAMS: readonly Program[] = ['shade', 'extend', 'shadow', 'sort', 'ends'];

export class WavefrontKernelMaker {
  readonly scene: SceneLayout;
  readonly tracing: SceneLayout;
  /** Group 0 of kernels that know nothing of the scene. */
  readonly frameLayout: GPUBindGroupLayout;
  readonly memory: MemoryLayouts;
  readonly #device: GPUDevice;
  readonly #options: PassOptions;
  readonly #modules: Readonly<Record<Program, GPUShaderModule>>;
  readonly #layouts: Readonly<Record<Program, GPUPipelineLayout>>;
  /** By entry point and constants. */
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();

  constructor(device: GPUDevice, options: PassOptions) {
    this.#device = device;
    this.#options = options;
    this.scene = new SceneLayout(device, 'all', options.variant.tree);
    this.tracing = new SceneLayout(device, 'tracing', options.variant.tree);
    this.frameLayout = bufferLayout(device, 'frame', ['uniform']);
    this.memory = {
      ends: bufferLayout(device, 'ends', ['storage', 'uniform', 'stage', 'storage']),
      work: bufferLayout(device, 'stages', ['storage', 'uniform', 'stage']),
      sort: bufferLayout(device, 'sort', ['storage', 'storage', 'stage', 'uniform']),
    };
    const sources = wavefrontPrograms(options.variant.tree);
    const groups: Readonly<Record<Program, readonly GPUBindGroupLayout[]>> = {
      ends: [this.frameLayout, this.memory.ends],
      sort: [this.frameLayout, this.memory.sort],
      extend: [this.tracing.layout, this.memory.work],
      shadow: [this.tracing.layout, this.memory.work],
      shade: [this.scene.layout, this.memory.work],
    };
    const each = <T>(make: (name: Program) => T): Readonly<Record<Program, T>> =>
      Object.fromEntries(PROGRAMS.map((name) => [name, make(name)])) as Record<Program, T>;
    this.#modules = each((name) => device.createShaderModule({ label: name, code: sources[name] }));
    this.#layouts = each((name) => device.createPipelineLayout({ label: name, bindGroupLayouts: [...groups[name]] }));
  }

  /** All at the same time, plain shading before the rest. */
  async make(features: Features): Promise<WavefrontKernels> {
    const GROUP = this.#options.variant.workgroup;
    const common = {
      ...featureConstants(features),
      CARRIES_MEDIA: Number(features.VOLUMES),
      GROUP,
      SOFTWARE: Number(this.#options.software),
    };
    const shading = { ...common, ESTIMATOR: ESTIMATOR[this.#options.estimator] };
    const ofClass = (name: ShadeClass): Promise<GPUComputePipeline> => {
      const constants = { ...shading, ...featureConstants(classFeatures(features, name)), CLASS: SHADE_CLASSES.indexOf(name) };
      return this.#pipeline('shade', 'shade', constants);
    };
    const classes = shadeClasses(features);
    const [shade, extend, shadow, misses, classify, compact, generate, finish] = await Promise.all([
      Promise.all(classes.map(ofClass)),
      this.#pipeline('extend', 'extend_rays', common),
      this.#pipeline('shadow', 'trace_shadows', common),
      this.#pipeline('shade', 'shade_misses', shading),
      this.#pipeline('sort', 'classify', { GROUP }),
      this.#pipeline('sort', 'compact', { GROUP }),
      this.#pipeline('ends', 'generate', common),
      this.#pipeline('ends', 'finish', common),
    ]);
    const named = new Map(classes.map((name, i) => [name, shade[i]!]));
    return { generate, finish, classify, compact, extend, shadow, misses, shade: named };
  }

  #pipeline(program: Program, entryPoint: string, constants: Readonly<Record<string, number>>): Promise<GPUComputePipeline> {
    const key = `${entryPoint} ${JSON.stringify(constants)}`;
    const known = this.#pipelines.get(key);
    if (known) return known;
    const compute = { module: this.#modules[program], entryPoint, constants };
    const made = this.#device.createComputePipelineAsync({ label: entryPoint, layout: this.#layouts[program], compute });
    this.#pipelines.set(key, made);
    return made;
  }
}

/** 'stage' is a uniform whose offset each dispatch gives. */
function bufferLayout(device: GPUDevice, label: string, kinds: readonly ('uniform' | 'storage' | 'stage')[]): GPUBindGroupLayout {
  const visibility = GPUShaderStage.COMPUTE;
  const buffer = (kind: (typeof kinds)[number]): GPUBufferBindingLayout =>
    kind === 'stage' ? { type: 'uniform', hasDynamicOffset: true } : { type: kind };
  return device.createBindGroupLayout({ label, entries: kinds.map((kind, binding) => ({ binding, visibility, buffer: buffer(kind) })) });
}
