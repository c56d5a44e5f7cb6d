/**
 * KHR_materials_variants: puts the materials of one variant in place of the primitives' own, before
 * anything else reads the document. A primitive that the variant does not mention keeps its own.
 */
import * as v from 'valibot';
import { SceneError } from './compiled-scene.ts';
import { jsonPath, type GltfJson } from './gltf-json.ts';

const NAME = 'KHR_materials_variants';
const index = v.pipe(v.number('a whole number'), v.safeInteger('a whole number'), v.minValue(0, 'a whole number of 0 or more'));
const Root = v.looseObject({ variants: v.array(v.looseObject({ name: v.string('a text') }, 'an object'), 'a list') });
const OfPrimitive = v.looseObject({
  mappings: v.array(v.looseObject({ variants: v.array(index, 'a list'), material: index }, 'an object'), 'a list'),
});

/** Names in file order; a name that is there twice means its first variant. @throws SceneError when the list is malformed. */
export function variantNames(json: GltfJson): readonly string[] {
  const root: unknown = json.extensions?.[NAME];
  return root === undefined ? [] : [...new Set(parse(Root, root, `extensions.${NAME}`).variants.map(({ name }) => name))];
}

/** @param name null: the materials as they are. @throws SceneError for a name that the file does not have, or a malformed mapping. */
export function applyVariant(json: GltfJson, name: string | null): GltfJson {
  const names = variantNames(json);
  if (name === null) return json;
  if (!names.includes(name)) {
    const known = names.length === 0 ? 'the file has none' : `there are ${list(names)}`;
    throw new SceneError(`There is no material variant "${name.slice(0, 60)}"; ${known}.`);
  }
  function wanted({ message, received }: { readonly message: string; readonly received: string }): string {
  if (!message.startsWith('Invalid')) return message;
  return received === 'undefined' ? 'a value, found nothing' : `another value than ${received}`;
}
