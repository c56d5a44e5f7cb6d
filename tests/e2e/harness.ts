/**
 * What the end-to-end tests stand on: the built command line serving on a free port as a process of
 * its own (so that it can be killed), and real Chromium contexts, one per person. Nothing here
 * replaces product code.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { decode, type DecodedPng } from 'fast-png';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright';
import { chromiumArgs, chromiumPath } from '../chromium.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const CLI = join(ROOT, 'build/cli/pictor.js');
const READY_MS_MAX = 60_000;

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'pictor-e2e-'));
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done));
  const { port } = probe.address() as { port: number };
  await new Promise((done) => probe.close(done));
  return port;
}

/** A coordinator process that can be killed and started again on the same port and data. */
export class CoordinatorProcess {
  readonly data = temporaryFolder();
  readonly url: string;
  readonly #port: number;
  #child: ChildProcess | null = null;
  #output = '';

  private constructor(port: number) {
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(): Promise<CoordinatorProcess> {
    const coordinator = new CoordinatorProcess(await freePort());
    await coordinator.start();
    return coordinator;
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, [CLI, 'serve', '--port', String(this.#port), '--data', this.data], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    const deadline = Date.now() + READY_MS_MAX;
    while (Date.now() < deadline && child.exitCode === null) {
      if (await answers(this.url)) return;
      await new Promise((next) => setTimeout(next, 100));
    }
    throw new Error(`the coordinator did not start:\n${this.#output}`);
  }

  /** SIGKILL: no handler runs, nothing is flushed. */
  async kill(): Promise<void> {
    const child = this.#child!;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      await gone;
    }
    rmSync(this.data, { recursive: true, force: true });
  }

  async json<T>(path: string): Promise<T> {
    const response = await fetch(this.url + path);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/api/status`)).ok;
  } catch {
    return false;
  }
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built `pictor` to its end. */
export function pictor(args: readonly string[], cwd = ROOT): Promise<CommandResult> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [CLI, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.once('exit', (code) => done({ code, stdout, stderr }));
  });
}

export async function launch(extraArgs: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath(), args: [...chromiumArgs, ...extraArgs], headless: true });
}

/** One person: a context of their own (key, storage) and a page; console errors are kept and asserted by the tests. */
export class Person {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly errors: string[] = [];

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(message.text());
    });
    page.on('pageerror', (error) => this.errors.push(error.message));
  }

  static async arrive(
    browser: Browser,
    url: string,
    options: { width?: number; init?: string; colorScheme?: 'dark' | 'light' } = {},
  ): Promise<Person> {
    const context = await browser.newContext({
      viewport: { width: options.width ?? 1280, height: 800 },
      acceptDownloads: true,
      colorScheme: options.colorScheme ?? 'dark',
    });
    if (options.init) await context.addInitScript({ content: options.init });
    const page = await context.newPage();
    const person = new Person(context, page);
    await page.goto(url);
    return person;
  }

  /** The element with this data-testid. */
  get(id: string) {
    return this.page.getByTestId(id);
  }

  /** Creator: drops a file and asks for a small picture; `send` is left to the test. */
  async drop(scene: string, size: number, samples: number): Promise<void> {
    await this.get('drop-input').setInputFiles(scene);
    await this.get('size').selectOption('custom');
    await this.get('width').fill(String(size));
    await this.get('height').fill(String(size));
    await this.get('quality-custom').check();
    await this.get('samples').fill(String(samples));
    await this.get('samples').blur();
  }

  /** Creator: downloads the picture and decodes it. */
  async download(): Promise<DecodedPng> {
    const [download] = await Promise.all([this.page.waitForEvent('download'), this.get('download-png').click()]);
    return decode(readFileSync(await download.path()));
  }

  async leave(): Promise<void> {
    await this.context.close();
  }
}
