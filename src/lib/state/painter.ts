/** Puts linear radiance on a canvas through the tone map; keeps its buffer between paints. */
import { toneMap, type ToneOptions } from '../image/tonemap.ts';

export class Painter {
  readonly #canvas: HTMLCanvasElement;
  #pixels: ImageData | null = null;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  /** @param image mean linear radiance, width × height × 3. */
  paint(image: Float32Array, width: number, height: number, tone: ToneOptions): void {
    if (image.length !== width * height * 3)
      throw new RangeError(`image has ${image.length} values, ${width}×${height} needs ${width * height * 3}`);
    const canvas = this.#canvas;
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    if (this.#pixels?.width !== width || this.#pixels.height !== height) this.#pixels = new ImageData(width, height);
    toneMap(image, this.#pixels.data, tone);
    canvas.getContext('2d')?.putImageData(this.#pixels, 0, 0);
  }
}
