/** Which tensors of a network may share memory: those that are never needed at the same time. */
import type { UNet } from './unet.ts';

export interface MemoryPlan {
  /** Place of each tensor. */
  readonly placeOf: readonly number[];
  /** Floats that each place needs per pixel of the tile. */
  readonly floatsPerPixel: readonly number[];
}

/** Greedy over the layers: a tensor takes the smallest free place that is large enough, else a new one. */
export function planMemory(net: UNet): MemoryPlan {
  const last = net.tensors.map((_, tensor) => net.layers.findLastIndex((layer) => layer.from === tensor || layer.to === tensor));
  const placeOf: number[] = [];
  const floatsPerPixel: number[] = [];
  const free = new Set<number>();
  const take = (tensor: number): void => {
    if (placeOf[tensor] !== undefined) return;
    const { channels, level } = net.tensors[tensor]!;
    const need = channels / 4 ** level;
    const fitting = [...free]
      .filter((place) => floatsPerPixel[place]! >= need)
      .toSorted((a, b) => floatsPerPixel[a]! - floatsPerPixel[b]!)[0];
    const place = fitting ?? floatsPerPixel.push(need) - 1;
    free.delete(place);
    placeOf[tensor] = place;
  };
  take(net.input.tensor);
  net.layers.forEach((layer, i) => {
    take(layer.to);
    for (const tensor of new Set([layer.from, layer.to])) {
      if (last[tensor] === i && tensor !== net.output.tensor) free.add(placeOf[tensor]!);
    }
  });
  return { placeOf, floatsPerPixel };
}
