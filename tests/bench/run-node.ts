/**
 * This renderer alone, in Node through Dawn: every kernel and tree on every scene, interleaved so
 * that a busy machine is unfair to none, with the film's hash, because all must leave the same bits.
 */
import { createHash } from 'node:crypto';
import { nodeGpu } from '#cli/node-gpu.ts';
import type { TraceRequest } from '#lib/gpu/engine.ts';
import { filmCounters, filmSegments, type Counters } from '#lib/job/film.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { openDevice } from '#workers/render/device.ts';
import { sceneNeeds } from '#workers/render/scene-buffers.ts';
import { bytesPerTriangle } from '#workers/render/scene-bytes.ts';
import { softwareVariant, variantKey, type Variant } from '#workers/render/variant.ts';
import { compileScene } from '#workers/scene/compile.ts';
import type { CompiledScene } from '#workers/scene/compiled-scene.ts';
import { issueBound } from './bound.ts';
import type { BenchOptions } from './options.ts';
import { measureMix, type MixResult } from './ray-mix.ts';
import { benchScenes, bytesOf, type BenchScene } from './scenes.ts';

/** Rounds over all variants; the best of each counts. */
const ROUNDS = 3;
const never = new AbortController().signal;

export interface VariantResult {
  readonly variant: string;
  /** Of the film: every variant must leave the same. */
  readonly film: string;
  readonly pipelineSeconds: number;
  readonly samplesPerSecond: number;
  readonly samplesPerCpuSecond: number;
  readonly segmentsPerSecond: number;
}
export type VariantOutcome = VariantResult | { readonly variant: string; readonly failed: string };

export interface MixOutcome {
  readonly tree: string;
  readonly result: MixResult | null;
  readonly failed: string | null;
  /** Share of the issue-rate bound, for chips that are known. */
  readonly ofBound: number | null;
}

export interface NodeRow {
  readonly scene: string;
  readonly triangles: number;
  /** On a device. */
  readonly bytes: number;
  /** Of the mesh alone, with the compiled tree. */
  readonly bytesPerTriangle: number;
  readonly compileSeconds: number;
  readonly counters: Counters | null;
  readonly variants: readonly VariantOutcome[];
  readonly mixes: readonly MixOutcome[];
}

export interface NodeReport {
  readonly adapter: string;
  readonly software: boolean;
  readonly size: { readonly width: number; readonly height: number };
  readonly rows: readonly NodeRow[];
}

/** What is compared, and first what engines give a software adapter. */
const variantsFor = (adapter: string, software: boolean): Variant[] => [
  ...(software ? [softwareVariant(adapter)] : []),
  ...(['mega', 'wavefront'] as const).flatMap((kernel) =>
    (['binary', 'wide'] as const).map((tree): Variant => ({ kernel, tree, workgroup: 64 })),
  ),
];

export async function nodeReport(options: BenchOptions, say: (text: string) => void): Promise<NodeReport> {
  const gpu = (await nodeGpu()) ?? undefined;
  const scout = new RenderEngine(gpu);
  const report = await scout.probe();
  if (!report.ok) throw new Error(report.text);
  await scout.dispose();
  const { name: adapter, software } = report.adapter;
  const size = options.size ?? (software ? { width: 128, height: 96 } : { width: 1024, height: 768 });
  const rows: NodeRow[] = [];
  for (const scene of await benchScenes(options.scenes)) {
    say(`${scene.name} on ${adapter}`);
    rows.push(await nodeRow(gpu!, scene, adapter, variantsFor(adapter, software), { ...options, size }, say));
  }
  return { adapter, software, size, rows };
}

async function nodeRow(
  gpu: GPU,
  scene: BenchScene,
  adapter: string,
  offered: readonly Variant[],
  options: BenchOptions & { size: NonNullable<BenchOptions['size']> },
  say: (text: string) => void,
): Promise<NodeRow> {
  const { camera, environment, intensity } = scene;
  const compiled = await compileScene(never, {
    scene: bytesOf(scene.scene),
    environment: environment === null ? null : { file: bytesOf(environment), intensity },
    frameTimeS: 0,
    variant: null,
  });
  const { width, height } = options.size;
  const { eye, target, up, vfov } = camera;
  const view = { eye: [...eye], target: [...target], up: [...up], tanHalfVfov: Math.tan((vfov * Math.PI) / 360), lens: null };
  const request: TraceRequest = {
    sceneRoot: compiled.summary.root,
    frame: { camera: view as TraceRequest['frame']['camera'], width, height, bounces: options.bounces, seed: 1 },
    rect: { x: 0, y: 0, width, height },
    pass: { first: 0, count: 1 },
  };
  const variants = await measureVariants(gpu, compiled, request, offered, options, say);
  const mixes: MixOutcome[] = [];
  for (const tree of ['binary', 'wide'] as const) {
    mixes.push(await mixOf(gpu, compiled, tree, scene, adapter, { width, height, seconds: options.seconds / 4 }));
  }
  const { triangles, needs, compileSeconds } = compiled.summary;
  const counters = await countOf(gpu, compiled, request);
  return {
    scene: scene.name,
    triangles,
    bytes: needs.bytes,
    bytesPerTriangle: bytesPerTriangle(compiled),
    compileSeconds,
    counters,
    variants,
    mixes,
  };
}

