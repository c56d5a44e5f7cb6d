/**
 * glTF materials to Material rows, and the images and samplers they use to TextureUse rows: the core
 * model, every KHR_materials extension of shaders/layout.ts and the archived specular-glossiness
 * model. Reads the posed JSON, so that animated factors arrive like still ones; decodes no image.
 */
import { Material, NONE } from '#shaders/layout.ts';
import { SceneError } from './compiled-scene.ts';
import type { GltfJson } from './gltf-json.ts';
import { readFactors, workflowOf, type MaterialRow } from './materials/factors.ts';
import { JsonFields } from './materials/json-fields.ts';
import { usedTextures, type UsedTexture } from './materials/texture-fields.ts';
import { chooseUvSets, SlotTable, texCoordOf, type TextureSlot, type UvSets } from './materials/texture-slots.ts';

export type { TextureSlot, UvSets } from './materials/texture-slots.ts';

export interface CompiledMaterial {
  readonly row: MaterialRow;
  readonly emissive: readonly [number, number, number];
  readonly emissiveTexture: number;
  readonly doubleSided: boolean;
  /** TEXCOORD sets of the file that vertices carry as uv0 and uv1. */
  readonly uvSets: UvSets;
  /** Which of the two the tangents follow; null: none are needed. */
  readonly tangentUv: 0 | 1 | null;
}

export interface MaterialSet {
  /** Materials of the file, then glTF's default material. */
  readonly materials: readonly CompiledMaterial[];
  readonly slots: readonly TextureSlot[];
  readonly warnings: readonly string[];
}

/** What every row starts from: no textures, and factors that are not zero by default. */
export const PLAIN_MATERIAL: MaterialRow = {
  clearcoat_normal_scale: 1,
  iridescence_ior: 1.3,
  iridescence_thickness_min: 100,
  iridescence_thickness_max: 400,
  diffuse_transmission_color: [1, 1, 1],
  specular: 1,
  specular_color: [1, 1, 1],
  anisotropy_direction: [1, 0],
  ...Object.fromEntries(
    Object.keys(Material.fields)
      .filter((name) => name.endsWith('_texture'))
      .map((name) => [name, NONE]),
  ),
};

/** @throws SceneError naming the path of a field of the wrong type. */
export function compileMaterials(json: GltfJson): MaterialSet {
  const slots = new SlotTable(json);
  const warnings = new Set<string>();
  const materials = [...json.materials, {}].map((material, i) =>
    compileMaterial(new JsonFields(material, `materials[${i}]`, warnings), `materials[${i}]`, slots, warnings),
  );
  return { materials, slots: slots.rows, warnings: [...warnings] };
}

const isFiniteF32 = (value: number): boolean => Number.isFinite(Math.fround(value));
const fitsF32 = (value: number | readonly number[] | undefined): boolean =>
  typeof value === 'number' ? isFiniteF32(value) : value !== undefined && value.every(isFiniteF32);

function compileMaterial(m: JsonFields, path: string, slots: SlotTable, warnings: Set<string>): CompiledMaterial {
  const workflow = workflowOf(m);
  const factors = { ...PLAIN_MATERIAL, ...readFactors(m, workflow) };
  const textures = usedTextures(m, workflow, factors);
  const uvSets = chooseUvSets(
    textures.map(({ info }) => texCoordOf(info)),
    (used, [first, second]) =>
      warnings.add(
        `${path}: its textures use the texture coordinates ${used.join(', ')}, of which ${first} and ${second} are read; the others use ${first}.`,
      ),
  );
  const used = textures.map(({ field, info, srgb }) => [field, slots.use(info, srgb, uvSets)]);
  const row: MaterialRow = used.length === 0 ? factors : { ...factors, ...Object.fromEntries(used) };
  const wrong = Object.entries(row).find(([, value]) => !fitsF32(value));
  if (wrong) throw new SceneError(`${path}: its ${wrong[0].replaceAll('_', ' ')} is not a number that can be used; export the file again.`);
  return {
    row,
    emissive: (row.emissive ?? [0, 0, 0]) as readonly [number, number, number],
    emissiveTexture: row.emissive_texture as number,
    doubleSided: m.flag('doubleSided'),
    uvSets,
    tangentUv: tangentSlot(textures, row, uvSets),
  };
}

/**
 * Where a mesh has no tangents, they follow the coordinates of the normal texture (glTF 2.0, section
 * 3.7.2.1); of the clearcoat's where it has none, and what is anisotropic without either follows its
 * own texture or the first set.
 */
function tangentSlot(textures: readonly UsedTexture[], row: MaterialRow, sets: UvSets): 0 | 1 | null {
  for (const field of ['normal_texture', 'clearcoat_normal_texture', 'anisotropy_texture'] as const) {
    const info = textures.find((texture) => texture.field === field)?.info;
    if (info) return texCoordOf(info) === sets[1] ? 1 : 0;
  }
  return (row.anisotropy as number) > 0 ? 0 : null;
}
