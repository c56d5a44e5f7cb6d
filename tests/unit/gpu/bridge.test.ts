/** The bridge against a stand-in worker on the other end of a real MessageChannel. */
import * as comlink from 'comlink';
import { expect, test } from 'vitest';
import { WorkerEngine } from '#lib/gpu/bridge.ts';
import type { EngineWorkerApi } from '#lib/gpu/engine-worker-api.ts';
import type { Pace, TraceRequest } from '#lib/gpu/engine.ts';
import { arithmeticFilm } from '../../sim/arithmetic-engine.ts';

const never = new AbortController().signal;
const camera: TraceRequest['frame']['camera'] = { eye: [0, 0, 5], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 0.5, lens: null };
const request: TraceRequest = {
  sceneRoot: 'c'.repeat(64),
  frame: { camera, width: 16, height: 8, bounces: 4, seed: 1 },
  rect: { x: 0, y: 0, width: 16, height: 8 },
  pass: { first: 0, count: 2 },
};

/** A Worker whose far side is `api`. */
class StandIn extends EventTarget {
  terminated = false;
  readonly #port: MessagePort;

  constructor(api: EngineWorkerApi) {
    super();
    const { port1, port2 } = new MessageChannel();
    comlink.expose(api, port2);
    this.#port = port1;
    port1.addEventListener('message', (event) =>
      this.dispatchEvent(new MessageEvent('message', { data: event.data, ports: [...event.ports] })),
    );
    port1.start();
  }

  postMessage(message: unknown, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  terminate(): void {
    this.terminated = true;
    this.#port.close();
  }
}

function engineOver(change: Partial<EngineWorkerApi> = {}): { engine: WorkerEngine; started: StandIn[]; aborted: number[]; paces: Pace[] } {
  const started: StandIn[] = [];
  const aborted: number[] = [];
  const paces: Pace[] = [];
  const api: EngineWorkerApi = {
    probe: async () => ({
      report: {
        ok: true,
        adapter: { class: 'a/b/c', name: 'Stand-in', software: true },
        holds: { bytes: 1e9, bindingBytes: 1e8 },
        compileSeconds: 0,
      },
      shader: 'd'.repeat(64),
    }),
    compile: async () => ({ ok: false, text: 'no scene' }),
    trace: async (_, asked, onProgress) => {
      onProgress?.(0.5);
      const film = arithmeticFilm(asked);
      return comlink.transfer({ ok: true, film, traceSeconds: 1 }, [film.light.buffer, film.signatures.buffer]);
    },
    denoise: async () => ({ ok: false, reason: 'weights', text: 'no weights' }),
    abort: (call) => void aborted.push(call),
    setPace: (pace) => void paces.push(pace),
    dispose: async () => {},
    ...change,
  };
  const factory = async (): Promise<Worker> => {
    const worker = new StandIn(api);
    started.push(worker);
    return worker as unknown as Worker;
  };
  return { engine: new WorkerEngine(factory), started, aborted, paces };
}

test('the pace is foreground until told, and told to every worker anew', async () => {
  const { engine, started, paces } = engineOver();
  await engine.probe();
  expect(paces).toEqual([{ place: 'foreground', share: 1 }]);
  engine.setPace({ place: 'idle', share: 0.5 });
  await engine.probe();
  await expect.poll(() => paces.slice(1)).toEqual([{ place: 'idle', share: 0.5 }]);
  started[0]!.dispatchEvent(new Event('error'));
  await engine.probe();
  expect(paces.slice(2)).toEqual([{ place: 'idle', share: 0.5 }]);
  await engine.dispose();
});

test('reports, films and progress come across', async () => {
  const { engine, started } = engineOver();
  expect(engine.shader).toBe('');
  expect(await engine.probe()).toMatchObject({ ok: true });
  expect(engine.shader).toBe('d'.repeat(64));
  const progress: number[] = [];
  const outcome = await engine.trace(never, request, (done) => progress.push(done));
  expect(outcome.ok && outcome.film).toEqual(arithmeticFilm(request));
  await expect.poll(() => progress).toEqual([0.5]);
  expect(started).toHaveLength(1);
  await engine.dispose();
  expect(started[0]!.terminated).toBe(true);
});

test('an abort reaches the worker, which answers in its own words', async () => {
  let stop = (): void => {};
  const { engine, started, aborted } = engineOver({
    trace: () => new Promise((resolve) => (stop = () => resolve({ ok: false, reason: 'aborted', text: 'in good time' }))),
    abort: () => stop(),
  });
  const controller = new AbortController();
  const traced = engine.trace(controller.signal, request);
  await expect.poll(() => started.length).toBe(1);
  controller.abort();
  expect(await traced).toEqual({ ok: false, reason: 'aborted', text: 'in good time' });
  expect(started[0]!.terminated).toBe(false);
  expect(aborted).toEqual([]);
  expect(await engine.trace(AbortSignal.abort(), request)).toMatchObject({ ok: false, reason: 'aborted' });
  await engine.dispose();
});

test('a worker that does not stop is terminated, and the next call starts another', async () => {
  const hung = engineOver({ trace: () => new Promise(() => {}) });
  const controller = new AbortController();
  const atMs = performance.now();
  const traced = hung.engine.trace(controller.signal, request);
  controller.abort();
  expect(await traced).toMatchObject({ ok: false, reason: 'aborted' });
  expect(performance.now() - atMs).toBeLessThan(2_500);
  expect(hung.started[0]!.terminated).toBe(true);
  expect(await hung.engine.probe()).toMatchObject({ ok: true });
  expect(hung.started).toHaveLength(2);
  await hung.engine.dispose();
});

test('a crash is a lost device for everyone who waits', async () => {
  const { engine, started } = engineOver({ trace: () => new Promise(() => {}) });
  const waiting = [engine.trace(never, request), engine.trace(never, request)];
  await expect.poll(() => started.length).toBe(1);
  started[0]!.dispatchEvent(new Event('error'));
  for (const outcome of await Promise.all(waiting)) expect(outcome).toMatchObject({ ok: false, reason: 'device-lost' });
  await engine.dispose();
});

test('an exception inside the worker is a lost device too, never a rejection', async () => {
  const { engine, started } = engineOver({ trace: () => Promise.reject(new Error('broken invariant')) });
  expect(await engine.trace(never, request)).toMatchObject({ ok: false, reason: 'device-lost' });
  expect(started[0]!.terminated).toBe(true);
});

test('a browser without workers is a report, not an exception', async () => {
  const engine = new WorkerEngine(() => Promise.reject(new Error('blocked')));
  expect(await engine.probe()).toMatchObject({ ok: false, reason: 'device-failed' });
  expect(await engine.compile(never, { scene: new Uint8Array(), environment: null, frameTimeS: 0, variant: null })).toMatchObject({
    ok: false,
  });
});
