/**
 * Renders on this machine alone, cut into tiles and passes as a job is: the film is bit-identical
 * under any cut, so the cut here only follows what suits the device. No network, no ledger.
 */
import { TileAccumulator } from '#lib/job/accumulator.ts';
import { filmSegments } from '#lib/job/film.ts';
import { passes, tileCount, tileRect, type Rect } from '#lib/job/plan.ts';
import type { Engine, TraceRequest } from '#lib/gpu/engine.ts';
import { CommandError } from './command.ts';
import type { Picture } from './outputs.ts';

/** Fewer, larger requests keep a fast GPU busy; small ones let a slow one show progress. */
const TILE_SIDE_PX = { hardware: 1024, software: 128 } as const;
const PASS_SAMPLES = { hardware: 16, software: 16 } as const;

export interface LocalJob {
  readonly sceneRoot: string;
  readonly frame: TraceRequest['frame'];
  readonly samples: number;
  readonly software: boolean;
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
  const sums = tiles.map((rect) => new TileAccumulator(rect.width * rect.height));
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
  return { picture: assemble(cut, tiles, sums), segments, traceSeconds };
}

function assemble(frame: { width: number; height: number }, tiles: readonly Rect[], sums: readonly TileAccumulator[]): Picture {
  const rgb = new Float32Array(frame.width * frame.height * 3);
  for (const [i, rect] of tiles.entries()) {
    const mean = sums[i]!.mean();
    for (let y = 0; y < rect.height; y++) {
      const row = mean.subarray(y * rect.width * 3, (y + 1) * rect.width * 3);
      rgb.set(row, ((rect.y + y) * frame.width + rect.x) * 3);
    }
  }
  return { rgb, width: frame.width, height: frame.height };
}
