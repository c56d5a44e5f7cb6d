/**
 * The shape of a glTF 2.0 document as far as this compiler reads it, and nothing about whether its
 * numbers fit together (that is preflight.ts). A field of the wrong type is reported by its JSON
 * path. Unknown fields pass, as the specification asks.
 */
import * as v from 'valibot';
import { SceneError } from './compiled-scene.ts';

const index = v.pipe(
  v.number('a whole number of 0 or more'),
  v.safeInteger('a whole number'),
  v.minValue(0, 'a whole number of 0 or more'),
);
const size = v.pipe(v.number('a whole number of 1 or more'), v.safeInteger('a whole number'), v.minValue(1, 'a whole number of 1 or more'));
const finite = v.pipe(v.number('a number'), v.finite('a finite number'));
const tuple = (n: number) => v.pipe(v.array(finite, `a list of ${n} numbers`), v.length(n, `a list of ${n} numbers`));
const name = v.optional(v.string('a text'));
const extensions = v.optional(v.record(v.string(), v.looseObject({}, 'an object'), 'an object'));
const list = <T extends v.GenericSchema>(item: T) => v.optional(v.array(item, 'a list'), []);

const textureInfo = v.optional(v.looseObject({ index, texCoord: v.optional(index), extensions }, 'an object'));

const bufferView = v.looseObject({
  buffer: index,
  byteOffset: v.optional(index, 0),
  byteLength: size,
  byteStride: v.optional(v.pipe(size, v.maxValue(252, 'at most 252'))),
  extensions,
});

const accessor = v.looseObject({
  bufferView: v.optional(index),
  byteOffset: v.optional(index, 0),
  componentType: v.picklist([5120, 5121, 5122, 5123, 5125, 5126], 'one of 5120, 5121, 5122, 5123, 5125 and 5126'),
  normalized: v.optional(v.boolean('true or false')),
  count: size,
  type: v.picklist(['SCALAR', 'VEC2', 'VEC3', 'VEC4', 'MAT2', 'MAT3', 'MAT4'], 'an accessor type of glTF such as "VEC3"'),
  sparse: v.optional(
    v.looseObject({
      count: size,
      indices: v.looseObject({
        bufferView: index,
        byteOffset: v.optional(index, 0),
        componentType: v.picklist([5121, 5123, 5125], 'one of 5121, 5123 and 5125'),
      }),
      values: v.looseObject({ bufferView: index, byteOffset: v.optional(index, 0) }),
    }),
  ),
});

const attributes = v.record(v.string(), index, 'an object');
const primitive = v.looseObject({
  attributes,
  indices: v.optional(index),
  material: v.optional(index),
  mode: v.optional(v.pipe(index, v.maxValue(6, 'a primitive mode from 0 to 6')), 4),
  targets: list(attributes),
  extensions,
});

const node = v.looseObject({
  name,
  children: list(index),
  mesh: v.optional(index),
  skin: v.optional(index),
  camera: v.optional(index),
  matrix: v.optional(tuple(16)),
  translation: v.optional(tuple(3)),
  rotation: v.optional(tuple(4)),
  scale: v.optional(tuple(3)),
  weights: v.optional(v.array(finite, 'a list of numbers')),
  extensions,
});

const animation = v.looseObject({
  channels: v.array(
    v.looseObject({
      sampler: index,
      target: v.looseObject({ node: v.optional(index), path: v.string('a text'), extensions }, 'an object'),
    }),
    'a list',
  ),
  samplers: v.array(
    v.looseObject({
      input: index,
      output: index,
      interpolation: v.optional(v.picklist(['LINEAR', 'STEP', 'CUBICSPLINE'], 'LINEAR, STEP or CUBICSPLINE'), 'LINEAR'),
    }),
    'a list',
  ),
});

const factor = v.optional(finite);
const material = v.looseObject({
  name,
  pbrMetallicRoughness: v.optional(
    v.looseObject(
      {
        baseColorFactor: v.optional(tuple(4)),
        metallicFactor: factor,
        roughnessFactor: factor,
        baseColorTexture: textureInfo,
        metallicRoughnessTexture: textureInfo,
      },
      'an object',
    ),
  ),
  normalTexture: textureInfo,
  occlusionTexture: textureInfo,
  emissiveTexture: textureInfo,
  emissiveFactor: v.optional(tuple(3)),
  alphaMode: v.optional(v.picklist(['OPAQUE', 'MASK', 'BLEND'], 'OPAQUE, MASK or BLEND')),
  alphaCutoff: factor,
  doubleSided: v.optional(v.boolean('true or false')),
  extensions,
});

const camera = v.looseObject({
  name,
  type: v.string('a text'),
  perspective: v.optional(v.looseObject({ yfov: v.pipe(finite, v.gtValue(0, 'an angle above 0'), v.ltValue(3.14, 'an angle below π')) })),
  orthographic: v.optional(v.looseObject({ xmag: finite, ymag: finite })),
});

const GltfSchema = v.looseObject(
  {
    asset: v.looseObject({ version: v.string('a text'), minVersion: v.optional(v.string('a text')) }, 'an object'),
    extensionsUsed: list(v.string('a text')),
    extensionsRequired: list(v.string('a text')),
    extensions,
    buffers: list(v.looseObject({ uri: v.optional(v.string('a text')), byteLength: size, extensions })),
    bufferViews: list(bufferView),
    accessors: list(accessor),
    images: list(
      v.looseObject({ name, uri: v.optional(v.string('a text')), mimeType: v.optional(v.string('a text')), bufferView: v.optional(index) }),
    ),
    samplers: list(
      v.looseObject({ magFilter: v.optional(index), minFilter: v.optional(index), wrapS: v.optional(index), wrapT: v.optional(index) }),
    ),
    textures: list(v.looseObject({ sampler: v.optional(index), source: v.optional(index), extensions })),
    materials: list(material),
    meshes: list(
      v.looseObject({ name, primitives: v.array(primitive, 'a list'), weights: v.optional(v.array(finite, 'a list of numbers')) }),
    ),
    skins: list(v.looseObject({ inverseBindMatrices: v.optional(index), joints: v.array(index, 'a list') })),
    cameras: list(camera),
    animations: list(animation),
    nodes: list(node),
    scenes: list(v.looseObject({ nodes: list(index) })),
    scene: v.optional(index),
  },
  'a glTF document, which is a JSON object',
);

export type GltfJson = v.InferOutput<typeof GltfSchema>;
export type GltfNode = GltfJson['nodes'][number];
export type GltfAccessor = GltfJson['accessors'][number];

/** `accessors[3].count` from the keys 'accessors', 3, 'count'. */
export const jsonPath = (keys: readonly unknown[]): string =>
  keys.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${String(key)}`)).join('');

/** @throws SceneError naming the path of the first field of the wrong type. */
export function parseGltfJson(value: unknown): GltfJson {
  const result = v.safeParse(GltfSchema, value, { abortEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  const where = jsonPath(issue.path?.map((item) => item.key) ?? []);
  const missing = issue.input === undefined ? 'a value' : (issue.expected ?? 'another type');
  const expected = issue.message.startsWith('Invalid') ? missing : issue.message;
  throw new SceneError(`${where || 'the JSON of the file'}: expected ${expected}, found ${short(issue.input)}; export the file again.`);
}

function short(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
