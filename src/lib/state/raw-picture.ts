/**
 * Pictures in the making, here or in the network, as the denoiser wants them: light with what was
 * seen beside it. Reading what was seen takes time, and it settles long before the light does, so it
 * is read again only when some part of the picture has twice the samples.
 */
import type { Layers } from '../job/layers.ts';
import { tileRect } from '../job/plan.ts';
import type { JobOrder } from '../protocol/order.ts';
import type { CreatorJob } from '../roles/types.ts';
import type { Guides, RawPicture } from './denoising.svelte.ts';
import type { Frame } from './frame.ts';

/** Samples per pixel from samples per tile. */
export function samplesOfPixels(
  size: Pick<JobOrder, 'width' | 'height' | 'tileSide'>,
  tileSamples: readonly number[],
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(size.width * size.height);
  tileSamples.forEach((samples, tile) => {
    const { x, y, width, height } = tileRect(size, tile);
    for (let row = y; row < y + height; row++) out.fill(samples, row * size.width + x, row * size.width + x + width);
  });
  return out;
}

const guidesOf = ({ albedo, normal, depth, moment }: Layers, samples: Float32Array<ArrayBuffer>): Guides => ({
  albedo,
  normal,
  depth,
  moment,
  samples,
});

/** @param samples of every pixel. */
export function rawFrame(frame: Frame, samples: number, done: boolean): RawPicture {
  const { width, height, image } = frame;
  const guides = async (): Promise<Guides> => guidesOf(frame.layers(), new Float32Array(width * height).fill(samples));
  return { of: frame, width, height, color: image, samples, done, guides };
}

/** The pictures of one job, one after the other. */
export class JobPictures {
  readonly #layers: () => Promise<Layers | null>;
  #read: { readonly tileSamples: readonly number[]; readonly done: boolean; readonly layers: Layers } | null = null;

  constructor(layers: () => Promise<Layers | null>) {
    this.#layers = layers;
  }

  of({ job, order, view, image, tileSamples }: CreatorJob): RawPicture {
    const { width, height } = order;
    const done = view.state !== 'open';
    return {
      of: job,
      width,
      height,
      color: image,
      // What ended early is shown as far as it came.
      samples: done ? Math.max(...tileSamples) : Math.min(...tileSamples),
      done,
      guides: async () => {
        const layers = await this.#settled(tileSamples, done);
        return layers && guidesOf(layers, samplesOfPixels(order, tileSamples));
      },
    };
  }

  async #settled(tileSamples: readonly number[], done: boolean): Promise<Layers | null> {
    const known = this.#read;
    if (known && known.done === done && tileSamples.every((samples, tile) => samples < 2 * known.tileSamples[tile]!)) return known.layers;
    const layers = await this.#layers();
    if (layers) this.#read = { tileSamples, done, layers };
    return layers;
  }
}
