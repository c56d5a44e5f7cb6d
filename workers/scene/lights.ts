/**
 * The table from which next-event estimation picks a light: every triangle that emits, punctual
 * lights, the environment. `pick` is proportional to power: π·area·radiance for a triangle (mean of
 * its texture over its own texels; twice for two sides), 4π·I for a point, 2π(1 - cos outer)·I for
 * a spot, E·πR² for a directional light and 4π·L̄·πR² for the environment, with R the radius of the
 * scene. Distant light (the last two) may dwarf a lamp in a closed room, so where both exist its
 * share is kept between a quarter and three quarters; any positive share is unbiased.
 */
import { SCENE_LIGHTS_MAX } from '#lib/protocol/limits.ts';
import { Light, LIGHT_DIRECTIONAL, LIGHT_ENVIRONMENT, LIGHT_POINT, LIGHT_SPOT, LIGHT_TRIANGLE, NONE } from '#shaders/layout.ts';
import { buildAliasTable } from './alias-table.ts';
import { SceneError } from './compiled-scene.ts';
import type { EmissionMeter } from './emission.ts';
import { cos, luminance, PI } from './exact-math.ts';
import { cornerAndEdges, type Geometry } from './geometry.ts';
import type { GltfJson } from './gltf-json.ts';
import type { CompiledMaterial } from './materials.ts';
import { unit, type Vec3 } from './matrix.ts';
import type { Pose } from './pose.ts';
import { packRows, type Row } from './rows.ts';

type LightRow = Row<(typeof Light)['fields']>;
interface Candidate {
  readonly row: LightRow;
  readonly power: number;
  readonly distant: boolean;
}

export interface LightTable {
  readonly rows: Uint8Array<ArrayBuffer>;
  readonly count: number;
  /** For each triangle in leaf order its light, or NONE. */
  readonly ofTriangle: Uint32Array<ArrayBuffer>;
}

const DISTANT_SHARE_MIN = 0.25;

/**
 * @param order triangle of `geometry` for each place in leaf order.
 * @param radius of the scene, world units.
 * @throws SceneError for more lights than limits allow or a malformed punctual light.
 */
export function compileLights(
  geometry: Geometry,
  order: Uint32Array,
  materials: readonly CompiledMaterial[],
  meter: EmissionMeter,
  punctual: readonly Candidate[],
  environmentLuminance: number,
  radius: number,
): LightTable {
  const ofTriangle = new Uint32Array(order.length).fill(NONE);
  const candidates: Candidate[] = [];
  for (let place = 0; place < order.length; place++) {
    const triangle = order[place] as number;
    const material = materials[geometry.materials[triangle] as number];
    if (!material || !(luminance(...material.emissive) > 0)) continue;
    const radiance = meter.meanLuminance(triangle, material);
    if (!(radiance > 0)) continue;
    ofTriangle[place] = candidates.length;
    const power = PI * triangleArea(cornerAndEdges(geometry, triangle), 0) * radiance * (material.doubleSided ? 2 : 1);
    candidates.push({ row: { kind: LIGHT_TRIANGLE, triangle: place }, power, distant: false });
  }
  candidates.push(...punctual);
  if (environmentLuminance > 0) {
    const power = 4 * PI * environmentLuminance * PI * radius * radius;
    candidates.push({ row: { kind: LIGHT_ENVIRONMENT, triangle: NONE }, power, distant: true });
  }
  if (candidates.length > SCENE_LIGHTS_MAX) {
    throw new SceneError(
      `materials: ${candidates.length} triangles emit light, more than the ${SCENE_LIGHTS_MAX} that can be sampled; simplify the emitting meshes.`,
    );
  }
  return { rows: packTable(candidates), count: candidates.length, ofTriangle };
}

