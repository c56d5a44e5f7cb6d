/**
 * A look at a picture before it is ordered, where nobody watches: the whole of it, small, in a few
 * samples, for a quote (market/estimate). Traces with the kernel that counts, so that a program that
 * quotes and measures a cost builds one kernel. Refuses to take long; where there is no device it says nothing.
 */
import type { Engine } from '../gpu/engine.ts';
import { passes, shrunk } from '../job/plan.ts';
import { regionsOf } from '../market/estimate.ts';
import type { Metered } from '../market/metering.ts';
import { NOISE_SAMPLES_MIN, NoiseSums, type TileNoise } from '../market/noise.ts';

/** Longer side of what is looked at: as the smallest preview of a page. */
const SIDE_PX = 96;
/** As many as a noise is judged by; in small passes, so that a slow device may stop between them. */
const WANTED = { samples: NOISE_SAMPLES_MIN, passSamples: 4 };
/** No further pass is begun after so much tracing, once there is something to go by. */
const TRACE_SECONDS_MAX = 4;

/** @returns what each region showed; empty where nothing could be measured. */
export async function survey(signal: AbortSignal, engine: Engine, view: Metered, seed: number): Promise<readonly TileNoise[]> {
  const { camera, transparent, bounces, sceneRoot } = view;
  const size = shrunk(view, SIDE_PX);
  const rect = { x: 0, y: 0, ...size };
  const sums = new NoiseSums(size);
  let seconds = 0;
  let regions: readonly TileNoise[] = [];
  for (const pass of passes(WANTED)) {
    if (regions.length > 0 && seconds > TRACE_SECONDS_MAX) break;
    const frame = { camera, transparent, bounces, ...size, seed };
    const outcome = await engine.trace(signal, { sceneRoot, frame, rect, pass, count: true });
    if (!outcome.ok) break;
    sums.add(rect, outcome.film.light, pass.count);
    seconds += outcome.traceSeconds;
    regions = regionsOf(view, size, sums);
  }
  return regions;
}
