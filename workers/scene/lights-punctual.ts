/**
 * KHR_lights_punctual: point, spot and directional lights of the placed nodes as candidates of the
 * light table. Refuses malformed lights with one sentence.
 */
import { LIGHT_DIRECTIONAL, LIGHT_POINT, LIGHT_SPOT, NONE } from '#shaders/layout.ts';
import { SceneError } from './compiled-scene.ts';
import { cos, luminance, PI } from './exact-math.ts';
import type { GltfJson } from './gltf-json.ts';
import type { LightBounds } from './light-cone.ts';
import type { Candidate, LightRow } from './lights.ts';
import { unit, type Vec3 } from './matrix.ts';
import type { Pose } from './pose.ts';

/** A right angle in f32, as exporters write it, lies above the one in f64. */
const WIDEST_CONE = 1.5708;

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
    const position: Vec3 = [at(12), at(13), at(14)];
    const bounds = candidate.bounds && { ...candidate.bounds, min: position, max: position, axis: direction };
    return candidate.power > 0 ? [{ ...candidate, bounds, row: { ...candidate.row, position, direction } }] : [];
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
  if (!(level < 1e30)) throw new SceneError(`${path}.intensity: too bright to be represented; lower it.`);
  const row: LightRow = { color, range: number(light, 'range', 0), triangle: NONE, profile: NONE };
  if (light['type'] === 'point') return { row: { ...row, kind: LIGHT_POINT }, power: 4 * PI * level, bounds: pointBounds(level) };
  if (light['type'] === 'directional')
    return { row: { ...row, kind: LIGHT_DIRECTIONAL }, power: PI * radius * radius * level, bounds: null };
  if (light['type'] !== 'spot') throw new SceneError(`${path}.type: expected point, spot or directional; export the file again.`);
  const spot = (light['spot'] ?? {}) as Readonly<Record<string, unknown>>;
  const outerAngle = Math.min(PI / 2, number(spot, 'outerConeAngle', PI / 4, WIDEST_CONE));
  // The specification wants inner < outer; a file that says otherwise gets the hard edge it asks for.
  const innerAngle = Math.min(outerAngle, number(spot, 'innerConeAngle', 0, WIDEST_CONE));
  const [outer, inner] = [cos(outerAngle), cos(innerAngle)];
  const scale = 1 / Math.max(0.001, inner - outer);
  return {
    row: { ...row, kind: LIGHT_SPOT, spot_scale: scale, spot_offset: -outer * scale },
    power: 2 * PI * (1 - outer) * level,
    bounds: { ...pointBounds(level), normals: innerAngle, emission: outerAngle - innerAngle },
  };
}

/** Of a light that shines every way; its place is still to be filled in. */
export const pointBounds = (intensity: number): LightBounds => ({
  min: [0, 0, 0],
  max: [0, 0, 0],
  axis: [0, 0, 1],
  normals: PI,
  emission: PI / 2,
  intensity,
  twoSided: false,
});
