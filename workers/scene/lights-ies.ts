/**
 * EXT_lights_ies: photometric profiles of the file, and the nodes that hold them as candidates of
 * the light table. A profile is one table of values (PROFILE_* in shaders/layout.ts); each placed
 * light has a small header of its own that orients it. Refuses malformed profiles with one sentence.
 */
import { SCENE_PROFILE_VALUES_MAX } from '#lib/protocol/limits.ts';
import { LIGHT_POINT, NONE, PROFILE_HEADER, PROFILE_TABLE_HEADER, PROFILE_TYPE_B, PROFILE_TYPE_C } from '#shaders/layout.ts';
import { SceneError } from './compiled-scene.ts';
import { cos, luminance, PI } from './exact-math.ts';
import type { GltfNode } from './gltf-json.ts';
import { parseIes, type Photometry } from './ies.ts';
import type { Candidate } from './lights.ts';
import { pointBounds } from './lights-punctual.ts';
import { unit, type Vec3 } from './matrix.ts';
import type { Pose } from './pose.ts';
import type { CheckedGltf } from './preflight.ts';

const NAME = 'EXT_lights_ies';

export interface IesLights {
  readonly candidates: readonly Candidate[];
  /** All tables and headers, one after the other. */
  readonly profiles: Float32Array<ArrayBuffer>;
}

interface Profile {
  /** First value of its table. */
  readonly start: number;
  readonly peak: number;
  /** Lumens. */
  readonly flux: number;
  /** Type C: degrees from the aim beyond which there is no light; else 180. */
  readonly reach: number;
}

/** @throws SceneError naming the JSON path of a malformed light or profile. */
export function readIesLights(checked: CheckedGltf, json: CheckedGltf['json'], pose: Pose): IesLights {
  const listed: unknown = json.extensions?.[NAME]?.['lights'];
  const values: number[] = [];
  const profiles = new Map<number, Profile>();
  const candidates = pose.placed.flatMap(({ node, world, index }): Candidate[] => {
    const use = node.extensions?.[NAME];
    const reference: unknown = use?.['light'];
    if (!use || reference === undefined) return [];
    const path = `nodes[${index}].extensions.${NAME}`;
    const light: unknown = Array.isArray(listed) && typeof reference === 'number' ? listed[reference] : undefined;
    if (typeof light !== 'object' || light === null || typeof reference !== 'number') {
      throw new SceneError(`${path}.light: it names no light of the file; export the file again.`);
    }
    let profile = profiles.get(reference);
    if (!profile) {
      const at = `extensions.${NAME}.lights[${reference}]`;
      profile = addTable(values, parseIes(profileBytes(checked, light as Readonly<Record<string, unknown>>, at), at));
      profiles.set(reference, profile);
    }
    const color = tint(use, path);
    const level = luminance(...color);
    if (!(profile.peak * level > 0)) return [];
    const axis = (k: number): Vec3 => [world[k] as number, world[k + 1] as number, world[k + 2] as number];
    const away = unit(axis(8), [0, 0, 1]);
    const direction: Vec3 = [-away[0], -away[1], -away[2]];
    const header = values.length;
    values.push(...unit(axis(0), [1, 0, 0]), profile.start, ...unit(axis(4), [0, 1, 0]), 0);
    if (values.length > SCENE_PROFILE_VALUES_MAX)
      throw new SceneError(`${path}: the light profiles of the scene have too many values; use fewer.`);
    const bounds = { ...pointBounds(profile.peak * level), min: axis(12), max: axis(12), axis: direction };
    return [
      {
        row: { kind: LIGHT_POINT, triangle: NONE, profile: header, position: axis(12), direction, color },
        power: profile.flux * level,
        bounds: { ...bounds, normals: (profile.reach / 180) * PI, emission: profile.reach < 180 ? 0 : PI / 2 },
      },
    ];
  });
  return { candidates, profiles: Float32Array.from(values) };
}

/** `multiplier` times `color`, which the extension clamps to [0, 1]. */
function tint(use: Readonly<GltfNode['extensions'] & object>[string], path: string): Vec3 {
  const multiplier = (use as Readonly<Record<string, unknown>>)['multiplier'] ?? 1;
  const rgb = (use as Readonly<Record<string, unknown>>)['color'] ?? [1, 1, 1];
  if (typeof multiplier !== 'number' || !(multiplier >= 0 && multiplier < 1e15)) {
    throw new SceneError(`${path}.multiplier: expected a number from 0 to 1e15; export the file again.`);
  }
  if (!Array.isArray(rgb) || rgb.length !== 3 || !rgb.every((c) => typeof c === 'number' && Number.isFinite(c))) {
    throw new SceneError(`${path}.color: expected three numbers; export the file again.`);
  }
  return (rgb as number[]).map((c) => Math.min(1, Math.max(0, c)) * multiplier) as unknown as Vec3;
}

function profileBytes(checked: CheckedGltf, light: Readonly<Record<string, unknown>>, path: string): Uint8Array {
  const { uri, bufferView: index } = light;
  if (typeof uri === 'string') return checked.resource(uri, `${path}.uri`);
  const view = typeof index === 'number' ? checked.json.bufferViews[index] : undefined;
  const buffer = view && checked.buffers[view.buffer];
  if (!view || !buffer) throw new SceneError(`${path}: it has neither a URI nor a bufferView with bytes; export the file again.`);
  return buffer.subarray(view.byteOffset, view.byteOffset + view.byteLength);
}

/** Appends header, angles and candela. */
function addTable(values: number[], { kind, vertical, horizontal, candela }: Photometry): Profile {
  const start = values.length;
  if (start + PROFILE_TABLE_HEADER + PROFILE_HEADER + candela.length > SCENE_PROFILE_VALUES_MAX) {
    throw new SceneError('The light profiles of the scene have too many values; use fewer.');
  }
  values.push(kind === 'C' ? PROFILE_TYPE_C : PROFILE_TYPE_B, vertical.length, horizontal.length, 0);
  for (const list of [vertical, horizontal, candela]) for (const value of list) values.push(value);
  let [peak, flux, lit] = [0, 0, 0];
  candela.forEach((value, i) => {
    const k = i % vertical.length;
    peak = Math.max(peak, value);
    if (value > 0) lit = Math.max(lit, vertical[Math.min(k + 1, vertical.length - 1)] as number);
    const low = vertical[Math.max(k - 1, 0)] as number;
    const high = vertical[Math.min(k + 1, vertical.length - 1)] as number;
    // Each vertical angle stands for the zone halfway to its neighbours, and all planes for equally much.
    const [from, to] = [(low + (vertical[k] as number)) / 2, (high + (vertical[k] as number)) / 2];
    flux += (value * 2 * PI * Math.abs(zone(kind, from) - zone(kind, to))) / horizontal.length;
  });
  return { start, peak, flux: Math.max(flux, peak * 1e-3), reach: kind === 'C' ? Math.min(180, lit) : 180 };
}

/** Share of the sphere's height: type C counts from the aim, type B from the horizon. */
const zone = (kind: 'B' | 'C', degrees: number): number => cos(((kind === 'C' ? degrees : degrees + 90) / 180) * PI);
