/**
 * Compiles the artists' scenes of ../shared where they are present and compares with their
 * manifest; where they are absent it only states so in its name. Prints roots, for comparing peers.
 */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bytesPerTriangle } from '#workers/render/scene-bytes.ts';
import { compileScene } from '#workers/scene/compile.ts';

interface Manifest {
  readonly scenes: readonly {
    readonly name: string;
    readonly file: string;
    readonly env: string | null;
    readonly envIntensity: number;
    readonly triangles: number;
    readonly bounds: { readonly min: readonly number[]; readonly max: readonly number[] };
  }[];
}

const folder = new URL('../../../../shared/reference/scenes/', import.meta.url);
const present = existsSync(new URL('manifest.json', folder));
const manifest: Manifest = present ? (JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8')) as Manifest) : { scenes: [] };
const read = (file: string): Uint8Array<ArrayBuffer> => Uint8Array.from(readFileSync(new URL(file, folder)));

test(`shared scenes: ${present ? 'present, compared with their manifest' : 'absent, nothing to compare'}`, async () => {
  for (const scene of manifest.scenes) {
    const files = {
      scene: read(scene.file),
      environment: scene.env ? { file: read(scene.env), intensity: scene.envIntensity } : null,
      frameTimeS: 0,
      variant: null,
    };
    const compiled = await compileScene(new AbortController().signal, files);
    const { summary } = compiled;
    console.log(
      scene.name,
      summary.root,
      `${summary.triangles} triangles`,
      `${summary.lights} lights`,
      `${summary.bytes} bytes`,
      `${bytesPerTriangle(compiled).toFixed(1)} bytes per triangle`,
      `${summary.compileSeconds.toFixed(2)} s`,
      summary.warnings.join(' '),
    );
    if (scene.triangles > 1_000) expect(bytesPerTriangle(compiled), scene.name).toBeLessThanOrEqual(110);
    expect(summary.triangles, scene.name).toBeLessThanOrEqual(scene.triangles);
    expect(summary.triangles, scene.name).toBeGreaterThan(scene.triangles * 0.99);
    const size = Math.hypot(...scene.bounds.max.map((value, axis) => value - (scene.bounds.min[axis] as number)));
    for (const side of ['min', 'max'] as const) {
      for (let axis = 0; axis < 3; axis++) {
        expect(
          Math.abs((summary.bounds[side][axis] as number) - (scene.bounds[side][axis] as number)),
          `${scene.name} ${side}`,
        ).toBeLessThan(size * 1e-5);
      }
    }
  }
}, 180_000);
