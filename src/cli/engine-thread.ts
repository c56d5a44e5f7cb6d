/**
 * Entry of the engine's worker thread: the same engine as in a tab, on Dawn. A big scene compiles
 * here for many seconds while the main thread keeps its heartbeat. Refuses to hold any network.
 */
import { parentPort } from 'node:worker_threads';
import type { Engine } from '#lib/gpu/engine.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { fileWeights } from './denoise-weights.ts';
import type { EngineCall, EngineResult, FromEngine, ToEngine } from './engine-messages.ts';
import { installNodeGpu } from './node-gpu.ts';
import { cacheFolder } from './paths.ts';
import { FileTuneStore } from './tune-file.ts';

const port = parentPort;
if (!port) throw new Error('engine-thread runs in a worker thread only');

await installNodeGpu();
const engine: Engine = new RenderEngine(undefined, { tune: new FileTuneStore(cacheFolder()), weights: fileWeights });
const running = new Map<number, AbortController>();
const send = (message: FromEngine, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

async function answer(id: number, call: EngineCall, signal: AbortSignal): Promise<EngineResult> {
  switch (call.verb) {
    case 'probe':
      return engine.probe();
    case 'compile':
      return engine.compile(signal, call.files);
    case 'dispose':
      await engine.dispose();
      return { ok: true };
    case 'trace':
      return engine.trace(signal, call.request, (done) => send({ id, done }));
    case 'denoise':
      return engine.denoise(signal, call.request, (done) => send({ id, done }));
  }
}

/** A film's and a picture's buffers move instead of being copied; the engine has no further use for them. */
function buffersOf(result: EngineResult): ArrayBuffer[] {
  if (result.ok && 'image' in result) return [result.image.buffer];
  return result.ok && 'film' in result ? [result.film.light.buffer, result.film.signatures.buffer] : [];
}

port.on('message', (message: ToEngine) => {
  if ('pace' in message) {
    engine.setPace(message.pace);
    return;
  }
  if ('abort' in message) {
    running.get(message.id)?.abort();
    return;
  }
  const controller = new AbortController();
  running.set(message.id, controller);
  answer(message.id, message.call, controller.signal)
    .then((result) => send({ id: message.id, result }, buffersOf(result)))
    .catch((error: unknown) => send({ id: message.id, thrown: error instanceof Error ? (error.stack ?? error.message) : String(error) }))
    .finally(() => running.delete(message.id));
});
send({ shader: engine.shader });
