/**
 * One Chromium with one bench page: the same program and flags for every renderer, but a browser of
 * its own, so that a crash of one costs nothing of the others and CPU time can be told apart.
 * Whatever crashes or hangs becomes an Error in words.
 */
import { chromium, type Browser, type BrowserServer, type Page } from 'playwright';
import { chromiumPath } from '../chromium.ts';
import { cpuSeconds } from './cpu.ts';
import type { BenchShot, BenchSubject, Prepared, Reached } from './page/contract.ts';
import type { Drop, Dropped, DropSubject } from './page/drop.ts';

declare const benchSubject: BenchSubject & DropSubject;

const COMMON = [
  '--no-sandbox',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-gpu-watchdog',
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--ignore-gpu-blocklist',
  '--enable-unsafe-webgpu',
];
/** With these WebGL and a WebGPU canvas both run on SwiftShader (with ANGLE on Vulkan the canvas drops the instance). */
const SOFTWARE: readonly string[] = [
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
];
const HARDWARE: readonly string[] = ['--enable-features=Vulkan', '--use-angle=vulkan', '--disable-vulkan-surface'];

/** Scene, tree and the first sample; TGPT's shaders took 40 s on two quiet cores. */
export const PREPARE_MS_MAX = 6 * 60_000;
/** A run may end late by one sample, which can take long; then it is given up. */
export const RUN_OVER_MS_MAX = 3 * 60_000;

async function within<T>(what: string, ms: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${(ms / 1000).toFixed(0)} s.`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export class BenchBrowser {
  readonly #server: BrowserServer;
  readonly #browser: Browser;
  readonly #page: Page;
  /** What the page said last that sounded like trouble. */
  #complaint = '';

  private constructor(server: BrowserServer, browser: Browser, page: Page) {
    [this.#server, this.#browser, this.#page] = [server, browser, page];
    page.on('pageerror', (error) => this.#note(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.#note(message.text());
    });
  }

  static async open(url: string, gpu: boolean): Promise<BenchBrowser> {
    const args = [...COMMON, ...(gpu ? HARDWARE : SOFTWARE)];
    const server = await chromium.launchServer({ executablePath: chromiumPath(), args });
    const browser = await chromium.connect(server.wsEndpoint());
    const page = await browser.newPage();
    const self = new BenchBrowser(server, browser, page);
    await page.goto(url);
    await page.waitForFunction(() => 'benchSubject' in globalThis, null, { timeout: PREPARE_MS_MAX });
    return self;
  }

  get version(): string {
    return this.#browser.version();
  }

  /** CPU seconds of all of the browser's processes since it began. */
  cpuSeconds(): number {
    return cpuSeconds(this.#server.process().pid ?? -1);
  }

  prepare(shot: BenchShot): Promise<Prepared> {
    return this.#call('the scene and its first sample', PREPARE_MS_MAX, () => this.#page.evaluate((it) => benchSubject.prepare(it), shot));
  }

  run(seconds: number): Promise<Reached> {
    return this.#call('sampling', seconds * 1000 + RUN_OVER_MS_MAX, () => this.#page.evaluate((it) => benchSubject.run(it), seconds));
  }

  /** Of the page `drop`, which offers this alone. */
  drop(drop: Drop): Promise<Dropped> {
    return this.#call('the way to first light', PREPARE_MS_MAX, () => this.#page.evaluate((it) => benchSubject.drop(it), drop));
  }

  picture(): Promise<string> {
    return this.#call('reading the picture', PREPARE_MS_MAX, () => this.#page.evaluate(() => benchSubject.picture()));
  }

  /** By force: a page that hangs would not close. */
  async close(): Promise<void> {
    await this.#server.kill();
  }

  /** @throws Error in one sentence. */
  async #call<T>(what: string, ms: number, work: () => Promise<T>): Promise<T> {
    try {
      return await within(what, ms, work());
    } catch (error) {
      const text = (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
      throw new Error(this.#complaint === '' ? text : `${text} The page said: ${this.#complaint}`, { cause: error });
    }
  }

  #note(text: string): void {
    this.#complaint = text.split('\n')[0]!.slice(0, 200);
  }
}
