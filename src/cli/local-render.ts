/**
 * Renders on this machine alone, cut into tiles and passes as a job is: the film is bit-identical
 * under any cut, so the cut here only follows what suits the device. No network, no ledger.
 */
import { TileAccumulator } from '#lib/job/accumulator.ts';
import { filmCounters, filmSegments, type Counters } from '#lib/job/film.ts';
import { copyRows, emptyLayers, placeLayers } from '#lib/job/layers.ts';
import { passes, tileCount, tileRect, type Rect } from '#lib/job/plan.ts';
import type { Engine, TraceRequest } from '#lib/gpu/engine.ts';
import type { Picture } from '#lib/image/develop.ts';
import { CommandError } from './command.ts';

/** Fewer, larger requests keep a fast GPU busy; small ones let a slow one show progress. */
const TILE_SIDE_PX = { hardware: 1024, software: 128 } as const;
const PASS_SAMPLES = { hardware: 16, software: 16 } as const;

export interface LocalJob {
  readonly sceneRoot: string;
  readonly frame: TraceRequest['frame'];
  readonly samples: number;
  readonly software: boolean;
  /** Keep albedo, normals and the rest as well. */
  readonly layers: boolean;
}

export interface LocalResult {
  readonly picture: Picture;
  readonly segments: number;
  readonly traceSeconds: number;
}

/** @returns null when the signal aborts. @throws CommandError when tracing fails. */
export async function renderLocally(
  signal: AbortSignal,
  engine: Engine,
  job: LocalJob,
  onProgress: (done: number, segments: number) => void,
): Promise<LocalResult | null> {
  const kind = job.software ? 'software' : 'hardware';
  const cut = { width: job.frame.width, height: job.frame.height, tileSide: TILE_SIDE_PX[kind] };
  const tiles = Array.from({ length: tileCount(cut) }, (_, i) => tileRect(cut, i));
  const sums = tiles.map((rect) => new TileAccumulator(rect.width * rect.height, job.layers));
  const pixels = cut.width * cut.height;
  let segments = 0;
  let traceSeconds = 0;
  let pathsDone = 0;
  for (const pass of passes({ samples: job.samples, passSamples: PASS_SAMPLES[kind] })) {
    for (const [i, rect] of tiles.entries()) {
      const paths = rect.width * rect.height * pass.count;
      const tell = (share: number): void => onProgress((pathsDone + paths * share) / (pixels * job.samples), segments);
      const outcome = await engine.trace(signal, { sceneRoot: job.sceneRoot, frame: job.frame, rect, pass }, tell);
      if (signal.aborted) return null;
      if (!outcome.ok) throw new CommandError(`tracing failed (${outcome.reason}): ${outcome.text}`);
      sums[i]!.add(pass, outcome.film.light);
      segments += filmSegments(outcome.film.light);
      traceSeconds += outcome.traceSeconds;
      pathsDone += paths;
      tell(0);
    }
  }
  return { picture: assemble(job, tiles, sums), segments, traceSeconds };
}

/** What the same paths take, counted by a kernel of its own. @returns null when the signal aborts. @throws CommandError */
export async function countLocally(
  signal: AbortSignal,
  engine: Engine,
  job: LocalJob,
  onProgress: (done: number) => void,
): Promise<Counters | null> {
  const { width, height } = job.frame;
  const cut = { width, height, tileSide: TILE_SIDE_PX[job.software ? 'software' : 'hardware'] };
  const total = { segments: 0, nodeVisits: 0, triangleTests: 0, shadingCalls: 0, texelReads: 0 };
  let pathsDone = 0;
  for (const pass of passes({ samples: job.samples, passSamples: PASS_SAMPLES.software })) {
    for (let tile = 0; tile < tileCount(cut); tile++) {
      const rect = tileRect(cut, tile);
      const outcome = await engine.trace(signal, { sceneRoot: job.sceneRoot, frame: job.frame, rect, pass, count: true });
      if (signal.aborted) return null;
      if (!outcome.ok) throw new CommandError(`counting failed (${outcome.reason}): ${outcome.text}`);
      const counted = filmCounters(outcome.film.light);
      for (const name of Object.keys(total) as (keyof Counters)[]) total[name] += counted[name];
      pathsDone += rect.width * rect.height * pass.count;
      onProgress(pathsDone / (width * height * job.samples));
    }
  }
  return total;
}

function assemble({ frame, samples }: LocalJob, tiles: readonly Rect[], sums: readonly TileAccumulator[]): Picture {
  const pixels = frame.width * frame.height;
  const light = new Float32Array(pixels * 3);
  const kept = sums[0]!.layers() ? emptyLayers(pixels) : null;
  for (const [i, rect] of tiles.entries()) {
    copyRows(light, sums[i]!.mean(), frame.width, rect, 3);
    const layers = kept && sums[i]!.layers();
    if (layers) placeLayers(kept, frame.width, rect, layers);
  }
  const { width, height } = frame;
  return { width, height, light, denoised: null, coverage: (frame.transparent && kept?.coverage) || null, auxiliary: kept, samples };
}
