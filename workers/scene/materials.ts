/**
 * glTF materials to Material rows, and the images and samplers they use to TextureUse rows. Reads
 * metallic-roughness, the KHR_materials extensions that the kernels know, and the archived
 * specular-glossiness model by its nearest metallic-roughness neighbour. Everything else of a
 * material is named in a warning.
 */
import type { Document, Material as GltfMaterial, Texture, TextureInfo } from '@gltf-transform/core';
import type {
  Clearcoat,
  EmissiveStrength,
  IOR,
  PBRSpecularGlossiness,
  Sheen,
  Specular,
  Transform,
  Transmission,
  Volume,
} from '@gltf-transform/extensions';
import {
  Material,
  MATERIAL_ALPHA_BLEND,
  MATERIAL_ALPHA_MASK,
  MATERIAL_DOUBLE_SIDED,
  MATERIAL_UNLIT,
  NONE,
  TEXTURE_NEAREST,
  TEXTURE_SRGB,
  TEXTURE_UV1,
  WRAP_CLAMP,
  WRAP_MIRROR,
  WRAP_REPEAT,
} from '#shaders/layout.ts';
import { SceneError } from './compiled-scene.ts';
import { cos, ln, sin } from './exact-math.ts';
import type { Row } from './rows.ts';

/** One way of sampling one image; rows are shared between slots and materials that agree. */
export interface TextureSlot {
  /** Index in the file's images. */
  readonly image: number;
  readonly flags: number;
  readonly transformU: readonly [number, number, number, number];
  readonly transformV: readonly [number, number, number, number];
}

export interface CompiledMaterial {
  readonly row: Row<(typeof Material)['fields']>;
  readonly emissive: readonly [number, number, number];
  readonly emissiveTexture: number;
  readonly doubleSided: boolean;
  readonly tangentUv: 0 | 1 | null;
}

export interface MaterialSet {
  /** Materials of the file, then glTF's default material. */
  readonly materials: readonly CompiledMaterial[];
  readonly slots: readonly TextureSlot[];
  readonly warnings: readonly string[];
}

/** What every row starts from: no textures, and factors that are not zero by default. */
export const PLAIN_MATERIAL: CompiledMaterial['row'] = {
  clearcoat_normal_scale: 1,
  iridescence_ior: 1.3,
  iridescence_thickness_min: 100,
  iridescence_thickness_max: 400,
  diffuse_transmission_color: [1, 1, 1],
  anisotropy_direction: [1, 0],
  ...Object.fromEntries(
    Object.keys(Material.fields)
      .filter((name) => name.endsWith('_texture'))
      .map((name) => [name, NONE]),
  ),
};

/** A colour channel of 0 would absorb infinitely; this one leaves a millionth per unit distance. */
const ATTENUATION_COLOR_MIN = 1e-6;

export function compileMaterials(document: Document): MaterialSet {
  const slots = new SlotTable(document.getRoot().listTextures());
  const warnings = new Set<string>();
  const materials = document
    .getRoot()
    .listMaterials()
    .map((material, i) => {
      const compiled = compileMaterial(material, slots, warnings);
      const wrong = Object.entries(compiled.row).find(([, value]) => ![value].flat().every(fitsF32));
      if (wrong)
        throw new SceneError(
          `materials[${i}]: its ${wrong[0].replaceAll('_', ' ')} is not a number that can be used; export the file again.`,
        );
      return compiled;
    });
  materials.push(compileMaterial(document.createMaterial(), slots, warnings));
  return { materials, slots: slots.rows, warnings: [...warnings] };
}

const fitsF32 = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(Math.fround(value));

class SlotTable {
  readonly rows: TextureSlot[] = [];
  readonly #images: ReadonlyMap<Texture, number>;
  readonly #known = new Map<string, number>();

  constructor(textures: readonly Texture[]) {
    this.#images = new Map(textures.map((texture, i) => [texture, i]));
  }

