/** What is rendered: the scenes the project ships, and those of ../shared where that lies beside it. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compileScene } from '#workers/scene/compile.ts';
import type { BenchCamera } from './page/contract.ts';

/** `npm run` starts here. */
export const ROOT = process.cwd();
const SHARED = resolve(ROOT, '../shared/reference');
const SHIPPED = join(ROOT, 'static/samples');

export interface BenchScene {
  readonly name: string;
  readonly kind: 'shared' | 'shipped';
  /** Paths on this machine. */
  readonly scene: string;
  readonly environment: string | null;
  readonly intensity: number;
  readonly camera: BenchCamera;
  /** A converged image by Cycles, OpenEXR. */
  readonly reference: string | null;
}

interface ManifestScene {
  readonly name: string;
  readonly file: string;
  readonly env: string | null;
  readonly envIntensity: number;
  readonly camera: Record<'position' | 'target' | 'up', [number, number, number]> & { readonly vfovDeg: number };
}

export const sharedIsThere = (): boolean => existsSync(join(SHARED, 'scenes/manifest.json'));

export const bytesOf = (path: string): Uint8Array<ArrayBuffer> => Uint8Array.from(readFileSync(path));

function sharedScenes(): BenchScene[] {
  if (!sharedIsThere()) return [];
  const { scenes } = JSON.parse(readFileSync(join(SHARED, 'scenes/manifest.json'), 'utf8')) as { scenes: ManifestScene[] };
  return scenes.map(({ name, file, env, envIntensity, camera }) => {
    const image = join(SHARED, `cycles/${name}.exr`);
    return {
      name,
      kind: 'shared',
      scene: join(SHARED, 'scenes', file),
      environment: env === null ? null : join(SHARED, 'scenes', env),
      intensity: envIntensity,
      camera: { eye: camera.position, target: camera.target, up: camera.up, vfov: camera.vfovDeg },
      reference: existsSync(image) ? image : null,
    };
  });
}

/** Their own first camera, which the peers get as numbers. */
async function shippedScenes(): Promise<BenchScene[]> {
  const list = JSON.parse(readFileSync(join(SHIPPED, 'index.json'), 'utf8')) as { name: string; file: string }[];
  return Promise.all(
    list.map(async ({ name, file }): Promise<BenchScene> => {
      const files = { scene: bytesOf(join(SHIPPED, file)), environment: null, frameTimeS: 0, variant: null };
      const { summary } = await compileScene(new AbortController().signal, files);
      const camera = summary.cameras[0]?.camera ?? summary.view;
      if (!('tanHalfVfov' in camera)) throw new Error(`${name} has no perspective camera`);
      const { eye, target, up, tanHalfVfov } = camera;
      const vfov = (Math.atan(tanHalfVfov) * 360) / Math.PI;
      const own = { name, kind: 'shipped', scene: join(SHIPPED, file), environment: null, intensity: 1, reference: null } as const;
      return { ...own, camera: { eye, target, up, vfov } };
    }),
  );
}

/** @throws Error when a wanted scene is not there. */
export async function benchScenes(wanted: readonly string[]): Promise<BenchScene[]> {
  const all = [...sharedScenes(), ...(await shippedScenes())];
  if (wanted.length === 0) return all;
  const missing = wanted.find((word) => !['shared', 'shipped'].includes(word) && !all.some(({ name }) => name === word));
  if (missing !== undefined) throw new Error(`no scene ${missing}; there are ${all.map(({ name }) => name).join(', ')}`);
  return all.filter(({ name, kind }) => wanted.includes(name) || wanted.includes(kind));
}
