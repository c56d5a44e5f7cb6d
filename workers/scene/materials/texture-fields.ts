/** Every texture of a glTF material: its field in the row, where it stands in the JSON, and when it counts. */
import type { Material } from '#shaders/layout.ts';
import type { Row } from '../rows.ts';
import type { JsonFields } from './json-fields.ts';

type MaterialRow = Row<(typeof Material)['fields']>;
type Field = keyof (typeof Material)['fields'];

export interface TextureField {
  readonly field: Field & `${string}_texture`;
  /** Object that holds it: an extension, a part of the material, or the material itself (''). */
  readonly holder: string;
  readonly key: string;
  readonly srgb: boolean;
  /** Factors it multiplies; where all of them are zero the texture is not loaded at all. */
  readonly factors: readonly Field[];
}

const PBR = 'pbrMetallicRoughness';
const GLOSS = 'KHR_materials_pbrSpecularGlossiness';
const extension = (name: string, rows: readonly (readonly [TextureField['field'], string, boolean, readonly Field[]])[]): TextureField[] =>
  rows.map(([field, key, srgb, factors]) => ({ field, holder: `KHR_materials_${name}`, key, srgb, factors }));

const BASE_COLOR: TextureField = { field: 'base_color_texture', holder: PBR, key: 'baseColorTexture', srgb: true, factors: [] };

const SHARED: readonly TextureField[] = [
  { field: 'normal_texture', holder: '', key: 'normalTexture', srgb: false, factors: ['normal_scale'] },
  { field: 'emissive_texture', holder: '', key: 'emissiveTexture', srgb: true, factors: ['emissive'] },
  ...extension('transmission', [['transmission_texture', 'transmissionTexture', false, ['transmission']]]),
  ...extension('clearcoat', [
    ['clearcoat_texture', 'clearcoatTexture', false, ['clearcoat']],
    ['clearcoat_roughness_texture', 'clearcoatRoughnessTexture', false, ['clearcoat']],
    ['clearcoat_normal_texture', 'clearcoatNormalTexture', false, ['clearcoat']],
  ]),
  ...extension('sheen', [
    ['sheen_color_texture', 'sheenColorTexture', true, ['sheen_color']],
    ['sheen_roughness_texture', 'sheenRoughnessTexture', false, ['sheen_color']],
  ]),
  ...extension('anisotropy', [['anisotropy_texture', 'anisotropyTexture', false, ['anisotropy']]]),
  ...extension('iridescence', [
    ['iridescence_texture', 'iridescenceTexture', false, ['iridescence']],
    ['iridescence_thickness_texture', 'iridescenceThicknessTexture', false, ['iridescence']],
  ]),
  ...extension('diffuse_transmission', [
    ['diffuse_transmission_texture', 'diffuseTransmissionTexture', false, ['diffuse_transmission']],
    ['diffuse_transmission_color_texture', 'diffuseTransmissionColorTexture', true, ['diffuse_transmission']],
  ]),
];

const METAL_ROUGH: readonly TextureField[] = [
  BASE_COLOR,
  { field: 'metal_rough_texture', holder: PBR, key: 'metallicRoughnessTexture', srgb: false, factors: ['metallic', 'roughness'] },
  ...extension('specular', [
    ['specular_texture', 'specularTexture', false, ['specular']],
    ['specular_color_texture', 'specularColorTexture', true, ['specular', 'specular_color']],
  ]),
  ...SHARED,
];

// One image holds F0 (sRGB) and the glossiness (alpha, which sRGB decoding leaves alone).
const SPECULAR_GLOSSINESS: readonly TextureField[] = [
  { field: 'base_color_texture', holder: GLOSS, key: 'diffuseTexture', srgb: true, factors: [] },
  { field: 'specular_texture', holder: GLOSS, key: 'specularGlossinessTexture', srgb: false, factors: [] },
  { field: 'specular_color_texture', holder: GLOSS, key: 'specularGlossinessTexture', srgb: true, factors: ['specular_color'] },
  ...SHARED,
];

export type Workflow = 'metal-rough' | 'specular-glossiness' | 'unlit';

const FIELDS: Readonly<Record<Workflow, readonly TextureField[]>> = {
  'metal-rough': METAL_ROUGH,
  'specular-glossiness': SPECULAR_GLOSSINESS,
  unlit: [BASE_COLOR],
};

export interface UsedTexture extends TextureField {
  readonly info: JsonFields;
}

/** The textures that a material with these factors samples. @throws SceneError for one that is no object. */
export function usedTextures(material: JsonFields, workflow: Workflow, row: MaterialRow): UsedTexture[] {
  return FIELDS[workflow].flatMap((texture): UsedTexture[] => {
    const { holder, key, factors } = texture;
    const from = holder === '' ? material : holder === PBR ? material.child(PBR) : material.extension(holder);
    const info = from.child(key);
    if (!info.present) return [];
    const counts = factors.length === 0 || factors.some((factor) => [row[factor] ?? 0].flat().some((value) => value !== 0));
    return counts ? [{ ...texture, info }] : [];
  });
}

/** Fields of Material that hold a texture, by where it stands; for pointers into its transform. */
export const TEXTURE_PLACES: readonly string[] = [
  ...new Set(
    [...METAL_ROUGH, ...SPECULAR_GLOSSINESS].map(({ holder, key }) =>
      holder === '' ? key : holder === PBR ? `${PBR}/${key}` : `extensions/${holder}/${key}`,
    ),
  ),
];
