/** A finished frame as what it was before it was kept: a job's picture, so that one page shows both. */
import { tileCount } from '../job/plan.ts';
import type { StoredFrame } from '../roles/frame-store.ts';
import type { CreatorJob } from '../roles/types.ts';

export function jobOfFrame({ sequence, frame, job, order, view, light, layers }: StoredFrame): CreatorJob {
  const tileSamples = Array.from({ length: tileCount(order) }, () => order.samples);
  return { job, place: { sequence, frame }, order, view, image: light, coverage: layers.coverage, tileSamples, bytesIn: 0, bytesOut: 0 };
}
