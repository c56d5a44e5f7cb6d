/**
 * Which of the kernel's features a compiled scene uses: the override constants of
 * shaders/features.wgsl, by the same names. Read from the scene's own bytes, so that every peer
 * builds the same kernel for the same root.
 */
import type { CompiledScene } from '../scene/compiled-scene.ts';
import {
  BvhNode,
  Light,
  LIGHT_DIRECTIONAL,
  LIGHT_ENVIRONMENT,
  LIGHT_TRIANGLE,
  Material,
  MATERIAL_ALPHA_BLEND,
  MATERIAL_ALPHA_MASK,
  NODE_INSTANCE,
  NONE,
} from '#shaders/layout.ts';

export const FEATURES = [
  'SEE_THROUGH',
  'INSTANCED',
  'TRANSMISSIVE',
  'VOLUMES',
  'DISPERSIVE',
  'DIFFUSE_TRANSMISSIVE',
  'COATED',
  'SHEEN',
  'IRIDESCENT',
  'ANISOTROPIC',
  'LIGHT_TREE',
  'EMISSIVE',
  'PHOTOMETRIC',
  'VERTEX_EXTRAS',
  'GLOWING',
  'ENVIRONMENT',
  'PUNCTUAL',
  'TEXTURED',
  'TEXTURED_BASE',
  'TEXTURED_METAL_ROUGH',
  'TEXTURED_EMISSIVE',
  'TEXTURED_NORMAL',
  'TEXTURED_EXTENSIONS',
] as const;
export type Feature = (typeof FEATURES)[number];
export type Features = Readonly<Record<Feature, boolean>>;

/** A scene of opaque metallic-roughness materials: what a device is probed with. */
export const PLAIN = Object.fromEntries(FEATURES.map((name) => [name, false])) as Features;

/** One key per combination, for maps of pipelines. */
export const featuresKey = (features: Features): string => FEATURES.filter((name) => features[name]).join('+');

type MaterialField = keyof typeof Material.offsets;
const TEXTURE_FIELDS = (Object.keys(Material.offsets) as MaterialField[]).filter((name) => name.endsWith('_texture'));
/** Of glTF itself; the others are of extensions. */
const CORE_TEXTURES: readonly MaterialField[] = ['base_color_texture', 'metal_rough_texture', 'emissive_texture', 'normal_texture'];

/** What one material asks of a kernel. @param row byte offset of its Material. */
export function materialFeatures(materials: DataView, row: number): Partial<Features> {
  const at = Material.offsets;
  const f = (offset: number): number => materials.getFloat32(row + offset, true);
  const flags = materials.getUint32(row + at.flags, true);
  const textured = (name: keyof typeof at): boolean => materials.getUint32(row + at[name], true) !== NONE;
  const transmits = f(at.transmission) > 0;
  const scatters = f(at.diffuse_transmission) > 0;
  return {
    SEE_THROUGH: (flags & (MATERIAL_ALPHA_MASK | MATERIAL_ALPHA_BLEND)) !== 0,
    TRANSMISSIVE: transmits,
    VOLUMES: (transmits || scatters) && f(at.thickness) > 0,
    DISPERSIVE: transmits && f(at.thickness) > 0 && f(at.dispersion) > 0,
    DIFFUSE_TRANSMISSIVE: scatters,
    COATED: f(at.clearcoat) > 0,
    SHEEN: f(at.sheen_color) > 0 || f(at.sheen_color + 4) > 0 || f(at.sheen_color + 8) > 0,
    IRIDESCENT: f(at.iridescence) > 0,
    ANISOTROPIC: f(at.anisotropy) !== 0,
    GLOWING: f(at.emissive) > 0 || f(at.emissive + 4) > 0 || f(at.emissive + 8) > 0,
    TEXTURED: TEXTURE_FIELDS.some(textured),
    TEXTURED_BASE: textured('base_color_texture'),
    TEXTURED_METAL_ROUGH: textured('metal_rough_texture'),
    TEXTURED_EMISSIVE: textured('emissive_texture'),
    TEXTURED_NORMAL: textured('normal_texture'),
    TEXTURED_EXTENSIONS: TEXTURE_FIELDS.some((name) => !CORE_TEXTURES.includes(name) && textured(name)),
  };
}

/** What decides about the kernel; a compiled scene is such, and so is what is known of one before its images are. */
export type FeatureSources = Pick<CompiledScene, 'materials' | 'nodes' | 'extras'> & {
  readonly lights: LightKinds;
  /** The surroundings shine. */
  readonly surrounded: boolean;
};

export const sceneFeatures = (scene: CompiledScene): Features =>
  featuresOf({ ...scene, lights: lightKinds(scene.lights), surrounded: scene.environment.texels.some((value) => value !== 0) });

export function featuresOf(scene: FeatureSources): Features {
  const found = { ...PLAIN } as Record<Feature, boolean>;
  const view = new DataView(scene.materials.buffer, scene.materials.byteOffset, scene.materials.byteLength);
  for (let row = 0; row < view.byteLength; row += Material.size) {
    const of = materialFeatures(view, row);
    for (const name of FEATURES) found[name] ||= of[name] === true;
  }
  found.INSTANCED = hasInstances(scene.nodes);
  const { placed, emissive, photometric, punctual } = scene.lights;
  found.LIGHT_TREE = placed > 1;
  found.EMISSIVE = emissive > 0;
  found.PHOTOMETRIC = photometric > 0;
  found.PUNCTUAL = punctual > 0;
  found.ENVIRONMENT = scene.surrounded;
  found.VERTEX_EXTRAS = scene.extras.byteLength > 0;
  return found;
}

function hasInstances(nodes: Uint8Array<ArrayBuffer>): boolean {
  const words = new Uint32Array(nodes.buffer, nodes.byteOffset, nodes.byteLength / 4);
  const [left, right] = [BvhNode.offsets.left_count / 4, BvhNode.offsets.right_count / 4];
  for (let at = 0; at < words.length; at += BvhNode.size / 4) {
    if (((words[at + left]! | words[at + right]!) & NODE_INSTANCE) !== 0) return true;
  }
  return false;
}

/** How many lights have a place, are triangles, have a photometric profile. */
export interface LightKinds {
  readonly placed: number;
  readonly emissive: number;
  readonly photometric: number;
  /** Points, spots and lights far away. */
  readonly punctual: number;
}

export function lightKinds(lights: Uint8Array<ArrayBuffer>): LightKinds {
  const view = new DataView(lights.buffer, lights.byteOffset, lights.byteLength);
  let [placed, emissive, photometric, punctual] = [0, 0, 0, 0];
  for (let row = 0; row < view.byteLength; row += Light.size) {
    const kind = view.getUint32(row + Light.offsets.kind, true);
    if (kind !== LIGHT_DIRECTIONAL && kind !== LIGHT_ENVIRONMENT) placed += 1;
    if (kind === LIGHT_TRIANGLE) emissive += 1;
    else if (kind !== LIGHT_ENVIRONMENT) punctual += 1;
    if (view.getUint32(row + Light.offsets.profile, true) !== NONE) photometric += 1;
  }
  return { placed, emissive, photometric, punctual };
}
