/**
 * What is written beside a picture, under the names that compositing and denoising programs look
 * for. Shapes are those of a film's layers; where they come from is not this file's business.
 */
import type { Bytes } from './bytes.ts';
import type { ExrLayer } from './exr.ts';
import { encodePfm } from './pfm.ts';

/**
 * `variance`: of a pixel's mean luminance, that is, the square of what noise is left; `samples`: paths per pixel;
 * `moment`: mean squared luminance of a path. The rest as a film names it.
 */
export const AUXILIARIES = ['albedo', 'normal', 'depth', 'object', 'variance', 'samples', 'moment'] as const;
export type AuxiliaryName = (typeof AUXILIARIES)[number];

/** Per pixel, rows from the top: three values for albedo and normal, one for the others. */
export interface Auxiliary {
  readonly albedo: Float32Array<ArrayBuffer>;
  readonly normal: Float32Array<ArrayBuffer>;
  readonly depth: Float32Array<ArrayBuffer>;
  readonly moment: Float32Array<ArrayBuffer>;
  /** 0xffffffff: nothing. */
  readonly object: Uint32Array<ArrayBuffer>;
}

/** The raw light and what was seen beside it. */
export interface Exposed {
  readonly light: Float32Array;
  /** Per pixel; one number where all have as many. */
  readonly samples: number | Float32Array;
  readonly auxiliary: Auxiliary;
}

const CHANNELS: Readonly<Record<AuxiliaryName, readonly string[]>> = {
  albedo: ['albedo.R', 'albedo.G', 'albedo.B'],
  normal: ['normal.X', 'normal.Y', 'normal.Z'],
  depth: ['depth.Z'],
  object: ['object.X'],
  variance: ['variance.Y'],
  samples: ['samples.X'],
  moment: ['moment.Y'],
};

function valuesOf(name: AuxiliaryName, { light, samples, auxiliary }: Exposed): Float32Array | Uint32Array {
  if (name === 'variance') return varianceOf(light, samples, auxiliary.moment);
  if (name === 'samples') return typeof samples === 'number' ? new Float32Array(auxiliary.depth.length).fill(samples) : samples;
  return auxiliary[name];
}

/** As layers of an EXR: albedo in the file's own type, the rest as full floats, ids as whole numbers. */
export const auxiliaryLayers = (exposed: Exposed, names: readonly AuxiliaryName[]): ExrLayer[] =>
  names.map((name) => {
    const layer = { channels: CHANNELS[name], values: valuesOf(name, exposed) };
    return name === 'albedo' ? layer : { ...layer, type: 'float' };
  });

/** One auxiliary as a PFM; ids as numbers, -1 for nothing, exact up to 2^24. */
export function encodeAuxiliary(name: AuxiliaryName, exposed: Exposed, width: number, height: number): Bytes {
  const values = valuesOf(name, exposed);
  const floats = values instanceof Uint32Array ? Float32Array.from(values, (id) => (id === 0xffffffff ? -1 : id)) : values;
  return encodePfm(floats, width, height, CHANNELS[name].length === 3 ? 3 : 1);
}

/** Rec. 709, as the kernel's second moment has it. */
const LUMINANCE = [0.2126, 0.7152, 0.0722] as const;

/** Variance of the mean of n paths: (moment − mean²) / (n − 1); 0 where one path tells nothing. */
function varianceOf(light: Float32Array, samples: number | Float32Array, moment: Float32Array): Float32Array {
  return moment.map((square, p) => {
    const n = typeof samples === 'number' ? samples : samples[p]!;
    const mean = LUMINANCE[0] * light[p * 3]! + LUMINANCE[1] * light[p * 3 + 1]! + LUMINANCE[2] * light[p * 3 + 2]!;
    return n > 1 ? Math.max(0, square - mean * mean) / (n - 1) : 0;
  });
}
