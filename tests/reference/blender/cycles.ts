/**
 * Pictures by Blender's Cycles of small scenes made in code: one process renders all scenes of a test,
 * with the materials arranged as in glTF's appendix B (cycles.py beside this file). Refuses to go on
 * without Blender: a comparison is never skipped.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PerspectiveCamera } from '#lib/protocol/order.ts';

export interface CyclesJob {
  readonly scene: Uint8Array;
  readonly camera: PerspectiveCamera;
  /** Radiance that comes from everywhere; 0: none. */
  readonly sky: number;
  /** Both width and height, pixels. */
  readonly side: number;
  readonly samples: number;
  readonly bounces: number;
  /** Gives the back of a face the Fresnel term of its front, which Cycles' node does not. */
  readonly twoSided?: boolean;
}

const runs = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

/** PICTOR_BLENDER, else the one in PATH, else Debian's where root may install it. @throws Error when there is none. */
export function blenderPath(): string {
  const program = process.env.PICTOR_BLENDER ?? 'blender';
  if (runs(program)) return program;
  if (process.getuid?.() === 0 && runs('apt-get') && !process.env.PICTOR_BLENDER) {
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'blender', 'python3-numpy'], { stdio: 'ignore', timeout: 1_200_000 });
    if (runs(program)) return program;
  }
  throw new Error('no Blender: install one of the 3.x series (Debian: apt-get install blender), or set PICTOR_BLENDER');
}

/** Linear RGB of each job, row by row from the top. @throws Error with Blender's last words. */
export function renderInCycles(jobs: readonly CyclesJob[]): Float32Array[] {
  const program = blenderPath();
  const folder = mkdtempSync(join(tmpdir(), 'pictor-blender-'));
  try {
    const list = jobs.map(({ scene, twoSided = false, ...job }, i) => {
      const file = join(folder, `${i}.glb`);
      writeFileSync(file, scene);
      return { ...job, twoSided, scene: file, out: join(folder, `${i}.f32`) };
    });
    writeFileSync(join(folder, 'jobs.json'), JSON.stringify(list));
    const script = join(import.meta.dirname, 'cycles.py');
    const args = ['-b', '--factory-startup', '--python-exit-code', '1', '-P', script, '--', join(folder, 'jobs.json')];
    const run = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
    if (run.status !== 0) throw new Error(`Blender ended with ${run.status ?? run.signal}: ${(run.stderr || run.stdout).slice(-600)}`);
    return list.map(({ out }) => new Float32Array(Uint8Array.from(readFileSync(out)).buffer));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
