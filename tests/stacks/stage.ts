/**
 * Runs one program on any WebGPU stack and brings home what it says: a child process for Node, a headless
 * browser for the others, with no driver between: the page itself posts what it found. Knows nothing of what
 * the program does. Refuses a stack that says nothing for `STACK_TIMEOUT_MS`.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { build } from 'vite';
import { chromiumArgs, chromiumPath } from '../chromium.ts';
import { startBrowser, startFirefox, type RunningBrowser } from './firefox.ts';

/** Where npm runs its scripts; this module itself may be part of a bundle. */
const ROOT = process.cwd();
export const SAMPLES = join(ROOT, 'static/samples');
export const SHARED = join(ROOT, '../shared/reference/scenes');
const STACK_TIMEOUT_MS = 20 * 60_000;
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' };

export type Environment = Readonly<Record<string, string>>;

/** The same work as a page and as a program for Node. */
export interface Program {
  /** Folder of what is built, below tests/.out. */
  readonly name: string;
  /** Modules below tests, without ending. */
  readonly page: string;
  readonly node: string;
}

export const folderOf = ({ name }: Program): string => join(ROOT, 'tests/.out', name);

/** Builds the page and the Node program with the product's bundler. */
export async function buildProgram(program: Program): Promise<void> {
  const out = folderOf(program);
  rmSync(out, { recursive: true, force: true });
  const common = { configFile: false, logLevel: 'error', root: ROOT, publicDir: false, worker: { format: 'es' } } as const;
  await build({
    ...common,
    base: './',
    build: {
      outDir: join(out, 'page'),
      target: 'es2023',
      minify: false,
      rollupOptions: { input: { page: join(ROOT, `tests/${program.page}.ts`) }, output: { entryFileNames: '[name].js' } },
    },
  });
  await build({
    ...common,
    build: {
      ssr: true,
      target: 'node20',
      outDir: join(out, 'node'),
      minify: false,
      rollupOptions: { input: { node: join(ROOT, `tests/${program.node}.ts`) }, output: { format: 'es', entryFileNames: '[name].js' } },
    },
  });
  writeFileSync(join(out, 'page/index.html'), '<!doctype html><title>stack</title><script type="module" src="./page.js"></script>');
}

/** The choice of a Vulkan driver is the stack's, not the shell's. */
function withoutDrivers(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VK_')));
}

/** @returns when the program has ended well. @throws Error when it fails or takes too long. */
export async function runNode(program: Program, args: readonly string[], environment: Environment): Promise<void> {
  const child = spawn(process.execPath, [join(folderOf(program), 'node/node.js'), ...args], {
    env: { ...withoutDrivers(), ...environment },
    stdio: 'inherit',
  });
  const code = await ended(child, STACK_TIMEOUT_MS);
  if (code !== 0) throw new Error(`${args[0]} ended with code ${code}`);
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

export const openFirefox =
  (environment: Environment) =>
  (url: string): RunningBrowser =>
    startFirefox(url, { ...withoutDrivers(), ...environment });

export const openChromium = (url: string): RunningBrowser => {
  const profile = mkdtempSync(join(tmpdir(), 'pictor-chromium-'));
  return startBrowser(chromiumPath(), ['--headless=new', `--user-data-dir=${profile}`, ...chromiumArgs, url], profile, withoutDrivers());
};

/** What a page is given and says, besides `/log` (a line), `/report` (its last word) and `/failure` (another one). */
export interface Desk {
  /** Answers of `GET`, by path. */
  readonly given: Readonly<Record<string, unknown>>;
  /** Told of every other body that is posted. */
  readonly onPosted?: (path: string, body: Buffer) => void;
}

/** The page in a browser that `start` opens at its address. @returns what it reported. */
export async function runPage<Report>(
  program: Program,
  stack: string,
  start: (url: string) => RunningBrowser,
  desk: Desk,
): Promise<Report> {
  const site = await serve<Report>(program, desk);
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

interface Site<Report> {
  readonly origin: string;
  readonly report: Promise<Report>;
  close(): void;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of request) parts.push(part as Uint8Array);
  return Buffer.concat(parts);
}

/** Samples and scenes by name, everything else of the built page. */
function fileAt(program: Program, pathname: string): string {
  const name = basename(decodeURIComponent(pathname));
  if (pathname.startsWith('/samples/')) return join(SAMPLES, name);
  if (pathname.startsWith('/scenes/')) return join(SHARED, name);
  return join(folderOf(program), 'page', pathname === '/' ? 'index.html' : pathname);
}

/** The built page, the samples and scenes, what the desk gives, and addresses to post to. */
async function serve<Report>(program: Program, { given, onPosted }: Desk): Promise<Site<Report>> {
  let tell!: (report: Report) => void;
  let reject!: (why: Error) => void;
  const report = new Promise<Report>((resolve, refuse) => {
    tell = resolve;
    reject = refuse;
  });
  const hear = (path: string, body: Buffer): void => {
    if (path === '/log') console.log(JSON.parse(body.toString()));
    else if (path === '/report') tell(JSON.parse(body.toString()) as Report);
    else if (path === '/failure') reject(new Error(JSON.parse(body.toString()) as string));
    else onPosted?.(path, body);
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (request.method === 'POST') {
      void bodyOf(request).then((body) => {
        hear(pathname, body);
        response.end();
      });
      return;
    }
    if (pathname in given) {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(given[pathname]));
      return;
    }
    const file = fileAt(program, pathname);
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
