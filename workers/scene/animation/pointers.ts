/**
 * Which properties of a document animation may drive: the pointers of KHR_animation_pointer that
 * this renderer reads, with the width and the kind of their values (glTF 2.0 Asset Object Model). A
 * pointer that is not in the table is never followed.
 */
import { TEXTURE_PLACES } from '../materials/texture-fields.ts';

export type ValueKind = 'numbers' | 'quaternion' | 'boolean';

export interface Target {
  /** Keys from the root of the document; the place may not exist yet. */
  readonly path: readonly (string | number)[];
  readonly kind: ValueKind;
  /** Numbers per key; null: as many as the list holds (morph weights). */
  readonly width: number | null;
  /** Without effect on the picture, but no mistake either. */
  readonly silent: boolean;
}

interface Property {
  readonly kind: ValueKind;
  readonly width: number | null;
  readonly silent?: true;
}

const numbers = (width: number): Property => ({ kind: 'numbers', width });
const unseen = (width: number): Property => ({ kind: 'numbers', width, silent: true });
const QUATERNION: Property = { kind: 'quaternion', width: 4 };

/** Factors of each material extension, by name without KHR_materials_. */
const EXTENSION_FACTORS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  anisotropy: { anisotropyStrength: 1, anisotropyRotation: 1 },
  clearcoat: { clearcoatFactor: 1, clearcoatRoughnessFactor: 1, 'clearcoatNormalTexture/scale': 1 },
  diffuse_transmission: { diffuseTransmissionFactor: 1, diffuseTransmissionColorFactor: 3 },
  dispersion: { dispersion: 1 },
  emissive_strength: { emissiveStrength: 1 },
  ior: { ior: 1 },
  iridescence: { iridescenceFactor: 1, iridescenceIor: 1, iridescenceThicknessMinimum: 1, iridescenceThicknessMaximum: 1 },
  pbrSpecularGlossiness: { diffuseFactor: 4, specularFactor: 3, glossinessFactor: 1 },
  sheen: { sheenColorFactor: 3, sheenRoughnessFactor: 1 },
  specular: { specularFactor: 1, specularColorFactor: 3 },
  transmission: { transmissionFactor: 1 },
  volume: { thicknessFactor: 1, attenuationDistance: 1, attenuationColor: 3 },
};

const MATERIAL: Readonly<Record<string, Property>> = {
  'pbrMetallicRoughness/baseColorFactor': numbers(4),
  'pbrMetallicRoughness/metallicFactor': numbers(1),
  'pbrMetallicRoughness/roughnessFactor': numbers(1),
  alphaCutoff: numbers(1),
  emissiveFactor: numbers(3),
  'normalTexture/scale': numbers(1),
  'occlusionTexture/strength': unseen(1),
  ...Object.fromEntries(
    Object.entries(EXTENSION_FACTORS).flatMap(([extension, factors]) =>
      Object.entries(factors).map(([name, width]) => [`extensions/KHR_materials_${extension}/${name}`, numbers(width)]),
    ),
  ),
  ...Object.fromEntries(
    [...TEXTURE_PLACES, 'occlusionTexture', 'extensions/KHR_materials_volume/thicknessTexture'].flatMap((place) => {
      const of = TEXTURE_PLACES.includes(place) ? numbers : unseen;
      const transform = `${place}/extensions/KHR_texture_transform`;
      return [
        [`${transform}/offset`, of(2)],
        [`${transform}/rotation`, of(1)],
        [`${transform}/scale`, of(2)],
      ];
    }),
  ),
};

const LIGHT: Readonly<Record<string, Property>> = {
  color: numbers(3),
  intensity: numbers(1),
  range: numbers(1),
  'spot/innerConeAngle': numbers(1),
  'spot/outerConeAngle': numbers(1),
};

const under = (prefix: string, properties: Readonly<Record<string, Property>>): (readonly [string, Property])[] =>
  Object.entries(properties).map(([name, property]) => [`${prefix}/${name}`, property]);

/** Indices are written `{}`. */
const PROPERTIES: ReadonlyMap<string, Property> = new Map([
  ['/nodes/{}/translation', numbers(3)],
  ['/nodes/{}/rotation', QUATERNION],
  ['/nodes/{}/scale', numbers(3)],
  ['/nodes/{}/weights', { kind: 'numbers', width: null }],
  ['/nodes/{}/weights/{}', numbers(1)],
  ['/meshes/{}/weights', { kind: 'numbers', width: null }],
  ['/meshes/{}/weights/{}', numbers(1)],
  ['/nodes/{}/extensions/KHR_node_visibility/visible', { kind: 'boolean', width: 1 }],
  ['/nodes/{}/extensions/EXT_lights_ies/multiplier', numbers(1)],
  ['/nodes/{}/extensions/EXT_lights_ies/color', numbers(3)],
  ['/cameras/{}/perspective/yfov', numbers(1)],
  ['/cameras/{}/orthographic/xmag', unseen(1)],
  ['/cameras/{}/orthographic/ymag', numbers(1)],
  ...['perspective/aspectRatio', 'perspective/znear', 'perspective/zfar', 'orthographic/znear', 'orthographic/zfar'].map(
    (name) => [`/cameras/{}/${name}`, unseen(1)] as const,
  ),
  ...under('/materials/{}', MATERIAL),
  ...under('/extensions/KHR_lights_punctual/lights/{}', LIGHT),
  ['/extensions/EXT_lights_image_based/lights/{}/intensity', numbers(1)],
  ['/extensions/EXT_lights_image_based/lights/{}/rotation', QUATERNION],
]);

/** @returns null for a pointer that leads to nothing this renderer reads. */
export function resolvePointer(pointer: string): Target | null {
  const tokens = pointer.split('/').slice(1);
  const pattern = `/${tokens.map((token) => (/^(0|[1-9]\d{0,8})$/.test(token) ? '{}' : token)).join('/')}`;
  const property = PROPERTIES.get(pattern);
  if (!property) return null;
  const path = tokens.map((token) => (/^\d/.test(token) ? Number(token) : token));
  return { path, kind: property.kind, width: property.width, silent: property.silent ?? false };
}
