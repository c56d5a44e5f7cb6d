/** This renderer through its embedding entry, as the build made it. */
import type { create as createRenderer, Renderer } from '#lib/embed/pictor.ts';
import { base64, offer, rgbOf, type BenchShot, type BenchSubject, type Prepared, type Reached } from './contract.ts';

class Ours implements BenchSubject {
  #renderer: Renderer | null = null;
  #seconds = 0;
  #first = 0;

  async prepare(shot: BenchShot): Promise<Prepared> {
    await this.#renderer?.dispose();
    const entry: string = '/embed/pictor.js';
    const { create } = (await import(/* @vite-ignore */ entry)) as { create: typeof createRenderer };
    const { width, height, bounces: maxBounces, seed, camera, intensity } = shot;
    const renderer = await create({ width, height, maxBounces, seed, pace: 'idle' });
    this.#renderer = renderer;
    const start = performance.now();
    await renderer.load(shot.scene, { camera, intensity, ...(shot.environment === null ? {} : { environment: shot.environment }) });
    const loaded = performance.now();
    await renderer.render(1);
    const end = performance.now();
    [this.#seconds, this.#first] = [0, 1];
    return {
      adapter: renderer.adapter.name,
      loadSeconds: (loaded - start) / 1000,
      buildSeconds: null,
      firstSampleSeconds: (end - loaded) / 1000,
    };
  }

  async run(seconds: number): Promise<Reached> {
    const renderer = this.#renderer!;
    const start = performance.now();
    let samples = (await renderer.read()).samples;
    const elapsed = (): number => (performance.now() - start) / 1000;
    while (elapsed() < seconds) {
      // As many as are in: aligned passes of growing size, until another doubling would be too long.
      const perSample = (this.#seconds + elapsed()) / Math.max(1, samples - this.#first);
      const left = Math.max(1, Math.floor((seconds - elapsed()) / Math.max(perSample, 1e-6)));
      samples = (await renderer.render(Math.min(samples, left, 256))).samples;
    }
    this.#seconds += elapsed();
    return { samples: samples - this.#first, seconds: this.#seconds };
  }

  async picture(): Promise<string> {
    const { color, width, height } = await this.#renderer!.read();
    return base64(rgbOf(color, width, height, false));
  }
}

offer(new Ours());
