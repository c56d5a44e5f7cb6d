/**
 * A job order: everything that decides the picture and its price, in one value that the creator
 * signs. Two peers with the same order trace the same paths.
 */
import * as v from 'valibot';
import { JOB_BOUNCES_MAX, JOB_SAMPLES_MAX, JOB_SIDE_PX_MAX, TILE_SIDE_PX_MAX, TILE_SIDE_PX_MIN, SCENE_FILE_BYTES_MAX } from './limits.ts';
import { count, finite, hex32, microTokens, positive, shortText, vec3 } from './schema.ts';

/**
 * A pinhole camera in glTF coordinates. The tangent travels instead of the angle, because `tan`
 * may differ between engines and every peer must use the same number.
 */
export const CameraSchema = v.strictObject({
  eye: vec3,
  target: vec3,
  up: vec3,
  /** tan(vertical field of view / 2). */
  tanHalfVfov: v.pipe(finite, v.minValue(1e-4), v.maxValue(1e3)),
});
export type Camera = v.InferOutput<typeof CameraSchema>;

const BlobRefSchema = v.strictObject({
  /** SHA-256 of the blob's manifest (see p2p/blob). */
  hash: hex32,
  bytes: positive(SCENE_FILE_BYTES_MAX),
});
export type BlobRef = v.InferOutput<typeof BlobRefSchema>;

const powerOfTwo = v.check<number, string>((n) => (n & (n - 1)) === 0, 'expected a power of two');

export const JobOrderSchema = v.strictObject({
  title: shortText,
  /** The original GLB, as dropped. */
  scene: BlobRefSchema,
  /** The original HDR file; null means black surroundings unless the scene brings its own. */
  environment: v.nullable(v.strictObject({ ...BlobRefSchema.entries, intensity: v.pipe(finite, v.minValue(0), v.maxValue(1e6)) })),
  /** Root hash of the compiled scene at `frameTimeS`; every peer must compile to it. */
  sceneRoot: hex32,
  frameTimeS: v.pipe(finite, v.minValue(0), v.maxValue(1e6)),
  camera: CameraSchema,
  width: positive(JOB_SIDE_PX_MAX),
  height: positive(JOB_SIDE_PX_MAX),
  tileSide: v.pipe(positive(TILE_SIDE_PX_MAX), v.minValue(TILE_SIDE_PX_MIN), powerOfTwo),
  /** Samples per pixel in all. */
  samples: positive(JOB_SAMPLES_MAX),
  /** Largest pass, in samples; passes before it double from 1. */
  passSamples: v.pipe(positive(64), powerOfTwo),
  bounces: positive(JOB_BOUNCES_MAX),
  seed: count(0xffffffff),
  /** The most this job may cost; taken into escrow at submission. */
  capMicro: microTokens,
});
export type JobOrder = v.InferOutput<typeof JobOrderSchema>;
