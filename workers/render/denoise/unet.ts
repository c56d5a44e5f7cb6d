/**
 * The U-Net of Open Image Denoise as a list of layers: which tensors each reads and writes, at which
 * size. Tensors that are joined are laid side by side from the start, so that joining costs nothing:
 * an encoder pools into the tail of the tensor that a decoder enlarges into the head of. Knows
 * nothing of devices.
 */
import type { Tensor } from './tza.ts';

/** What follows a convolution in the same layer. */
export type After = 'nothing' | 'pool' | 'enlarge';

/** A 3 × 3 convolution whose negative results become zero. */
export interface Layer {
  readonly name: string;
  /** Tensor that is read, and its first channel that is. */
  readonly from: number;
  readonly fromChannel: number;
  readonly inputs: number;
  readonly to: number;
  readonly toChannel: number;
  readonly outputs: number;
  /** `pool`: the largest of each 2 × 2 pixels; `enlarge`: each pixel four times. */
  readonly after: After;
  /** log2 of how often smaller than the picture the convolution itself works. */
  readonly level: number;
  /** Channels out × channels in × 3 × 3, and one per channel out. */
  readonly weights: Float32Array<ArrayBuffer>;
  readonly bias: Float32Array<ArrayBuffer>;
}

export interface TensorPlan {
  readonly channels: number;
  /** log2 of how often smaller than the picture. */
  readonly level: number;
}

export interface UNet {
  readonly layers: readonly Layer[];
  readonly tensors: readonly TensorPlan[];
  /** Channels of the picture and what guides it. */
  readonly inputs: number;
  readonly input: { readonly tensor: number; readonly channel: number };
  readonly output: { readonly tensor: number; readonly channel: number };
}

/** Pictures are cut to multiples of this: four times halved. */
export const UNET_ALIGN_PX = 16;

/** Convolutions of a level on the way down, and on the way up from the smallest. */
interface Topology {
  readonly down: readonly (readonly string[])[];
  readonly up: readonly (readonly string[])[];
  /** Pixels around a pixel that its value depends on, both sides together (OIDN core/unet_filter). */
  readonly receptiveField: number;
}
const SMALL: Topology = {
  down: [['enc_conv0', 'enc_conv1'], ['enc_conv2'], ['enc_conv3'], ['enc_conv4'], ['enc_conv5a', 'enc_conv5b']],
  up: [
    ['dec_conv4a', 'dec_conv4b'],
    ['dec_conv3a', 'dec_conv3b'],
    ['dec_conv2a', 'dec_conv2b'],
    ['dec_conv1a', 'dec_conv1b', 'dec_conv0'],
  ],
  receptiveField: 174,
};
const LARGE: Topology = {
  down: [
    ['enc_conv1a', 'enc_conv1b'],
    ['enc_conv2a', 'enc_conv2b'],
    ['enc_conv3a', 'enc_conv3b'],
    ['enc_conv4a', 'enc_conv4b'],
    ['enc_conv5a', 'enc_conv5b'],
  ],
  up: [
    ['dec_conv4a', 'dec_conv4b'],
    ['dec_conv3a', 'dec_conv3b'],
    ['dec_conv2a', 'dec_conv2b'],
    ['dec_conv1a', 'dec_conv1b', 'dec_conv1c'],
  ],
  receptiveField: 202,
};

const topologyOf = (tensors: ReadonlyMap<string, Tensor>): Topology => (tensors.has('enc_conv1a.weight') ? LARGE : SMALL);

/** Pixels by which tiles overlap on each side, so that their seams are what a whole picture would have. */
export const overlapPx = (tensors: ReadonlyMap<string, Tensor>): number =>
  Math.ceil(topologyOf(tensors).receptiveField / 2 / UNET_ALIGN_PX) * UNET_ALIGN_PX;

/** @throws Error when the archive is of another network: one of ours was swapped or damaged. */
export function planUNet(tensors: ReadonlyMap<string, Tensor>): UNet {
  const { down, up } = topologyOf(tensors);
  return new Planner(tensors).plan(down, up);
}

class Planner {
  readonly #tensors: ReadonlyMap<string, Tensor>;
  readonly #plans: TensorPlan[] = [];
  readonly #layers: Layer[] = [];

  constructor(tensors: ReadonlyMap<string, Tensor>) {
    this.#tensors = tensors;
  }

  plan(down: Topology['down'], up: Topology['up']): UNet {
    const inputs = this.#sizes(down[0]![0]!).inputs;
    // What a level hands across: the picture itself at the top, below what was pooled into it.
    const across = down.slice(0, -1).map((names, level) => (level === 0 ? inputs : this.#sizes(down[level - 1]!.at(-1)!).outputs));
    const joined = across.map((channels, level) => {
      const below = this.#sizes((level === across.length - 1 ? down.at(-1)! : up[up.length - 2 - level]!).at(-1)!).outputs;
      return { tensor: this.#tensor(below + padded(channels), level), channel: below };
    });
    const bottom = this.#tensor(this.#sizes(down.at(-2)!.at(-1)!).outputs, joined.length);
    let from = joined[0]!;
    down.forEach((names, level) => {
      const last = level === down.length - 1;
      const next = last ? { tensor: joined.at(-1)!.tensor, channel: 0 } : (joined[level + 1] ?? { tensor: bottom, channel: 0 });
      this.#chain(names, level, from, next, last ? 'enlarge' : 'pool');
      from = next;
    });
    let output = from;
    up.forEach((names, i) => {
      const level = joined.length - 1 - i;
      const end = joined[level - 1]?.tensor ?? this.#tensor(this.#sizes(names.at(-1)!).outputs, 0);
      output = { tensor: end, channel: 0 };
      this.#chain(names, level, { tensor: joined[level]!.tensor, channel: 0 }, output, level === 0 ? 'nothing' : 'enlarge');
    });
    return { layers: this.#layers, tensors: this.#plans, inputs, input: joined[0]!, output };
  }

  /** Convolutions one after the other at one level; what follows the last is `after`. */
  #chain(names: readonly string[], level: number, from: UNet['input'], to: UNet['output'], after: After): void {
    let source = from;
    names.forEach((name, i) => {
      const { inputs, outputs, weights, bias } = this.#sizes(name);
      const last = i === names.length - 1;
      const target = last ? to : { tensor: this.#tensor(outputs, level), channel: 0 };
      this.#layers.push({
        name,
        from: source.tensor,
        fromChannel: source.channel,
        inputs,
        to: target.tensor,
        toChannel: target.channel,
        outputs,
        after: last ? after : 'nothing',
        level,
        weights,
        bias,
      });
      source = target;
    });
  }

  #tensor(channels: number, level: number): number {
    return this.#plans.push({ channels: padded(channels), level }) - 1;
  }

  #sizes(name: string): { inputs: number; outputs: number; weights: Float32Array<ArrayBuffer>; bias: Float32Array<ArrayBuffer> } {
    const weights = this.#tensors.get(`${name}.weight`);
    const bias = this.#tensors.get(`${name}.bias`);
    const [outputs, inputs, rows, columns] = weights?.shape ?? [];
    if (!weights || !bias || !outputs || !inputs || rows !== 3 || columns !== 3 || bias.values.length !== outputs)
      throw new Error(`the weights have no 3 × 3 convolution '${name}'`);
    return { inputs, outputs, weights: weights.values, bias: bias.values };
  }
}

/** Channels lie in blocks of four. */
const padded = (channels: number): number => Math.ceil(channels / 4) * 4;
