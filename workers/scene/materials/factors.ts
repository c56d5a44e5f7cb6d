/**
 * The factors of one glTF material as fields of its row: metallic-roughness or specular-glossiness,
 * and every KHR_materials extension. Ranges are those of the specifications. Textures are not its
 * business (texture-fields.ts).
 */
import {
  type Material,
  MATERIAL_ALPHA_BLEND,
  MATERIAL_ALPHA_MASK,
  MATERIAL_DOUBLE_SIDED,
  MATERIAL_SPECULAR_GLOSSINESS,
  MATERIAL_UNLIT,
} from '#shaders/layout.ts';
import { cos, ln, sin } from '../exact-math.ts';
import type { Row } from '../rows.ts';
import type { JsonFields } from './json-fields.ts';
import type { Workflow } from './texture-fields.ts';

export type MaterialRow = Row<(typeof Material)['fields']>;

/** A colour channel of 0 would absorb infinitely; this one leaves a millionth per unit distance. */
const ATTENUATION_COLOR_MIN = 1e-6;
/** Of f32 attenuation: nothing thicker than a hair lets light through beyond this. */
const ATTENUATION_MAX = 1e9;
const DEFAULT_IOR = 1.5;
/** F0 is 0.996 here; far beyond it (n - 1)² leaves f32. */
const IOR_MAX = 1_000;
/** KHR_materials_iridescence gives no bound; a film a millimetre thick shows no colours any more. */
const FILM_NM_MAX = 1e6;
const ROTATION_MAX = 1e5;
/** Priorities are thousandths of an ior unless extras.priority says otherwise. */
const PRIORITY_PER_IOR = 1_000;
const PRIORITY_MAX = 1_000_000;

export const workflowOf = (m: JsonFields): Workflow => {
  if (m.extension('KHR_materials_unlit').present) return 'unlit';
  return m.extension('KHR_materials_pbrSpecularGlossiness').present ? 'specular-glossiness' : 'metal-rough';
};

/** @throws SceneError for a field of the wrong type. */
export function readFactors(m: JsonFields, workflow: Workflow): MaterialRow {
  const pbr = m.child('pbrMetallicRoughness');
  const mode = m.raw('alphaMode');
  const flags =
    (m.flag('doubleSided') ? MATERIAL_DOUBLE_SIDED : 0) |
    (mode === 'MASK' ? MATERIAL_ALPHA_MASK : 0) |
    (mode === 'BLEND' ? MATERIAL_ALPHA_BLEND : 0);
  const shared: MaterialRow = {
    flags,
    base_color: pbr.numbers('baseColorFactor', [1, 1, 1, 1], 0, 1),
    alpha_cutoff: m.number('alphaCutoff', 0.5),
  };
  // An unlit material is its base colour; nothing else of it may change the picture, least of all as a light.
  if (workflow === 'unlit') return { ...shared, flags: flags | MATERIAL_UNLIT, roughness: 1, ior: DEFAULT_IOR, normal_scale: 1 };
  const surface: MaterialRow = {
    ...shared,
    metallic: pbr.number('metallicFactor', 1, 0, 1),
    roughness: pbr.number('roughnessFactor', 1, 0, 1),
    normal_scale: m.child('normalTexture').number('scale', 1, -1e3, 1e3),
    emissive: emissive(m),
    ...specular(m),
    ...coats(m),
    ...iridescence(m),
    ...interior(m),
  };
  return workflow === 'specular-glossiness' ? { ...surface, ...specularGlossiness(m, flags) } : surface;
}

/** The core specification ends at 1, but exporters older than KHR_materials_emissive_strength went beyond, and viewers follow them. */
function emissive(m: JsonFields): readonly number[] {
  const strength = m.extension('KHR_materials_emissive_strength').number('emissiveStrength', 1);
  return m.color('emissiveFactor', [0, 0, 0]).map((value) => Math.min(value * strength, 1e12));
}

function specular(m: JsonFields): MaterialRow {
  const extension = m.extension('KHR_materials_specular');
  return { specular: extension.number('specularFactor', 1, 0, 1), specular_color: extension.color('specularColorFactor', [1, 1, 1], 1e6) };
}

function coats(m: JsonFields): MaterialRow {
  const clearcoat = m.extension('KHR_materials_clearcoat');
  const sheen = m.extension('KHR_materials_sheen');
  const anisotropy = m.extension('KHR_materials_anisotropy');
  const angle = anisotropy.number('anisotropyRotation', 0, -ROTATION_MAX, ROTATION_MAX);
  return {
    clearcoat: clearcoat.number('clearcoatFactor', 0, 0, 1),
    clearcoat_roughness: clearcoat.number('clearcoatRoughnessFactor', 0, 0, 1),
    clearcoat_normal_scale: clearcoat.child('clearcoatNormalTexture').number('scale', 1, -1e3, 1e3),
    sheen_color: sheen.color('sheenColorFactor', [0, 0, 0], 1),
    sheen_roughness: sheen.number('sheenRoughnessFactor', 0, 0, 1),
    anisotropy: anisotropy.number('anisotropyStrength', 0, 0, 1),
    anisotropy_direction: angle === 0 ? [1, 0] : [cos(angle), sin(angle)],
  };
}