  /** @returns the TextureUse row, NONE without a texture. */
  use(texture: Texture | null, info: TextureInfo | null, srgb: boolean): number {
    const image = texture ? this.#images.get(texture) : undefined;
    if (image === undefined || !info) return NONE;
    const transform = info.getExtension<Transform>('KHR_texture_transform');
    const [ox, oy] = transform?.getOffset() ?? [0, 0];
    const [sx, sy] = transform?.getScale() ?? [1, 1];
    const angle = transform?.getRotation() ?? 0;
    const [c, s] = [cos(angle), sin(angle)];
    const texCoord = texCoordOf(info);
    const flags =
      wrapMode(info.getWrapS()) |
      (wrapMode(info.getWrapT()) << 2) |
      (info.getMagFilter() === 9728 ? TEXTURE_NEAREST : 0) |
      (texCoord === 1 ? TEXTURE_UV1 : 0) |
      (srgb ? TEXTURE_SRGB : 0);
    const slot: TextureSlot = { image, flags, transformU: [c * sx, s * sy, ox, 0], transformV: [0 - s * sx, c * sy, oy, 0] };
    const key = JSON.stringify(slot);
    const known = this.#known.get(key) ?? this.rows.push(slot) - 1;
    this.#known.set(key, known);
    return known;
  }
}

const texCoordOf = (info: TextureInfo | null): number =>
  info?.getExtension<Transform>('KHR_texture_transform')?.getTexCoord() ?? info?.getTexCoord() ?? 0;

const wrapMode = (mode: number): number => (mode === 33071 ? WRAP_CLAMP : mode === 33648 ? WRAP_MIRROR : WRAP_REPEAT);

function compileMaterial(m: GltfMaterial, slots: SlotTable, warnings: Set<string>): CompiledMaterial {
  const strength = m.getExtension<EmissiveStrength>('KHR_materials_emissive_strength')?.getEmissiveStrength() ?? 1;
  const emissive = m.getEmissiveFactor().map((value) => value * strength) as [number, number, number];
  const transmission = m.getExtension<Transmission>('KHR_materials_transmission');
  const volume = m.getExtension<Volume>('KHR_materials_volume');
  const clearcoat = m.getExtension<Clearcoat>('KHR_materials_clearcoat');
  const sheen = m.getExtension<Sheen>('KHR_materials_sheen');
  const specular = m.getExtension<Specular>('KHR_materials_specular');
  const mode = m.getAlphaMode();
  const emissiveTexture = slots.use(m.getEmissiveTexture(), m.getEmissiveTextureInfo(), true);
  const normalUv = texCoordOf(m.getNormalTextureInfo());
  warnUnused(m, { clearcoat, sheen, specular, volume }, warnings);
  const row: CompiledMaterial['row'] = {
    ...PLAIN_MATERIAL,
    base_color: m.getBaseColorFactor(),
    emissive,
    flags:
      (m.getDoubleSided() ? MATERIAL_DOUBLE_SIDED : 0) |
      (m.getExtension('KHR_materials_unlit') ? MATERIAL_UNLIT : 0) |
      (mode === 'MASK' ? MATERIAL_ALPHA_MASK : 0) |
      (mode === 'BLEND' ? MATERIAL_ALPHA_BLEND : 0),
    metallic: m.getMetallicFactor(),
    roughness: m.getRoughnessFactor(),
    ior: m.getExtension<IOR>('KHR_materials_ior')?.getIOR() ?? 1.5,
    alpha_cutoff: m.getAlphaCutoff(),
    transmission: transmission?.getTransmissionFactor() ?? 0,
    thickness: volume?.getThicknessFactor() ?? 0,
    normal_scale: m.getNormalScale(),
    specular: specular?.getSpecularFactor() ?? 1,
    attenuation: absorption(volume),
    clearcoat: clearcoat?.getClearcoatFactor() ?? 0,
    specular_color: specular?.getSpecularColorFactor() ?? [1, 1, 1],
    clearcoat_roughness: clearcoat?.getClearcoatRoughnessFactor() ?? 0,
    sheen_color: sheen?.getSheenColorFactor() ?? [0, 0, 0],
    sheen_roughness: sheen?.getSheenRoughnessFactor() ?? 0,
    base_color_texture: slots.use(m.getBaseColorTexture(), m.getBaseColorTextureInfo(), true),
    metal_rough_texture: slots.use(m.getMetallicRoughnessTexture(), m.getMetallicRoughnessTextureInfo(), false),
    normal_texture: slots.use(m.getNormalTexture(), m.getNormalTextureInfo(), false),
    emissive_texture: emissiveTexture,
    transmission_texture: slots.use(
      transmission?.getTransmissionTexture() ?? null,
      transmission?.getTransmissionTextureInfo() ?? null,
      false,
    ),
  };
  const glossy = m.getExtension<PBRSpecularGlossiness>('KHR_materials_pbrSpecularGlossiness');
  return {
    row: glossy ? { ...row, ...fromSpecularGlossiness(glossy, slots) } : row,
    emissive,
    emissiveTexture,
    doubleSided: m.getDoubleSided(),
    tangentUv: m.getNormalTexture() ? (normalUv === 1 ? 1 : 0) : null,
  };
}

