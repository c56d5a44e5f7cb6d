/**
 * Which glTF extensions this compiler renders. A required one that it does not know refuses the
 * file by name; an optional one is dropped with a sentence.
 */
import { SceneError } from './compiled-scene.ts';
import type { GltfJson } from './gltf-json.ts';

/** The ratified name and the vendor name share one layout. */
export const MESHOPT_EXTENSIONS = ['EXT_meshopt_compression'] as const;

const RENDERED: ReadonlySet<string> = new Set([
  'KHR_draco_mesh_compression',
  'EXT_meshopt_compression',
  'KHR_mesh_quantization',
  'EXT_mesh_gpu_instancing',
  'KHR_texture_transform',
  'EXT_texture_webp',
  'KHR_lights_punctual',
  'KHR_node_visibility',
  'KHR_materials_emissive_strength',
  'KHR_materials_transmission',
  'KHR_materials_ior',
  'KHR_materials_volume',
  'KHR_materials_specular',
  'KHR_materials_clearcoat',
  'KHR_materials_sheen',
  'KHR_materials_unlit',
  'KHR_materials_pbrSpecularGlossiness',
]);

/** Carry facts about the file, not about its look: dropped without a word. */
const SILENT: ReadonlySet<string> = new Set(['KHR_xmp', 'KHR_xmp_json_ld']);

/**
 * @returns one sentence for each optional extension that is ignored.
 * @throws SceneError naming a required extension that is not supported.
 */
export function checkExtensions(json: GltfJson): string[] {
  for (const [i, name] of json.extensionsRequired.entries()) {
    if (RENDERED.has(name)) continue;
    throw new SceneError(
      `extensionsRequired[${i}]: the file cannot be shown without ${name}, which is not supported; export it without this extension.`,
    );
  }
  const ignored = new Set(json.extensionsUsed.filter((name) => !RENDERED.has(name) && !SILENT.has(name)));
  const warnings = [...ignored].map((name) => `The extension ${name} is not supported and was ignored.`);
  json.textures.forEach((texture, i) => {
    if (texture.source !== undefined || texture.extensions?.['EXT_texture_webp'] !== undefined) return;
    warnings.push(`textures[${i}] has no PNG, JPEG or WebP image and was left out.`);
  });
  return warnings;
}
