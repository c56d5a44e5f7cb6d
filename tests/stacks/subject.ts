/**
 * One WebGPU stack at work: builds every program, compiles and traces every case, and tells what it
 * got in plain JSON. Judges nothing: that is for stacks.test.ts, which holds several reports.
 */
import type { Engine, SceneSummary, TraceRequest } from '#lib/gpu/engine.ts';
import type { Film } from '#lib/job/film.ts';
import { reduceProgram, traceProgram } from '#shaders/index.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { compileKit, request, type KitScene, type Shot } from '../gpu/kit.ts';
import { ANALYTIC, ROOM, ROOM_SHOT, SAMPLE_SHOT, SAMPLES } from './cases.ts';

export interface Drawing {
  readonly name: string;
  /** Root of the compiled scene, hex. */
  readonly root: string;
  readonly width: number;
  readonly height: number;
  readonly samples: number;
  /** Bounces of the paths. */
  readonly bounces: number;
  /** The film's pixels with all layers, base64. */
  readonly film: string;
  /** u16 per path, base64. */
  readonly signatures: string;
  readonly seconds: number;
}

export interface Report {
  readonly stack: string;
  readonly adapter: string;
  /** Errors of the WGSL compiler, by program; empty when all compile. */
  readonly wgslErrors: readonly string[];
  readonly drawings: readonly Drawing[];
  /** Root of each further file, hex. */
  readonly roots: Readonly<Record<string, string>>;
}

export interface Means {
  readonly gpu: GPU | undefined;
  /** Traces files: behind the product's own Web Worker where there is one. */
  readonly engine: Engine;
  readonly readSample: (name: string) => Promise<Uint8Array<ArrayBuffer>>;
  /** Files that are compiled and not drawn. */
  readonly scenes: readonly string[];
  readonly readScene: (name: string) => Promise<Uint8Array<ArrayBuffer>>;
  readonly log: (line: string) => void;
}

const never = new AbortController().signal;

const base64 = (bytes: Uint8Array): string => {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
};

const bytesOf = (a: Uint16Array): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);

const drawing = (name: string, root: string, bounces: number, film: Film, seconds: number): Drawing => ({
  name,
  root,
  width: film.width,
  height: film.height,
  samples: film.samples,
  bounces,
  film: base64(film.light),
  signatures: base64(bytesOf(film.signatures)),
  seconds,
});

async function wgslErrors(gpu: GPU): Promise<string[]> {
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error('no WebGPU adapter');
  const device = await adapter.requestDevice({ label: 'portability' });
  const programs = { trace: traceProgram, reduce: reduceProgram };
  const found: string[] = [];
  for (const [name, code] of Object.entries(programs)) {
    device.pushErrorScope('validation');
    const info = await device.createShaderModule({ label: name, code }).getCompilationInfo();
    const refused = await device.popErrorScope();
    const errors = info.messages.filter((message) => message.type === 'error');
    found.push(...errors.map((message) => `${name}: ${message.message}: ${code.split('\n')[message.lineNum - 1] ?? ''}`));
    if (refused && errors.length === 0) found.push(`${name}: ${refused.message}`);
  }
  device.destroy();
  return found;
}

async function traced(engine: Engine, wanted: TraceRequest): Promise<Film> {
  const outcome = await engine.trace(never, wanted);
  if (!outcome.ok) throw new Error(`${outcome.reason}: ${outcome.text}`);
  return outcome.film;
}

async function drawKit(engine: RenderEngine, name: string, scene: KitScene, shot: Shot): Promise<Drawing> {
  const started = performance.now();
  const compiled = await compileKit(scene);
  engine.adopt(compiled);
  const wanted = request(compiled.summary.root, shot);
  const film = await traced(engine, wanted);
  return drawing(name, compiled.summary.root, wanted.frame.bounces, film, (performance.now() - started) / 1000);
}

async function compiledBy(engine: Engine, name: string, scene: Uint8Array<ArrayBuffer>): Promise<SceneSummary> {
  const compiled = await engine.compile(never, { scene, environment: null, frameTimeS: 0, variant: null });
  if (!compiled.ok) throw new Error(`${name}: ${compiled.text}`);
  return compiled.summary;
}

async function drawSample({ engine, readSample }: Means, name: string): Promise<Drawing> {
  const started = performance.now();
  const { root, cameras, view } = await compiledBy(engine, name, await readSample(name));
  const { width, height, samples, bounces, seed } = SAMPLE_SHOT;
  const film = await traced(engine, {
    sceneRoot: root,
    frame: { camera: cameras[0]?.camera ?? view, width, height, bounces, seed },
    rect: { x: 0, y: 0, width, height },
    pass: { first: 0, count: samples },
  });
  return drawing(name, root, bounces, film, (performance.now() - started) / 1000);
}

/** @throws Error with the engine's own words when a case cannot be drawn. */
export async function runSubject(stack: string, means: Means): Promise<Report> {
  if (!means.gpu) throw new Error(`${stack}: no WebGPU`);
  const errors = await wgslErrors(means.gpu);
  if (errors.length > 0) return { stack, adapter: 'unknown', wgslErrors: errors, drawings: [], roots: {} };
  const probed = await means.engine.probe();
  if (!probed.ok) throw new Error(`${stack}: ${probed.text}`);
  means.log(`${stack}: ${probed.adapter.class} (${probed.adapter.name}), kernels after ${probed.compileSeconds.toFixed(1)} s`);
  const drawings: Drawing[] = [];
  const keep = (one: Drawing): void => {
    drawings.push(one);
    means.log(`${stack}: ${one.name} after ${one.seconds.toFixed(1)} s`);
  };
  const local = new RenderEngine(means.gpu);
  for (const { name, scene, shot } of ANALYTIC) keep(await drawKit(local, name, scene, shot));
  keep(await drawKit(local, 'room of all materials', ROOM, ROOM_SHOT));
  await local.dispose();
  for (const name of SAMPLES) keep(await drawSample(means, name));
  const roots: Record<string, string> = {};
  for (const name of means.scenes) roots[name] = (await compiledBy(means.engine, name, await means.readScene(name))).root;
  await means.engine.dispose();
  return { stack, adapter: `${probed.adapter.class} (${probed.adapter.name})`, wgslErrors: [], drawings, roots };
}
