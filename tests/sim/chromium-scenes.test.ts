/**
 * Chromium and Node compile the same files to the same roots: every codec and container, damaged
 * files too (which must be refused with the same sentence), the shipped samples, and the shared
 * scenes where they are there. No GPU takes part.
 */
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SceneFiles } from '#lib/gpu/engine.ts';
import { compileScene, SceneError } from '#workers/scene/compile.ts';
import { chromiumArgs, chromiumPath } from '../chromium.ts';
import { codecGlb, fuzzCorpus, type Seedling } from '../unit/scene/fuzz-corpus.ts';
import { mutant } from '../unit/scene/fuzz-mutate.ts';
import { sceneFiles } from '../unit/scene/fixtures.ts';
import type { ScenesPage } from './page/scenes.ts';

declare const pictorScenes: ScenesPage;

const ROOT = join(import.meta.dirname, '../..');
const SAMPLES = join(ROOT, 'static/samples');
const SHARED = join(ROOT, '../shared/reference/scenes');
const MUTANTS = 160;
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.wasm': 'application/wasm' };

let folder: string;
let server: Server;
let browser: Browser;
let page: Page;
/** What the page may fetch beside its own script. */
const offered = new Map<string, Uint8Array>();
const errors: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pictor-scenes-'));
  await build({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    build: {
      outDir: folder,
      emptyOutDir: true,
      copyPublicDir: false,
      modulePreload: false,
      rollupOptions: { input: join(import.meta.dirname, 'page/scenes.ts'), output: { entryFileNames: 'scenes.js' } },
    },
  });
  server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://page').pathname;
    if (path === '/')
      return void response.setHeader('content-type', 'text/html').end('<!doctype html><script type="module" src="/scenes.js"></script>');
    if (path === '/favicon.ico') return void response.writeHead(204).end();
    const bytes = offered.get(path);
    if (bytes) return void response.end(bytes);
    void readFile(join(folder, path)).then(
      (file) => response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream').end(file),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await chromium.launch({ executablePath: chromiumPath(), args: chromiumArgs });
  page = await browser.newPage();
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction(() => 'pictorScenes' in globalThis);
});

afterAll(async () => {
  await browser?.close();
  server?.close();
  await rm(folder, { recursive: true, force: true });
});

async function inPage({ scene, environment, frameTimeS }: SceneFiles): Promise<string> {
  offered.set('/scene.bin', scene);
  if (environment) offered.set('/environment.bin', environment.file);
  return page.evaluate(([lit, time]) => pictorScenes.compile('/scene.bin', lit ? '/environment.bin' : null, time), [
    environment !== null,
    frameTimeS,
  ] as const);
}

async function inNode(files: SceneFiles): Promise<string> {
  try {
    return (await compileScene(new AbortController().signal, files)).summary.root;
  } catch (error) {
    if (error instanceof SceneError) return error.message;
    throw error;
  }
}

async function compared(list: readonly Pick<Seedling, 'name' | 'files'>[]): Promise<Map<string, string>> {
  const [here, there] = [new Map<string, string>(), new Map<string, string>()];
  for (const { name, files } of list) {
    here.set(name, await inNode(files));
    there.set(name, await inPage(files));
  }
  expect(Object.fromEntries(there)).toEqual(Object.fromEntries(here));
  return here;
}

describe('Chromium and Node', () => {
  test('agree on every codec and container', async () => {
    const png = { name: 'png 16', files: sceneFiles(await codecGlb('png16Interlaced', 'image/png')) };
    const roots = await compared([...(await fuzzCorpus()), png]);
    for (const root of roots.values()) expect(root).toMatch(/^[0-9a-f]{64}$/);
    // Control: different pictures are different roots.
    expect(roots.get('png')).not.toBe(roots.get('jpeg'));
    expect(roots.get('exr zip')).toBe(roots.get('exr piz'));
    expect(errors).toEqual([]);
  });

  test(`agree on ${MUTANTS} damaged files, word for word`, async () => {
    const corpus = await fuzzCorpus();
    const outcomes = await compared(Array.from({ length: MUTANTS }, (_, index) => mutant(corpus, index)));
    expect([...outcomes.values()].filter((outcome) => / /.test(outcome)).length).toBeGreaterThan(MUTANTS / 4);
  });

  test('agree on the shipped samples', async () => {
    const names = readdirSync(SAMPLES).filter((name) => name.endsWith('.glb'));
    expect(names.length).toBeGreaterThan(0);
    await compared(
      await Promise.all(names.map(async (name) => ({ name, files: sceneFiles(Uint8Array.from(await readFile(join(SAMPLES, name)))) }))),
    );
  });

  test(`agree on the shared scenes (${existsSync(SHARED) ? 'present' : 'absent: nothing compared'})`, async () => {
    const names = existsSync(SHARED) ? readdirSync(SHARED).filter((name) => name.endsWith('.glb')) : [];
    for (const name of names) await compared([{ name, files: sceneFiles(Uint8Array.from(await readFile(join(SHARED, name))), 0.5) }]);
  }, 600_000);
});
