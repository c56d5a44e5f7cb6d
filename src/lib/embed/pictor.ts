/**
 * The embedding entry, built to `build/embed/pictor.js`: this renderer in anybody's page, worker or
 * Node program, without the network. Chooses where the engine runs and leaves the rest to it.
 */
import type { Engine } from '../gpu/engine.ts';
import { WorkerEngine } from '../gpu/bridge.ts';
import { JOB_BOUNCES_MAX, JOB_SIDE_PX_MAX } from '../protocol/limits.ts';
import type { CreateOptions, Renderer } from './api.ts';
import { Problem, requireNumber } from './problem.ts';
import { EmbeddedRenderer, type PictureOptions } from './renderer.ts';

export type * from './api.ts';

/** @throws Problem (PictorError), in words: a size that is none, no WebGPU, no adapter. */
export async function create(options: CreateOptions): Promise<Renderer> {
  const picture = pictureOptions(options);
  const engine = await startEngine(options);
  engine.setPace({ place: options.pace ?? (typeof document === 'undefined' ? 'idle' : 'foreground'), share: 1 });
  const report = await engine.probe();
  if (!report.ok) {
    await engine.dispose();
    const nodeHint = isNode() && !options.gpu ? ' In Node, pass { gpu: await nodeGpu() } with nodeGpu of node-gpu.js.' : '';
    throw new Problem(report.reason, report.text + nodeHint);
  }
  return new EmbeddedRenderer(engine, { name: report.adapter.name, software: report.adapter.software }, picture);
}

function pictureOptions({ width, height, maxBounces = 8, seed = 0, layers = false, transparent = false }: CreateOptions): PictureOptions {
  return {
    width: requireNumber('width', width, 1, JOB_SIDE_PX_MAX, true),
    height: requireNumber('height', height, 1, JOB_SIDE_PX_MAX, true),
    bounces: requireNumber('maxBounces', maxBounces, 1, JOB_BOUNCES_MAX, true),
    seed: requireNumber('seed', seed, 0, 0xffffffff, true),
    layers,
    transparent,
  };
}

const isNode = (): boolean => typeof (globalThis as { process?: { getBuiltinModule?: unknown } }).process?.getBuiltinModule === 'function';

async function startEngine({ worker = typeof document !== 'undefined', gpu }: CreateOptions): Promise<Engine> {
  if (worker && gpu) throw new Problem('bad-argument', 'A GPU object cannot be sent to a worker; leave out gpu, or say worker: false.');
  if (worker) return new WorkerEngine(startWorker);
  const { RenderEngine } = await import('#workers/render/engine.ts');
  return new RenderEngine(gpu);
}

/**
 * The engine's worker lies beside this module. A page of another origin may import modules from here
 * but not start workers, so there a worker of its own imports it.
 */
async function startWorker(): Promise<Worker> {
  const url = new URL(/* @vite-ignore */ './pictor-worker.js', import.meta.url);
  const options = { type: 'module', name: 'pictor' } as const;
  if (url.origin === globalThis.location.origin) return new Worker(url, options);
  const script = URL.createObjectURL(new Blob([`import ${JSON.stringify(url.href)};`], { type: 'text/javascript' }));
  const worker = new Worker(script, options);
  // Held until its script has been read, which its first message proves.
  worker.addEventListener('message', () => URL.revokeObjectURL(script), { once: true });
  return worker;
}
