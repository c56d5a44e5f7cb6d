/** three-gpu-pathtracer's WebGLPathTracer, one tile per sample, nothing drawn to the canvas, no clamps. */
import { FloatType, WebGLRenderer, type WebGLRenderTarget } from 'three';
import { WebGLPathTracer } from 'three-gpu-pathtracer';
import { base64, offer, rgbOf, type BenchShot, type BenchSubject, type Prepared, type Reached } from './contract.ts';
import { peerCanvas, peerScene } from './peer-scene.ts';

class WebGlPeer implements BenchSubject {
  #renderer: WebGLRenderer | null = null;
  #tracer: WebGLPathTracer | null = null;
  #seconds = 0;
  #first = 0;

  async prepare(shot: BenchShot): Promise<Prepared> {
    // Kept between scenes, as a page would: its shader takes a minute or two to compile.
    this.#renderer ??= new WebGLRenderer({ canvas: peerCanvas(shot), antialias: false });
    const renderer = this.#renderer;
    renderer.setPixelRatio(1);
    renderer.setSize(shot.width, shot.height, false);
    this.#tracer ??= new WebGLPathTracer(renderer);
    const tracer = this.#tracer;
    tracer.bounces = shot.bounces;
    tracer.filterGlossyFactor = 0;
    tracer.tiles.set(1, 1);
    tracer.renderDelay = 0;
    tracer.dynamicLowRes = false;
    tracer.rasterizeScene = false;
    tracer.renderToCanvas = false;
    const start = performance.now();
    const { scene, camera } = await peerScene(shot);
    const read = performance.now();
    tracer.setScene(scene, camera);
    const built = performance.now();
    while (tracer.samples < 1) await this.#sample();
    const end = performance.now();
    [this.#seconds, this.#first] = [0, tracer.samples];
    const context = renderer.getContext();
    const info = context.getExtension('WEBGL_debug_renderer_info');
    return {
      adapter: String(context.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : context.RENDERER)),
      loadSeconds: (built - start) / 1000,
      buildSeconds: (built - read) / 1000,
      firstSampleSeconds: (end - built) / 1000,
    };
  }

  async run(seconds: number): Promise<Reached> {
    const start = performance.now();
    while (performance.now() - start < seconds * 1000) await this.#sample();
    this.#seconds += (performance.now() - start) / 1000;
    return { samples: this.#tracer!.samples - this.#first, seconds: this.#seconds };
  }

  picture(): Promise<string> {
    const { target } = this.#tracer! as unknown as { readonly target: WebGLRenderTarget };
    const { width, height, texture } = target;
    if (texture.type !== FloatType) throw new Error('the target holds no floats');
    const rgba = new Float32Array(width * height * 4);
    this.#renderer!.readRenderTargetPixels(target, 0, 0, width, height, rgba);
    return Promise.resolve(base64(rgbOf(rgba, width, height, true)));
  }

  /** One sample, finished: a pixel of it is read. */
  async #sample(): Promise<void> {
    const tracer = this.#tracer!;
    tracer.renderSample();
    const { target } = tracer as unknown as { readonly target: WebGLRenderTarget };
    this.#renderer!.readRenderTargetPixels(target, 0, 0, 1, 1, new Float32Array(4));
    await new Promise<void>((done) => {
      setTimeout(done, 0);
    });
  }
}

offer(new WebGlPeer());
