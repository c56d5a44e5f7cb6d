/**
 * The door of this folder: a picture in every state it is known in, and what somebody wants of it,
 * become one file. The same code runs in a page's worker and in Node. It reads what it is given and
 * keeps nothing; it never traces and never denoises.
 */
import { AUXILIARIES, auxiliaryLayers, type Auxiliary, type AuxiliaryName } from './auxiliary.ts';
import type { Bytes } from './bytes.ts';
import { encodeExr, type ExrLayer } from './exr.ts';
import { encodePfm } from './pfm.ts';
import { encodePng, type Notes } from './png.ts';
import type { ToneOptions } from './tonemap.ts';

/** Rows from the top, linear Rec. 709. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** As it was traced: mean radiance, width × height × 3. */
  readonly light: Float32Array<ArrayBuffer>;
  /** The same without its grain; null when nobody asked for it. */
  readonly denoised: Float32Array<ArrayBuffer> | null;
  /** Alpha that both are multiplied with, width × height; null: opaque. */
  readonly coverage: Float32Array<ArrayBuffer> | null;
  /** Null when only light was kept. */
  readonly auxiliary: Auxiliary | null;
  /** Samples per pixel; one number where all have as many. */
  readonly samples: number | Float32Array<ArrayBuffer>;
}

/** 8 and 16 bits of sRGB, tone mapped; layers of linear light in half or full floats; bare linear light. */
export const FORMATS = ['png8', 'png16', 'exr', 'exr32', 'pfm'] as const;
export type Format = (typeof FORMATS)[number];

export interface DevelopChoices {
  readonly format: Format;
  /** Which state PNG and PFM show. An EXR always holds raw light as its picture, and the denoised as a layer beside it. */
  readonly state: 'raw' | 'denoised';
  /** For PNG. */
  readonly tone: ToneOptions;
  /** For EXR; those that the picture does not have are left out. */
  readonly layers: readonly AuxiliaryName[];
  /** Becomes the name of the file. */
  readonly title: string;
  /** Texts that go into PNG and EXR: by keyword, as `Title` and `Receipt`. PFM holds none. */
  readonly notes: Notes;
}

export interface Developed {
  readonly bytes: Bytes;
  /** MIME. */
  readonly type: string;
  /** For the person who saves it. */
  readonly name: string;
}

const KINDS: Readonly<Record<Format, { readonly type: string; readonly ending: string }>> = {
  png8: { type: 'image/png', ending: 'png' },
  png16: { type: 'image/png', ending: 'png' },
  exr: { type: 'image/x-exr', ending: 'exr' },
  exr32: { type: 'image/x-exr', ending: 'exr' },
  pfm: { type: 'image/x-portable-floatmap', ending: 'pfm' },
};

export const ALL_LAYERS: readonly AuxiliaryName[] = AUXILIARIES;

/** @throws RangeError when the denoised state is asked for and not there, or a buffer has the wrong size. */
export async function develop(picture: Picture, choices: DevelopChoices): Promise<Developed> {
  const { type, ending } = KINDS[choices.format];
  return { bytes: await encode(picture, choices), type, name: fileName(choices.title, ending) };
}

/** Letters and digits of any script, joined by dashes. */
export const fileName = (title: string, ending: string): string =>
  `${title.replaceAll(/[^\p{L}\p{N}]+/gu, '-').replaceAll(/^-|-$/g, '') || 'picture'}.${ending}`;

function encode(picture: Picture, { format, state, tone, layers, notes }: DevelopChoices): Promise<Bytes> | Bytes {
  const { width, height, coverage } = picture;
  switch (format) {
    case 'png8':
    case 'png16':
      return encodePng(shown(picture, state), coverage, { width, height, bits: format === 'png8' ? 8 : 16 }, tone, notes);
    case 'pfm':
      return encodePfm(shown(picture, state), width, height);
    default:
      return encodeExr(exrLayers(picture, layers), width, height, {
        type: format === 'exr' ? 'half' : 'float',
        compression: 'zip',
        // By the names that OpenImageIO maps to its own.
        notes: Object.fromEntries(Object.entries(notes).map(([keyword, text]) => [keyword.toLowerCase(), text])),
      });
  }
}

function shown({ light, denoised }: Picture, state: 'raw' | 'denoised'): Float32Array<ArrayBuffer> {
  if (state === 'raw') return light;
  if (!denoised) throw new RangeError('the picture is not denoised');
  return denoised;
}

function exrLayers({ light, denoised, coverage, auxiliary, samples }: Picture, names: readonly AuxiliaryName[]): ExrLayer[] {
  const layers: ExrLayer[] = [{ channels: ['R', 'G', 'B'], values: light }];
  if (coverage) layers.push({ channels: ['A'], values: coverage });
  if (denoised) layers.push({ channels: ['denoised.R', 'denoised.G', 'denoised.B'], values: denoised });
  return auxiliary ? [...layers, ...auxiliaryLayers({ light, samples, auxiliary }, names)] : layers;
}
