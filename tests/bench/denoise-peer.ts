/** oidn-web as its documentation runs it beside a path tracer: buffers in, a buffer out, on a device that it is given. */
import { initUNetFromBuffer } from 'oidn-web';
import type { DenoiseRequest } from '#lib/gpu/engine.ts';

type Unet = Awaited<ReturnType<typeof initUNetFromBuffer>>;
interface Images {
  readonly data: GPUBuffer;
  readonly width: number;
  readonly height: number;
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
    halves: boolean,
  ): Promise<OidnWeb> {
    const unet = await initUNetFromBuffer(
      Uint8Array.from(weights).buffer,
      { device, adapterInfo },
      { aux: guides > 0, hdr: true, precision: halves ? 'fp16' : 'fp32' },
    );
    return new OidnWeb(device, unet, guides);
  }

  /** Picture to the device, through the network, and back, as ours does it. */
  async run({ width, height, color, albedo, normal }: DenoiseRequest): Promise<{ longestDispatchMs: null; megabytes: null }> {
    const { STORAGE, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
    const image = (values: Float32Array | undefined): Images => {
      const data = this.#device.createBuffer({ size: width * height * 16, usage: STORAGE | COPY_DST | COPY_SRC });
      const four = new Float32Array(width * height * 4).fill(1);
      for (let p = 0; p < width * height; p++) for (let c = 0; c < 3; c++) four[p * 4 + c] = values?.[p * 3 + c] ?? 0;
      this.#device.queue.writeBuffer(data, 0, four);
      return { data, width, height };
    };
    const images = { color: image(color), ...(this.#guides > 0 ? { albedo: image(albedo), normal: image(normal) } : {}) };
    const out = await new Promise<Images>((done) => this.#unet.tileExecute({ ...images, done }));
    const staging = this.#device.createBuffer({ size: out.data.size, usage: MAP_READ | COPY_DST });
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(out.data, 0, staging, 0, staging.size);
    this.#device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    for (const buffer of [staging, ...Object.values(images).map(({ data }) => data)]) buffer.destroy();
    return { longestDispatchMs: null, megabytes: null };
  }
}
