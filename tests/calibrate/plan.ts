/**
 * What the calibration traces: every scene from three cameras, with different seeds, passes and depths of
 * path. A list that is the same on every stack, in levels that have all scenes each. Cameras are moved by
 * numbers that every engine multiplies alike (no sine): all stacks must stand at the same place.
 */
import type { SceneSummary, TraceRequest } from '#lib/gpu/engine.ts';
import type { Camera } from '#lib/protocol/order.ts';

export const SIDE_PX = 128;

/** A turn about the vertical through the target by (cos, sin) of a Pythagorean triple, and a step towards it. */
interface Stand {
  readonly cos: number;
  readonly sin: number;
  /** Of the distance to the target. */
  readonly distance: number;
}

const STANDS: readonly Stand[] = [
  { cos: 1, sin: 0, distance: 1 },
  { cos: 0.96, sin: 0.28, distance: 0.5 },
  { cos: 0.96, sin: -0.28, distance: 0.75 },
];

/** A pass of a job, as leases have them: first sample and count. */
interface Variant {
  readonly seed: number;
  readonly first: number;
  readonly count: number;
  readonly bounces: number;
}

const LEVELS: readonly (readonly Variant[])[] = [
  [
    { seed: 11, first: 0, count: 1, bounces: 8 },
    { seed: 12, first: 2, count: 2, bounces: 8 },
  ],
  [
    { seed: 13, first: 1, count: 1, bounces: 16 },
    { seed: 14, first: 4, count: 4, bounces: 8 },
  ],
  [
    { seed: 15, first: 0, count: 1, bounces: 4 },
    { seed: 16, first: 2, count: 2, bounces: 16 },
  ],
  [17, 18, 19, 20, 21, 22].map((seed) => ({ seed, first: 0, count: 1, bounces: 8 })),
];
export const LEVEL_COUNT = LEVELS.length;

export interface Shot extends Variant {
  /** Names the shot's film, in all stacks. */
  readonly id: string;
  readonly scene: string;
  readonly stand: number;
}

/** @param scenes names of files. @param levels how many passes over all scenes, at most LEVEL_COUNT. */
export function shots(scenes: readonly string[], levels: number): Shot[] {
  return LEVELS.slice(0, levels).flatMap((variants) =>
    scenes.flatMap((scene) =>
      variants.flatMap((variant) =>
        STANDS.map((_, stand) => ({
          ...variant,
          ...{ scene, stand },
          id: `${scene.replace(/\.glb$/, '')}-${stand}-${variant.seed}-${variant.first}-${variant.count}-${variant.bounces}`,
        })),
      ),
    ),
  );
}

function placed(camera: Camera, { cos, sin, distance }: Stand): Camera {
  const [x, y, z] = camera.eye.map((value, c) => (value - camera.target[c]!) * distance) as [number, number, number];
  const [a, b, c] = camera.target;
  return { ...camera, eye: [a + cos * x + sin * z, b + y, c + cos * z - sin * x] };
}

/** @param summary of the shot's scene, as compiled. */
export function requestOf({ stand, seed, first, count, bounces }: Shot, { root, cameras, view }: SceneSummary): TraceRequest {
  const camera = placed(cameras[0]?.camera ?? view, STANDS[stand]!);
  const rect = { x: 0, y: 0, width: SIDE_PX, height: SIDE_PX };
  return { sceneRoot: root, frame: { camera, width: SIDE_PX, height: SIDE_PX, bounces, seed }, rect, pass: { first, count } };
}
