/**
 * Puts linear radiance on a canvas through the tone map, a band of rows at a time, so that a large
 * picture never holds the page up. A change that comes during a sweep starts another after it; a
 * change of size or tone starts over.
 */
import { toneMap, type ToneOptions } from '../image/tonemap.ts';

export interface Shown {
  /** Mean linear radiance, width × height × 3; read while painting, so it may change underneath. */
  readonly image: Float32Array;
  /** Alpha per pixel that `image` is multiplied with; absent: opaque. */
  readonly coverage?: Float32Array | undefined;
  readonly width: number;
  readonly height: number;
  readonly tone: ToneOptions;
}

/** Time of one frame that painting may take. */
const SLICE_MS = 8;
const BAND_PIXELS = 16_384;

export class Painter {
  /** Told after each whole sweep. */
  onpainted: () => void = () => undefined;
  readonly #canvas: HTMLCanvasElement;
  #pixels: ImageData | null = null;
  #shown: Shown | null = null;
  #row = 0;
  #again = false;
  #frame = 0;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  show(shown: Shown): void {
    const { image, width, height, tone } = shown;
    if (image.length !== width * height * 3)
      throw new RangeError(`image has ${image.length} values, ${width}×${height} needs ${width * height * 3}`);
    const before = this.#shown;
    this.#shown = shown;
    if (before?.image !== image || before.tone.exposure !== tone.exposure || before.tone.operator !== tone.operator) this.#row = 0;
    else this.#again = this.#frame !== 0;
    this.#size(width, height);
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#slice());
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  #size(width: number, height: number): void {
    if (this.#pixels?.width === width && this.#pixels.height === height) return;
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.#pixels = new ImageData(width, height);
    this.#row = 0;
  }

  #slice(): void {
    const [shown, pixels] = [this.#shown, this.#pixels];
    if (!shown || !pixels) return;
    const { image, coverage, width, height, tone } = shown;
    const first = this.#row;
    const end = performance.now() + SLICE_MS;
    const band = Math.max(1, Math.floor(BAND_PIXELS / width));
    while (this.#row < height) {
      const next = Math.min(height, this.#row + band);
      const [from, to] = [this.#row * width, next * width];
      toneMap(image.subarray(from * 3, to * 3), pixels.data.subarray(from * 4, to * 4), tone, coverage?.subarray(from, to));
      this.#row = next;
      if (performance.now() >= end) break;
    }
    this.#canvas.getContext('2d')?.putImageData(pixels, 0, 0, 0, first, width, this.#row - first);
    const done = this.#row >= height;
    const more = !done || this.#again;
    if (done) {
      this.#row = 0;
      this.#again = false;
      this.onpainted();
    }
    this.#frame = more ? requestAnimationFrame(() => this.#slice()) : 0;
  }
}

/** Every n-th pixel of every n-th row, so that neither side is longer than `sidePx`. */
export function thinned(
  image: Float32Array<ArrayBuffer>,
  width: number,
  height: number,
  sidePx: number,
): { readonly image: Float32Array<ArrayBuffer>; readonly width: number; readonly height: number } {
  const step = Math.ceil(Math.max(width, height) / sidePx);
  if (step <= 1) return { image, width, height };
  const [w, h] = [Math.floor(width / step), Math.floor(height / step)];
  const out = new Float32Array(w * h * 3);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const from = (y * step * width + x * step) * 3;
      out.set(image.subarray(from, from + 3), (y * w + x) * 3);
    }
  }
  return { image: out, width: w, height: h };
}
