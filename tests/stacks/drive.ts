/**
 * Runs the subject on one stack and brings its report home: a child process for Node, a headless
 * browser for the others, with no driver between: the page itself posts what it found. Refuses a
 * stack that says nothing for `STACK_TIMEOUT_MS`.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { build } from 'vite';
import { chromiumArgs, chromiumPath } from '../chromium.ts';
import { startBrowser, startFirefox, type RunningBrowser } from './firefox.ts';
import type { Report } from './subject.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const OUT = join(ROOT, 'tests/.out/stacks');
const SAMPLES = join(ROOT, 'static/samples');
const SHARED = join(ROOT, '../shared/reference/scenes');
/** Shared scenes, where they are there. */
export const SCENES = existsSync(SHARED) ? readdirSync(SHARED).filter((file) => file.endsWith('.glb')) : [];
const STACK_TIMEOUT_MS = 20 * 60_000;
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' };

export type Environment = Readonly<Record<string, string>>;

/** Builds the page and the Node program with the product's bundler. */
export async function buildSubject(): Promise<void> {
  rmSync(OUT, { recursive: true, force: true });
  const common = { configFile: false, logLevel: 'error', root: ROOT, publicDir: false } as const;
  const input = (name: string): string => join(ROOT, `tests/stacks/${name}.ts`);
  await build({
    ...common,
    base: './',
    worker: { format: 'es' },
    build: {
      outDir: join(OUT, 'page'),
      target: 'es2023',
      minify: false,
      rollupOptions: { input: { page: input('page') }, output: { entryFileNames: '[name].js' } },
    },
  });
  await build({
    ...common,
    worker: { format: 'es' },
    build: {
      ssr: true,
      target: 'node20',
      outDir: join(OUT, 'node'),
      minify: false,
      rollupOptions: { input: { node: input('node') }, output: { format: 'es', entryFileNames: '[name].js' } },
    },
  });
  writeFileSync(join(OUT, 'page/index.html'), '<!doctype html><title>stack</title><script type="module" src="./page.js"></script>');
}

/** @throws Error when the process fails or says nothing in time. */
export async function reportOfNode(stack: string, environment: Environment): Promise<Report> {
  mkdirSync(OUT, { recursive: true });
  const file = join(OUT, `${stack.replaceAll(/\W+/g, '-')}.json`);
  const child = spawn(process.execPath, [join(OUT, 'node/node.js'), stack, SAMPLES, SHARED, JSON.stringify(SCENES), file], {
    env: { ...withoutDrivers(), ...environment },
    stdio: 'inherit',
  });
  const code = await ended(child, STACK_TIMEOUT_MS);
  if (code !== 0 || !existsSync(file)) throw new Error(`${stack} ended with code ${code}`);
  return JSON.parse(readFileSync(file, 'utf8')) as Report;
}

/** The choice of a Vulkan driver is the stack's, not the shell's. */
function withoutDrivers(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VK_')));
}

function ended(child: ChildProcess, timeoutMs: number): Promise<number | string> {
  return new Promise((done) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.on('error', (error) => done(error.message));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      done(code ?? signal ?? 'unknown');
    });
  });
}

/** The page in a browser that `start` opens at its address. */
async function reportOfBrowser(stack: string, start: (url: string) => RunningBrowser): Promise<Report> {
  const site = await serveSubject();
  const browser = start(`${site.origin}/?stack=${encodeURIComponent(stack)}`);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const gone = browser.ended.then((code) => Promise.reject(new Error(`${stack} ended with ${code} before it reported`)));
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${stack} did not report`)), STACK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([site.report, gone, late]);
  } finally {
    clearTimeout(timer);
    gone.catch(() => undefined);
    await browser.stop();
    site.close();
  }
}

export const reportOfFirefox = (stack: string, environment: Environment): Promise<Report> =>
  reportOfBrowser(stack, (url) => startFirefox(url, { ...withoutDrivers(), ...environment }));

export const reportOfChromium = (stack: string): Promise<Report> =>
  reportOfBrowser(stack, (url) => {
    const profile = mkdtempSync(join(tmpdir(), 'pictor-chromium-'));
    return startBrowser(chromiumPath(), ['--headless=new', `--user-data-dir=${profile}`, ...chromiumArgs, url], profile, withoutDrivers());
  });

interface Site {
  readonly origin: string;
  readonly report: Promise<Report>;
  close(): void;
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Uint8Array[] = [];
  for await (const part of request) parts.push(part as Uint8Array);
  return JSON.parse(Buffer.concat(parts).toString('utf8'));
}

function fileAt(pathname: string): string {
  for (const [prefix, folder] of [
    ['/samples/', SAMPLES],
    ['/scenes/', SHARED],
  ] as const) {
    if (pathname.startsWith(prefix)) return join(folder, pathname.slice(prefix.length));
  }
  return join(OUT, 'page', pathname === '/' ? 'index.html' : pathname);
}

/** The built page, the samples and scenes, and three addresses to post to. */
async function serveSubject(): Promise<Site> {
  let tell!: (report: Report) => void;
  let reject!: (why: Error) => void;
  const report = new Promise<Report>((resolve, refuse) => {
    tell = resolve;
    reject = refuse;
  });
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (request.method === 'POST') {
      void bodyOf(request).then((body) => {
        if (pathname === '/log') console.log(body);
        if (pathname === '/report') tell(body as Report);
        if (pathname === '/failure') reject(new Error(String(body)));
        response.end();
      });
      return;
    }
    if (pathname === '/scenes.json') {
      response.end(JSON.stringify(SCENES));
      return;
    }
    const file = fileAt(pathname);
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
    response.end(readFileSync(file));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    report,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
