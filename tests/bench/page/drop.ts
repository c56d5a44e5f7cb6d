/** A file on its way to first light, as a page has it: read, compiled and traced in this realm, so that its timeline holds every stage. */
import { stretches, type Stretch } from '#workers/render/timeline.ts';
import type { Camera } from '#lib/protocol/order.ts';
import { RenderEngine } from '#workers/render/engine.ts';

export interface Drop {
  readonly scene: string;
  readonly environment: string | null;
  readonly intensity: number;
  readonly camera: Camera;
}

export interface Dropped {
  readonly adapter: string;
  /** From the drop to the end of the first sample of every pixel. */
  readonly ms: number;
  readonly bytes: number;
  /** Those since the drop; begins are from the drop on. */
  readonly stages: readonly Stretch[];
}

/** The preview's first size (src/lib/state/preview.svelte.ts). */
const RECT = { x: 0, y: 0, width: 96, height: 72 };
const never = new AbortController().signal;

const read = async (address: string): Promise<Uint8Array<ArrayBuffer>> => new Uint8Array(await (await fetch(address)).arrayBuffer());

/** @throws Error in the engine's words. */
async function drop({ scene, environment, intensity, camera }: Drop): Promise<Dropped> {
  const engine = new RenderEngine();
  const probed = await engine.probe();
  if (!probed.ok) throw new Error(probed.text);
  const begun = performance.now();
  const [file, light] = await Promise.all([read(scene), environment === null ? null : read(environment)]);
  const readMs = performance.now() - begun;
  const files = { scene: file, environment: light && { file: light, intensity }, frameTimeS: 0, variant: null };
  const compiled = await engine.compile(never, files);
  if (!compiled.ok) throw new Error(compiled.text);
  const frame = { camera, width: RECT.width, height: RECT.height, bounces: 8, seed: 0 };
  const traced = await engine.trace(never, { sceneRoot: compiled.summary.root, frame, rect: RECT, pass: { first: 0, count: 1 } });
  if (!traced.ok) throw new Error(traced.text);
  const ms = performance.now() - begun;
  const stages = stretches().flatMap(({ name, startMs, ms: length }) =>
    startMs >= begun ? [{ name, startMs: startMs - begun, ms: length }] : [],
  );
  await engine.dispose();
  return { adapter: probed.adapter.name, ms, bytes: file.length, stages: [{ name: 'read', startMs: 0, ms: readMs }, ...stages] };
}

const subject = { drop };
export type DropSubject = typeof subject;
Object.assign(globalThis, { benchSubject: subject });
