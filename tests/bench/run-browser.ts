/** Ours beside the peers in Chromium, scene by scene. */
import { nodeGpu } from '#cli/node-gpu.ts';
import { filmCounters } from '#lib/job/film.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { compileScene } from '#workers/scene/compile.ts';
import { Bench, type Outcome } from './compare.ts';
import { readReference, type Image } from './metrics.ts';
import { RENDERERS, type BenchOptions, type RendererName } from './options.ts';
import { buildPages, serve } from './pages.ts';
import { ratioOf, rendererRow, type BrowserReport, type BrowserRow } from './report-browser.ts';
import { benchScenes, bytesOf, type BenchScene } from './scenes.ts';

/** Where there is no reference, ours with another seed, sampled so many times as long. */
const OWN_REFERENCE_TIMES = 8;
const never = new AbortController().signal;

export async function browserReport(options: BenchOptions, say: (text: string) => void): Promise<BrowserReport> {
  const names = RENDERERS.filter((name) => options.only.includes(name)) as RendererName[];
  const scenes = await benchScenes(options.scenes);
  const size = options.size ?? (options.gpu ? { width: 1024, height: 768 } : { width: 128, height: 96 });
  await buildPages(names);
  const site = await serve();
  const bench = new Bench(site, options);
  const rows: BrowserRow[] = [];
  let adapter = '';
  for (const scene of scenes) {
    const { reference, from } = await referenceOf(bench, scene, size, options, names);
    const outcomes: Partial<Record<RendererName, Outcome>> = {};
    for (const name of names) {
      const outcome = await bench.measure(name, scene, size, reference);
      outcomes[name] = outcome;
      say(`${scene.name}, ${name}: ${told(outcome)}`);
      if (outcome.ok && name !== 'webgl') adapter = outcome.prepared.adapter;
    }
    const renderers = Object.fromEntries(Object.entries(outcomes).map(([name, outcome]) => [name, rendererRow(outcome)]));
    const peers = names.filter((name) => name !== 'ours');
    const ratios = Object.fromEntries(peers.map((name) => [name, ratioOf(outcomes.ours, outcomes[name], !options.gpu)]));
    rows.push({ scene: scene.name, reference: from, renderers, ratios, ...(await countsOf(scene, options)) });
  }
  await bench.close();
  site.close();
  const { bounces, seconds } = options;
  return { adapter, browser: `Chromium ${bench.browserVersion}`, software: !options.gpu, size, bounces, seconds, rows };
}

const told = (outcome: Outcome): string =>
  outcome.ok
    ? `${(outcome.samplesPerSecond / 1e6).toFixed(4)} Ms/s, ${(outcome.samplesPerCpuSecond / 1e6).toFixed(4)} per CPU second, ${outcome.samples.toFixed(1)} samples`
    : outcome.text;

async function referenceOf(
  bench: Bench,
  scene: BenchScene,
  size: { width: number; height: number },
  { seconds }: BenchOptions,
  names: readonly RendererName[],
): Promise<{ readonly reference: Image | null; readonly from: BrowserRow['reference'] }> {
  if (scene.reference !== null) return { reference: readReference(scene.reference), from: 'cycles' };
  if (!names.includes('ours')) return { reference: null, from: null };
  const outcome = await bench.measure('ours', scene, size, null, { seconds: seconds * OWN_REFERENCE_TIMES, seed: 2 });
  return outcome.ok ? { reference: outcome.image, from: 'own' } : { reference: null, from: null };
}

/** The counting kernel in Node: its numbers are the same on every adapter. */
async function countsOf(
  scene: BenchScene,
  { bounces }: BenchOptions,
): Promise<Pick<BrowserRow, 'triangles' | 'bytes' | 'compileSeconds' | 'perSegment'>> {
  const environment = scene.environment === null ? null : { file: bytesOf(scene.environment), intensity: scene.intensity };
  const compiled = await compileScene(never, { scene: bytesOf(scene.scene), environment, frameTimeS: 0, variant: null });
  const { triangles, bytes, compileSeconds, root } = compiled.summary;
  const gpu = await nodeGpu();
  const engine = new RenderEngine(gpu ?? undefined);
  engine.adopt(compiled);
  const [width, height] = [64, 48];
  const { eye, target, up, vfov } = scene.camera;
  const outcome = await engine.trace(never, {
    sceneRoot: root,
    frame: {
      camera: { eye: [...eye], target: [...target], up: [...up], tanHalfVfov: Math.tan((vfov * Math.PI) / 360), lens: null },
      ...{ width, height, bounces, seed: 1 },
    },
    rect: { x: 0, y: 0, width, height },
    pass: { first: 0, count: 1 },
    count: true,
  });
  await engine.dispose();
  const counted = outcome.ok ? filmCounters(outcome.film.light) : null;
  const perSegment = counted && {
    nodeVisits: counted.nodeVisits / counted.segments,
    triangleTests: counted.triangleTests / counted.segments,
  };
  return { triangles, bytes, compileSeconds, perSegment };
}
