/** From what a person chose to the order that is signed: how the picture is cut, and what names the scene. */
import { tileSideOf } from '../job/plan.ts';
import { PASS_SAMPLES_MAX } from '../protocol/limits.ts';
import type { BlobRef, JobOrder } from '../protocol/order.ts';
import type { Metered } from '../market/metering.ts';
import type { JobChoice } from './types.ts';

export interface OrderBlobs {
  readonly scene: BlobRef;
  readonly environment: BlobRef | null;
}

export function orderOf(choice: JobChoice, blobs: OrderBlobs): JobOrder {
  const { width, height } = choice;
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
    tileSide: tileSideOf({ width, height }),
    samples: choice.samples,
    passSamples: PASS_SAMPLES_MAX,
    bounces: choice.bounces,
    seed: choice.seed,
    capMicro: choice.capMicro.toString(),
    ...choice.terms,
  };
}

/** What of a choice decides what its rays cost. */
export const meteredOf = ({ summary, camera, transparent, width, height, bounces }: Omit<JobChoice, 'capMicro'>): Metered => ({
  sceneRoot: summary.root,
  ...{ camera, transparent, width, height, bounces },
});
