/**
 * oidn-web as its documentation runs it beside a path tracer: buffers in, a buffer out, on a device
 * that it is given. It may be stopped after some of its tiles, which all cost the same, where all of
 * a picture would take a processor many minutes.
 */
import { initUNetFromBuffer } from 'oidn-web';
import type { DenoiseRequest } from '#lib/gpu/engine.ts';

type Unet = Awaited<ReturnType<typeof initUNetFromBuffer>>;
interface Images {
  readonly data: GPUBuffer;
  readonly width: number;
  readonly height: number;
}

export interface PeerRun {
  /** As the request's colour; null when it was stopped before the last tile. */
  readonly image: Float32Array<ArrayBuffer> | null;
  readonly tiles: number;
  readonly tilesDone: number;
}

export class OidnWeb {
  readonly #device: GPUDevice;
  readonly #unet: Unet;
  readonly #guides: 0 | 2;

  private constructor(device: GPUDevice, unet: Unet, guides: 0 | 2) {
    this.#device = device;
    this.#unet = unet;
    this.#guides = guides;
  }

  static async create(
    device: GPUDevice,
    adapterInfo: GPUAdapterInfo,
    weights: Uint8Array,
    guides: 0 | 2,
    { halves, software }: { readonly halves: boolean; readonly software: boolean },
  ): Promise<OidnWeb> {
    const unet = await initUNetFromBuffer(
      Uint8Array.from(weights).buffer,
      { device, adapterInfo },
      // On processors no tile takes the 16 ms that it aims at, and the small ones that it would try cost five times the picture.
      { aux: guides > 0, hdr: true, precision: halves ? 'fp16' : 'fp32', dynamicTile: !software },
    );
    return new OidnWeb(device, unet, guides);
  }

  /** Picture to the device, through the network, and back, as ours does it. @param tilesMax stops after so many. */
  async run({ width, height, color, albedo, normal }: DenoiseRequest, tilesMax: number): Promise<PeerRun> {
    const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
    const image = (values: Float32Array | undefined): Images => {
      const data = this.#device.createBuffer({ size: width * height * 16, usage: STORAGE | COPY_DST | COPY_SRC });
      const four = new Float32Array(width * height * 4).fill(1);
      for (let p = 0; p < width * height; p++) for (let c = 0; c < 3; c++) four[p * 4 + c] = values?.[p * 3 + c] ?? 0;
      this.#device.queue.writeBuffer(data, 0, four);
      return { data, width, height };
    };
    const images = { color: image(color), ...(this.#guides > 0 ? { albedo: image(albedo), normal: image(normal) } : {}) };
    let [tiles, tilesDone] = [1, 0];
    const out = await new Promise<GPUBuffer | null>((resolve) => {
      const stop = this.#unet.tileExecute({
        ...images,
        done: ({ data }: Images) => resolve(data),
        progress: (_image, _tile, _place, index, count) => {
          [tiles, tilesDone] = [count, index + 1];
          if (tilesDone < tilesMax || tilesDone === count) return;
          stop();
          // It reports a tile when its work is submitted.
          void this.#device.queue.onSubmittedWorkDone().then(() => resolve(null));
        },
      });
    });
    const denoised = out && (await this.#read(out, width * height));
    for (const { data } of Object.values(images)) data.destroy();
    return { image: denoised, tiles, tilesDone };
  }

  async #read(buffer: GPUBuffer, pixels: number): Promise<Float32Array<ArrayBuffer>> {
    const staging = this.#device.createBuffer({ size: buffer.size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, staging.size);
    this.#device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const four = new Float32Array(staging.getMappedRange());
    const image = Float32Array.from({ length: pixels * 3 }, (_, i) => four[Math.floor(i / 3) * 4 + (i % 3)]!);
    staging.destroy();
    return image;
  }
}
