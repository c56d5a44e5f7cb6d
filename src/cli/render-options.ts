/** The words after `pictor render`, as values. Everything wrong is found before anything is traced. */
import { accessSync, constants } from 'node:fs';
import { basename, dirname, extname } from 'node:path';
import { AUXILIARIES, type AuxiliaryName } from '#lib/image/auxiliary.ts';
import { JOB_BOUNCES_MAX, JOB_SAMPLES_MAX, JOB_SIDE_PX_MAX, VARIANT_NAME_CHARS_MAX } from '#lib/protocol/limits.ts';
import { readCamera, readLens, type CameraChoice, type LensChoice } from './camera-options.ts';
import { parseWords, readInteger, readNumber, readSize, readUrl, UsageError } from './command.ts';

export const OUTPUT_TYPES = ['.png', '.exr', '.pfm'] as const;

export interface RenderOptions {
  readonly file: string;
  readonly outputs: readonly string[];
  readonly environment: { readonly file: string; readonly intensity: number } | null;
  readonly auxiliaries: readonly AuxiliaryName[];
  /** Count node visits, triangle tests and shading calls as well. */
  readonly count: boolean;
  readonly camera: CameraChoice;
  readonly lens: LensChoice | null;
  readonly width: number;
  readonly height: number;
  readonly samples: number;
  readonly bounces: number;
  readonly frameTimeS: number;
  readonly variant: string | null;
  readonly transparent: boolean;
  readonly seed: number;
  readonly network: string | null;
  readonly json: boolean;
}

const KINDS = {
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
  json: 'boolean',
} as const;

/** @throws UsageError */
export function readRenderOptions(args: readonly string[]): RenderOptions {
  const { options, positionals } = parseWords(args, KINDS, 1);
  const file = positionals[0];
  if (!file) throw new UsageError('name the scene file: pictor render scene.glb');
  if (options['env-intensity'] && !options.env) throw new UsageError('--env-intensity needs --env');
  if (options.count && options.network) throw new UsageError('--count counts on this machine; leave out --network');
  const outputs = options.out.length > 0 ? options.out : [`${basename(file, extname(file))}.png`];
  outputs.forEach(requireWritable);
  const { width, height } = readSize('size', options.size ?? '960x540', JOB_SIDE_PX_MAX);
  return {
    file,
    outputs,
    environment: options.env
      ? { file: options.env, intensity: readNumber('env-intensity', options['env-intensity'] ?? '1', 0, 1e6) }
      : null,
    auxiliaries: readAuxiliaries(options.aov),
    count: options.count,
    camera: readCamera(options),
    lens: options.dof === undefined ? null : readLens(options.dof),
    width,
    height,
    samples: readInteger('spp', options.spp ?? '64', 1, JOB_SAMPLES_MAX),
    bounces: readInteger('bounces', options.bounces ?? '8', 1, JOB_BOUNCES_MAX),
    frameTimeS: readNumber('frame-time', options['frame-time'] ?? '0', 0, 1e6),
    variant: readVariant(options.variant),
    transparent: options.transparent,
    seed: readInteger('seed', options.seed ?? '0', 0, 0xffffffff),
    network: options.network ? readUrl('network', options.network) : null,
    json: options.json,
  };
}

function readVariant(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (text === '' || text.length > VARIANT_NAME_CHARS_MAX)
    throw new UsageError(`--variant must be the name of a material variant, of 1 to ${VARIANT_NAME_CHARS_MAX} characters`);
  return text;
}

function requireWritable(path: string): void {
  if (!OUTPUT_TYPES.some((type) => path.endsWith(type)))
    throw new UsageError(`--out ${path}: the name must end in ${OUTPUT_TYPES.join(', ')}`);
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch {
    throw new UsageError(`--out ${path}: the folder ${dirname(path)} is not there or not writable`);
  }
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
