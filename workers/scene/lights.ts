/**
 * The light table: every triangle that emits and every punctual light with a place, which the light
 * tree holds, then the distant ones (directional, environment) with an alias table. The share of
 * either group goes by power: π·area·radiance for a triangle (mean of its texture over its own
 * texels; twice for two sides), 4π·I for a point, 2π(1 - cos outer)·I for a spot, E·πR² for a
 * directional light and 4π·L̄·πR² for the environment, with R the radius of the scene. Distant light
 * may dwarf a lamp in a closed room, so where both exist its share is kept between a quarter and
 * three quarters; any positive share is unbiased.
 */
import { SCENE_LIGHTS_MAX } from '#lib/protocol/limits.ts';
import { Light, LIGHT_ENVIRONMENT, LIGHT_TRIANGLE, NONE, TRIANGLE_MATERIAL, TRIANGLE_MIRRORED } from '#shaders/layout.ts';
import { buildAliasTable } from './alias-table.ts';
import { SceneError } from './compiled-scene.ts';
import type { EmissionMeter } from './emission.ts';
import { luminance, PI } from './exact-math.ts';
import type { Geometry } from './geometry.ts';
import type { LightBounds } from './light-cone.ts';
import { buildLightTree } from './light-tree.ts';
import type { CompiledMaterial } from './materials.ts';
import type { Vec3 } from './matrix.ts';
import { packRows, type Row } from './rows.ts';

export type LightRow = Row<(typeof Light)['fields']>;

/** A light before the table is made. */
export interface Candidate {
  readonly row: LightRow;
  /** Luminous power, for the share of its group. */
  readonly power: number;
  /** null: it has no place. */
  readonly bounds: LightBounds | null;
}

export interface LightTable {
  /** Light[]. */
  readonly rows: Uint8Array<ArrayBuffer>;
  /** LightNode[]. */
  readonly nodes: Uint8Array<ArrayBuffer>;
  readonly count: number;
}

export interface SceneLights extends LightTable {
  /** For each triangle in leaf order its light, or NONE. */
  readonly ofTriangle: Uint32Array<ArrayBuffer>;
}

const DISTANT_SHARE_MIN = 0.25;

/**
 * @param order triangle of `geometry` for each place in leaf order.
 * @param radius of the scene, world units.
 * @throws SceneError for more lights than limits allow; what `pause` throws.
 */
export async function compileLights(
  geometry: Geometry,
  order: Uint32Array,
  materials: readonly CompiledMaterial[],
  meter: EmissionMeter,
  punctual: readonly Candidate[],
  environmentLuminance: number,
  radius: number,
  pause: () => Promise<void>,
): Promise<SceneLights> {
  const ofTriangle = new Uint32Array(order.length).fill(NONE);
  const candidates: Candidate[] = [];
  for (let place = 0; place < order.length; place++) {
    const triangle = order[place] as number;
    const word = geometry.materials[triangle] as number;
    const material = materials[word & TRIANGLE_MATERIAL];
    if (!material || !(luminance(...material.emissive) > 0)) continue;
    const radiance = meter.meanLuminance(triangle, material);
    if (!(radiance > 0)) continue;
    if (candidates.length >= SCENE_LIGHTS_MAX) throw tooMany();
    const mirrored = (word & TRIANGLE_MIRRORED) !== 0;
    ofTriangle[place] = candidates.length;
    const corners = geometry.positions.subarray(triangle * 9, triangle * 9 + 9);
    candidates.push(triangleLight(corners, place, radiance, material.doubleSided, mirrored));
  }
  // Those with a place first.
  candidates.push(...punctual.filter(({ bounds }) => bounds), ...punctual.filter(({ bounds }) => !bounds));
  if (environmentLuminance > 0) candidates.push(environmentLight(environmentLuminance, radius));
  if (candidates.length > SCENE_LIGHTS_MAX) throw tooMany();
  return { ...(await buildLightTable(candidates, pause)), ofTriangle };
}

const tooMany = (): SceneError =>
  new SceneError(`materials: more lights than the ${SCENE_LIGHTS_MAX} that can be sampled; simplify the emitting meshes.`);

/**
 * @param p three corners.
 * @param radiance mean luminance over it.
 */
export function triangleLight(p: ArrayLike<number>, place: number, radiance: number, twoSided: boolean, mirrored: boolean): Candidate {
  const edge = (corner: number, axis: number): number => (p[corner * 3 + axis] as number) - (p[axis] as number);
  const normal: Vec3 = [
    edge(1, 1) * edge(2, 2) - edge(1, 2) * edge(2, 1),
    edge(1, 2) * edge(2, 0) - edge(1, 0) * edge(2, 2),
    edge(1, 0) * edge(2, 1) - edge(1, 1) * edge(2, 0),
  ];
  const length = Math.sqrt(normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2]);
  const area = length / 2;
  const side = mirrored ? -length : length;
  const extreme = (of: (...x: number[]) => number): Vec3 => {
    const along = (axis: number): number => of(p[axis] as number, p[3 + axis] as number, p[6 + axis] as number);
    return [along(0), along(1), along(2)];
  };
  return {
    row: { kind: LIGHT_TRIANGLE, triangle: place, profile: NONE },
    power: PI * area * radiance * (twoSided ? 2 : 1),
    bounds: {
      min: extreme(Math.min),
      max: extreme(Math.max),
      axis: length > 0 ? [normal[0] / side, normal[1] / side, normal[2] / side] : [0, 0, 1],
      normals: 0,
      emission: PI / 2,
      intensity: area * radiance,
      twoSided,
    },
  };
}

export const environmentLight = (meanLuminance: number, radius: number): Candidate => ({
  row: { kind: LIGHT_ENVIRONMENT, triangle: NONE, profile: NONE },
  power: 4 * PI * meanLuminance * PI * radius * radius,
  bounds: null,
});

/**
 * @param candidates those with a place first, in the order of their rows.
 * @throws what `pause` throws.
 */
export async function buildLightTable(candidates: readonly Candidate[], pause: () => Promise<void>): Promise<LightTable> {
  const placed = candidates.flatMap(({ bounds }) => bounds ?? []);
  const distant = candidates.slice(placed.length);
  const tree = await buildLightTree(placed, pause);
  const power = (of: readonly Candidate[]): number => of.reduce((sum, light) => sum + light.power, 0);
  const [near, far] = [power(candidates.slice(0, placed.length)), power(distant)];
  const share = Math.fround(distantShare(near, far));
  const rows = candidates.map(({ row }, i): LightRow => ({ ...row, pick: 1 - share, trail: tree.trails[i] ?? 0 }));
  if (distant.length > 0) {
    const table = buildAliasTable(Float64Array.from(distant, (light) => light.power));
    distant.forEach(({ row }, i) => {
      const pick = (table.probability[i] as number) * share;
      const other = placed.length + (table.other[i] as number);
      rows[placed.length + i] = { ...row, pick, alias_threshold: table.threshold[i] as number, alias_other: other };
    });
  }
  return { rows: packRows(Light, rows), nodes: tree.nodes, count: rows.length };
}

/** Of the distant lights, when a light is picked. */
function distantShare(near: number, far: number): number {
  if (!(near > 0) || !(far > 0)) return far > 0 ? 1 : 0;
  return Math.min(1 - DISTANT_SHARE_MIN, Math.max(DISTANT_SHARE_MIN, far / (near + far)));
}
