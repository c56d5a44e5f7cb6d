/**
 * Converged images by Blender Cycles of scenes by artists, where `../shared/reference` lies beside
 * the repository (never in a browser, which has no files): mean luminance within 5 %, both clamped
 * at 4, because fireflies remain in the references. Without that folder nothing is compared with
 * Cycles, and the one test that runs instead says so in its name.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filmLight } from '#lib/job/film.ts';
import type { Camera } from '#lib/protocol/order.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { testGpu } from './device.ts';
import { material, meanOf, render, sphere } from './kit.ts';

interface Reference {
  readonly name: string;
  readonly scene: Uint8Array<ArrayBuffer>;
  readonly environment: { readonly file: Uint8Array<ArrayBuffer>; readonly intensity: number } | null;
  readonly camera: Camera;
  readonly image: { readonly data: ArrayLike<number>; readonly width: number; readonly height: number };
}

interface ManifestScene {
  readonly name: string;
  readonly file: string;
  readonly env: string | null;
  readonly envIntensity: number;
  readonly camera: {
    readonly position: [number, number, number];
    readonly target: [number, number, number];
    readonly up: [number, number, number];
    readonly vfovDeg: number;
  };
}

/** Decided before any test is named, so that no name claims a comparison that was not made. */
async function referenceFolder(): Promise<string | null> {
  if (typeof window !== 'undefined') return null;
  const { existsSync } = await import('node:fs');
  const { fileURLToPath } = await import('node:url');
  const path = fileURLToPath(new URL('../../../shared/reference/', import.meta.url));
  return existsSync(`${path}scenes/manifest.json`) ? path : null;
}

const folder = await referenceFolder();

async function reference(name: string): Promise<Reference> {
  const { readFileSync } = await import('node:fs');
  const bytes = (path: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(folder + path));
  const manifest = JSON.parse(readFileSync(`${folder}scenes/manifest.json`, 'utf8')) as { scenes: ManifestScene[] };
  const scene = manifest.scenes.find((one) => one.name === name)!;
  const { EXRLoader } = await import('three/examples/jsm/loaders/EXRLoader.js');
  const { FloatType } = await import('three');
  const exr = new EXRLoader().setDataType(FloatType).parse(bytes(`cycles/${name}.exr`).buffer) as Reference['image'];
  const { position, target, up, vfovDeg } = scene.camera;
  return {
    name,
    scene: bytes(`scenes/${scene.file}`),
    environment: scene.env ? { file: bytes(`scenes/${scene.env}`), intensity: scene.envIntensity } : null,
    camera: { eye: position, target, up, tanHalfVfov: Math.tan((vfovDeg * Math.PI) / 360), lens: null },
    image: exr,
  };
}

const [WIDTH, HEIGHT, SHRINK] = [64, 48, 4];
const BRIGHTEST = 4;

/** Mean clamped luminance of `pixels` means of (r, g, b). */
function meanLuminance(pixels: number, rgb: (pixel: number, channel: number) => number): number {
  let sum = 0;
  for (let i = 0; i < pixels; i++) sum += Math.min(BRIGHTEST, 0.2126 * rgb(i, 0) + 0.7152 * rgb(i, 1) + 0.0722 * rgb(i, 2));
  return sum / pixels;
}

function referenceMean({ data, width }: Reference['image']): number {
  return meanLuminance(WIDTH * HEIGHT, (pixel, channel) => {
    let sum = 0;
    for (let k = 0; k < SHRINK * SHRINK; k++) {
      const x = (pixel % WIDTH) * SHRINK + (k % SHRINK);
      const y = Math.floor(pixel / WIDTH) * SHRINK + Math.floor(k / SHRINK);
      sum += data[(y * width + x) * 4 + channel]!;
    }
    return sum / (SHRINK * SHRINK);
  });
}

let engine: RenderEngine;
beforeAll(async () => {
  engine = new RenderEngine(await testGpu());
});
afterAll(() => engine.dispose());

const never = new AbortController().signal;

if (folder !== null)
  describe('against Cycles', () => {
    it.each([
      ['cornell-box', 32],
      ['damaged-helmet', 32],
      ['dream-apartment', 8],
    ] as const)('%s has the same mean luminance within 5 %', async (name, samples) => {
      const known = await reference(name);
      const compiled = await engine.compile(never, { scene: known.scene, environment: known.environment, frameTimeS: 0, variant: null });
      if (!compiled.ok) throw new Error(compiled.text);
      const frame = { camera: known.camera, width: WIDTH, height: HEIGHT, bounces: 8, seed: 1 };
      const rect = { x: 0, y: 0, width: WIDTH, height: HEIGHT };
      const outcome = await engine.trace(never, { sceneRoot: compiled.summary.root, frame, rect, pass: { first: 0, count: samples } });
      if (!outcome.ok) throw new Error(`${outcome.reason}: ${outcome.text}`);
      const sums = filmLight(outcome.film.light);
      const mean = meanLuminance(WIDTH * HEIGHT, (pixel, channel) => sums[pixel * 3 + channel]! / samples);
      expect(Math.abs(mean / referenceMean(known.image) - 1)).toBeLessThan(0.05);
    });
  });

if (folder === null)
  describe('without the references', () => {
    it('nothing is compared with Cycles; a white ball in a white sky is white within 5 %', async () => {
      const film = await render(engine, {
        triangles: sphere([0, 0, 0], 1, 0),
        materials: [material({ specular: 0 })],
        environment: { width: 4, height: 2, radiance: () => [1, 1, 1] },
      });
      expect(Math.abs(meanOf(film)[1] - 1)).toBeLessThan(0.05);
    });
  });
