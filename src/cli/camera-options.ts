/**
 * Which camera a picture is taken with, and its lens: from words to values before the scene is
 * read, and from values to a camera once it is. Refuses to guess between cameras of one name.
 */
import type { SceneSummary } from '#lib/gpu/engine.ts';
import type { Camera, Lens } from '#lib/protocol/order.ts';
import { CommandError, readNumber, readVector, UsageError } from './command.ts';

export type CameraChoice =
  | { readonly kind: 'default' }
  /** By name, or by number from 0 where no camera has that name. */
  | { readonly kind: 'of-file'; readonly name: string }
  | { readonly kind: 'given'; readonly camera: Camera };

export interface LensChoice {
  readonly aperture: { readonly kind: 'radius'; readonly radius: number } | { readonly kind: 'f-stop'; readonly stop: number };
  /** Null: where the camera looks at. */
  readonly focusDistance: number | null;
}

type CameraWords = Partial<Record<'camera' | 'eye' | 'target' | 'up' | 'vfov', string | undefined>>;

/** @throws UsageError */
export function readCamera(options: CameraWords): CameraChoice {
  if (options.camera !== undefined) {
    if (options.eye ?? options.target ?? options.up ?? options.vfov)
      throw new UsageError('--camera takes the camera of the file; leave out --eye, --target, --up and --vfov');
    if (options.camera.trim() === '') throw new UsageError('--camera must be the name or the number of a camera of the file');
    return { kind: 'of-file', name: options.camera };
  }
  if (options.eye === undefined && options.target === undefined) {
    if (options.up ?? options.vfov) throw new UsageError('--up and --vfov need --eye and --target');
    return { kind: 'default' };
  }
  if (options.eye === undefined || options.target === undefined) throw new UsageError('--eye and --target go together');
  const vfov = readNumber('vfov', options.vfov ?? '45', 0.01, 179.9);
  return {
    kind: 'given',
    camera: {
      eye: readVector('eye', options.eye),
      target: readVector('target', options.target),
      up: readVector('up', options.up ?? '0,1,0'),
      tanHalfVfov: Math.tan((vfov * Math.PI) / 360),
      lens: null,
    },
  };
}

/** `0.02@3.5`: lens radius and focus distance in scene units; `f2.8@3.5`: f-stop; `@` and what follows may be left out. @throws UsageError */
export function readLens(text: string): LensChoice {
  const found = /^(f\/?)?([^@]+)(?:@(.+))?$/i.exec(text);
  if (!found) throw new UsageError(`--dof must be RADIUS@DISTANCE or fSTOP@DISTANCE, such as 0.02@3.5 or f2.8@3.5, not '${text}'`);
  const [, stop, amount, distance] = found;
  const aperture =
    stop === undefined
      ? ({ kind: 'radius', radius: readNumber('dof', amount!, 1e-9, 1e6) } as const)
      : ({ kind: 'f-stop', stop: readNumber('dof', amount!, 0.1, 1000) } as const);
  return { aperture, focusDistance: distance === undefined ? null : readNumber('dof', distance, 1e-6, 1e9) };
}

/** The file's first camera when none is chosen, a framing view when it has none. @throws CommandError */
export function chooseCamera(choice: CameraChoice, summary: Pick<SceneSummary, 'cameras' | 'view'>): Camera {
  if (choice.kind === 'given') return choice.camera;
  const { cameras } = summary;
  if (choice.kind === 'default') return cameras[0]?.camera ?? summary.view;
  const named = cameras.flatMap(({ name }, i) => (name === choice.name ? [i] : []));
  if (named.length > 1) throw new CommandError(`several cameras are named '${choice.name}': choose number ${named.join(' or ')}`);
  const found = cameras[named[0] ?? (/^\d+$/.test(choice.name) ? Number(choice.name) : -1)];
  if (found) return found.camera;
  const there = cameras.map(({ name }, i) => `${i} '${name}'`).join(', ');
  throw new CommandError(`the scene has no camera '${choice.name}'; ${there ? `it has ${there}` : 'it has none'}`);
}

/** Longer side of the sensor that f-stops refer to, metres: 35 mm film. */
const SENSOR_M = 0.036;

/** The camera with this lens, for a picture of these proportions. @throws CommandError */
export function withLens(camera: Camera, lens: LensChoice | null, size: { readonly width: number; readonly height: number }): Camera {
  if (!lens) return camera;
  const toTarget = Math.hypot(...camera.eye.map((x, i) => x - camera.target[i]!));
  const focusDistance = lens.focusDistance ?? toTarget;
  if (!(focusDistance > 0)) throw new CommandError('--dof needs @DISTANCE here: the camera stands where it looks at');
  return { ...camera, lens: { radius: radiusOf(camera, lens.aperture, size), focusDistance } };
}

function radiusOf(camera: Camera, aperture: LensChoice['aperture'], { width, height }: { width: number; height: number }): Lens['radius'] {
  if (aperture.kind === 'radius') return aperture.radius;
  if ('halfHeight' in camera) throw new CommandError('--dof with an f-stop needs a perspective camera; give this one a lens radius');
  const halfSensorHeight = ((SENSOR_M / 2) * height) / Math.max(width, height);
  // f-number = focal length / diameter; glTF's unit is the metre.
  return halfSensorHeight / camera.tanHalfVfov / (2 * aperture.stop);
}
