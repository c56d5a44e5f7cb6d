/**
 * Reads a linear picture that somebody else's program wrote: PFM, or OpenEXR as flat scanlines with
 * any lossless compression. Finds layers by the names that renderers give them. Every defect is one
 * sentence; sizes are bounded before anything is unpacked.
 */
import { readPfm } from '#lib/image/pfm.ts';
import { PICTURE_FILE_BYTES_MAX, PICTURE_PIXELS_MAX, PICTURE_SIDE_PX_MAX } from '#lib/protocol/limits.ts';
import type { Bytes } from '#lib/protocol/bytes.ts';
import { isExr, openExr, readExrChannels } from '#workers/scene/exr.ts';
import { CommandError } from './command.ts';
import { readBounded } from './scene-files.ts';

export type PictureRole = 'color' | 'albedo' | 'normal';

export interface LinearPicture {
  readonly width: number;
  readonly height: number;
  /** What was asked for, three values per pixel; layers that an EXR does not have are absent. */
  readonly planes: Readonly<Partial<Record<PictureRole, Float32Array<ArrayBuffer>>>>;
  /** Alpha of the colour; null when there is none. */
  readonly coverage: Float32Array<ArrayBuffer> | null;
  /** Mean squared luminance of a pixel's paths, and their number: what Pictor writes into its own EXR files; null when there is none. */
  readonly noise: { readonly moment: Float32Array<ArrayBuffer>; readonly samples: Float32Array<ArrayBuffer> } | null;
}

const BOUNDS = { sidePx: PICTURE_SIDE_PX_MAX, pixels: PICTURE_PIXELS_MAX, texels: PICTURE_PIXELS_MAX };

/**
 * @param role what the file must hold. @param more layers of an EXR that are welcome beside it.
 * @throws CommandError
 */
export async function readPictureFile(path: string, role: PictureRole, more: readonly PictureRole[] = []): Promise<LinearPicture> {
  const file = await readBounded(path, PICTURE_FILE_BYTES_MAX);
  if (isExr(file)) return fromExr(path, file, role, more);
  const read = readPfm(file, BOUNDS);
  if (!read.ok) throw new CommandError(`${path} ${/^P[Ff]/.test(latin(file)) ? read.text : 'is neither a PFM nor an OpenEXR file'}`);
  const { width, height, channels, values } = read.image;
  return { width, height, planes: { [role]: channels === 3 ? values : tripled(values) }, coverage: null, noise: null };
}

const latin = (file: Bytes): string => String.fromCharCode(...file.subarray(0, 2));

function tripled(values: Float32Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(values.length * 3);
  for (let i = 0; i < out.length; i++) out[i] = values[Math.floor(i / 3)]!;
  return out;
}

function fromExr(path: string, file: Bytes, role: PictureRole, more: readonly PictureRole[]): LinearPicture {
  const refuse = (what: string): never => {
    throw new CommandError(`${path} ${what}`);
  };
  const opened = openExr(file, refuse, BOUNDS);
  const names = opened.channels.map(({ name }) => name);
  const own = layerOf(names, role, true) ?? refuse(`has no channels for ${role}: it holds ${names.slice(0, 12).join(', ') || 'none'}`);
  const wanted = [
    { role, layer: own },
    ...more.flatMap((one) => (({ layer }) => (layer ? [{ role: one, layer }] : []))({ layer: layerOf(names, one, false) })),
  ];
  const planes = Object.fromEntries(wanted.map(({ role: one, layer }) => [one, readExrChannels(opened, layer, refuse)]));
  const alpha = own[0]!.replace(/R$/, 'A');
  const coverage = role === 'color' && names.includes(alpha) && alpha !== own[0] ? readExrChannels(opened, [alpha], refuse) : null;
  const noise =
    role === 'color' && NOISE.every((name) => names.includes(name))
      ? { moment: readExrChannels(opened, [NOISE[0]], refuse), samples: readExrChannels(opened, [NOISE[1]], refuse) }
      : null;
  return { width: opened.width, height: opened.height, planes, coverage, noise };
}

/** Channels of `--aov moment,samples`. */
const NOISE = ['moment.Y', 'samples.X'] as const;

/** What layers are called by Pictor, Blender ("ViewLayer.Denoising Albedo.R"), OIDN's and other renderers' files. */
const CALLED: Readonly<Record<PictureRole, RegExp>> = {
  color: /^$|(^|\.)(combined|noisy image|beauty|rgba?|colou?r)$/i,
  albedo: /(^|\.)(denoising[ _])?albedo$/i,
  normal: /(^|\.)((denoising[ _])?normals?|n)$/i,
};

/**
 * Names of three channels of one layer. @param own the file was named for this, so that its plain R, G, B,
 * or its only layer, count whatever they are called.
 */
function layerOf(names: readonly string[], role: PictureRole, own: boolean): readonly string[] | null {
  const has = (layer: string, parts: readonly string[]): readonly string[] | null => {
    const full = parts.map((part) => (layer === '' ? part : `${layer}.${part}`));
    return full.every((name) => names.includes(name)) ? full : null;
  };
  const triple = (layer: string): readonly string[] | null => has(layer, ['R', 'G', 'B']) ?? has(layer, ['X', 'Y', 'Z']);
  const layers = [...new Set(names.map((name) => name.slice(0, Math.max(0, name.lastIndexOf('.')))))];
  const called = layers.filter((layer) => CALLED[role].test(layer)).flatMap((layer) => [triple(layer)].filter((found) => found !== null));
  if (called.length > 0 || !own) return called[0] ?? null;
  const any = layers.map(triple).filter((found) => found !== null);
  if (triple('')) return triple('');
  if (any.length === 1) return any[0]!;
  // A picture of greys.
  return names.includes('Y') && any.length === 0 ? ['Y', 'Y', 'Y'] : null;
}
