/**
 * Builds the shipped sample scenes and their index: pure code in, files out, the same bytes on every
 * run. Refuses to draw the pictures beside them: `pictor render` does (static/samples/README.md).
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ORRERY_SECONDS, orrery } from './orrery.ts';
import { readingLamp } from './reading-lamp.ts';
import { stillLife } from './still-life.ts';

/** A row of index.json, as the front page and `npm start` read it. */
export interface SampleEntry {
  readonly name: string;
  readonly title: string;
  readonly file: string;
  readonly bytes: number;
  readonly picture: string;
  /** Which of the file's cameras. */
  readonly camera: number;
  /** Pixels and samples per pixel of a first order. */
  readonly width: number;
  readonly height: number;
  readonly samples: number;
  /** The samples bring their own light. */
  readonly environment: null;
  readonly description: string;
  /** 0: nothing moves. */
  readonly animationSeconds: number;
}

interface Sample {
  readonly name: string;
  readonly title: string;
  readonly build: () => Promise<Uint8Array>;
  readonly description: string;
  readonly animationSeconds: number;
}

const samples: readonly Sample[] = [
  {
    name: 'still-life',
    title: 'Still life',
    build: stillLife,
    description: 'Glass, copper, celadon and fruit on walnut, by a soft box and a small warm lamp.',
    animationSeconds: 0,
  },
  {
    name: 'reading-lamp',
    title: 'Reading lamp',
    build: readingLamp,
    description: 'The corner of a desk at dusk: one lamp under its shade, and all that its light reaches by bouncing.',
    animationSeconds: 0,
  },
  {
    name: 'orrery',
    title: 'Orrery',
    build: orrery,
    description: 'Four planets of enamel and glass on brass arms, turned by meshing gears around a glowing sun.',
    animationSeconds: ORRERY_SECONDS,
  },
];

/** Writes `<name>.glb` per sample and `index.json` into `outDir`, which is made when absent. */
export async function buildSamples(outDir: string): Promise<void> {
  await mkdir(outDir, { recursive: true });
  const index: SampleEntry[] = [];
  for (const { name, title, build, description, animationSeconds } of samples) {
    const glb = await build();
    const file = `${name}.glb`;
    await writeFile(join(outDir, file), glb);
    const order = { camera: 0, width: 480, height: 320, samples: 256, environment: null };
    index.push({ name, title, file, bytes: glb.length, picture: `${name}.png`, ...order, description, animationSeconds });
  }
  await writeFile(join(outDir, 'index.json'), `${JSON.stringify(index, null, 2)}\n`);
}
