/** Every animation pointer of the object model that this renderer reads: driven to a value, a file is what it is with that value in it. */
import { Document } from '@gltf-transform/core';
import { describe, expect, test } from 'vitest';
import { animateGltf } from '#workers/scene/animation.ts';
import { parseGltfJson } from '#workers/scene/gltf-json.ts';
import { compileMaterials } from '#workers/scene/materials.ts';

type Json = Record<string, unknown>;

const TEXTURES = [
  'pbrMetallicRoughness/baseColorTexture',
  'pbrMetallicRoughness/metallicRoughnessTexture',
  'normalTexture',
  'emissiveTexture',
  'KHR_materials_anisotropy/anisotropyTexture',
  'KHR_materials_clearcoat/clearcoatTexture',
  'KHR_materials_clearcoat/clearcoatRoughnessTexture',
  'KHR_materials_clearcoat/clearcoatNormalTexture',
  'KHR_materials_diffuse_transmission/diffuseTransmissionTexture',
  'KHR_materials_diffuse_transmission/diffuseTransmissionColorTexture',
  'KHR_materials_iridescence/iridescenceTexture',
  'KHR_materials_iridescence/iridescenceThicknessTexture',
  'KHR_materials_sheen/sheenColorTexture',
  'KHR_materials_sheen/sheenRoughnessTexture',
  'KHR_materials_specular/specularTexture',
  'KHR_materials_specular/specularColorTexture',
  'KHR_materials_transmission/transmissionTexture',
].map((place) => (place.startsWith('KHR_') ? `extensions/${place}` : place));

const FACTORS: readonly (readonly [string, readonly number[]])[] = [
  ['pbrMetallicRoughness/baseColorFactor', [0.1, 0.2, 0.3, 0.4]],
  ['pbrMetallicRoughness/metallicFactor', [0.3]],
  ['pbrMetallicRoughness/roughnessFactor', [0.3]],
  ['alphaCutoff', [0.3]],
  ['emissiveFactor', [0.1, 0.2, 0.3]],
  ['normalTexture/scale', [2]],
  ['extensions/KHR_materials_anisotropy/anisotropyStrength', [0.3]],
  ['extensions/KHR_materials_anisotropy/anisotropyRotation', [0.3]],
  ['extensions/KHR_materials_clearcoat/clearcoatFactor', [0.3]],
  ['extensions/KHR_materials_clearcoat/clearcoatRoughnessFactor', [0.3]],
  ['extensions/KHR_materials_clearcoat/clearcoatNormalTexture/scale', [2]],
  ['extensions/KHR_materials_diffuse_transmission/diffuseTransmissionFactor', [0.3]],
  ['extensions/KHR_materials_diffuse_transmission/diffuseTransmissionColorFactor', [0.1, 0.2, 0.3]],
  ['extensions/KHR_materials_dispersion/dispersion', [0.3]],
  ['extensions/KHR_materials_emissive_strength/emissiveStrength', [3]],
  ['extensions/KHR_materials_ior/ior', [1.7]],
  ['extensions/KHR_materials_iridescence/iridescenceFactor', [0.3]],
  ['extensions/KHR_materials_iridescence/iridescenceIor', [1.7]],
  ['extensions/KHR_materials_iridescence/iridescenceThicknessMinimum', [20]],
  ['extensions/KHR_materials_iridescence/iridescenceThicknessMaximum', [700]],
  ['extensions/KHR_materials_sheen/sheenColorFactor', [0.1, 0.2, 0.3]],
  ['extensions/KHR_materials_sheen/sheenRoughnessFactor', [0.3]],
  ['extensions/KHR_materials_specular/specularFactor', [0.3]],
  ['extensions/KHR_materials_specular/specularColorFactor', [0.1, 0.2, 0.3]],
  ['extensions/KHR_materials_transmission/transmissionFactor', [0.3]],
  ['extensions/KHR_materials_volume/thicknessFactor', [2]],
  ['extensions/KHR_materials_volume/attenuationDistance', [3]],
  ['extensions/KHR_materials_volume/attenuationColor', [0.1, 0.2, 0.3]],
  ...TEXTURES.flatMap((place) => {
    const transform = `${place}/extensions/KHR_texture_transform`;
    return [
      [`${transform}/offset`, [0.1, 0.2]],
      [`${transform}/rotation`, [0.3]],
      [`${transform}/scale`, [2, 3]],
    ] as const;
  }),
];

