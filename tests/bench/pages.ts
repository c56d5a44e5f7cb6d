/**
 * Builds what the pages run and serves it: the embedding entry as `npm run build` makes it, and the
 * peers in a build of their own, in which three is the version that they work with. The app keeps its
 * newer three: the alias is here and nowhere else.
 */
import { createReadStream, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { build } from 'vite';
import { ROOT } from './scenes.ts';
import type { RendererName } from './options.ts';

const OUT = join(ROOT, 'tests/.out/bench');
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' };
export type PageName = RendererName | 'drop';
const PAGES: Readonly<Record<PageName, string>> = { ours: 'ours', webgl: 'peer-webgl', webgpu: 'peer-webgpu', drop: 'drop' };

async function buildPage(name: string, peers: boolean): Promise<void> {
  await build({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    base: './',
    publicDir: false,
    resolve: { alias: peers ? [{ find: /^three(?=$|\/)/, replacement: 'three-peer' }] : [] },
    build: {
      outDir: join(OUT, name),
      emptyOutDir: true,
      target: 'es2023',
      modulePreload: false,
      chunkSizeWarningLimit: 8192,
      rollupOptions: { input: { page: join(ROOT, `tests/bench/page/${name}.ts`) }, output: { entryFileNames: '[name].js' } },
    },
  });
  writeFileSync(
    join(OUT, name, 'index.html'),
    '<!doctype html><title>bench</title><body></body><script type="module" src="./page.js"></script>',
  );
}

export async function buildPages(wanted: readonly RendererName[]): Promise<void> {
  mkdirSync(OUT, { recursive: true });
  if (wanted.includes('ours')) {
    await build({ root: ROOT, mode: 'embed', logLevel: 'error', build: { outDir: join(OUT, 'embed'), emptyOutDir: true } });
  }
  await Promise.all(wanted.map((name) => buildPage(PAGES[name], name !== 'ours')));
}

export async function buildDropPage(): Promise<void> {
  mkdirSync(OUT, { recursive: true });
  await buildPage(PAGES.drop, false);
}

export interface Site {
  pageOf(name: PageName): string;
  /** The address of a file of this machine. */
  offer(path: string): string;
  close(): void;
}

export async function serve(): Promise<Site> {
  const offered = new Map<string, string>();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://page');
    const file = offered.get(pathname) ?? join(OUT, pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    if (!existsSync(file)) return void response.writeHead(404).end();
    response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  return {
    pageOf: (name) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${PAGES[name]}/`,
    offer: (path) => {
      const address = `/files/${offered.size}${extname(path)}`;
      const known = [...offered].find(([, other]) => other === path)?.[0];
      if (known === undefined) offered.set(address, path);
      return known ?? address;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
