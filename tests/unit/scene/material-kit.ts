/** One material compiled from its JSON, in a file of eight textures. */
import { parseGltfJson } from '#workers/scene/gltf-json.ts';
import { compileMaterials, type CompiledMaterial } from '#workers/scene/materials.ts';

export type Json = Record<string, unknown>;

/** Texture i of the file shows image i; samplers 0 and 1 are plain and odd. */
export function compiled(material: Json, textures: readonly Json[] = Array.from({ length: 8 }, (_, source) => ({ source }))) {
  const json = parseGltfJson({
    asset: { version: '2.0' },
    images: Array.from({ length: 8 }, () => ({ uri: 'data:,' })),
    samplers: [{}, { wrapS: 33071, wrapT: 33648, magFilter: 9728 }],
    textures,
    materials: [material],
  });
  const set = compileMaterials(json);
  const first = set.materials[0] as CompiledMaterial;
  return { ...set, first, row: first.row as Readonly<Record<string, number | readonly number[]>> };
}

export const extension = (name: string, body: Json): Json => ({ extensions: { [`KHR_materials_${name}`]: body } });
