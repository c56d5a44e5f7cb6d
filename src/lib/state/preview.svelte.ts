/**
 * The same camera and scene as the network would render, traced here at a small size: pass after
 * pass, larger when this GPU is quick. Measures what a quote needs: noise and rays of each region, what
 * a ray costs, and rays per second. Stops after the piece at hand when the camera moves.
 */
import { Frame } from './frame.ts';
import { filmSegments } from '../job/film.ts';
import { passes, shrunk, tileCount, tileRect } from '../job/plan.ts';
import { regionsOf } from '../market/estimate.ts';
import { NoiseSums, type TileNoise } from '../market/noise.ts';
import { TILE_SIDE_PX } from '../protocol/limits.ts';
import type { Engine, SceneFiles, TraceOutcome, TraceRequest } from '../gpu/engine.ts';
import type { Camera } from '../protocol/order.ts';
import { costOf } from '../roles/meter.ts';

/** Sizes by their longer side; a larger one is taken when a sample of it would come within its time. */
const SIZES = [
  { sidePx: 96, withinSeconds: Infinity },
  { sidePx: 192, withinSeconds: 3 },
  { sidePx: 384, withinSeconds: 0.6 },
  { sidePx: 768, withinSeconds: 0.4 },
] as const;
const SAMPLES = 256;
const PASS_SAMPLES = 4;
/** Stopping waits for the piece at hand, which is small: ending it by force would cost the device and its pipelines. */
const NEVER = new AbortController().signal;

export interface PreviewView {
  readonly sceneRoot: string;
  /** What the scene was compiled from, should the engine have dropped it. */
  readonly files: SceneFiles;
  readonly camera: Camera;
  readonly transparent: boolean;
  /** Of the picture to be ordered; only their ratio counts here. */
  readonly width: number;
  readonly height: number;
  readonly bounces: number;
}

export class Preview {
  frame = $state.raw<Frame | null>(null);
  /** The view that `frame` is of. */
  of = $state.raw<PreviewView | null>(null);
  version = $state(0);
  samples = $state(0);
  running = $state(false);
  /** Why it stands still, for people; empty while all is well. */
  trouble = $state('');
  /** What each part of the picture showed; empty until every pixel of it has two samples. */
  regions = $state.raw<readonly TileNoise[]>([]);
  /** What its rays cost (JobOrder.costPerMille); null until it is measured, and where it can't be. */
  costPerMille = $state<number | null>(null);
  segmentsPerSecond = $state<number | null>(null);
  readonly #engine: () => Promise<Engine>;
  #work = new AbortController();

  constructor(engine: () => Promise<Engine>) {
    this.#engine = engine;
  }

  stop(): void {
    this.#work.abort();
    this.running = false;
  }

  /** Starts over with a new view; the old picture stays until the first pass of the new one is through. */
  async trace(view: PreviewView): Promise<void> {
    this.#work.abort();
    this.#work = new AbortController();
    const { signal } = this.#work;
    this.running = true;
    this.trouble = '';
    if (view.sceneRoot !== this.of?.sceneRoot) this.#forget();
    try {
      const engine = await this.#engine();
      let side = 0;
      while (!signal.aborted && side < SIZES.length) side = await this.#develop(signal, engine, view, side);
    } catch (cause) {
      if (!signal.aborted) this.trouble = `The local preview stopped: ${cause instanceof Error ? cause.message : String(cause)}`;
    }
    if (!signal.aborted) this.running = false;
  }

  /** @returns the index of the size to go on with; past the end when done. */
  async #develop(signal: AbortSignal, engine: Engine, view: PreviewView, side: number): Promise<number> {
    const size = { ...shrunk(view, SIZES[side]!.sidePx), tileSide: TILE_SIDE_PX };
    const frame = new Frame(size.width, size.height, true);
    const sums = new NoiseSums(size);
    for (const pass of passes({ samples: SAMPLES, passSamples: PASS_SAMPLES })) {
      let segments = 0;
      let seconds = 0;
      for (let tile = 0; tile < tileCount(size); tile++) {
        const rect = tileRect(size, tile);
        const { camera, transparent, bounces } = view;
        const frameWanted = { camera, transparent, bounces, width: size.width, height: size.height, seed: 0 };
        const outcome = await traceSurely(engine, view.files, { sceneRoot: view.sceneRoot, frame: frameWanted, rect, pass });
        if (signal.aborted) return SIZES.length;
        if (!outcome.ok) {
          this.trouble = `The local preview stopped: ${outcome.text}`;
          return SIZES.length;
        }
        segments += filmSegments(outcome.film.light);
        seconds += outcome.traceSeconds;
        frame.add(rect, pass, outcome.film.light);
        sums.add(rect, outcome.film.light, pass.count);
        // Later passes show tile by tile; the first waits until the frame is whole.
        if (pass.first > 0) this.version++;
      }
      if (seconds > 0) this.segmentsPerSecond = segments / seconds;
      this.frame = frame;
      this.of = view;
      this.samples = pass.first + pass.count;
      this.version++;
      const regions = regionsOf(view, size, sums);
      if (regions.length > 0) this.regions = regions;
      if (pass.first === 0) this.costPerMille = await costOf(signal, engine, view);
      if (signal.aborted) return SIZES.length;
      // The first pass pays for warming up: a quick device shows later, and gets the larger size then.
      if (this.#fits(side + 1, side, seconds / pass.count)) return side + 1;
    }
    return SIZES.length;
  }

  /** What was measured of another scene says nothing of this one. */
  #forget(): void {
    this.regions = [];
    this.costPerMille = null;
    this.segmentsPerSecond = null;
  }

  #fits(next: number, now: number, seconds: number): boolean {
    const larger = SIZES[next];
    return larger !== undefined && seconds * (larger.sidePx / SIZES[now]!.sidePx) ** 2 < larger.withinSeconds;
  }
}

/** Traces; a scene that the engine has dropped, or lost with its device, is compiled once more first. */
async function traceSurely(engine: Engine, files: SceneFiles, request: TraceRequest): Promise<TraceOutcome> {
  const outcome = await engine.trace(NEVER, request);
  if (outcome.ok || (outcome.reason !== 'unknown-scene' && outcome.reason !== 'device-lost')) return outcome;
  const again = await engine.compile(NEVER, files);
  return again.ok && again.summary.root === request.sceneRoot ? engine.trace(NEVER, request) : outcome;
}
