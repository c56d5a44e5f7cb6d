/** Layouts of what lights: the part of layout.ts that only light sampling reads. */
import { defineStruct } from './struct.ts';

/**
 * A light that next-event estimation can pick. Those with a place come first and are the leaves of the
 * light tree; distant ones (directional, environment) follow, with an alias table of their own.
 */
export const Light = defineStruct('Light', {
  position: ['vec3f', 'punctual: world position'],
  kind: ['u32', 'LIGHT_*'],
  color: ['vec3f', 'punctual: linear colour times intensity (cd; lux for directional)'],
  triangle: ['u32', 'LIGHT_TRIANGLE: index of its Triangle'],
  direction: ['vec3f', 'punctual: unit direction the light points to'],
  range: ['f32', 'punctual: KHR_lights_punctual range; 0: unlimited'],
  spot_scale: ['f32', 'spot: 1 / max(0.001, cos inner - cos outer)'],
  spot_offset: ['f32', 'spot: -cos outer * spot_scale'],
  pick: ['f32', 'distant: probability that this light is picked; else: that the light tree is asked at all'],
  alias_threshold: ['f32', 'distant: keep this row when u < threshold'],
  alias_other: ['u32', 'distant: else take this row'],
  profile: ['u32', 'EXT_lights_ies: first value of its header among the profiles, else NONE'],
  trail: ['u32', 'way from the root of the light tree to this light, lowest bit first: 1 is right'],
  pad: ['u32', 'zero'],
});
export const LIGHT_TRIANGLE = 0;
export const LIGHT_POINT = 1;
export const LIGHT_SPOT = 2;
export const LIGHT_DIRECTIONAL = 3;
export const LIGHT_ENVIRONMENT = 4;

/**
 * A node of the light tree over emissive triangles and lights with a place (Conty Estevez and Kulla
 * 2018; pbrt-v4 section 12.6.3): bounding sphere, intensity and cone of emission of all below it.
 */
export const LightNode = defineStruct('LightNode', {
  centre: ['vec3f', 'of the bounding sphere, world units'],
  radius_squared: ['f32', 'of that sphere; a sphere around the box of all below'],
  axis: ['vec3f', 'unit axis of the cone of normals'],
  intensity: ['f32', 'luminous intensity of all below, as a share of the whole tree'],
  cos_normals: ['f32', 'cosine of the half angle of the cone of normals'],
  cos_emission: ['f32', 'cosine of the angle that emission reaches beyond a normal'],
  child: ['u32', 'inner node: its left child, the right one follows it; leaf: index of its Light'],
  flags: ['u32', 'LIGHT_NODE_* bits'],
});
export const LIGHT_NODE_LEAF = 1;
export const LIGHT_NODE_TWO_SIDED = 2;
/** LightNode rows in one row of the texture that holds them. */
export const LIGHT_NODES_PER_ROW = 512;
/** Texels of one LightNode. */
export const LIGHT_NODE_TEXELS = 3;
/** Levels of the light tree below its root: a leaf's way fits the 32 bits of `Light.trail`. */
export const LIGHT_TREE_DEPTH_MAX = 32;
/** Texels in one row of the texture of photometric profiles. */
export const PROFILE_ROW = 4096;
/** Values before the table's angles, and before that, for each light, those that orient it (shaders/light/profile.wgsl). */
export const PROFILE_TABLE_HEADER = 4;
export const PROFILE_HEADER = 8;
export const PROFILE_TYPE_C = 1;
export const PROFILE_TYPE_B = 2;
