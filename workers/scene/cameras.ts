/** Bounds of the scene, the file's cameras in Pictor's form, and a view that frames everything. */
import type { SceneSummary } from '#lib/gpu/engine.ts';
import type { Camera } from '#lib/protocol/order.ts';
import { tan } from './exact-math.ts';
import type { GltfJson } from './gltf-json.ts';
import { unit } from './matrix.ts';
import type { Pose } from './pose.ts';

export type Bounds = SceneSummary['bounds'];

/** @param triangles 9 numbers each, at least one triangle. @returns bounds, and half their diagonal (never 0). */
export function sceneBounds(triangles: Float32Array): { readonly bounds: Bounds; readonly radius: number } {
  const min: [number, number, number] = [Infinity, Infinity, Infinity];
  const max: [number, number, number] = [-Infinity, -Infinity, -Infinity];
  for (let t = 0; t < triangles.length; t += 9) {
    for (let axis = 0; axis < 3; axis++) {
      const a = triangles[t + axis] as number;
      const b = a + (triangles[t + 3 + axis] as number);
      const c = a + (triangles[t + 6 + axis] as number);
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

/** Perspective cameras of the scene in the order of the file's cameras; others become a warning. */
export function readCameras(json: GltfJson, pose: Pose, bounds: Bounds): Pick<SceneSummary, 'cameras' | 'warnings'> {
  const warnings: string[] = [];
  const found = pose.placed.flatMap(({ node, world, index }) => {
    const camera = node.camera === undefined ? undefined : json.cameras[node.camera];
    if (!camera) return [];
    const name = node.name || camera.name || `Camera ${node.camera}`;
    if (camera.type !== 'perspective' || !camera.perspective) {
      warnings.push(`The camera "${name}" (nodes[${index}]) is not a perspective camera and was left out.`);
      return [];
    }
    const at = (i: number): number => world[i] as number;
    const eye: [number, number, number] = [at(12), at(13), at(14)];
    const forward = unit([-at(8), -at(9), -at(10)], [0, 0, -1]);
    const up = [...unit([at(4), at(5), at(6)], [0, 1, 0])] as [number, number, number];
    // The target lies abreast of the scene's middle, so that orbiting around it feels natural.
    const middle = center(bounds);
    const reach = forward.reduce((sum, value, axis) => sum + value * ((middle[axis] as number) - (eye[axis] as number)), 0);
    const target = eye.map((value, axis) => value + (forward[axis] as number) * (reach > 1e-3 ? reach : 1)) as [number, number, number];
    const tanHalfVfov = Math.min(1e3, Math.max(1e-4, tan(camera.perspective.yfov / 2)));
    return [{ order: node.camera ?? 0, name, camera: { eye, target, up, tanHalfVfov, lens: null } }];
  });
  return { cameras: found.sort((a, b) => a.order - b.order).map(({ name, camera }) => ({ name, camera })), warnings };
}