function packTable(candidates: readonly Candidate[]): Uint8Array<ArrayBuffer> {
  if (candidates.length === 0) return new Uint8Array(0);
  let [near, far] = [0, 0];
  for (const { power, distant } of candidates) {
    if (distant) far += power;
    else near += power;
  }
  const share = far / (near + far);
  const wanted = near > 0 && far > 0 ? Math.min(1 - DISTANT_SHARE_MIN, Math.max(DISTANT_SHARE_MIN, share)) : share;
  const weights = Float64Array.from(candidates, ({ power, distant }) => (distant ? (power / far) * wanted : (power / near) * (1 - wanted)));
  const table = buildAliasTable(weights);
  return packRows(
    Light,
    candidates.map(({ row }, i): LightRow => ({
      ...row,
      pick: table.probability[i] as number,
      alias_threshold: table.threshold[i] as number,
      alias_other: table.other[i] as number,
    })),
  );
}

function triangleArea(triangles: Float32Array, t: number): number {
  const e = (i: number): number => triangles[t * 9 + 3 + i] as number;
  const x = e(1) * e(5) - e(2) * e(4);
  const y = e(2) * e(3) - e(0) * e(5);
  const z = e(0) * e(4) - e(1) * e(3);
  return Math.sqrt(x * x + y * y + z * z) / 2;
}

/** KHR_lights_punctual of the placed nodes; lights without power are left out. */
export function readPunctualLights(json: GltfJson, pose: Pose, radius: number): Candidate[] {
  const lights: unknown = json.extensions?.['KHR_lights_punctual']?.['lights'];
  return pose.placed.flatMap(({ node, world, index }): Candidate[] => {
    const reference: unknown = node.extensions?.['KHR_lights_punctual']?.['light'];
    if (reference === undefined) return [];
    const path = `nodes[${index}].extensions.KHR_lights_punctual.light`;
    const light: unknown = Array.isArray(lights) && typeof reference === 'number' ? lights[reference] : undefined;
    if (typeof light !== 'object' || light === null) throw new SceneError(`${path}: it names no light of the file; export the file again.`);
    const candidate = punctualLight(
      light as Readonly<Record<string, unknown>>,
      `extensions.KHR_lights_punctual.lights[${String(reference)}]`,
      radius,
    );
    const at = (i: number): number => world[i] as number;
    const direction = unit([-at(8), -at(9), -at(10)], [0, 0, -1]);
    return candidate.power > 0 ? [{ ...candidate, row: { ...candidate.row, position: [at(12), at(13), at(14)], direction } }] : [];
  });
}

function punctualLight(light: Readonly<Record<string, unknown>>, path: string, radius: number): Candidate {
  const number = (from: Readonly<Record<string, unknown>>, key: string, fallback: number, max = 1e30): number => {
    const value = from[key] ?? fallback;
    if (typeof value === 'number' && value >= 0 && value <= max) return value;
    throw new SceneError(`${path}.${key}: expected a number from 0 to ${max}; export the file again.`);
  };
  const rgb: unknown = light['color'] ?? [1, 1, 1];
  if (!Array.isArray(rgb) || rgb.length !== 3 || !rgb.every((c) => typeof c === 'number' && c >= 0 && c < 1e30)) {
    throw new SceneError(`${path}.color: expected three numbers of 0 or more; export the file again.`);
  }
  const intensity = number(light, 'intensity', 1);
  const color = (rgb as number[]).map((c) => c * intensity) as unknown as Vec3;
  const level = luminance(...color);
  const row: LightRow = { color, range: number(light, 'range', 0), triangle: NONE };
  if (light['type'] === 'point') return { row: { ...row, kind: LIGHT_POINT }, power: 4 * PI * level, distant: false };
  if (light['type'] === 'directional')
    return { row: { ...row, kind: LIGHT_DIRECTIONAL }, power: PI * radius * radius * level, distant: true };
  if (light['type'] !== 'spot') throw new SceneError(`${path}.type: expected point, spot or directional; export the file again.`);
  const spot = (light['spot'] ?? {}) as Readonly<Record<string, unknown>>;
  const outer = cos(number(spot, 'outerConeAngle', PI / 4, PI / 2));
  const inner = cos(number(spot, 'innerConeAngle', 0, PI / 2));
  const scale = 1 / Math.max(0.001, inner - outer);
  return {
    row: { ...row, kind: LIGHT_SPOT, spot_scale: scale, spot_offset: -outer * scale },
    power: 2 * PI * (1 - outer) * level,
    distant: false,
  };
}
