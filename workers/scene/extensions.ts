/**
 * Which glTF extensions this compiler renders. A required one that it does not know refuses the
 * file by name; an optional one is dropped with a sentence.
 */
import { SceneError } from './compiled-scene.ts';
import type { GltfJson } from './gltf-json.ts';

/** The ratified name and the vendor name share one layout. */
export const MESHOPT_EXTENSIONS = ['KHR_meshopt_compression', 'EXT_meshopt_compression'] as const;

/** Name a second image for a texture; the first one that is there is shown, the plain source is its fallback. */
export const TEXTURE_SOURCE_EXTENSIONS = ['KHR_texture_basisu', 'EXT_texture_avif', 'EXT_texture_webp'] as const;

const RENDERED: ReadonlySet<string> = new Set([
  'KHR_draco_mesh_compression',
  ...MESHOPT_EXTENSIONS,
  'KHR_mesh_quantization',
  'EXT_mesh_gpu_instancing',
  'KHR_texture_transform',
  ...TEXTURE_SOURCE_EXTENSIONS,
  'KHR_lights_punctual',
  'EXT_lights_ies',
  'EXT_lights_image_based',
  'KHR_animation_pointer',
  'KHR_node_visibility',
  'KHR_materials_anisotropy',
  'KHR_materials_clearcoat',
  'KHR_materials_diffuse_transmission',
  'KHR_materials_dispersion',
  'KHR_materials_emissive_strength',
  'KHR_materials_ior',
  'KHR_materials_iridescence',
  'KHR_materials_pbrSpecularGlossiness',
  'KHR_materials_sheen',
  'KHR_materials_specular',
  'KHR_materials_transmission',
  'KHR_materials_unlit',
  'KHR_materials_variants',
  'KHR_materials_volume',
]);

/** Carry facts about the file or how to handle it, not about its look: dropped without a word. */
const SILENT: ReadonlySet<string> = new Set(['KHR_xmp', 'KHR_xmp_json_ld', 'KHR_node_selectability', 'KHR_node_hoverability']);

/**
 * @returns one sentence for each optional extension that is ignored.
 * @throws SceneError naming a required extension that is not supported.
 */
export function checkExtensions(json: GltfJson): string[] {
  for (const [i, name] of json.extensionsRequired.entries()) {
    if (RENDERED.has(name) || SILENT.has(name)) continue;
    throw new SceneError(
      `extensionsRequired[${i}]: the file cannot be shown without ${name}, which is not supported; export it without this extension.`,
    );
  }
  const ignored = new Set(json.extensionsUsed.filter((name) => !RENDERED.has(name) && !SILENT.has(name)));
  const warnings = [...ignored].map((name) => `The extension ${name} is not supported and was ignored.`);
  json.textures.forEach((texture, i) => {
    const sources = [texture.source, ...TEXTURE_SOURCE_EXTENSIONS.map((name) => texture.extensions?.[name]?.['source'])];
    if (sources.some((source) => source !== undefined)) return;
    warnings.push(`textures[${i}] has no image in a format that can be read and was left out.`);
  });
  return warnings;
}
