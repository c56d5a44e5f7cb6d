/**
 * One lease on one worker, from grant to film: scene, trace, progress every second. A lost device, a film
 * that is not finite and one with pixels that nobody traced are retried a bounded number of times before the
 * lease is yielded: committed to, they would be taken for a lie.
 */
import type { TraceOutcome } from '../gpu/engine.ts';
import { filmIsTraced, type Film } from '../job/film.ts';
import { passes, tileRect } from '../job/plan.ts';
import { spoil, type HonestFilms, type Spoilt, type Traced } from './drill-run.ts';
import type { JobMeter } from './job-meter.ts';
import type { Shared } from './shared.ts';
import type { ControlEvent, ControlRequest, RoleContext, WorkerState } from './types.ts';

type Grant = Extract<ControlEvent, { type: 'grant' }>;
type YieldReason = Extract<ControlRequest, { type: 'yield' }>['reason'];

export type LeaseResult =
  | {
      readonly ok: true;
      readonly film: Film;
      readonly traceSeconds: number;
      /** What is committed in its place, where that was asked for (trust/drill). */
      readonly spoilt: Spoilt | null;
    }
  | {
      readonly ok: false;
      readonly reason: YieldReason | 'aborted';
      /** The scene that this device has no memory for, bytes. */
      readonly lacksBytes?: number;
    };

const ABORTED: LeaseResult = { ok: false, reason: 'aborted' };
const TRIES_MAX = 3;
const PROGRESS_MS = 1_000;
/** A driver that was just reset wants a moment before it is asked again. */
const RESTART_MS = 1_000;

/** What a worker remembers from lease to lease. */
export interface LeaseMemory {
  /** Films of slots that come again after a drill. */
  readonly kept: HonestFilms;
  readonly meter: JobMeter;
}

export class LeaseRun {
  /** Share of the trace that is done, 0 to 1. */
  done = 0;
  readonly #context: RoleContext;
  readonly #shared: Shared;
  readonly #grant: Grant;
  readonly #memory: LeaseMemory;
  readonly #show: (state: WorkerState, reason: string) => void;
  readonly #stop = new AbortController();
  #over: Promise<unknown> = Promise.resolve();

  constructor(context: RoleContext, shared: Shared, grant: Grant, memory: LeaseMemory, show: (state: WorkerState, reason: string) => void) {
    this.#context = context;
    this.#shared = shared;
    this.#grant = grant;
    this.#memory = memory;
    this.#show = show;
  }

  get lease(): string {
    return this.#grant.lease.lease;
  }

  /** Aborts when the run is stopped. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Resolves when the engine is idle. Whoever stops a run has said so, or was told by the coordinator. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#over;
  }

  async run(): Promise<LeaseResult> {
    const kept = this.#memory.kept.take(this.#grant);
    const result = kept ? this.#finish(this.#stop.signal, kept) : this.#run(this.#stop.signal);
    // Whoever waits for the end alone does not care how it came; the caller of `run` does.
    this.#over = result.catch(() => {});
    return result;
  }

  async #run(signal: AbortSignal): Promise<LeaseResult> {
    const over = new AbortController();
    void this.#progress(AbortSignal.any([signal, over.signal]));
    try {
      return await this.#try(signal);
    } finally {
      over.abort();
    }
  }

  async #try(signal: AbortSignal): Promise<LeaseResult> {
    const { order, lease } = this.#grant;
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      if (!this.#shared.scenes.has(order.sceneRoot)) this.#show('fetching', `Fetching the scene of "${order.title}".`);
      const scene = await this.#shared.scenes.ensure(signal, { ...this.#grant, job: lease.job });
      if (signal.aborted) return ABORTED;
      if (!scene.ok) return { ok: false, reason: scene.reason };
      if (!(await this.#pays(signal))) return { ok: false, reason: 'cost-understated' };
      if (signal.aborted) return ABORTED;
      const traced = await this.#trace(signal);
      if (traced.ok && filmIsTraced(traced.film.light)) {
        this.#memory.meter.traced(this.#grant);
        return this.#finish(signal, traced);
      }
      const reason = traced.ok ? 'device-lost' : traced.reason;
      if (reason === 'aborted' || signal.aborted) return ABORTED;
      if (reason === 'no-memory') return { ok: false, reason: 'scene-too-big', lacksBytes: order.sceneNeeds.bytes };
      if (reason === 'node-cap') return { ok: false, reason: 'scene-too-big' };
      this.#shared.scenes.forget(order.sceneRoot);
      if (reason === 'unknown-scene') continue;
      this.#show('restarting', 'Lost the GPU: restarting it.');
      await this.#context.clock.sleep(signal, RESTART_MS * (attempt + 1));
    }
    return signal.aborted ? ABORTED : { ok: false, reason: 'device-lost' };
  }

  /** The film, and what is committed in its place: then the honest one is kept, for it is asked for next. */
  async #finish(signal: AbortSignal, { film, traceSeconds }: Traced): Promise<LeaseResult> {
    const spoilt = await spoil(this.#context.engine, signal, this.#grant, film);
    if (signal.aborted) return ABORTED;
    if (spoilt) this.#memory.kept.keep(this.#grant, { film, traceSeconds });
    return { ok: true, film, traceSeconds, spoilt };
  }

  #pays(signal: AbortSignal): Promise<boolean> {
    const { title } = this.#grant.order;
    return this.#memory.meter.pays(signal, this.#context.engine, this.#grant, () =>
      this.#show('rendering', `Measuring what the rays of "${title}" cost.`),
    );
  }

  #trace(signal: AbortSignal): Promise<TraceOutcome> {
    const { order, lease } = this.#grant;
    const pass = passes(order)[lease.pass];
    // The grant was parsed, but only the order says how many passes there are.
    if (!pass) return Promise.resolve({ ok: false, reason: 'node-cap', text: `The order has no pass ${lease.pass}.` });
    this.done = 0;
    const show = (): void =>
      this.#show(
        'rendering',
        `Rendering "${order.title}", tile ${lease.tile + 1}, ${pass.count} ${pass.count === 1 ? 'sample' : 'samples'} per pixel.`,
      );
    show();
    const request = { sceneRoot: order.sceneRoot, frame: order, rect: tileRect(order, lease.tile), pass };
    return this.#context.engine.trace(signal, request, (done) => {
      this.done = done;
      show();
    });
  }

  /** Doubles as the lease's heartbeat, also while the scene is fetched. */
  async #progress(signal: AbortSignal): Promise<void> {
    const { clock, control } = this.#context;
    while (!signal.aborted) {
      await clock.sleep(signal, PROGRESS_MS);
      if (!signal.aborted) void control.request({ type: 'progress', lease: this.lease, done: Math.min(1, Math.max(0, this.done)) });
    }
  }
}