/** -ln(attenuationColor) / attenuationDistance, per world unit (KHR_materials_volume). */
function absorption(volume: Volume | null): readonly [number, number, number] {
  const distance = volume?.getAttenuationDistance() ?? Infinity;
  if (!volume || !(distance > 0) || distance === Infinity) return [0, 0, 0];
  const [r, g, b] = volume.getAttenuationColor().map((c) => -ln(Math.min(1, Math.max(ATTENUATION_COLOR_MIN, c))) / distance);
  return [r ?? 0, g ?? 0, b ?? 0];
}

/** A dielectric of the same diffuse colour whose F0 is the specular colour (0.04 × 25 of it). */
function fromSpecularGlossiness(glossy: PBRSpecularGlossiness, slots: SlotTable): CompiledMaterial['row'] {
  return {
    base_color: glossy.getDiffuseFactor(),
    base_color_texture: slots.use(glossy.getDiffuseTexture(), glossy.getDiffuseTextureInfo(), true),
    metallic: 0,
    metal_rough_texture: NONE,
    roughness: 1 - glossy.getGlossinessFactor(),
    specular_color: glossy.getSpecularFactor().map((f0) => f0 / 0.04),
  };
}

interface Extras {
  readonly clearcoat: Clearcoat | null;
  readonly sheen: Sheen | null;
  readonly specular: Specular | null;
  readonly volume: Volume | null;
}

/** What of a material the kernels do not read; one sentence per kind, whatever the count. */
function warnUnused(m: GltfMaterial, { clearcoat, sheen, specular, volume }: Extras, warnings: Set<string>): void {
  const unused: readonly (readonly [string, unknown])[] = [
    ['clearcoat', clearcoat?.getClearcoatTexture()],
    ['clearcoat roughness', clearcoat?.getClearcoatRoughnessTexture()],
    ['clearcoat normal', clearcoat?.getClearcoatNormalTexture()],
    ['sheen colour', sheen?.getSheenColorTexture()],
    ['sheen roughness', sheen?.getSheenRoughnessTexture()],
    ['specular', specular?.getSpecularTexture()],
    ['specular colour', specular?.getSpecularColorTexture()],
    ['thickness', volume?.getThicknessTexture()],
  ];
  const infos = [m.getBaseColorTextureInfo(), m.getNormalTextureInfo(), m.getEmissiveTextureInfo(), m.getMetallicRoughnessTextureInfo()];
  if (infos.some((info) => texCoordOf(info) > 1))
    warnings.add('Only TEXCOORD_0 and TEXCOORD_1 are read; textures on other sets use TEXCOORD_0.');
  for (const [what, texture] of unused) {
    if (texture) warnings.add(`Textures of the ${what} are not read; the factor of the material is used alone.`);
  }
  if (m.getExtension('KHR_materials_pbrSpecularGlossiness')) {
    warnings.add('Specular-glossiness materials are shown by the nearest metallic-roughness material, without their specular textures.');
  }
}
