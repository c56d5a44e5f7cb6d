/**
 * Which way each layer is convolved on an adapter: found by trying them on small bands when the
 * network is opened, within a bound of time, and kept. Software adapters are not tried, for there
 * compiling alone would take longer than it could save: what they run was measured once.
 */
import { DENOISE_TUNE_MS_MAX } from '#lib/protocol/limits.ts';
import type { TuneStore } from '../autotune.ts';
import { KINDS, type DenoiseKernels, type Kind } from './kernels.ts';
import { LayerPass, patchStride, type Band } from './layer-pass.ts';
import { BLOCK, blocksOf } from './packing.ts';
import type { Layer } from './unet.ts';

export type KindOf = (layer: Layer) => Kind;

/** Layers of the same blocks in and out are convolved alike. */
export const layerKey = (layer: Layer): string => `${blocksOf(layer.inputs)} ${blocksOf(layer.outputs)}`;

/** On SwiftShader the planes pay where there are channels enough to share them (`npm run bench -- --denoise`). */
export const softwareKind: KindOf = ({ inputs, outputs }) => (inputs >= 32 && outputs >= 32 ? 'winograd' : 'strip');

/** On lavapipe 25 they pay everywhere: 0.86 and 0.89 of the time, measured twice. @param name an adapter's own. */
export const softwareKindOf = (name: string): KindOf => (/llvmpipe/i.test(name) ? (): Kind => 'winograd' : softwareKind);

/** Sides of the band that is tried, pixels: enough workgroups for a large device. */
const TRY_PX = 128;
/** A try is repeated until it takes so long, or so often. */
const TRY_MS = 2;
const REPEATS_MAX = 64;

export interface ChoiceParts {
  readonly device: GPUDevice;
  readonly kernels: DenoiseKernels;
  readonly store: TuneStore | undefined;
  /** Names adapter, precision and kernels. */
  readonly key: string;
  readonly now: () => number;
}

/** @returns the fastest kind of each layer; layers that time did not suffice for take that of the costliest one tried. */
export async function chooseKinds(layers: readonly Layer[], parts: ChoiceParts): Promise<KindOf> {
  const kept = parse(await parts.store?.get(parts.key).catch(() => null));
  const untried = [...new Map(layers.map((layer) => [layerKey(layer), layer])).values()].filter((layer) => !kept.has(layerKey(layer)));
  const untilMs = parts.now() + DENOISE_TUNE_MS_MAX;
  const costliest = untried.toSorted((a, b) => b.inputs * b.outputs - a.inputs * a.outputs);
  for (const layer of costliest) {
    if (parts.now() >= untilMs) break;
    kept.set(layerKey(layer), await fastest(layer, parts));
  }
  if (untried.length > 0) await parts.store?.set(parts.key, JSON.stringify([...kept])).catch(() => undefined);
  const usual = kept.get(layerKey(costliest[0] ?? layers[0]!)) ?? 'direct';
  return (layer) => kept.get(layerKey(layer)) ?? usual;
}

function parse(text: string | null | undefined): Map<string, Kind> {
  try {
    const entries: unknown = JSON.parse(text ?? '[]');
    const pairs = Array.isArray(entries) ? (entries as readonly unknown[]) : [];
    return new Map(pairs.filter((pair): pair is [string, Kind] => Array.isArray(pair) && KINDS.includes(pair[1] as Kind)));
  } catch {
    return new Map();
  }
}

async function fastest(layer: Layer, parts: ChoiceParts): Promise<Kind> {
  let best: Kind = 'direct';
  let least = Infinity;
  for (const kind of KINDS) {
    const ms = await tryKind(layer, kind, parts);
    if (ms < least) [best, least] = [kind, ms];
  }
  return best;
}

/** @returns milliseconds of one band, or infinity where the device refuses the kernel. */
async function tryKind(layer: Layer, kind: Kind, { device, kernels, now }: ChoiceParts): Promise<number> {
  const pass = await LayerPass.create(device, kernels, { ...layer, fromChannel: 0, after: 'nothing' }, kind).catch(() => null);
  if (!pass) return Infinity;
  const band: Band = { width: TRY_PX, height: TRY_PX, column: 0, columns: TRY_PX, row: 0, rows: TRY_PX };
  const make = (numbers: number, bytes: number): GPUBuffer =>
    device.createBuffer({ label: 'try', size: numbers * bytes, usage: GPUBufferUsage.STORAGE });
  const [ins, outs] = [blocksOf(layer.inputs) * BLOCK, blocksOf(layer.outputs) * BLOCK];
  const planes = kind === 'winograd' ? 16 * patchStride(TRY_PX, TRY_PX) : 1;
  const buffers = {
    source: make(ins * TRY_PX ** 2, kernels.bytes),
    target: make(outs * TRY_PX ** 2, kernels.bytes),
    planes: make(ins * planes, kernels.bytes),
    products: make(outs * planes, 4),
  };
  const timed = async (repeats: number): Promise<number> => {
    const encoder = device.createCommandEncoder({ label: 'try' });
    for (let i = 0; i < repeats; i++) pass.encode(encoder, band, { ...buffers, targetBlock: 0 });
    const startMs = now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return now() - startMs;
  };
  await timed(1);
  let ms = 0;
  let each = Infinity;
  for (let repeats = 1; repeats <= REPEATS_MAX && ms < TRY_MS; repeats *= 4) {
    ms = await timed(repeats);
    each = ms / repeats;
  }
  for (const buffer of Object.values(buffers)) buffer.destroy();
  pass.destroy();
  return each;
}
