/** The words after `pictor render`, as values. Everything wrong is found before anything is traced. */
import { basename, extname } from 'node:path';
import type { DenoiseQuality } from '#lib/gpu/engine.ts';
import { AUXILIARIES, type AuxiliaryName } from '#lib/image/auxiliary.ts';
import type { ToneOptions } from '#lib/image/tonemap.ts';
import { frameTimeS, type FrameRange } from '#lib/job/frames.ts';
import { JOB_BOUNCES_MAX, JOB_SAMPLES_MAX, JOB_SIDE_PX_MAX, VARIANT_NAME_CHARS_MAX } from '#lib/protocol/limits.ts';
import { readCamera, readLens, type CameraChoice, type LensChoice } from './camera-options.ts';
import { parseWords, readInteger, readNumber, readSize, readUrl, UsageError } from './command.ts';
import { readBits, readDenoise, readTone, requireWritable, TONE_KINDS } from './image-options.ts';
import { readTerms, type Terms } from './terms-options.ts';
import { PICTURE_TYPES, readFrames, requireSequencePath } from './frame-options.ts';

export interface RenderOptions {
  readonly file: string;
  readonly outputs: readonly string[];
  readonly environment: { readonly file: string; readonly intensity: number } | null;
  readonly auxiliaries: readonly AuxiliaryName[];
  readonly tone: ToneOptions;
  readonly pngBits: 8 | 16;
  /** Null: the light stays as it was traced. */
  readonly denoise: DenoiseQuality | null;
  /** Count node visits, triangle tests, shading calls and texel reads as well. */
  readonly count: boolean;
  readonly camera: CameraChoice;
  readonly lens: LensChoice | null;
  readonly width: number;
  readonly height: number;
  readonly samples: number;
  readonly bounces: number;
  readonly frameTimeS: number;
  /** Null: one picture. */
  readonly frames: FrameRange | null;
  readonly variant: string | null;
  readonly transparent: boolean;
  readonly seed: number;
  readonly network: string | null;
  readonly terms: Terms;
  /** Only say what the network would cost. */
  readonly quote: boolean;
  readonly json: boolean;
}

const KINDS = {
  ...TONE_KINDS,
  denoise: 'string',
  frames: 'string',
  fps: 'string',
  out: 'list',
  env: 'string',
  'env-intensity': 'string',
  aov: 'string',
  count: 'boolean',
  camera: 'string',
  dof: 'string',
  eye: 'string',
  target: 'string',
  up: 'string',
  vfov: 'string',
  size: 'string',
  spp: 'string',
  bounces: 'string',
  'frame-time': 'string',
  variant: 'string',
  transparent: 'boolean',
  seed: 'string',
  network: 'string',
  price: 'string',
  noise: 'string',
  proven: 'boolean',
  'at-cap': 'string',
  quote: 'boolean',
  json: 'boolean',
} as const;

/** @throws UsageError */
export function readRenderOptions(args: readonly string[]): RenderOptions {
  const { options, positionals } = parseWords(args, KINDS, 1);
  const file = positionals[0];
  if (!file) throw new UsageError('name the scene file: pictor render scene.glb');
  if (options['env-intensity'] && !options.env) throw new UsageError('--env-intensity needs --env');
  if (options.count && options.network) throw new UsageError('--count counts on this machine; leave out --network');
  if (options.quote && !options.network) throw new UsageError('--quote asks what a network would cost: add --network URL');
  const frames = readFrames(options);
  if (frames && options.count) throw new UsageError('--count counts one picture; leave out --frames');
  const outputs = options.out.length > 0 ? options.out : [`${basename(file, extname(file))}.${frames ? 'zip' : 'png'}`];
  for (const path of outputs) {
    if (frames) requireSequencePath(path);
    else if (/\.(zip|mp4|webm)$/.test(path)) throw new UsageError(`--out ${path}: a sequence needs --frames FIRST..LAST`);
    else requireWritable(path, PICTURE_TYPES);
  }
  const { width, height } = readSize('size', options.size ?? '960x540', JOB_SIDE_PX_MAX);
  return {
    file,
    outputs,
    environment: options.env
      ? { file: options.env, intensity: readNumber('env-intensity', options['env-intensity'] ?? '1', 0, 1e6) }
      : null,
    auxiliaries: readAuxiliaries(options.aov),
    tone: readTone(options),
    pngBits: readBits(options),
    denoise: readDenoise(options.denoise),
    count: options.count,
    camera: readCamera(options),
    lens: options.dof === undefined ? null : readLens(options.dof),
    width,
    height,
    samples: readInteger('spp', options.spp ?? '64', 1, JOB_SAMPLES_MAX),
    bounces: readInteger('bounces', options.bounces ?? '8', 1, JOB_BOUNCES_MAX),
    frameTimeS: frames ? frameTimeS(frames, frames.first) : readNumber('frame-time', options['frame-time'] ?? '0', 0, 1e6),
    frames,
    variant: readVariant(options.variant),
    transparent: options.transparent,
    seed: readInteger('seed', options.seed ?? '0', 0, 0xffffffff),
    network: options.network ? readUrl('network', options.network) : null,
    terms: readTerms(options),
    quote: options.quote,
    json: options.json,
  };
}

function readVariant(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (text === '' || text.length > VARIANT_NAME_CHARS_MAX)
    throw new UsageError(`--variant must be the name of a material variant, of 1 to ${VARIANT_NAME_CHARS_MAX} characters`);
  return text;
}

/** @throws UsageError */
function readAuxiliaries(text: string | undefined): readonly AuxiliaryName[] {
  if (text === undefined) return [];
  if (text === 'all') return AUXILIARIES;
  const names = text.split(',');
  const wrong = names.find((name) => !(AUXILIARIES as readonly string[]).includes(name));
  if (wrong !== undefined) throw new UsageError(`--aov takes all, or some of ${AUXILIARIES.join(',')}, not '${wrong}'`);
  return AUXILIARIES.filter((name) => names.includes(name));
}
