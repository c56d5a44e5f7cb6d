/** From what a person chose to the order that is signed: how the picture is cut, and what names the scene. */
import { tileCount } from '../job/plan.ts';
import { PASS_SAMPLES_MAX, TILE_SIDE_PX, TILE_SIDE_PX_MIN } from '../protocol/limits.ts';
import type { BlobRef, JobOrder } from '../protocol/order.ts';
import type { JobChoice } from './types.ts';

/** Small pictures are cut finer, so that several workers find something to do. */
const TILES_WANTED = 12;

export interface OrderBlobs {
  readonly scene: BlobRef;
  readonly environment: BlobRef | null;
}

export function orderOf(choice: JobChoice, blobs: OrderBlobs): JobOrder {
  const { width, height } = choice;
  let tileSide = TILE_SIDE_PX;
  while (tileSide > TILE_SIDE_PX_MIN && tileCount({ width, height, tileSide }) < TILES_WANTED) tileSide /= 2;
  const intensity = choice.files.environment?.intensity ?? 1;
  return {
    title: choice.title.slice(0, 200),
    scene: blobs.scene,
    environment: blobs.environment && { ...blobs.environment, intensity },
    sceneRoot: choice.summary.root,
    sceneNeeds: choice.summary.needs,
    frameTimeS: choice.files.frameTimeS,
    variant: choice.files.variant,
    camera: choice.camera,
    transparent: choice.transparent,
    width,
    height,
    tileSide,
    samples: choice.samples,
    passSamples: PASS_SAMPLES_MAX,
    bounces: choice.bounces,
    seed: choice.seed,
    capMicro: choice.capMicro.toString(),
    ...choice.terms,
  };
}
