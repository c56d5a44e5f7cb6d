/**
 * The embedding entry as built, in a page of another origin than the one it comes from: in a worker
 * of its own, in the page, and in a worker that the page brings, all with the bits that the command
 * line gets from the same samples on the same driver; in sentences where something is wrong.
 */
import { createServer, type Server } from 'node:http';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findVulkan, SYSTEM_PLACES } from '#cli/gpu-environment.ts';
import { cacheFolder } from '#cli/paths.ts';
import { readPfm } from '#lib/image/pfm.ts';
import type { create as createRenderer } from '#lib/embed/pictor.ts';
import { codecGlb } from '../unit/scene/fuzz-corpus.ts';
import { launch, pictor, temporaryFolder } from './harness.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.wasm': 'application/wasm' };
const [WIDTH, HEIGHT, SAMPLES] = [32, 24, 8];
const CAMERA = { eye: [0.6, 0.4, 3], target: [0, 0, 0], vfov: 45 } as const;

const folder = temporaryFolder();
const servers: Server[] = [];
let browser: Browser;
let page: Page;
/** Where the module comes from; the page comes from elsewhere. */
let library: string;
/** All samples at once, in a worker of the library's. */
let whole: Drawn;

/** Radiance, flat pixels: brighter towards one side. */
const SKY = Buffer.concat([
  Buffer.from('#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 2 +X 4\n'),
  Buffer.from(Array.from({ length: 8 }, (_, i) => [40 + 20 * i, 128, 200 - 10 * i, 128 + (i % 3)]).flat()),
]);

async function serve(answer: (path: string) => Promise<{ readonly type: string; readonly body: Uint8Array | string }>): Promise<string> {
  const server = createServer((request, response) => {
    void answer(new URL(request.url ?? '/', 'http://x').pathname).then(
      ({ type, body }) => response.setHeader('content-type', type).setHeader('access-control-allow-origin', '*').end(body),
      () => response.writeHead(404).end(),
    );
  });
  servers.push(server);
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  writeFileSync(join(folder, 'quad.glb'), await codecGlb('jpeg', 'image/jpeg'));
  writeFileSync(join(folder, 'sky.hdr'), SKY);
  library = await serve(async (path) => ({
    type: TYPES[extname(path)] ?? 'application/octet-stream',
    body: await readFile(join(ROOT, 'build/embed', path)),
  }));
  const worker = `import { create } from '${library}/pictor.js';
    import { draw } from '/draw.js';
    onmessage = async ({ data }) => postMessage(await draw(create, data));`;
  const draw = `export async function draw(create, { options, load, counts }) {
    const renderer = await create(options);
    const info = await renderer.load('/quad.glb', load);
    for (const count of counts) await renderer.render(count);
    const { color, samples, layers } = await renderer.read();
    await renderer.dispose();
    return { color: [...color], samples, triangles: info.triangles, albedo: layers ? [...layers.albedo] : null };
  }`;
  const script = `import { create } from '${library}/pictor.js'; import { draw } from '/draw.js'; Object.assign(globalThis, { create, draw });`;
  const home = await serve(async (path) => {
    if (path === '/') return { type: 'text/html', body: `<!doctype html><script type="module">${script}</script>` };
    if (path === '/worker.js') return { type: 'text/javascript', body: worker };
    if (path === '/draw.js') return { type: 'text/javascript', body: draw };
    return { type: 'application/octet-stream', body: await readFile(join(folder, path)) };
  });
  browser = await launch();
  page = await browser.newPage();
  await page.goto(home);
  await page.waitForFunction(() => 'create' in globalThis);
  whole = await drawInPage(true, [SAMPLES], true);
});

