/**
 * The engine of an agent, in a worker thread of its own. A thread that dies counts as a lost
 * device: what it was doing ends with an outcome, and the next call starts a fresh one, which has
 * no scenes. Refuses to hide exceptions of the engine: they reject.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type {
  DenoiseRequest,
  DenoiseResult,
  DeviceReport,
  Engine,
  Pace,
  SceneFiles,
  SceneOutcome,
  TraceOutcome,
  TraceRequest,
} from '#lib/gpu/engine.ts';
import { systemClock } from '#lib/roles/clock.ts';
import type { EngineCall, EngineResult, FromEngine, ToEngine } from './engine-messages.ts';
import { CommandError } from './command.ts';
import { prepareVulkan, SYSTEM_PLACES } from './gpu-environment.ts';
import { cacheFolder, projectRoot } from './paths.ts';

interface Pending {
  readonly resolve: (result: EngineResult) => void;
  readonly reject: (error: Error) => void;
  /** What the caller gets when the thread dies. */
  readonly lost: EngineResult;
  readonly onProgress: ((done: number) => void) | undefined;
}

const GONE = 'The engine stopped: its thread ended. It starts again with the next request.';
/** A kernel that is being built can't be stopped, and takes a processor under load many seconds. */
const DISPOSE_MS_MAX = 30_000;
const ENTRY = 'build/cli/engine-thread.js';

export class ThreadEngine implements Engine {
  shader: string;
  /** Which drivers Dawn was given, and why. */
  readonly driver: string;
  #worker: Worker | null;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #disposed = false;
  #pace: Pace | null = null;

  private constructor(worker: Worker, shader: string, driver: string) {
    this.driver = driver;
    this.shader = shader;
    this.#worker = worker;
    this.#attach(worker);
  }

  /**
   * Resolves when the thread has loaded; no device is made before `probe`.
   * @param driver see `chooseVulkan`. @throws CommandError when it is not there.
   */
  static async start(driver?: string): Promise<ThreadEngine> {
    const vulkan = prepareVulkan(cacheFolder(), SYSTEM_PLACES, driver);
    if (!vulkan.ok) throw new CommandError(vulkan.text);
    const worker = spawn();
    const shader = await new Promise<string>((resolve, reject) => {
      worker.once('message', (message: FromEngine) => resolve('shader' in message ? message.shader : ''));
      worker.once('error', reject);
    });
    return new ThreadEngine(worker, shader, vulkan.setup.why);
  }

  async probe(): Promise<DeviceReport> {
    const lost: DeviceReport = { ok: false, reason: 'device-failed', text: GONE };
    return (await this.#call(new AbortController().signal, { verb: 'probe' }, lost)) as DeviceReport;
  }

  async compile(signal: AbortSignal, files: SceneFiles): Promise<SceneOutcome> {
    return (await this.#call(signal, { verb: 'compile', files }, { ok: false, text: GONE })) as SceneOutcome;
  }

  async trace(signal: AbortSignal, request: TraceRequest, onProgress?: (done: number) => void): Promise<TraceOutcome> {
    const lost: TraceOutcome = { ok: false, reason: 'device-lost', text: GONE };
    return (await this.#call(signal, { verb: 'trace', request }, lost, onProgress)) as TraceOutcome;
  }

  async denoise(signal: AbortSignal, request: DenoiseRequest, onProgress?: (share: number) => void): Promise<DenoiseResult> {
    const lost: DenoiseResult = { ok: false, reason: 'device-lost', text: GONE };
    return (await this.#call(signal, { verb: 'denoise', request }, lost, onProgress)) as DenoiseResult;
  }

  setPace(pace: Pace): void {
    this.#pace = pace;
    this.#worker?.postMessage({ pace } satisfies ToEngine);
  }

  async dispose(): Promise<void> {
    // Pipelines that are still being built outlive a thread that is cut off, and crash.
    const told = this.#worker ? this.#call(new AbortController().signal, { verb: 'dispose' }, { ok: true }) : null;
    this.#disposed = true;
    const stop = new AbortController();
    await Promise.race([told, systemClock.sleep(stop.signal, DISPOSE_MS_MAX)]);
    stop.abort();
    await this.#worker?.terminate();
  }

  #call(signal: AbortSignal, call: EngineCall, lost: EngineResult, onProgress?: (done: number) => void): Promise<EngineResult> {
    if (this.#disposed) return Promise.resolve(lost);
    if (!this.#worker) {
      this.#worker = spawn();
      this.#attach(this.#worker);
    }
    const worker = this.#worker;
    const id = this.#nextId++;
    const abort = (): void => worker.postMessage({ id, abort: true } satisfies ToEngine);
    const result = new Promise<EngineResult>((resolve, reject) => this.#pending.set(id, { resolve, reject, lost, onProgress }));
    worker.postMessage({ id, call } satisfies ToEngine);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    return result.finally(() => signal.removeEventListener('abort', abort));
  }

  #attach(worker: Worker): void {
    if (this.#pace) worker.postMessage({ pace: this.#pace } satisfies ToEngine);
    worker.on('message', (message: FromEngine) => this.#receive(message));
    // 'exit' follows; the error itself is told there by ending what was under way.
    worker.on('error', () => undefined);
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = null;
      for (const { resolve, lost } of this.#pending.values()) resolve(lost);
      this.#pending.clear();
    });
  }

  #receive(message: FromEngine): void {
    if ('shader' in message) return;
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    if ('done' in message) {
      pending.onProgress?.(message.done);
      return;
    }
    this.#pending.delete(message.id);
    if ('thrown' in message) pending.reject(new Error(message.thrown));
    else pending.resolve(message.result);
  }
}

const spawn = (): Worker => new Worker(join(projectRoot(), ENTRY));