/** Without a thickness texture the film has its maximum thickness; the kernel reads that from the row. */
function iridescence(m: JsonFields): MaterialRow {
  const film = m.extension('KHR_materials_iridescence');
  return {
    iridescence: film.number('iridescenceFactor', 0, 0, 1),
    iridescence_ior: film.number('iridescenceIor', 1.3, 1, IOR_MAX),
    iridescence_thickness_min: film.number('iridescenceThicknessMinimum', 100, 0, FILM_NM_MAX),
    iridescence_thickness_max: film.number('iridescenceThicknessMaximum', 400, 0, FILM_NM_MAX),
  };
}

/**
 * What light meets behind the surface. The thickness texture of KHR_materials_volume is for
 * renderers that cannot follow a ray to the far side; here a thickness above 0 says that the mesh
 * bounds a volume, and the geometry says how thick it is.
 */
function interior(m: JsonFields): MaterialRow {
  const ior = readIor(m);
  const volume = m.extension('KHR_materials_volume');
  const diffuse = m.extension('KHR_materials_diffuse_transmission');
  // KHR_materials_ior: 0 stands for a Fresnel term of 1 everywhere, behind which nothing is seen.
  const mirror = ior === 0;
  return {
    ior,
    transmission: mirror ? 0 : m.extension('KHR_materials_transmission').number('transmissionFactor', 0, 0, 1),
    thickness: mirror ? 0 : volume.number('thicknessFactor', 0),
    attenuation: absorption(volume),
    dispersion: m.extension('KHR_materials_dispersion').number('dispersion', 0, 0, 1e3),
    diffuse_transmission: mirror ? 0 : diffuse.number('diffuseTransmissionFactor', 0, 0, 1),
    diffuse_transmission_color: diffuse.color('diffuseTransmissionColorFactor', [1, 1, 1], 1),
    priority: priority(m, ior),
  };
}

function readIor(m: JsonFields): number {
  const extension = m.extension('KHR_materials_ior');
  return extension.raw('ior') === 0 ? 0 : extension.number('ior', DEFAULT_IOR, 1, IOR_MAX);
}

/** -ln(attenuationColor) / attenuationDistance, per world unit (KHR_materials_volume). */
function absorption(volume: JsonFields): readonly number[] {
  if (volume.raw('attenuationDistance') === undefined) return [0, 0, 0];
  const distance = volume.number('attenuationDistance', 1, 1e-9, 1e30);
  return volume.color('attenuationColor', [1, 1, 1], 1).map((c) => {
    const depth = -ln(Math.max(ATTENUATION_COLOR_MIN, c)) / distance;
    return Math.min(ATTENUATION_MAX, depth) + 0;
  });
}

/**
 * Where two volumes overlap, the one of higher priority is there (Schmidt and Budge 2002). glTF has
 * no word for it, so the denser medium wins, as glass does over the drink that reaches into it; the
 * author may overrule this by `"extras": { "priority": n }` on the material, a whole number from 1
 * to 1000000 on the same scale (water 1330, glass 1500).
 */
function priority(m: JsonFields, ior: number): number {
  const natural = Math.max(1, Math.floor(ior * PRIORITY_PER_IOR + 0.5));
  const extras = m.raw('extras');
  if (typeof extras !== 'object' || extras === null || !('priority' in extras)) return natural;
  const wanted = extras.priority;
  if (Number.isSafeInteger(wanted) && (wanted as number) >= 1 && (wanted as number) <= PRIORITY_MAX) return wanted as number;
  m.warn('extras.priority', `a whole number from 1 to ${PRIORITY_MAX} was expected; the index of refraction decides instead`);
  return natural;
}

/** The archived KHR_materials_pbrSpecularGlossiness: F0 and the diffuse colour themselves, and glossiness for roughness. */
function specularGlossiness(m: JsonFields, flags: number): MaterialRow {
  const gloss = m.extension('KHR_materials_pbrSpecularGlossiness');
  return {
    flags: flags | MATERIAL_SPECULAR_GLOSSINESS,
    base_color: gloss.numbers('diffuseFactor', [1, 1, 1, 1], 0, 1),
    metallic: 0,
    roughness: 1 - gloss.number('glossinessFactor', 1, 0, 1),
    specular: 1,
    specular_color: gloss.color('specularFactor', [1, 1, 1], 1),
  };
}