afterAll(async () => {
  await browser?.close();
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Drawn {
  readonly color: number[];
  readonly samples: number;
  readonly triangles: number;
  readonly albedo: number[] | null;
}

/** What the page's script gets from the library, and from itself. */
declare const create: typeof createRenderer;
declare const draw: (from: typeof createRenderer, how: unknown) => Promise<Drawn>;

const LOAD = { camera: CAMERA, environment: '/sky.hdr', intensity: 2 };

function drawInPage(worker: boolean, counts: readonly number[], layers = false): Promise<Drawn> {
  const call = { options: { width: WIDTH, height: HEIGHT, maxBounces: 3, seed: 7, worker, layers }, load: LOAD, counts };
  return page.evaluate((how) => draw(create, how), call);
}

function drawInOwnWorker(counts: readonly number[]): Promise<Drawn> {
  const call = { options: { width: WIDTH, height: HEIGHT, maxBounces: 3, seed: 7 }, load: LOAD, counts };
  return page.evaluate(
    (how) =>
      new Promise<Drawn>((done, fail) => {
        const worker = new Worker('/worker.js', { type: 'module' });
        worker.addEventListener('error', (event) => fail(new Error(event.message)));
        worker.addEventListener('message', ({ data }) => {
          worker.terminate();
          done(data as Drawn);
        });
        worker.postMessage(how);
      }),
    call,
  );
}

describe('in a page of another origin', () => {
  test('a worker, the page and a worker of the page leave the same bits, however calls cut the samples', async () => {
    const [inPage, inWorker] = [await drawInPage(false, [1, 3, 4]), await drawInOwnWorker([2, 6])];
    expect(whole).toMatchObject({ samples: SAMPLES, triangles: 2 });
    expect(whole.color).toHaveLength(WIDTH * HEIGHT * 4);
    expect(inPage.color).toEqual(whole.color);
    expect(inWorker.color).toEqual(whole.color);
    expect(whole.albedo!.some((value) => value > 0.05)).toBe(true);
    expect(inPage.albedo).toBeNull();
    // Control: other samples are other bits.
    expect((await drawInPage(false, [SAMPLES + 1])).color).not.toEqual(whole.color);
  });

  test('the command line gets the same bits on the same driver', async () => {
    const driver = findVulkan(cacheFolder(), { ...SYSTEM_PLACES, driverFolders: [] }).drivers.at(-1)!;
    const out = join(folder, 'line.pfm');
    const words = ['--eye', CAMERA.eye.join(','), '--target', CAMERA.target.join(','), '--vfov', String(CAMERA.vfov), '--out', out];
    const light = ['--env', join(folder, 'sky.hdr'), '--env-intensity', '2'];
    const kept = process.env.VK_ICD_FILENAMES;
    process.env.VK_ICD_FILENAMES = driver;
    const frame = ['--size', `${WIDTH}x${HEIGHT}`, '--spp', String(SAMPLES), '--bounces', '3', '--seed', '7'];
    const done = await pictor(['render', join(folder, 'quad.glb'), ...words, ...light, ...frame]);
    if (kept === undefined) delete process.env.VK_ICD_FILENAMES;
    else process.env.VK_ICD_FILENAMES = kept;
    expect(done.code, done.stderr).toBe(0);
    const read = readPfm(new Uint8Array(readFileSync(out)), { sidePx: 1e4, pixels: 1e7 });
    if (!read.ok) throw new Error(read.text);
    expect(whole.color.filter((_, i) => i % 4 !== 3)).toEqual([...read.image.values]);
  });

  test('an abort keeps what is finished, and the next call goes on from there to the same bits', async () => {
    const [color, samples, share] = await page.evaluate(
      async ([load, size]) => {
        const renderer = await create({ ...size, maxBounces: 3, seed: 7 });
        await renderer.load('/quad.glb', load);
        const stop = new AbortController();
        const first = await renderer.render(8, { signal: stop.signal, onProgress: ({ samples: at }) => at >= 2 && stop.abort() });
        await renderer.render(8 - (await renderer.read()).samples);
        const picture = await renderer.read();
        await renderer.dispose();
        return [[...picture.color], picture.samples, first.share] as const;
      },
      [LOAD, { width: WIDTH, height: HEIGHT }] as const,
    );
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(1);
    expect(samples).toBe(SAMPLES);
    expect(color).toEqual(whole.color);
  });

  test('what is wrong is said in a sentence with a code', async () => {
    const said = await page.evaluate(async () => {
      const renderer = await create({ width: 8, height: 8 });
      const words = async (work: () => unknown): Promise<string> => {
        try {
          await work();
          return 'nothing';
        } catch (error) {
          const { name, code, message } = error as Error & { code: string };
          return `${name} ${code}: ${message}`;
        }
      };
      const out = [
        await words(() => create({ width: 0, height: 8 })),
        await words(() => renderer.render(1)),
        await words(() => renderer.load('/nowhere.glb')),
        await words(() => renderer.load(new Uint8Array([1, 2, 3, 4]))),
        await words(() => renderer.load('/quad.glb', { camera: 'front' })),
        await words(() => renderer.load('/quad.glb')),
      ];
      await renderer.dispose();
      return [...out, await words(() => renderer.render(1))];
    });
    expect(said).toEqual([
      'PictorError bad-argument: width must be a whole number from 1 to 8192, not 0.',
      'PictorError bad-argument: There is no scene yet; call load first.',
      'PictorError unreadable: The scene could not be fetched from /nowhere.glb: status 404.',
      expect.stringMatching(/^PictorError bad-scene: .{20,}\.$/),
      'PictorError bad-argument: The scene has no camera "front"; it has none.',
      'nothing',
      'PictorError disposed: The renderer was disposed.',
    ]);
  });
});
