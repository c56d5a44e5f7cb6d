/**
 * Do 90 % intervals of quotes cover? Over every shared scene, else the shipped ones: quotes from
 * previews of several seeds, early and late, against the rays of a job really traced at another size
 * and seed; as many samples everywhere, and to several noises, its tiles stopped by the rule that
 * creators stop them by. Prints the shares that tests/README.md keeps.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SceneFiles, TraceRequest } from '#lib/gpu/engine.ts';
import { passes, tileCount, tileRect, tileSideOf } from '#lib/job/plan.ts';
import { regionsOf, workOf } from '#lib/market/estimate.ts';
import { NoiseSums, quietEnough, type TileNoise } from '#lib/market/noise.ts';
import { PASS_SAMPLES_MAX } from '#lib/protocol/limits.ts';
import type { Camera } from '#lib/protocol/order.ts';
import { NOISE_LEVELS } from '#lib/state/choices.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { testGpu } from '../gpu/device.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SHARED = resolve(ROOT, '../shared/reference/scenes');
const SHIPPED = join(ROOT, 'static/samples');
const PREVIEW = { width: 96, height: 72 };
const PREVIEW_SEEDS = [1, 2, 3, 4, 5, 6];
const PREVIEW_PASSES = passes({ samples: 16, passSamples: 4 });
/** A quote is made after so many samples of a preview. */
const QUOTED_AFTER = [4, 16];
const JOB = { width: 128, height: 96, samples: 256, passSamples: PASS_SAMPLES_MAX };
const JOB_SEED = 101;
const TARGETS = [0.5, 0.25, 0.12, 0.08, 0.05, 0.03];
const BOUNCES = 8;
const never = new AbortController().signal;

interface Case {
  readonly name: string;
  readonly files: SceneFiles;
  /** null: the file's own. */
  readonly camera: Camera | null;
}

interface Listed {
  readonly name: string;
  readonly file: string;
  readonly env: string | null;
  readonly envIntensity: number;
  readonly camera: { readonly position: number[]; readonly target: number[]; readonly up: number[]; readonly vfovDeg: number };
}

const bytes = (path: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(path));
const filesOf = (scene: string, environment: SceneFiles['environment']): SceneFiles => ({
  ...{ scene: bytes(scene), environment, frameTimeS: 0, variant: null },
});

function cases(): (() => Case)[] {
  if (!existsSync(join(SHARED, 'manifest.json')))
    return readdirSync(SHIPPED)
      .filter((name) => name.endsWith('.glb'))
      .map((name) => () => ({ name: basename(name, '.glb'), files: filesOf(join(SHIPPED, name), null), camera: null }));
  const { scenes } = JSON.parse(readFileSync(join(SHARED, 'manifest.json'), 'utf8')) as { scenes: Listed[] };
  return scenes.map(({ name, file, env, envIntensity, camera: { position, target, up, vfovDeg } }) => () => {
    const environment = env === null ? null : { file: bytes(join(SHARED, env)), intensity: envIntensity };
    const camera = { eye: position, target, up, tanHalfVfov: Math.tan((vfovDeg * Math.PI) / 360), lens: null } as unknown as Camera;
    return { name, files: filesOf(join(SHARED, file), environment), camera };
  });
}

let engine: RenderEngine;
beforeAll(async () => {
  engine = new RenderEngine(await testGpu());
});
afterAll(() => engine.dispose());

async function film(request: TraceRequest): Promise<Uint8Array<ArrayBuffer>> {
  const outcome = await engine.trace(never, request);
  if (!outcome.ok) throw new Error(`${outcome.reason}: ${outcome.text}`);
  return outcome.film.light;
}

type View = Pick<TraceRequest, 'sceneRoot'> & { readonly camera: Camera };
const frameOf = ({ camera }: View, size: { width: number; height: number }, seed: number): TraceRequest['frame'] => ({
  ...{ camera, bounces: BOUNCES, seed, width: size.width, height: size.height },
});

/** Regions of a preview after each count of QUOTED_AFTER. */
async function previewOf(view: View, seed: number): Promise<TileNoise[][]> {
  const rect = { x: 0, y: 0, ...PREVIEW };
  const sums = new NoiseSums(PREVIEW);
  const found: TileNoise[][] = [];
  for (const pass of PREVIEW_PASSES) {
    sums.add(rect, await film({ sceneRoot: view.sceneRoot, frame: frameOf(view, PREVIEW, seed), rect, pass }), pass.count);
    if (QUOTED_AFTER.includes(pass.first + pass.count)) found.push(regionsOf(JOB, PREVIEW, sums));
  }
  return found;
}

/** A tile of the job after one of its passes. */
interface Traced {
  readonly segments: number;
  /** null after a single sample. */
  readonly noise: TileNoise | null;
}

