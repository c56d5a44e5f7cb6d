/**
 * One stack at work: compiles each scene and traces the shots it is asked for, until they are done or
 * its time is up. Hands every film on at once, so that a run that ends early is not lost.
 */
import type { Engine, SceneSummary } from '#lib/gpu/engine.ts';
import { requestOf, type Shot } from './plan.ts';

/** What a stack is asked for. */
export interface Work {
  readonly shots: readonly Shot[];
  /** No film is begun after this. */
  readonly untilMs: number;
}

/** Who traced. */
export interface Traced {
  readonly adapterClass: string;
  readonly adapter: string;
  /** SHA-256 of the shaders' text. */
  readonly shader: string;
  readonly films: number;
  /** All that was asked for is there. */
  readonly whole: boolean;
}

export interface Means {
  readonly engine: Engine;
  readonly readScene: (name: string) => Promise<Uint8Array<ArrayBuffer>>;
  /** Light, then signatures, little-endian. */
  readonly keep: (id: string, film: Uint8Array<ArrayBuffer>) => Promise<void>;
  readonly log: (line: string) => void;
}

const never = new AbortController().signal;

function bytesOf(light: Uint8Array, signatures: Uint16Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(light.length + signatures.byteLength);
  out.set(light);
  out.set(new Uint8Array(signatures.buffer, signatures.byteOffset, signatures.byteLength), light.length);
  return out;
}

async function compiled(engine: Engine, name: string, scene: Uint8Array<ArrayBuffer>): Promise<SceneSummary> {
  const outcome = await engine.compile(never, { scene, environment: null, frameTimeS: 0, variant: null });
  if (!outcome.ok) throw new Error(`${name}: ${outcome.text}`);
  return outcome.summary;
}

/** @throws Error with the engine's own words when a scene cannot be compiled or a shot not be traced. */
export async function traceShots({ engine, readScene, keep, log }: Means, { shots, untilMs }: Work): Promise<Traced> {
  const probed = await engine.probe();
  if (!probed.ok) throw new Error(probed.text);
  let films = 0;
  let at = '';
  let summary: SceneSummary | undefined;
  for (const shot of shots) {
    if (Date.now() > untilMs) break;
    if (!summary || at !== shot.scene) summary = await compiled(engine, shot.scene, await readScene(shot.scene));
    at = shot.scene;
    const outcome = await engine.trace(never, requestOf(shot, summary));
    if (!outcome.ok) throw new Error(`${shot.id}: ${outcome.reason}: ${outcome.text}`);
    await keep(shot.id, bytesOf(outcome.film.light, outcome.film.signatures));
    films++;
    log(`${shot.id} in ${outcome.traceSeconds.toFixed(1)} s`);
  }
  await engine.dispose();
  const { class: adapterClass, name: adapter } = probed.adapter;
  return { adapterClass, adapter, shader: engine.shader, films, whole: films === shots.length };
}
