/**
 * Bind group 0 of every kernel that knows the scene: frame, sections and textures at the places of
 * shaders/scene/bindings.wgsl. Kernels that only trace leave out the lights, so that all fit eight
 * storage buffers beside what else they bind.
 */
import type { Tree } from '#shaders/index.ts';
import type { SceneBuffers } from './scene-buffers.ts';

export type ScenePart = 'all' | 'tracing';

const LIGHTS = 7;
const TEXTURES: readonly GPUTextureBindingLayout[] = [
  { sampleType: 'uint', viewDimension: '2d-array' },
  { sampleType: 'unfilterable-float' },
  { sampleType: 'uint' },
  { sampleType: 'uint' },
  { sampleType: 'unfilterable-float' },
  { sampleType: 'unfilterable-float', viewDimension: '2d-array' },
];

/** Of the wide tree and the triangles it holds, where rays read them from textures. */
const TREE_TEXELS: GPUTextureBindingLayout = { sampleType: 'uint' };

const holds = (part: ScenePart, binding: number): boolean => part === 'all' || binding !== LIGHTS;

export class SceneLayout {
  readonly layout: GPUBindGroupLayout;
  readonly #device: GPUDevice;
  readonly #part: ScenePart;
  /** By frame buffer, of which each lane has one. */
  readonly #groups = new WeakMap<GPUBuffer, WeakMap<SceneBuffers, GPUBindGroup>>();

  constructor(device: GPUDevice, part: ScenePart, tree: Tree) {
    const visibility = GPUShaderStage.COMPUTE;
    const inTexels = tree === 'wide-texels';
    const sections = Array.from({ length: LIGHTS }, (_, i) => ({
      binding: i + 1,
      visibility,
      ...(inTexels && i === 0 ? { texture: TREE_TEXELS } : { buffer: { type: 'read-only-storage' as const } }),
    }));
    const textures = [...TEXTURES, ...(inTexels ? [TREE_TEXELS] : [])].map((texture, i) => ({
      binding: LIGHTS + 1 + i,
      visibility,
      texture,
    }));
    const entries = [{ binding: 0, visibility, buffer: { type: 'uniform' as const } }, ...sections, ...textures];
    this.#device = device;
    this.#part = part;
    this.layout = device.createBindGroupLayout({ label: `scene, ${part}`, entries: entries.filter(({ binding }) => holds(part, binding)) });
  }

  /** The same group for the same lane and scene. */
  bind(frame: GPUBuffer, scene: SceneBuffers): GPUBindGroup {
    let ofFrame = this.#groups.get(frame);
    if (!ofFrame) this.#groups.set(frame, (ofFrame = new WeakMap()));
    let group = ofFrame.get(scene);
    if (group) return group;
    const resources: GPUBindingResource[] = [{ buffer: frame }, ...scene.resources];
    const entries = resources.map((resource, binding) => ({ binding, resource })).filter(({ binding }) => holds(this.#part, binding));
    group = this.#device.createBindGroup({ label: `scene, ${this.#part}`, layout: this.layout, entries });
    ofFrame.set(scene, group);
    return group;
  }
}
