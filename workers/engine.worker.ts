/**
 * Entry of the engine's dedicated Web Worker: the render engine behind comlink. Films and
 * pictures are transferred, not copied.
 */
import * as comlink from 'comlink';
import type { EngineWorkerApi } from '#lib/gpu/engine-worker-api.ts';
import type { TraceOutcome } from '#lib/gpu/engine.ts';
import { webWeights } from './render/denoise/weights-web.ts';
import { RenderEngine } from './render/engine.ts';
import { IdbTuneStore } from './render/tune-store-idb.ts';

const engine = new RenderEngine(navigator.gpu, { tune: new IdbTuneStore(), weights: webWeights });
const calls = new Map<number, AbortController>();

/** Runs `work` under a signal that `abort(call)` fires. */
async function numbered<T>(call: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  calls.set(call, controller);
  try {
    return await work(controller.signal);
  } finally {
    calls.delete(call);
  }
}

const transferred = (outcome: TraceOutcome): TraceOutcome =>
  outcome.ok ? comlink.transfer(outcome, [outcome.film.light.buffer, outcome.film.signatures.buffer]) : outcome;

const api: EngineWorkerApi = {
  probe: async () => ({ report: await engine.probe(), shader: engine.shader }),
  compile: (call, files) => numbered(call, (signal) => engine.compile(signal, files)),
  trace: (call, request, onProgress) =>
    numbered(call, async (signal) => transferred(await engine.trace(signal, request, (done) => void onProgress?.(done)))),
  denoise: (call, request, onProgress) =>
    numbered(call, async (signal) => {
      const result = await engine.denoise(signal, request, (share) => void onProgress?.(share));
      return result.ok ? comlink.transfer(result, [result.image.buffer]) : result;
    }),
  abort: (call) => calls.get(call)?.abort(),
  setPace: (pace) => engine.setPace(pace),
  dispose: () => engine.dispose(),
};

comlink.expose(api);
