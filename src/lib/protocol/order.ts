/**
 * A job order: everything that decides the picture and its price, in one value that the creator
 * signs. Two peers with the same order trace the same paths.
 */
import * as v from 'valibot';
import {
  COST_PER_MILLE_MAX,
  JOB_BOUNCES_MAX,
  JOB_SAMPLES_MAX,
  JOB_SIDE_PX_MAX,
  ORDER_AVOIDS_MAX,
  PASS_SAMPLES_MAX,
  SCENE_FILE_BYTES_MAX,
  TILE_SIDE_PX_MAX,
  TILE_SIDE_PX_MIN,
  VARIANT_NAME_CHARS_MAX,
} from './limits.ts';
import { count, finite, hex32, microTokens, positive, shortText, vec3 } from './schema.ts';

/** A thin lens; without one everything is sharp. */
const LensSchema = v.strictObject({
  /** Of the aperture, world units. */
  radius: v.pipe(finite, v.minValue(1e-9), v.maxValue(1e6)),
  /** From the eye along the view axis to the plane that is sharp, world units. */
  focusDistance: v.pipe(finite, v.minValue(1e-6), v.maxValue(1e9)),
});
export type Lens = v.InferOutput<typeof LensSchema>;

const stand = { eye: vec3, target: vec3, up: vec3, lens: v.nullable(LensSchema) };

/**
 * In glTF coordinates. The tangent travels instead of the angle, because `tan` may differ between
 * engines and every peer must use the same number.
 */
const PerspectiveCameraSchema = v.strictObject({
  ...stand,
  /** tan(vertical field of view / 2). */
  tanHalfVfov: v.pipe(finite, v.minValue(1e-4), v.maxValue(1e3)),
});

/** Rays leave in parallel from the plane through the eye. */
const OrthographicCameraSchema = v.strictObject({
  ...stand,
  /** Half the height of what is seen, world units. */
  halfHeight: v.pipe(finite, v.minValue(1e-9), v.maxValue(1e9)),
});

export const CameraSchema = v.union([PerspectiveCameraSchema, OrthographicCameraSchema]);
export type Camera = v.InferOutput<typeof CameraSchema>;
export type PerspectiveCamera = v.InferOutput<typeof PerspectiveCameraSchema>;

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
  /** What the compiled scene takes on a device, in all and its largest buffer: who holds less is not asked. */
  sceneNeeds: v.strictObject({ bytes: positive(Number.MAX_SAFE_INTEGER), bindingBytes: positive(Number.MAX_SAFE_INTEGER) }),
  frameTimeS: v.pipe(finite, v.minValue(0), v.maxValue(1e6)),
  /** KHR_materials_variants: name of the one shown; null shows the materials as they are. */
  variant: v.nullable(v.pipe(v.string(), v.minLength(1), v.maxLength(VARIANT_NAME_CHARS_MAX))),
  camera: CameraSchema,
  /** What the camera sees where it meets no surface is left out of the light; coverage tells where. */
  transparent: v.boolean(),
  width: positive(JOB_SIDE_PX_MAX),
  height: positive(JOB_SIDE_PX_MAX),
  tileSide: v.pipe(positive(TILE_SIDE_PX_MAX), v.minValue(TILE_SIDE_PX_MIN), powerOfTwo),
  /** Samples per pixel in all. */
  samples: positive(JOB_SAMPLES_MAX),
  /** Largest pass, in samples; passes before it double from 1. */
  passSamples: v.pipe(positive(PASS_SAMPLES_MAX), powerOfTwo),
  bounces: positive(JOB_BOUNCES_MAX),
  seed: count(0xffffffff),
  /** The most this job may cost; taken into escrow at submission. */
  capMicro: microTokens,
  /** Keys that get no lease and no check of this job. */
  avoid: v.optional(v.pipe(v.array(hex32), v.maxLength(ORDER_AVOIDS_MAX))),
  /** The most a work unit may cost; without it, what the cap leaves for each. */
  priceMaxMicro: v.optional(microTokens),
  /** What a thousand of this scene's segments cost (market/metering), signed with the order and measured again by its workers; else 1000. */
  costPerMille: v.optional(positive(COST_PER_MILLE_MAX)),
  /** Noise at which a tile has had enough (market/noise), millionths; `samples` is then the most. */
  noisePpm: v.optional(positive(1_000_000)),
  /** Only workers who are beyond their probation. */
  proven: v.optional(v.boolean()),
  /** Once the cap pays less than half of what the work costs (market/tail): wait for what runs, which is what absence means, or take it back. */
  atCap: v.optional(v.picklist(['finish', 'cancel'])),
});
export type JobOrder = v.InferOutput<typeof JobOrderSchema>;
