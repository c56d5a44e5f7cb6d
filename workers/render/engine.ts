/**
 * The tracing engine on one `GPU`: `navigator.gpu` in a worker, Dawn in Node. Compiles scenes, keeps
 * the last few, and traces one request at a time in the order they came. Refuses nothing by
 * exception: a missing adapter, a defective file and a lost device are outcomes.
 */
import type {
  DenoiseRequest,
  DenoiseResult,
  DeviceReport,
  DispatchTimes,
  Engine,
  Pace,
  SceneFiles,
  SceneOutcome,
  TraceOutcome,
  TraceRequest,
} from '#lib/gpu/engine.ts';
import { stretch } from './timeline.ts';
import { sha256, toHex } from '#lib/protocol/bytes.ts';
import { SCENES_HELD_MAX } from '#lib/protocol/limits.ts';
import { pixelSources } from '#shaders/index.ts';
import { SceneError, type CompiledScene } from '../scene/compiled-scene.ts';
import { compileScene } from '../scene/compile.ts';
import type { Tuned } from './autotune.ts';
import { DenoiseDesk } from './denoise/desk.ts';
import { DEFAULT_LIMITS, fits } from './device.ts';
import { DutyCycle, hostClock } from './duty-cycle.ts';
import { sceneFeatures, type Features } from './features.ts';
import { LANE_PATHS_MAX } from './lane.ts';
import { Pacer } from './pacer.ts';
import { sceneNeeds } from './scene-buffers.ts';
import { Session, type ReadyOutcome } from './session.ts';
import type { Estimator } from './trace-pass.ts';
import { Tracer, type TraceRhythm } from './tracer.ts';
import { Tuner } from './tuner.ts';
import { standIn, variantKey, type EngineOptions, type Variant } from './variant.ts';

/** Devices in a row that a request may lose without finishing a dispatch. */
const DEVICES_IN_VAIN_MAX = 3;
/** A share of nothing is no share: whoever wants none stops the engine. */
const SHARE_MIN = 0.01;

const failed = (reason: Exclude<TraceOutcome, { ok: true }>['reason'], text: string): TraceOutcome => ({ ok: false, reason, text });
const STOPPED = failed('aborted', 'Stopped.');

let knownHash = '';
/** Made once: the text is half a megabyte. */
const shaderHash = (): string => (knownHash ||= toHex(sha256(new TextEncoder().encode(pixelSources()))));

export class RenderEngine implements Engine {
  readonly shader = shaderHash();
  readonly #gpu: GPU | undefined;
  readonly #estimator: Estimator;
  readonly #tuner: Tuner;
  readonly #scenes = new Map<string, CompiledScene>();
  readonly #rhythm: TraceRhythm;
  readonly #desk: DenoiseDesk;
  #limits = DEFAULT_LIMITS;
  #report: Promise<DeviceReport> | null = null;
  #session: Session | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  /** Kernels that are built while their scene is compiled. */
  #foreseen: Promise<unknown> = Promise.resolve();
  #disposed = false;
  readonly #asked = new Set<'light' | 'count'>();
  /** What the last request traced. */
  #last = { work: '', frame: '' };

