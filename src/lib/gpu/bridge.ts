/**
 * The engine in a dedicated Web Worker, behind the Engine interface. Abort comes first: a worker
 * that has not answered a second after it was told to stop is terminated, and the next call starts
 * another. A crash is a lost device, never an exception.
 */
import * as comlink from 'comlink';
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
} from './engine.ts';
import type { EngineWorkerApi } from './engine-worker-api.ts';

const ABORT_GRACE_MS = 1_000;

/** Starts a worker; a parameter so that tests can bring their own. */
export type WorkerFactory = () => Promise<Worker>;

const bundledWorker: WorkerFactory = async () => {
  const { default: EngineWorker } = await import('#workers/engine.worker.ts?worker');
  return new EngineWorker({ name: 'pictor-engine' });
};

interface Running {
  readonly worker: Worker;
  readonly api: comlink.Remote<EngineWorkerApi>;
  /** Aborts when the worker crashed or was terminated. */
  readonly gone: AbortController;
}

export class WorkerEngine implements Engine {
  readonly #factory: WorkerFactory;
  #shader = '';
  #running: Promise<Running> | null = null;
  #report: Promise<DeviceReport> | null = null;
  #calls = 0;
  #pace: Pace = { place: 'foreground', share: 1 };

  constructor(factory: WorkerFactory = bundledWorker) {
    this.#factory = factory;
    globalThis.document?.addEventListener('visibilitychange', this.#tellPace);
  }

  /** Known after the first `probe`. */
  get shader(): string {
    return this.#shader;
  }

  probe(): Promise<DeviceReport> {
    this.#report ??= this.#probeTwice();
    return this.#report;
  }

  compile(signal: AbortSignal, files: SceneFiles): Promise<SceneOutcome> {
    const lost: SceneOutcome = { ok: false, text: 'The compiler stopped before the scene was ready.' };
    return this.#call<SceneOutcome>(signal, lost, lost, (api, call) => api.compile(call, files));
  }

  trace(signal: AbortSignal, request: TraceRequest, onProgress?: (done: number) => void): Promise<TraceOutcome> {
    const aborted: TraceOutcome = { ok: false, reason: 'aborted', text: 'Stopped.' };
    const lost: TraceOutcome = { ok: false, reason: 'device-lost', text: 'The GPU worker stopped.' };
    return this.#call<TraceOutcome>(signal, aborted, lost, (api, call) =>
      api.trace(call, request, onProgress ? comlink.proxy(onProgress) : null),
    );
  }

  denoise(signal: AbortSignal, request: DenoiseRequest, onProgress?: (share: number) => void): Promise<DenoiseResult> {
    const aborted: DenoiseResult = { ok: false, reason: 'aborted', text: 'Stopped.' };
    const lost: DenoiseResult = { ok: false, reason: 'device-lost', text: 'The GPU worker stopped.' };
    return this.#call<DenoiseResult>(signal, aborted, lost, (api, call) =>
      api.denoise(call, request, onProgress ? comlink.proxy(onProgress) : null),
    );
  }

  /** A hidden page counts as idle, whatever was said. */
  setPace(pace: Pace): void {
    this.#pace = pace;
    this.#tellPace();
  }

  readonly #tellPace = (): void => {
    void this.#running?.then(({ api }) => api.setPace(this.#paceNow())).catch(() => undefined);
  };

  #paceNow(): Pace {
    const { place, share } = this.#pace;
    return { place: globalThis.document?.visibilityState === 'hidden' ? 'idle' : place, share };
  }

  async dispose(): Promise<void> {
    globalThis.document?.removeEventListener('visibilitychange', this.#tellPace);
    const running = await this.#running?.catch(() => null);
    if (running) this.#terminate(running);
  }

  /** A worker that dies while it starts gets one more chance; after that the next call asks again. */
  async #probeTwice(): Promise<DeviceReport> {
    let report = await this.#probe();
    if (!report.ok && !this.#running) report = await this.#probe();
    if (!report.ok) this.#report = null;
    return report;
  }

  async #probe(): Promise<DeviceReport> {
    const lost: DeviceReport = { ok: false, reason: 'device-failed', text: 'The GPU worker could not be started.' };
    return this.#call<DeviceReport>(new AbortController().signal, lost, lost, async (api) => {
      const { report, shader } = await api.probe();
      this.#shader = shader;
      return report;
    });
  }

  async #call<T>(
    signal: AbortSignal,
    aborted: T,
    lost: T,
    work: (api: comlink.Remote<EngineWorkerApi>, call: number) => Promise<T>,
  ): Promise<T> {
    if (signal.aborted) return aborted;
    const running = await (this.#running ??= this.#start()).catch(() => null);
    if (!running) {
      this.#running = null;
      return lost;
    }
    const call = ++this.#calls;
    return new Promise<T>((resolve) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const onAbort = (): void => {
        void running.api.abort(call);
        timer = setTimeout(() => this.#terminate(running), ABORT_GRACE_MS);
      };
      const onGone = (): void => finish(signal.aborted ? aborted : lost);
      const finish = (outcome: T): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        running.gone.signal.removeEventListener('abort', onGone);
        resolve(outcome);
      };
      signal.addEventListener('abort', onAbort);
      running.gone.signal.addEventListener('abort', onGone);
      // A rejection is a defect inside the worker: its state can't be trusted any more.
      work(running.api, call).then(finish, () => this.#terminate(running));
      if (signal.aborted) onAbort();
    });
  }

  async #start(): Promise<Running> {
    const worker = await this.#factory();
    const running: Running = { worker, api: comlink.wrap<EngineWorkerApi>(worker), gone: new AbortController() };
    void running.api.setPace(this.#paceNow());
    worker.addEventListener('error', () => this.#terminate(running));
    return running;
  }

  #terminate(running: Running): void {
    if (running.gone.signal.aborted) return;
    running.worker.terminate();
    this.#running = null;
    this.#report = null;
    running.gone.abort();
  }
}

export const createEngine = (): Engine => new WorkerEngine();
