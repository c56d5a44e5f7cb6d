/**
 * What the kernels of this folder keep between them: rows of 16 bytes per path, queues of path
 * numbers, and the counts that become indirect dispatches. Names and places, nothing else; how many
 * bytes go through them per vertex a test reads from the kernels (tests/reference/traffic.ts).
 */
import { defineStruct } from '../struct.ts';

/** One dispatch of one round: the same bytes for every request, so they are written once. */
export const Stage = defineStruct('Stage', {
  vertex: ['u32', 'of the paths in this round'],
  capacity: ['u32', 'paths that the state holds'],
  first: ['u32', 'path of the dispatch that is number 0 of the state'],
  queues: ['u32', "row of this round's first queue in the control buffer"],
  parity: ['u32', 'which of the two extend queues this round reads; it writes the other'],
});

/** Rows of the state, each `capacity` times 16 bytes, one after the other. */
export const STATE_ROWS = [
  'queues', // five of one word per path
  'queues_more',
  'light', // light, rays traced (bit 31: fault)
  'layers', // depth, albedo, normal, object
  'ray_origin', // origin, primitive it starts on
  'ray_direction', // direction, its density with "the guide is done" as sign
  'hit', // t, u, v, triangle and class; after shading what is to be traced next
  'core', // throughput, signature
  'guide', // weight of the mirror chain, wavelength
  'shadow_origin', // origin, reach
  'shadow_direction', // direction, primitive it starts on
  'shadow_light', // what it brings; between extend and shade the instance that was hit
  'media', // of the ray, of the shadow ray: scenes with volumes
  'crossing', // media before and behind what was hit: scenes with volumes
  'receiver_position', // scenes that pick among many emitters
  'receiver_normal',
] as const;
export const ROW_BYTES = 16;
/** Rows that every scene has; then two for volumes, then two for receivers. */
export const ROWS_ALWAYS = STATE_ROWS.indexOf('media');
export const ROWS_WITH_MEDIA = STATE_ROWS.indexOf('receiver_position');

/** Rows of the control buffer in each round: workgroups x, y, z, then the count. Behind the classes stands MISS. */
export const QUEUES = ['extend', 'sort', 'plain', 'layered', 'clear', 'miss', 'shadow'] as const;
export type Queue = (typeof QUEUES)[number];
/** Classes of shading, in the bits of Triangle.material that the upload adds; CLASS_MISS is a ray's alone. */
export const SHADE_CLASSES = ['plain', 'layered', 'clear'] as const;
export type ShadeClass = (typeof SHADE_CLASSES)[number];

/** Paths that one workgroup of the sorting kernels takes. */
export const SORT_GROUP = 256;

/** A path sees so many vertices: the first surface, its bounces, and what the closing ray meets. */
export const roundsOf = (bounces: number): number => bounces + 2;
/** Rounds of the longest job; the control buffer holds a set of queues for each. */
export const ROUNDS_MAX = roundsOf(32);

const upper = (name: string): string => name.toUpperCase();

/** The same names for WGSL. */
export function wavefrontConstants(): string {
  return [
    ...STATE_ROWS.map((name, row) => `const ROW_${upper(name)} = ${row}u;`),
    ...QUEUES.map((name, row) => `const QUEUE_${upper(name)} = ${row}u;`),
    ...[...SHADE_CLASSES, 'miss'].map((name, row) => `const CLASS_${upper(name)} = ${row}u;`),
    `const QUEUES_PER_ROUND = ${QUEUES.length}u;`,
    `const CONTROL_ROWS = ${ROUNDS_MAX * QUEUES.length}u;`,
    `const SORT_GROUP = ${SORT_GROUP}u;`,
  ].join('\n');
}
