/**
 * Gives Node a `GPU`, through npm `webgpu` (Dawn). The object that Dawn's `create` returns and every
 * adapter are kept for the life of the process, because their collection aborts it. Refuses to
 * choose for the engine: it hands out WebGPU as a browser would.
 */
import { restDawn } from './dawn-ticks.ts';
import { prepareVulkan } from './gpu-environment.ts';
import { cacheFolder } from './paths.ts';

interface Kept {
  readonly gpu: GPU;
  readonly adapters: GPUAdapter[];
}

const KEPT = Symbol.for('pictor.node-gpu');
const global = globalThis as typeof globalThis & { [KEPT]?: Kept };

/**
 * WebGPU for this thread, with the constants of the specification (GPUBufferUsage and so on) as
 * globals. In a worker thread the main thread must have called `prepareVulkan` before.
 * @returns null when npm left the optional package out or it has no binary for this machine.
 */
export async function nodeGpu(): Promise<GPU | null> {
  const kept = global[KEPT];
  if (kept) return kept.gpu;
  prepareVulkan(cacheFolder());
  let dawn: typeof import('webgpu');
  try {
    dawn = await import('webgpu');
  } catch {
    return null;
  }
  Object.assign(globalThis, dawn.globals);
  restDawn();
  const gpu = dawn.create([]);
  const adapters: GPUAdapter[] = [];
  global[KEPT] = { gpu, adapters };
  const request = gpu.requestAdapter.bind(gpu);
  gpu.requestAdapter = async (options) => {
    const adapter = await request(options);
    if (adapter) adapters.push(adapter);
    return adapter;
  };
  return gpu;
}

/** Defines `navigator.gpu`, so that code written for workers in a browser runs unchanged. */
export async function installNodeGpu(): Promise<boolean> {
  const gpu = await nodeGpu();
  if (!gpu) return false;
  const navigator: object = globalThis.navigator ?? {};
  if (!('gpu' in navigator)) Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  if (!globalThis.navigator) Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  return true;
}
