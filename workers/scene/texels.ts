/**
 * Packs decoded images into square rgba8 layers without resampling (shelves, tallest first) and
 * writes one TextureUse row per distinct way of sampling an image. Texel filtering is the kernel's.
 */
import { TEXEL_LAYERS_MAX } from '#lib/protocol/limits.ts';
import { SceneError, type CompiledScene } from './compiled-scene.ts';
import type { DecodedImage } from './image-decode.ts';

export interface PlacedImage {
  readonly x: number;
  readonly y: number;
  readonly layer: number;
  readonly image: DecodedImage;
}

/** Side that layers grow to before a new one is opened, unless a single image is larger. */
const LAYER_SIDE_PX = 4096;

/** @returns the layers, and for each image (by index) where it lies. @throws SceneError when they are too many. */
export function packTexels(images: readonly DecodedImage[]): { texels: CompiledScene['texels']; placed: readonly PlacedImage[] } {
  if (images.length === 0) return { texels: { side: 1, layers: 1, data: new Uint8Array([255, 255, 255, 255]) }, placed: [] };
  const largest = images.reduce((max, image) => Math.max(max, image.width, image.height), 1);
  const area = images.reduce((sum, image) => sum + image.width * image.height, 0);
  let side = 1;
  while (side < largest || (side < LAYER_SIDE_PX && side * side < area)) side *= 2;
  const spots = shelve(images, side);
  const layers = 1 + spots.reduce((max, spot) => Math.max(max, spot.layer), 0);
  if (layers > TEXEL_LAYERS_MAX) {
    throw new SceneError(
      `images: they fill ${layers} layers of ${side} px, more than the ${TEXEL_LAYERS_MAX} there may be; use fewer or smaller images.`,
    );
  }
  const data = new Uint8Array(side * side * layers * 4);
  const placed = images.map((image, i): PlacedImage => {
    const spot = spots[i] as Spot;
    for (let row = 0; row < image.height; row++) {
      const from = row * image.width * 4;
      data.set(image.data.subarray(from, from + image.width * 4), ((spot.layer * side + spot.y + row) * side + spot.x) * 4);
    }
    return { ...spot, image };
  });
  return { texels: { side, layers, data }, placed };
}

interface Spot {
  readonly x: number;
  readonly y: number;
  readonly layer: number;
}

function shelve(images: readonly DecodedImage[], side: number): Spot[] {
  const order = images
    .map((_, i) => i)
    .sort((a, b) => {
      const [p, q] = [images[a] as DecodedImage, images[b] as DecodedImage];
      return q.height - p.height || q.width - p.width || a - b;
    });
  const shelves: { layer: number; y: number; height: number; used: number }[] = [];
  const bottoms: number[] = [];
  const spots: Spot[] = new Array<Spot>(images.length);
  for (const i of order) {
    const { width, height } = images[i] as DecodedImage;
    let shelf = shelves.find((s) => s.height >= height && s.used + width <= side);
    if (!shelf) {
      let layer = bottoms.findIndex((bottom) => bottom + height <= side);
      if (layer < 0) layer = bottoms.push(0) - 1;
      shelf = { layer, y: bottoms[layer] as number, height, used: 0 };
      bottoms[layer] = shelf.y + height;
      shelves.push(shelf);
    }
    spots[i] = { x: shelf.used, y: shelf.y, layer: shelf.layer };
    shelf.used += width;
  }
  return spots;
}
