/** Files with every material extension at once, each factor behind its texture. */
import { Document } from '@gltf-transform/core';
import { addQuads, boxQuads, pngImage, writeGlb, type Bytes, type LooseJson } from '../unit/scene/fixtures.ts';
import { withJson } from '../unit/scene/json-kit.ts';

export type Json = Record<string, unknown>;

/** A box of the given material over a floor, under a bright panel; texture 0 is a checker of four colours. */
export async function boxOf(material: Json): Promise<Bytes> {
  const document = new Document();
  const picture = pngImage(4, 4, (x, y) => [80 + 40 * x, 200 - 40 * y, 120 + 30 * ((x + y) & 1), 90 + 50 * x]);
  const shown = document
    .createMaterial('shown')
    .setBaseColorTexture(document.createTexture('p').setImage(picture).setMimeType('image/png'));
  addQuads(document, 'box', boxQuads([-1, -1, -1], [1, 1, 1]), shown);
  addQuads(
    document,
    'floor',
    [{ corner: [-4, -1.01, 4], edge1: [8, 0, 0], edge2: [0, 0, -8] }],
    document.createMaterial('floor').setMetallicFactor(0),
  );
  const lamp = document.createMaterial('lamp').setEmissiveFactor([1, 1, 1]);
  addQuads(document, 'lamp', [{ corner: [-3, 4, -3], edge1: [6, 0, 0], edge2: [0, 0, 6] }], lamp);
  return withJson(await writeGlb(document), (json: LooseJson) => {
    json.materials[0] = { ...material, name: 'shown' };
  });
}

const map = { index: 0 };
export const CASES: readonly (readonly [string, Json])[] = [
  ['plain', { pbrMetallicRoughness: { baseColorTexture: map, metallicRoughnessTexture: map, roughnessFactor: 0.5 }, normalTexture: map }],
  [
    'coats',
    {
      normalTexture: map,
      extensions: {
        KHR_materials_clearcoat: {
          clearcoatFactor: 1,
          clearcoatRoughnessFactor: 0.5,
          clearcoatTexture: map,
          clearcoatRoughnessTexture: map,
          clearcoatNormalTexture: map,
        },
        KHR_materials_sheen: {
          sheenColorFactor: [1, 0.5, 0.2],
          sheenRoughnessFactor: 0.7,
          sheenColorTexture: map,
          sheenRoughnessTexture: map,
        },
        KHR_materials_iridescence: { iridescenceFactor: 1, iridescenceTexture: map, iridescenceThicknessTexture: map },
        KHR_materials_anisotropy: { anisotropyStrength: 0.8, anisotropyRotation: 0.7, anisotropyTexture: map },
        KHR_materials_specular: { specularFactor: 0.8, specularColorFactor: [1, 2, 1], specularTexture: map, specularColorTexture: map },
      },
    },
  ],
  [
    'volumes',
    {
      pbrMetallicRoughness: { metallicFactor: 0, roughnessFactor: 0.2 },
      extensions: {
        KHR_materials_transmission: { transmissionFactor: 0.9, transmissionTexture: map },
        KHR_materials_volume: { thicknessFactor: 1, thicknessTexture: map, attenuationDistance: 2, attenuationColor: [0.9, 0.5, 0.2] },
        KHR_materials_ior: { ior: 1.8 },
        KHR_materials_dispersion: { dispersion: 0.5 },
        KHR_materials_diffuse_transmission: {
          diffuseTransmissionFactor: 0.4,
          diffuseTransmissionColorFactor: [0.2, 0.9, 0.2],
          diffuseTransmissionTexture: map,
          diffuseTransmissionColorTexture: map,
        },
      },
    },
  ],
  [
    'a mirror by an ior of 0',
    { extensions: { KHR_materials_ior: { ior: 0 } }, pbrMetallicRoughness: { metallicFactor: 0, roughnessFactor: 0 } },
  ],
  [
    'specular-glossiness',
    {
      extensions: {
        KHR_materials_pbrSpecularGlossiness: {
          diffuseTexture: map,
          specularGlossinessTexture: map,
          specularFactor: [0.5, 0.4, 0.3],
          glossinessFactor: 0.8,
        },
      },
    },
  ],
  ['unlit', { pbrMetallicRoughness: { baseColorTexture: map }, extensions: { KHR_materials_unlit: {} } }],
];
