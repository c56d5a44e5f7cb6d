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
  const wanted = parse(Root, json.extensions?.[NAME], `extensions.${NAME}`).variants.findIndex((variant) => variant.name === name);
  const meshes = json.meshes.map((mesh, m) => ({
    ...mesh,
    primitives: mesh.primitives.map((primitive, p) => {
      const extension: unknown = primitive.extensions?.[NAME];
      if (extension === undefined) return primitive;
      const path = `meshes[${m}].primitives[${p}].extensions.${NAME}`;
      const { mappings } = parse(OfPrimitive, extension, path);
      const found = mappings.findIndex(({ variants }) => variants.includes(wanted));
      if (found < 0) return primitive;
      const { material } = mappings[found] as (typeof mappings)[number];
      if (material < json.materials.length) return { ...primitive, material };
      throw new SceneError(
        `${path}.mappings[${found}].material: index ${material} is out of range, the file has ${json.materials.length} materials; export the file again.`,
      );
    }),
  }));
  return { ...json, meshes };
}

const NAMES_LISTED_MAX = 8;

function list(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_LISTED_MAX).map((name) => `"${name.slice(0, 40)}"`);
  return shown.join(', ') + (names.length > shown.length ? ` and ${names.length - shown.length} more` : '');
}

function parse<T extends v.GenericSchema>(schema: T, value: unknown, path: string): v.InferOutput<T> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const inside = jsonPath(issue.path?.map((item) => item.key) ?? []);
  throw new SceneError(`${path}${inside && `.${inside}`}: expected ${complaint(issue)}; export the file again.`);
}

/** The library's own words are for programmers: it has them where a field is missing or no wording was given. */
function complaint({ message, received }: { readonly message: string; readonly received: string }): string {
  if (!message.startsWith('Invalid')) return message;
  return received === 'undefined' ? 'a value, found nothing' : `another value than ${received}`;
}
