/**
 * One progressive picture over an engine: cuts samples into aligned passes and passes into tiles,
 * asks for the next tile while it sums the last one, and survives an abort between two of them.
 * Refuses to know where the engine runs.
 */
import type { Engine, SceneSummary, TraceOutcome, TraceRequest } from '../gpu/engine.ts';
import { TileAccumulator } from '../job/accumulator.ts';
import { filmSegments } from '../job/film.ts';
import { copyRows, emptyLayers, placeLayers, type Layers } from '../job/layers.ts';
import { tileCount, tileRect, type Pass, type Rect } from '../job/plan.ts';
import { JOB_SAMPLES_MAX } from '../protocol/limits.ts';
import type { Camera } from '../protocol/order.ts';
import type { Adapter, CameraChoice, LoadOptions, Picture, Progress, Renderer, RenderOptions, SceneInfo, Source } from './api.ts';
import { Problem, requireNumber } from './problem.ts';
import { chooseCamera, readFiles } from './sources.ts';

/** Fewer, larger requests keep a fast GPU busy; small ones let a slow one show progress. */
const TILE_SIDE_PX = { hardware: 1024, software: 128 } as const;
const PASS_SAMPLES_MAX = 16;

export interface PictureOptions {
  readonly width: number;
  readonly height: number;
  readonly bounces: number;
  readonly seed: number;
  readonly layers: boolean;
  readonly transparent: boolean;
}

interface Loaded {
  readonly summary: SceneSummary;
  readonly camera: Camera;
}

/** The largest aligned pass that goes on after `first` samples, no larger than asked. */
export function nextPass(first: number, wanted: number): Pass {
  const aligned = first === 0 ? 1 : first & -first;
  let count = Math.min(aligned, PASS_SAMPLES_MAX);
  while (count > wanted) count /= 2;
  return { first, count };
}

