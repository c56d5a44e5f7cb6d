/** three-gpu-pathtracer's WebGPUPathTracer, its frame budget at the most the pool holds, no clamps, no preview. */
import { WebGPURenderer } from 'three/webgpu';
import { WebGPUPathTracer } from 'three-gpu-pathtracer/webgpu';
import { base64, offer, rgbOf, type BenchShot, type BenchSubject, type Prepared, type Reached } from './contract.ts';
import { peerCanvas, peerScene } from './peer-scene.ts';

/** What of three's WebGPU back end has no public name. */
interface Backend {
  readonly device: GPUDevice;
  copyTextureToBuffer(texture: unknown, x: number, y: number, width: number, height: number, face: number): Promise<Float32Array>;
}

/** setTimeout(0) is raised to 4 ms after a few turns; a message is not. */
const turn = new MessageChannel();
const yielded = (): Promise<void> =>
  new Promise((done) => {
    turn.port1.addEventListener('message', () => done(), { once: true });
    turn.port1.start();
    turn.port2.postMessage(0);
  });

class WebGpuPeer implements BenchSubject {
  #renderer: WebGPURenderer | null = null;
  #tracer: WebGPUPathTracer | null = null;
  #backend: Backend | null = null;
  #shot: BenchShot | null = null;
  #seconds = 0;
  #first = 0;

  async prepare(shot: BenchShot): Promise<Prepared> {
    const renderer = await this.#start(shot);
    const [tracer, backend] = [this.#tracer!, this.#backend!];
    renderer.setPixelRatio(1);
    renderer.setSize(shot.width, shot.height, false);
    this.#shot = shot;
    tracer.maxBounces = shot.bounces;
    tracer.frameBudget = Number.MAX_SAFE_INTEGER;
    tracer.clampDirect = 0;
    tracer.clampIndirect = 0;
    tracer.filterGlossyFactor = 0;
    tracer.dynamicLowRes = false;
    tracer.renderDelay = 0;
    tracer.minSamples = 0;
    const start = performance.now();
    const { scene, camera } = await peerScene(shot);
    const read = performance.now();
    tracer.setScene(scene, camera);
    const built = performance.now();
    // One bounce per call: a path's first sample is through after as many as it has.
    for (let i = 0; i <= shot.bounces; i++) await this.#step();
    const end = performance.now();
    [this.#seconds, this.#first] = [0, await this.#samples()];
    const { description, architecture, vendor } = backend.device.adapterInfo;
    return {
      adapter: description || `${vendor} ${architecture}`,
      loadSeconds: (built - start) / 1000,
      buildSeconds: (built - read) / 1000,
      firstSampleSeconds: (end - built) / 1000,
    };
  }

  /** Kept between scenes, as a page would. */
  async #start(shot: BenchShot): Promise<WebGPURenderer> {
    if (this.#renderer) return this.#renderer;
    const renderer = new WebGPURenderer({ canvas: peerCanvas(shot), antialias: false });
    await renderer.init();
    this.#renderer = renderer;
    this.#tracer = new WebGPUPathTracer(renderer);
    this.#backend = renderer.backend as unknown as Backend;
    return renderer;
  }

  async run(seconds: number): Promise<Reached> {
    const start = performance.now();
    while (performance.now() - start < seconds * 1000) await this.#step();
    this.#seconds += (performance.now() - start) / 1000;
    return { samples: (await this.#samples()) - this.#first, seconds: this.#seconds };
  }

  async picture(): Promise<string> {
    const { width, height } = this.#shot!;
    const rgba = await this.#backend!.copyTextureToBuffer(this.#tracer!.target, 0, 0, width, height, 0);
    return base64(rgbOf(rgba, width, height, false));
  }

  async #samples(): Promise<number> {
    return (await this.#tracer!.getSampleCountsAsync()).avg;
  }

  async #step(): Promise<void> {
    this.#tracer!.renderSample();
    await this.#backend!.device.queue.onSubmittedWorkDone();
    await yielded();
  }
}

offer(new WebGpuPeer());