/** Node visits and triangle tests, by the canonical tree. */
async function countOf(gpu: GPU, compiled: CompiledScene, request: TraceRequest): Promise<Counters | null> {
  const engine = new RenderEngine(gpu);
  engine.adopt(compiled);
  const outcome = await engine.trace(never, { ...request, count: true });
  await engine.dispose();
  return outcome.ok ? filmCounters(outcome.film.light) : null;
}

interface Running {
  readonly engine: RenderEngine;
  readonly pipelineSeconds: number;
  readonly film: string;
  pass: number;
  best: { readonly perSecond: number; readonly perCpuSecond: number; readonly segmentsPerSecond: number };
}

async function measureVariants(
  gpu: GPU,
  compiled: CompiledScene,
  request: TraceRequest,
  offered: readonly Variant[],
  { seconds, variants }: BenchOptions,
  say: (text: string) => void,
): Promise<VariantOutcome[]> {
  const running = new Map<string, Running>();
  const failed: VariantOutcome[] = [];
  const wanted = offered.filter((variant) => variants.length === 0 || variants.some((word) => variantKey(variant).includes(word)));
  for (const variant of wanted) {
    const key = variantKey(variant);
    const start = performance.now();
    const engine = new RenderEngine(gpu, { variant });
    engine.setPace({ place: 'idle', share: 1 });
    engine.adopt(compiled);
    const first = await engine.trace(never, request).catch((error: unknown) => ({ ok: false as const, text: String(error) }));
    if (!first.ok) {
      failed.push({ variant: key, failed: first.text });
      await engine.dispose();
      continue;
    }
    const pipelineSeconds = (performance.now() - start) / 1000;
    const film = createHash('sha256').update(first.film.light).update(Buffer.from(first.film.signatures.buffer)).digest('hex').slice(0, 16);
    running.set(key, { engine, pipelineSeconds, film, pass: 1, best: { perSecond: 0, perCpuSecond: 0, segmentsPerSecond: 0 } });
    say(`  ${key}: film ${film}, ready after ${pipelineSeconds.toFixed(1)} s`);
  }
  for (let round = 0; round < ROUNDS; round++) for (const one of running.values()) await runFor(one, request, seconds / ROUNDS);
  const results = [...running].map(([variant, { film, pipelineSeconds, best }]): VariantResult => {
    const { perSecond: samplesPerSecond, perCpuSecond: samplesPerCpuSecond, segmentsPerSecond } = best;
    return { variant, film, pipelineSeconds, samplesPerSecond, samplesPerCpuSecond, segmentsPerSecond };
  });
  for (const { engine } of running.values()) await engine.dispose();
  return [...results, ...failed];
}

const PASS_SAMPLES_MAX = 16;

/** Passes that double until a round holds only a few of them. */
async function runFor(one: Running, request: TraceRequest, seconds: number): Promise<void> {
  const { width, height } = request.rect;
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  let [paths, segments] = [0, 0];
  const elapsed = (): number => (performance.now() - start) / 1000;
  while (paths === 0 || elapsed() < seconds) {
    const outcome = await one.engine.trace(never, { ...request, pass: { first: 0, count: one.pass } });
    if (!outcome.ok) throw new Error(outcome.text);
    paths += width * height * one.pass;
    segments += filmSegments(outcome.film.light);
    if (outcome.traceSeconds < seconds / 4 && one.pass < PASS_SAMPLES_MAX) one.pass *= 2;
  }
  const [wall, used] = [elapsed(), process.cpuUsage(cpu)];
  const perSecond = paths / wall;
  const perCpuSecond = (paths * 1e6) / (used.user + used.system);
  const better = perCpuSecond > one.best.perCpuSecond;
  if (better) one.best = { perSecond, perCpuSecond, segmentsPerSecond: segments / wall };
}

async function mixOf(
  gpu: GPU,
  compiled: CompiledScene,
  tree: 'binary' | 'wide',
  { camera }: BenchScene,
  adapter: string,
  how: { readonly width: number; readonly height: number; readonly seconds: number },
): Promise<MixOutcome> {
  const opened = await openDevice(gpu, sceneNeeds(compiled));
  if (!opened.ok) return { tree, result: null, failed: opened.text, ofBound: null };
  try {
    const result = await measureMix(opened.device, compiled, tree, camera, how);
    const bound = issueBound(adapter, result.perRay, tree);
    return { tree, result, failed: null, ofBound: bound === null ? null : result.raysPerSecond / bound };
  } catch (error) {
    return { tree, result: null, failed: error instanceof Error ? error.message.split('\n')[0]! : String(error), ofBound: null };
  } finally {
    opened.device.destroy();
  }
}