export class EmbeddedRenderer implements Renderer {
  readonly adapter: Adapter;
  readonly #engine: Engine;
  readonly #options: PictureOptions;
  readonly #tiles: readonly Rect[];
  #sums: TileAccumulator[] = [];
  #loaded: Loaded | null = null;
  /** Samples that every pixel has. */
  #done = 0;
  /** The pass that an abort left with only some of its tiles. */
  #open: Pass | null = null;
  #stop = new AbortController();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine, adapter: Adapter, options: PictureOptions) {
    this.#engine = engine;
    this.adapter = adapter;
    this.#options = options;
    const tileSide = TILE_SIDE_PX[adapter.software ? 'software' : 'hardware'];
    const size = { width: options.width, height: options.height, tileSide };
    this.#tiles = Array.from({ length: tileCount(size) }, (_, i) => tileRect(size, i));
    this.#clear();
  }

  load(scene: Source, options: LoadOptions = {}): Promise<SceneInfo> {
    return this.#inTurn(async () => {
      const files = await readFiles(scene, options);
      const signal = AbortSignal.any([this.#stop.signal, ...(options.signal ? [options.signal] : [])]);
      const outcome = await this.#engine.compile(signal, files);
      if (!outcome.ok) throw new Problem(this.#stop.signal.aborted ? 'disposed' : 'bad-scene', outcome.text);
      const { summary } = outcome;
      this.#loaded = { summary, camera: chooseCamera(options.camera, summary) };
      this.#clear();
      return infoOf(summary);
    });
  }

  view(camera: CameraChoice): void {
    const { summary } = this.#scene();
    this.#loaded = { summary, camera: chooseCamera(camera, summary) };
    this.#clear();
  }

  render(samples: number, options: RenderOptions = {}): Promise<Progress> {
    requireNumber('samples', samples, 1, JOB_SAMPLES_MAX, true);
    return this.#inTurn(() => this.#render(samples, options));
  }

  async read(): Promise<Picture> {
    const { width, height, layers, transparent } = this.#options;
    const pixels = width * height;
    const rgb = new Float32Array(pixels * 3);
    const kept: Layers | null = layers || transparent ? emptyLayers(pixels) : null;
    for (const [i, rect] of this.#tiles.entries()) {
      const sums = this.#sums[i]!;
      copyRows(rgb, sums.mean(), width, rect, 3);
      const part = kept && sums.layers();
      if (kept && part) placeLayers(kept, width, rect, part);
    }
    const color = new Float32Array(pixels * 4);
    for (let p = 0; p < pixels; p++) {
      for (let c = 0; c < 3; c++) color[p * 4 + c] = rgb[p * 3 + c]!;
      color[p * 4 + 3] = transparent && kept ? kept.coverage[p]! : 1;
    }
    return { width, height, samples: this.#done, color, layers: kept };
  }

  async dispose(): Promise<void> {
    this.#stop.abort();
    await this.#turn.catch(() => undefined);
    await this.#engine.dispose();
  }

  async #render(samples: number, { signal, onProgress }: RenderOptions): Promise<Progress> {
    const { summary, camera } = this.#scene();
    const picture = this.#sums;
    const stop = AbortSignal.any([this.#stop.signal, ...(signal ? [signal] : [])]);
    const from = this.#done;
    let [rays, seconds, partial] = [0, 0, 0];
    const frame = { ...this.#options, camera };
    const progress = (): Progress => {
      const share = Math.min(1, (this.#done - from + partial) / samples);
      return { share, samples: this.#done, rays, seconds };
    };
    while (this.#done - from < samples && !stop.aborted && picture === this.#sums) {
      const pass = this.#open ?? nextPass(this.#done, samples - (this.#done - from));
      this.#open = pass;
      const missing = this.#tiles.flatMap((rect, i) => (picture[i]!.has(pass) ? [] : [{ rect, sums: picture[i]! }]));
      const requests = missing.map(({ rect }): TraceRequest => ({ sceneRoot: summary.root, frame, rect, pass }));
      const whole = await this.#eachAhead(stop, requests, (outcome, i) => {
        missing[i]!.sums.add(pass, outcome.film.light);
        rays += filmSegments(outcome.film.light);
        seconds += outcome.traceSeconds;
        partial = (pass.count * (i + 1)) / missing.length;
        if (i + 1 < missing.length) onProgress?.(progress());
      });
      // `view` and `load` may have started another picture meanwhile.
      if (!whole || picture !== this.#sums) break;
      this.#open = null;
      this.#done += pass.count;
      partial = 0;
      onProgress?.(progress());
    }
    if (this.#stop.signal.aborted) throw new Problem('disposed', 'The renderer was disposed.');
    return progress();
  }

  /** Traces in order, one request ahead of `use`. @returns false when aborted. @throws Problem */
  async #eachAhead(
    signal: AbortSignal,
    requests: readonly TraceRequest[],
    use: (outcome: TraceOutcome & { ok: true }, i: number) => void,
  ): Promise<boolean> {
    const start = (i: number): Promise<TraceOutcome> | null => (requests[i] ? this.#engine.trace(signal, requests[i]) : null);
    let next = start(0);
    for (let i = 0; next; i++) {
      const now = next;
      next = start(i + 1);
      const outcome = await now;
      if (outcome.ok) use(outcome, i);
      else {
        await next;
        if (signal.aborted) return false;
        throw new Problem('trace-failed', outcome.text);
      }
    }
    return true;
  }

  #scene(): Loaded {
    if (!this.#loaded) throw new Problem('bad-argument', 'There is no scene yet; call load first.');
    return this.#loaded;
  }

  #clear(): void {
    const keepLayers = this.#options.layers || this.#options.transparent;
    this.#sums = this.#tiles.map(({ width, height }) => new TileAccumulator(width * height, keepLayers));
    this.#done = 0;
    this.#open = null;
  }

  /** One call at a time, in the order they came. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => {
      if (this.#stop.signal.aborted) throw new Problem('disposed', 'The renderer was disposed.');
      return work();
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

const infoOf = ({ triangles, materials, textures, lights, bytes, compileSeconds, cameras, ...rest }: SceneSummary): SceneInfo => ({
  triangles,
  materials,
  textures,
  lights,
  bytes,
  compileSeconds,
  cameras: cameras.map(({ name }) => name),
  variants: rest.variants,
  animationSeconds: rest.animationSeconds,
  bounds: rest.bounds,
  warnings: rest.warnings,
});
