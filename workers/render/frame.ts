/**
 * Fills the Frame uniform: camera axes and lens from the order, rectangle, samples, and the range
 * of pixels of one dispatch. Doubles rounded once, no trigonometry, so every peer writes the same.
 */
import type { TraceRequest } from '#lib/gpu/engine.ts';
import { Frame, FRAME_ORTHOGRAPHIC, FRAME_TRANSPARENT } from '#shaders/layout.ts';

type Vec3 = readonly [number, number, number];
const sub = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const cross = (a: Vec3, b: Vec3): Vec3 => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const scale = (a: Vec3, s: number): Vec3 => [a[0] * s, a[1] * s, a[2] * s];

function unit(a: Vec3, fallback: Vec3): Vec3 {
  const length = Math.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2]);
  return length > 0 ? scale(a, 1 / length) : fallback;
}

/** What the frame takes from the scene. */
export interface FrameScene {
  readonly lights: number;
  readonly envWidth: number;
  readonly envHeight: number;
  readonly envPick: number;
  /** Rows of the light table that the light tree holds. */
  readonly treeLights: number;
  /** Probability that the light tree is asked for a light. */
  readonly treeShare: number;
  /** The volumes that a camera there stands in. */
  readonly mediaAt: (eye: Vec3) => readonly [number, number];
}

export interface PixelRange {
  readonly first: number;
  readonly count: number;
}

export function encodeFrame(request: TraceRequest, scene: FrameScene, range: PixelRange): ArrayBuffer {
  const { camera, width, height, bounces, seed, transparent } = request.frame;
  const orthographic = 'halfHeight' in camera;
  const half = orthographic ? camera.halfHeight : camera.tanHalfVfov;
  const forward = unit(sub(camera.target, camera.eye), [0, 0, -1]);
  const anyAcross: Vec3 = Math.abs(forward[1]) < 0.9 ? cross(forward, [0, 1, 0]) : cross(forward, [1, 0, 0]);
  const right = unit(cross(forward, camera.up), unit(anyAcross, [1, 0, 0]));
  const up = cross(right, forward);
  const out = new DataView(new ArrayBuffer(Frame.size));
  const vec = (at: number, v: Vec3): void => v.forEach((x, i) => out.setFloat32(at + i * 4, x, true));
  const word = (at: number, x: number): void => out.setUint32(at, x, true);
  const at = Frame.offsets;
  vec(at.eye, camera.eye);
  vec(at.right, scale(right, (half * width) / height));
  vec(at.up, scale(up, half));
  vec(at.forward, forward);
  word(at.width, width);
  word(at.height, height);
  word(at.bounces, bounces);
  word(at.seed, seed);
  word(at.rect_x, request.rect.x);
  word(at.rect_y, request.rect.y);
  word(at.rect_width, request.rect.width);
  word(at.first_sample, request.pass.first);
  word(at.samples_log2, Math.log2(request.pass.count));
  word(at.first_pixel, range.first);
  word(at.pixels, range.count);
  word(at.lights, scene.lights);
  word(at.env_width, scene.envWidth);
  word(at.env_height, scene.envHeight);
  out.setFloat32(at.env_pick, scene.envPick, true);
  word(at.tree_lights, scene.treeLights);
  out.setFloat32(at.tree_share, scene.treeShare, true);
  scene.mediaAt(camera.eye).forEach((x, i) => word(at.media + i * 4, x));
  word(at.flags, (orthographic ? FRAME_ORTHOGRAPHIC : 0) | (transparent ? FRAME_TRANSPARENT : 0));
  out.setFloat32(at.lens_radius, camera.lens?.radius ?? 0, true);
  out.setFloat32(at.focus_distance, camera.lens?.focusDistance ?? 0, true);
  return out.buffer;
}
