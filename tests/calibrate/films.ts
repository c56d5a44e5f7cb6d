/**
 * Films of the calibration in a folder, one subfolder per stack and kernel: traced once, judged as often as
 * one likes. A run that was cut short goes on where it ended; films of another kernel are left alone.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FILM_BYTES_PER_PIXEL, type Film } from '#lib/job/film.ts';
import type { Stack } from '../stacks/known.ts';
import { openChromium, openFirefox, runNode, runPage, SAMPLES, SHARED, type Program } from '../stacks/stage.ts';
import { SIDE_PX, type Shot } from './plan.ts';
import type { Traced, Work } from './subject.ts';

export const CALIBRATION: Program = { name: 'calibrate', page: 'calibrate/page', node: 'calibrate/node' };

/** Shipped samples, and the shared scenes where they are there; small files first, for they are traced soonest. */
export const sceneNames = (folders: readonly string[] = [SAMPLES, SHARED]): string[] =>
  folders
    .flatMap((folder) =>
      existsSync(folder) ? readdirSync(folder).map((name) => ({ name, bytes: statSync(join(folder, name)).size })) : [],
    )
    .filter(({ name }) => name.endsWith('.glb'))
    .toSorted((a, b) => a.bytes - b.bytes || a.name.localeCompare(b.name))
    .map(({ name }) => name);

/** What one stack has traced so far. */
export interface Shelf {
  /** All that it was asked for. */
  readonly whole: boolean;
  readonly stack: string;
  readonly folder: string;
  readonly adapterClass: string;
  readonly adapter: string;
}

const folderOf = (root: string, shader: string, stack: string): string => join(root, shader.slice(0, 16), stack.replaceAll(/\W+/g, '-'));

/** Of all stacks that traced with this kernel. */
function foldersOf(root: string, shader: string): string[] {
  const parent = join(root, shader.slice(0, 16));
  return existsSync(parent) ? readdirSync(parent).map((name) => join(parent, name)) : [];
}

const has = (folder: string, { id }: Shot): boolean => existsSync(join(folder, `${id}.film`));

/**
 * Traces what is missing of `shots`, for `seconds` at most.
 * @param shader hash of the kernels of this checkout. @throws Error when the stack is not there or fails.
 */
export async function fill(root: string, shader: string, stack: Stack, shots: readonly Shot[], seconds: number): Promise<Shelf> {
  const environment = stack.environment();
  const folder = folderOf(root, shader, stack.name);
  const about = join(folder, 'traced.json');
  mkdirSync(folder, { recursive: true });
  // Scene after scene: compiling one costs more than tracing it.
  // What another stack has comes first: a film without its other half says nothing.
  const others = foldersOf(root, shader);
  const paired = (shot: Shot): number => Number(others.some((other) => has(other, shot)));
  const order = sceneNames();
  const missing = shots
    .filter((shot) => !has(folder, shot))
    .toSorted((a, b) => paired(b) - paired(a) || order.indexOf(a.scene) - order.indexOf(b.scene));
  if (missing.length > 0 || !existsSync(about)) {
    const work: Work = { shots: missing, untilMs: Date.now() + seconds * 1000 };
    if (stack.place === 'node') await inNode(stack.name, environment, work, folder);
    else await inBrowser(stack, environment, work, folder);
  }
  const traced = JSON.parse(readFileSync(about, 'utf8')) as Traced;
  if (traced.shader !== shader) throw new Error(`${stack.name} traced with other kernels than this checkout's`);
  const { adapterClass, adapter } = traced;
  return { whole: shots.every((shot) => has(folder, shot)), stack: stack.name, folder, adapterClass, adapter };
}

async function inNode(stack: string, environment: Record<string, string>, work: Work, folder: string): Promise<void> {
  const asked = join(folder, 'work.json');
  writeFileSync(asked, JSON.stringify(work));
  await runNode(CALIBRATION, [stack, SAMPLES, SHARED, asked, folder], environment);
}

async function inBrowser({ name, place }: Stack, environment: Record<string, string>, work: Work, folder: string): Promise<void> {
  const known = new Set(work.shots.map(({ id }) => `/film/${id}`));
  const traced = await runPage<Traced>(CALIBRATION, name, place === 'firefox' ? openFirefox(environment) : openChromium, {
    given: { '/work.json': work },
    onPosted: (path, body) => {
      if (known.has(path)) writeFileSync(join(folder, `${path.slice('/film/'.length)}.film`), body);
    },
  });
  writeFileSync(join(folder, 'traced.json'), JSON.stringify(traced));
}

/** @returns null when this stack was not asked for the shot. */
export function readFilm({ folder }: Shelf, { id, count }: Shot): Film | null {
  const path = join(folder, `${id}.film`);
  if (!existsSync(path)) return null;
  const bytes = Uint8Array.from(readFileSync(path));
  const lightBytes = SIDE_PX * SIDE_PX * FILM_BYTES_PER_PIXEL;
  const signatures = new Uint16Array(bytes.slice(lightBytes).buffer);
  if (signatures.length !== SIDE_PX * SIDE_PX * count) throw new Error(`${path} has another size than its shot`);
  return { width: SIDE_PX, height: SIDE_PX, samples: count, light: bytes.slice(0, lightBytes), signatures };
}
