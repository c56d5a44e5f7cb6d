/**
 * What is written beside a picture, under the names that compositing and denoising programs look
 * for. Shapes are those of a film's layers; where they come from is not this file's business.
 */
import type { Bytes } from './bytes.ts';
import type { ExrLayer } from './exr.ts';
import { encodePfm } from './pfm.ts';

export const AUXILIARIES = ['albedo', 'normal', 'depth', 'object', 'moment'] as const;
export type AuxiliaryName = (typeof AUXILIARIES)[number];

/** Per pixel, rows from the top: three values for albedo and normal, one for the others. */
export interface Auxiliary {
  readonly albedo: Float32Array;
  readonly normal: Float32Array;
  readonly depth: Float32Array;
  readonly moment: Float32Array;
  /** 0xffffffff: nothing. */
  readonly object: Uint32Array;
}

const CHANNELS: Readonly<Record<AuxiliaryName, readonly string[]>> = {
  albedo: ['albedo.R', 'albedo.G', 'albedo.B'],
  normal: ['normal.X', 'normal.Y', 'normal.Z'],
  depth: ['Z'],
  object: ['id'],
  moment: ['moment.Y'],
};

/** The picture, with alpha when `coverage` is given, and these auxiliaries; all but colours as full floats. */
export function exrLayers(
  rgb: Float32Array,
  coverage: Float32Array | null,
  auxiliary: Auxiliary | null,
  names: readonly AuxiliaryName[],
): ExrLayer[] {
  const picture: ExrLayer[] = [{ channels: ['R', 'G', 'B'], values: rgb }];
  if (coverage) picture.push({ channels: ['A'], values: coverage });
  if (!auxiliary) return picture;
  const more = names.map((name): ExrLayer => {
    const layer = { channels: CHANNELS[name], values: auxiliary[name] };
    return name === 'albedo' ? layer : { ...layer, type: 'float' };
  });
  return [...picture, ...more];
}

/** One auxiliary as a PFM; ids as numbers, -1 for nothing, exact up to 2^24. */
export function encodeAuxiliary(name: AuxiliaryName, auxiliary: Auxiliary, width: number, height: number): Bytes {
  const values = name === 'object' ? Float32Array.from(auxiliary.object, (id) => (id === 0xffffffff ? -1 : id)) : auxiliary[name];
  return encodePfm(values, width, height, CHANNELS[name].length === 3 ? 3 : 1);
}
