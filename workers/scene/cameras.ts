/** Bounds of the scene, the file's cameras in the form that orders use, and a view that frames everything. */
import type { SceneSummary } from '#lib/gpu/engine.ts';
import type { Camera } from '#lib/protocol/order.ts';
import { tan } from './exact-math.ts';
import type { GltfJson } from './gltf-json.ts';
import { unit } from './matrix.ts';
import type { Pose } from './pose.ts';

export type Bounds = SceneSummary['bounds'];

/**
 * @param triangles three corners of 3 numbers each. @param others least x, y, z, then largest, of what else there is.
 * @returns bounds, and half their diagonal (never 0).
 */
export function sceneBounds(triangles: Float32Array, others: readonly number[]): { readonly bounds: Bounds; readonly radius: number } {
  const min = others.slice(0, 3) as [number, number, number];
  const max = others.slice(3, 6) as [number, number, number];
  for (let t = 0; t < triangles.length; t += 9) {
    for (let axis = 0; axis < 3; axis++) {
      const a = triangles[t + axis] as number;
      const b = triangles[t + 3 + axis] as number;
      const c = triangles[t + 6 + axis] as number;
      min[axis] = Math.min(min[axis] as number, a, b, c);
      max[axis] = Math.max(max[axis] as number, a, b, c);
    }
  }
  const [x, y, z] = [max[0] - min[0], max[1] - min[1], max[2] - min[2]];
  return { bounds: { min, max }, radius: Math.sqrt(x * x + y * y + z * z) / 2 };
}

const center = ({ min, max }: Bounds): [number, number, number] => [(min[0] + max[0]) / 2, (min[1] + max[1]) / 2, (min[2] + max[2]) / 2];

/** tan and sin of 18°, half the vertical field of view of the default camera. */
const VIEW_TAN = 0.3249196962329063;
const VIEW_SIN = 0.3090169943749474;

/** Looks at the middle from the front, the right and a little above, just far enough to see all. */
export function defaultView(bounds: Bounds, radius: number): Camera {
  const target = center(bounds);
  const from = unit([0.55, 0.38, 1], [0, 0, 1]);
  const distance = radius / VIEW_SIN;
  const eye = target.map((value, axis) => value + distance * (from[axis] as number)) as [number, number, number];
  return { eye, target, up: [0, 1, 0], tanHalfVfov: VIEW_TAN, lens: null };
}

/**
 * Cameras of the scene in the order of the file's cameras, each under a name of its own. Only the
 * place and the direction of the node count: scale, mirrored or not, changes no picture. Neither do
 * znear and zfar, because rays are cut nowhere, nor the aspect ratio, which the order's frame decides.
 */
export function readCameras(json: GltfJson, pose: Pose, bounds: Bounds): Pick<SceneSummary, 'cameras' | 'warnings'> {
  const warnings: string[] = [];
  const found = pose.cameras.flatMap(({ node, world, index }) => {
    const order = node.camera ?? 0;
    const camera = json.cameras[order];
    if (!camera) return [];
    const name = node.name || camera.name || `Camera ${order}`;
    const view = viewOf(camera, name, index, warnings);
    if (!view) return [];
    const at = (i: number): number => world[i] as number;
    const eye: [number, number, number] = [at(12), at(13), at(14)];
    const forward = unit([-at(8), -at(9), -at(10)], [0, 0, -1]);
    const up = [...unit([at(4), at(5), at(6)], [0, 1, 0])] as [number, number, number];
    // The target lies abreast of the scene's middle, so that orbiting around it feels natural.
    const middle = center(bounds);
    const reach = forward.reduce((sum, value, axis) => sum + value * ((middle[axis] as number) - (eye[axis] as number)), 0);
    const target = eye.map((value, axis) => value + (forward[axis] as number) * (reach > 1e-3 ? reach : 1)) as [number, number, number];
    return [{ order, name, camera: { eye, target, up, lens: null, ...view } }];
  });
  const names = new Set<string>();
  const cameras = found.sort((a, b) => a.order - b.order).map(({ name, camera }) => ({ name: uniqueName(name, names), camera }));
  return { cameras, warnings };
}

/** What `tan` gives at the ends of what an order may ask for. */
const YFOV_MIN = 2e-4;
const YFOV_MAX = 3.139;
const HALF_HEIGHT_MIN = 1e-9;
const HALF_HEIGHT_MAX = 1e9;

function viewOf(
  camera: GltfJson['cameras'][number],
  name: string,
  node: number,
  warnings: string[],
): { readonly tanHalfVfov: number } | { readonly halfHeight: number } | null {
  const { perspective, orthographic } = camera;
  if (camera.type === 'perspective' && perspective) {
    const yfov = Math.min(YFOV_MAX, Math.max(YFOV_MIN, perspective.yfov));
    return { tanHalfVfov: Math.min(1e3, Math.max(1e-4, tan(yfov / 2))) };
  }
  const halfHeight = Math.abs(orthographic?.ymag ?? 0);
  if (camera.type === 'orthographic' && halfHeight >= HALF_HEIGHT_MIN && halfHeight <= HALF_HEIGHT_MAX) return { halfHeight };
  warnings.push(`The camera "${name}" (nodes[${node}]) has neither a field of view nor a height and was left out.`);
  return null;
}

/** A camera is chosen by its name, so the second "Camera" becomes "Camera (2)". */
function uniqueName(name: string, taken: Set<string>): string {
  let unique = name;
  for (let n = 2; taken.has(unique); n++) unique = `${name} (${n})`;
  taken.add(unique);
  return unique;
}