/** Each tile of the job after each pass: the whole frame is traced at once, which leaves the same bits. */
async function jobOf(view: View): Promise<Traced[][]> {
  const cut = { ...JOB, tileSide: tileSideOf(JOB) };
  const rects = Array.from({ length: tileCount(cut) }, (_, i) => tileRect(cut, i));
  const rect = { x: 0, y: 0, width: JOB.width, height: JOB.height };
  const sums = new NoiseSums(JOB);
  const tiles: Traced[][] = rects.map(() => []);
  for (const pass of passes(JOB)) {
    sums.add(rect, await film({ sceneRoot: view.sceneRoot, frame: frameOf(view, JOB, JOB_SEED), rect, pass }), pass.count);
    for (const [i, tile] of rects.entries()) {
      const noise = sums.of(tile);
      tiles[i]!.push({ noise, segments: noise ? noise.segments * noise.samples * noise.pixels : 0 });
    }
  }
  return tiles;
}

/** Rays of a job whose tiles stop when they are quiet (market/noise). */
function stopped(tiles: readonly (readonly Traced[])[], target: number): number {
  const plan = passes(JOB);
  const last = tiles.map((tile) => tile.at(-1)!.noise!);
  const picture = last.reduce((sum, { luminance, pixels }) => sum + luminance * pixels, 0) / (JOB.width * JOB.height);
  return tiles.reduce((sum, tile) => {
    const stop = plan.findIndex(
      ({ first, count }, i) => i + 1 === plan.length || quietEnough(tile[i - 1]?.noise ?? null, picture, target, first + count),
    );
    return sum + tile[stop]!.segments;
  }, 0);
}

interface Quoted {
  readonly kind: 'samples' | 'noise';
  readonly after: number;
  readonly covered: boolean;
  /** Estimate over what it was. */
  readonly ratio: number;
  /** High over low. */
  readonly width: number;
}
const quoted: Quoted[] = [];

function hold(kind: Quoted['kind'], after: number, { low, high, segments }: ReturnType<typeof workOf>, actual: number): void {
  quoted.push({ kind, after, covered: low <= actual && actual <= high, ratio: segments / actual, width: high / low });
}

const shareOf = (of: readonly Quoted[]): number => of.filter(({ covered }) => covered).length / of.length;

describe('quotes', () => {
  it.each(cases().map((load) => [load]))('scene %#', async (load) => {
    const { name, files, camera } = load();
    const compiled = await engine.compile(never, files);
    if (!compiled.ok) throw new Error(compiled.text);
    const { root, cameras, view: framing } = compiled.summary;
    const view = { sceneRoot: root, camera: camera ?? cameras[0]?.camera ?? framing };
    const tiles = await jobOf(view);
    const before = quoted.length;
    const levels: Record<string, number[]> = {};
    for (const seed of PREVIEW_SEEDS)
      for (const [i, regions] of (await previewOf(view, seed)).entries()) {
        for (const samples of [16, 256]) {
          const pass = passes(JOB).findIndex(({ first, count }) => first + count === samples);
          const actual = tiles.reduce((sum, tile) => sum + tile[pass]!.segments, 0);
          hold('samples', QUOTED_AFTER[i]!, workOf({ ...JOB, samples }, regions, null), actual);
        }
        for (const target of TARGETS) hold('noise', QUOTED_AFTER[i]!, workOf(JOB, regions, target), stopped(tiles, target));
        for (const [level, { noisePpm, samplesMax }] of Object.entries(NOISE_LEVELS))
          (levels[level] ??= []).push(workOf({ ...JOB, samples: samplesMax }, regions, noisePpm / 1e6).samples);
      }
    const mean = (values: readonly number[]): string => (values.reduce((a, b) => a + b, 0) / values.length).toFixed(0);
    const samples = Object.entries(levels).map(([level, found]) => `${level} ${mean(found)}`);
    console.info(`${name}: ${(100 * shareOf(quoted.slice(before))).toFixed(0)} % covered; samples per pixel: ${samples.join(', ')}`);
  });

  it('cover 85 to 95 % of what jobs took, of either kind', () => {
    const middle = (values: number[]): string => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!.toFixed(3);
    for (const kind of ['samples', 'noise'] as const) {
      const of = quoted.filter((one) => one.kind === kind);
      for (const after of QUOTED_AFTER) {
        const some = of.filter((one) => one.after === after);
        console.info(
          `${kind}, after ${after} samples: ${(100 * shareOf(some)).toFixed(1)} % of ${some.length} covered; ` +
            `estimate over actual ${middle(some.map(({ ratio }) => ratio))}, high over low ${middle(some.map(({ width }) => width))} (medians)`,
        );
      }
      expect(shareOf(of), kind).toBeGreaterThanOrEqual(0.85);
      expect(shareOf(of), kind).toBeLessThanOrEqual(0.95);
    }
  });

  it('would not if they were half as wide (control)', () => {
    const narrow = quoted.filter(({ width, ratio }) => Math.abs(Math.log(ratio)) <= Math.log(width) / 4);
    expect(narrow.length / quoted.length).toBeLessThan(0.8);
  });
});
