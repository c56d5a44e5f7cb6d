/** One renderer on one scene: prepared, run in slices that lengthen, read after each. A failure is a row with a sentence. */
import { BenchBrowser } from './browser.ts';
import { imageOf, relMse, type Image, type Reading } from './metrics.ts';
import type { BenchOptions, RendererName } from './options.ts';
import type { BenchShot, Prepared } from './page/contract.ts';
import type { Site } from './pages.ts';
import type { BenchScene } from './scenes.ts';

/** Parts of the sampling time after which the picture is read. */
const SLICES = [0.1, 0.2, 0.4, 1] as const;

export interface Measured {
  readonly ok: true;
  readonly prepared: Prepared;
  /** Per pixel, and what they took. */
  readonly samples: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Paths per second. */
  readonly samplesPerSecond: number;
  readonly samplesPerCpuSecond: number;
  readonly readings: readonly Reading[];
  readonly image: Image;
}
export type Outcome = Measured | { readonly ok: false; readonly text: string };

/** Keeps one browser per renderer; one that failed is replaced before the next scene. */
export class Bench {
  readonly #site: Site;
  readonly #options: BenchOptions;
  readonly #browsers = new Map<RendererName, BenchBrowser>();
  browserVersion = '';

  constructor(site: Site, options: BenchOptions) {
    [this.#site, this.#options] = [site, options];
  }

  async measure(
    name: RendererName,
    scene: BenchScene,
    size: { width: number; height: number },
    reference: Image | null,
    { seconds = this.#options.seconds, seed = 1 }: { readonly seconds?: number; readonly seed?: number } = {},
  ): Promise<Outcome> {
    const { environment, camera, intensity } = scene;
    const shot: BenchShot = {
      scene: this.#site.offer(scene.scene),
      environment: environment === null ? null : this.#site.offer(environment),
      ...{ intensity, camera, bounces: this.#options.bounces, seed },
      ...size,
    };
    try {
      return await this.#measure(name, shot, reference, seconds);
    } catch (error) {
      await this.#drop(name);
      return { ok: false, text: error instanceof Error ? error.message : String(error) };
    }
  }

  async close(): Promise<void> {
    for (const name of this.#browsers.keys()) await this.#drop(name);
  }

  async #measure(name: RendererName, shot: BenchShot, reference: Image | null, seconds: number): Promise<Measured> {
    const browser = await this.#browser(name);
    const { width, height } = shot;
    const prepared = await browser.prepare(shot);
    let cpu = 0;
    let reached = { samples: 0, seconds: 0 };
    const readings: Reading[] = [];
    let image: Image | null = null;
    for (const [i, share] of SLICES.entries()) {
      const before = browser.cpuSeconds();
      reached = await browser.run(seconds * (share - (SLICES[i - 1] ?? 0)));
      cpu += browser.cpuSeconds() - before;
      image = imageOf(await browser.picture(), width, height);
      const error = reference && relMse(image, reference);
      // The first sample is in the picture as well.
      if (error !== null) readings.push({ samples: reached.samples + 1, relMse: error });
    }
    const paths = reached.samples * width * height;
    return {
      ...{ ok: true, prepared, readings, image: image! },
      ...{ samples: reached.samples, seconds: reached.seconds, cpuSeconds: cpu },
      samplesPerSecond: paths / reached.seconds,
      samplesPerCpuSecond: paths / cpu,
    };
  }

  async #browser(name: RendererName): Promise<BenchBrowser> {
    const open = this.#browsers.get(name);
    if (open) return open;
    const browser = await BenchBrowser.open(this.#site.pageOf(name), this.#options.gpu);
    this.browserVersion = browser.version;
    this.#browsers.set(name, browser);
    return browser;
  }

  async #drop(name: RendererName): Promise<void> {
    const browser = this.#browsers.get(name);
    this.#browsers.delete(name);
    await browser?.close();
  }
}