  constructor(gpu: GPU | undefined = globalThis.navigator?.gpu, options: EngineOptions = {}) {
    this.#gpu = gpu;
    this.#estimator = options.estimator ?? 'both';
    const clock = options.clock ?? hostClock;
    this.#desk = new DenoiseDesk(gpu, options.weights, options.tune);
    this.#rhythm = { pacer: new Pacer(), duty: new DutyCycle(clock), clock, most: LANE_PATHS_MAX };
    this.#tuner = new Tuner({
      shader: this.shader,
      clock,
      store: options.tune,
      fixed: options.variant,
      exclusively: (work) => this.#enqueue(work),
    });
  }

  probe(): Promise<DeviceReport> {
    this.#report ??= this.#enqueue(() => this.#probe());
    return this.#report;
  }

  async compile(signal: AbortSignal, files: SceneFiles): Promise<SceneOutcome> {
    try {
      const scene = await compileScene(signal, files, (features) => this.#foresee(features));
      this.adopt(scene);
      return { ok: true, summary: scene.summary };
    } catch (error) {
      if (error instanceof SceneError) return { ok: false, text: error.message };
      if (signal.aborted) return { ok: false, text: 'Stopped.' };
      throw error;
    }
  }

  /** Keeps a scene that was compiled elsewhere, as the newest. */
  adopt(scene: CompiledScene): void {
    const { root } = scene.summary;
    this.#scenes.delete(root);
    this.#scenes.set(root, scene);
    for (const oldest of this.#scenes.keys()) {
      if (this.#scenes.size <= SCENES_HELD_MAX) break;
      this.#scenes.delete(oldest);
      void this.#enqueue(async () => this.#session?.drop(oldest));
    }
  }

  trace(signal: AbortSignal, request: TraceRequest, onProgress?: (done: number) => void): Promise<TraceOutcome> {
    const traced = this.#enqueue(() => this.#trace(signal, request, onProgress));
    // Not before: the first picture does not wait for kernels that are tried.
    void traced.then(
      () => this.tune(),
      () => undefined,
    );
    return traced;
  }

  denoise(signal: AbortSignal, request: DenoiseRequest, onProgress?: (share: number) => void): Promise<DenoiseResult> {
    return this.#desk.denoise(signal, request, onProgress);
  }

  /** Picks the fastest kernels for this adapter unless that was done. Resolves when they are known; requests go on meanwhile. */
  async tune(): Promise<Tuned> {
    const session = this.#session;
    return session?.fault === null && !this.#disposed ? this.#tuner.settle(session) : this.#tuner.tuned;
  }

  setPace({ place, share }: Pace): void {
    this.#rhythm.pacer.place(place);
    this.#rhythm.duty.share = Math.min(Math.max(share, SHARE_MIN), 1);
  }

  /** How long dispatches took so far. */
  get dispatchTimes(): DispatchTimes {
    return this.#rhythm.pacer.histogram.read();
  }

  /** Frees the device; traces under way end as aborted. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#session?.close();
    this.#session = null;
    this.#scenes.clear();
    // Pipelines under way are refused by now; a process that ends before would take the driver's threads down with it.
    await Promise.all([this.#queue, this.#foreseen, this.#tuner.idle(), this.#desk.close()]);
  }

  /** Kernels take longer to build than what is left of a scene once it is known which ones it takes. */
  #foresee(features: Features): void {
    const { variant } = this.#tuner.tuned;
    const session = this.#session;
    if (session?.fault !== null || this.#disposed) return;
    // Who only counts, to order what others trace, has no use for them.
    if (this.#asked.has('count') && !this.#asked.has('light')) return;
    const built = session.build(this.#tuner.isFixed || variant.kernel === 'mega' ? variant : standIn(variant), features);
    this.#foreseen = Promise.all([this.#foreseen, built]);
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #probe(): Promise<DeviceReport> {
    const start = performance.now();
    const opened = await this.#open();
    if (!opened.ok) return { ...opened, reason: opened.reason === 'too-small' ? 'device-failed' : opened.reason };
    const { adapter, holds } = opened.session;
    return { ok: true, adapter, holds, compileSeconds: (performance.now() - start) / 1000 };
  }

  async #open(): ReturnType<typeof Session.open> {
    if (this.#disposed) return { ok: false, reason: 'device-failed', text: 'The engine was closed.' };
    if (this.#session && this.#session.fault === null) return { ok: true, session: this.#session };
    this.#session?.close();
    const opened = await Session.open(this.#gpu, this.#limits, this.#estimator, async (adapter) => {
      const { variant } = await this.#tuner.recall(adapter);
      return variant.kernel === 'mega' || this.#tuner.isFixed ? variant : standIn(variant);
    });
    this.#session = opened.ok ? opened.session : null;
    return opened;
  }

  /** A session whose limits hold the scene; a larger scene ends the one that was there. */
  async #openFor(scene: CompiledScene): ReturnType<typeof Session.open> {
    const needs = sceneNeeds(scene);
    if (!fits(needs, this.#limits)) {
      const before = this.#limits;
      this.#limits = Object.fromEntries(
        Object.entries(needs).map(([name, value]) => [name, Math.max(value, before[name as keyof typeof before])]),
      ) as unknown as typeof before;
      this.#session?.close();
      this.#session = null;
      const opened = await this.#open();
      if (!opened.ok) this.#limits = before;
      return opened;
    }
    return this.#open();
  }

  async #trace(signal: AbortSignal, request: TraceRequest, onProgress?: (done: number) => void): Promise<TraceOutcome> {
    const scene = this.#scenes.get(request.sceneRoot);
    if (!scene) return failed('unknown-scene', `Scene ${request.sceneRoot.slice(0, 16)} has not been compiled here.`);
    this.#asked.add(request.count ? 'count' : 'light');
    const start = performance.now();
    const tracer = new Tracer(request, this.#rhythm);
    let text = '';
    for (let inVain = 0; inVain < DEVICES_IN_VAIN_MAX; inVain++) {
      if (signal.aborted || this.#disposed) return STOPPED;
      const opened = await this.#openFor(scene);
      if (!opened.ok) return failed(opened.reason === 'too-small' ? 'no-memory' : 'device-lost', opened.text);
      const { session } = opened;
      const ready = await this.#ready(session, scene, request);
      if (!ready.ok && session.fault === null) {
        if (ready.reason === 'no-memory' && this.#settleForLess(session, request)) continue;
        return failed(ready.reason === 'no-memory' ? 'no-memory' : 'device-lost', ready.text);
      }
      const before = tracer.pixelsDone;
      const outcome = ready.ok ? await tracer.run(signal, session, ready.scene, onProgress) : 'device-lost';
      if (outcome === 'no-memory') {
        if (this.#settleForLess(session, request)) continue;
        return failed('no-memory', 'The device has no memory left for paths beside the scene.');
      }
      if (outcome === 'aborted' || this.#disposed) return STOPPED;
      if (outcome === 'done') return finish(tracer, (stretch('trace', start) - start) / 1000);
      text = session.fault ?? 'The device was lost.';
      this.#rhythm.pacer.halve();
      if (tracer.pixelsDone > before) inVain = -1;
    }
    return failed('device-lost', text);
  }

  /** The stages keep far more beside each path than one kernel does. @returns whether there is less to settle for. */
  #settleForLess(session: Session, { count }: TraceRequest): boolean {
    const { variant } = this.#tuner.tuned;
    if (count || this.#tuner.isFixed || variant.kernel === 'mega' || session.hasRenounced(variant)) return false;
    session.renounce(variant);
    return true;
  }

  async #ready(session: Session, scene: CompiledScene, request: TraceRequest): Promise<ReadyOutcome> {
    const { sceneRoot, count, frame } = request;
    const outcome = count
      ? await session.readyToCount(sceneRoot, scene)
      : await session.ready(sceneRoot, scene, this.#choose(session, scene));
    if (!outcome.ok) return outcome;
    this.#begin(
      `${sceneRoot} ${variantKey(outcome.scene.variant)} ${count ?? false}`,
      JSON.stringify([frame.camera, frame.width, frame.height, frame.bounces]),
    );
    return outcome;
  }

  /** The tuned variant once its kernels are there; what traces already, or a megakernel, goes on until then. */
  #choose(session: Session, scene: CompiledScene): Variant {
    const { variant, paths } = this.#tuner.tuned;
    this.#rhythm.most = paths;
    const current = session.current(scene.summary.root);
    if (this.#tuner.isFixed || (!current && variant.kernel === 'mega')) return variant;
    const there = session.offer(variant, current?.buffers.features ?? sceneFeatures(scene));
    return there ? variant : (current?.variant ?? standIn(variant));
  }

  /** Tells the pacer how much of what it knows still holds. */
  #begin(work: string, frame: string): void {
    const { pacer } = this.#rhythm;
    if (work !== this.#last.work) pacer.restart();
    else pacer.begin(frame === this.#last.frame ? 'sameFrame' : 'otherFrame');
    this.#last = { work, frame };
  }
}

function finish(tracer: Tracer, traceSeconds: number): TraceOutcome {
  const defect = tracer.defect();
  if (defect === 'not-finite') return failed(defect, 'A path ended in light that is not a finite number.');
  if (defect === 'node-cap') return failed(defect, 'A ray visited more nodes than allowed.');
  return { ok: true, film: tracer.film, traceSeconds };
}