/** A material in which every extension, texture and factor counts. */
function rich(): Json {
  const material: Json = { emissiveFactor: [1, 1, 1] };
  for (const place of TEXTURES) put(material, place, { index: 0 });
  for (const [place, value] of [
    ['anisotropy/anisotropyStrength', 1],
    ['clearcoat/clearcoatFactor', 1],
    ['diffuse_transmission/diffuseTransmissionFactor', 1],
    ['iridescence/iridescenceFactor', 1],
    ['sheen/sheenColorFactor', [1, 1, 1]],
    ['transmission/transmissionFactor', 1],
    ['volume/thicknessFactor', 1],
    ['volume/attenuationDistance', 1],
    ['volume/attenuationColor', [0.5, 0.5, 0.5]],
  ] as const)
    put(material, `extensions/KHR_materials_${place}`, value);
  return material;
}

function put(root: Json, pointer: string, value: unknown): Json {
  const keys = pointer.split('/');
  const last = keys.pop() as string;
  keys.reduce((at, key) => (at[key] ??= {}) as Json, root)[last] = value;
  return root;
}

const parse = (material: Json, more: Json = {}) =>
  parseGltfJson({ asset: { version: '2.0' }, images: [{ uri: 'data:,' }], textures: [{ source: 0 }], materials: [material], ...more });

/** The document with one pointer driven to f32 values. */
function driven(material: Json, pointer: string, values: readonly number[]) {
  const document = new Document();
  document.createAccessor().setType('SCALAR').setArray(Float32Array.of(0));
  document.createAccessor().setType('SCALAR').setArray(Float32Array.from(values));
  const channels = [{ sampler: 0, target: { path: 'pointer', extensions: { KHR_animation_pointer: { pointer } } } }];
  const json = parse(material, { animations: [{ channels, samplers: [{ input: 0, output: 1 }] }] });
  return { json, ...animated(animateGltf(json, document, 1)) };
}
const animated = ({ json, warnings }: ReturnType<typeof animateGltf>) => ({ posed: json, warnings });

const look = (json: Parameters<typeof compileMaterials>[0]) => {
  const { materials, slots } = compileMaterials(json);
  return JSON.stringify([materials[0], slots]);
};

describe('a material driven by a pointer is the material with that value in its file', () => {
  test.each(FACTORS)('%s', (place, values) => {
    const exact = values.map(Math.fround);
    const { json, posed, warnings } = driven(rich(), `/materials/0/${place}`, values);
    expect(warnings).toEqual([]);
    expect(look(posed)).toBe(look(parse(put(rich(), place, exact.length === 1 ? exact[0] : exact))));
    // The control: the value matters, and the document that was read is not touched.
    expect(look(posed)).not.toBe(look(json));
    expect(look(json)).toBe(look(parse(rich())));
  });

  test.each([
    ['diffuseFactor', [0.1, 0.2, 0.3, 0.4]],
    ['specularFactor', [0.1, 0.2, 0.3]],
    ['glossinessFactor', [0.3]],
  ] as const)('KHR_materials_pbrSpecularGlossiness %s, where the material has it', (name, values) => {
    const place = `extensions/KHR_materials_pbrSpecularGlossiness/${name}`;
    const exact = values.map(Math.fround);
    const glossy = () => put({}, 'extensions/KHR_materials_pbrSpecularGlossiness', {});
    const { posed, warnings } = driven(glossy(), `/materials/0/${place}`, values);
    expect([look(posed), warnings]).toEqual([look(parse(put(glossy(), place, exact.length === 1 ? exact[0] : exact))), []]);
    const bare = driven({}, `/materials/0/${place}`, values);
    expect([look(bare.posed), bare.warnings.length]).toEqual([look(parse({})), 1]);
  });
});
