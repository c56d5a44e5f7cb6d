/** The words after `pictor render`, as values. Everything wrong is found before anything is traced. */
import { accessSync, constants } from 'node:fs';
import { basename, dirname, extname } from 'node:path';
import type { SceneSummary } from '#lib/gpu/engine.ts';
import { JOB_BOUNCES_MAX, JOB_SAMPLES_MAX, JOB_SIDE_PX_MAX } from '#lib/protocol/limits.ts';
import type { Camera } from '#lib/protocol/order.ts';
import { CommandError, parseWords, readInteger, readNumber, readSize, readUrl, readVector, UsageError } from './command.ts';

export const OUTPUT_TYPES = ['.png', '.exr', '.pfm'] as const;

type CameraChoice =
  | { readonly kind: 'default' }
  | { readonly kind: 'of-file'; readonly index: number }
  | { readonly kind: 'given'; readonly camera: Camera };

export interface RenderOptions {
  readonly file: string;
  readonly outputs: readonly string[];
  readonly environment: { readonly file: string; readonly intensity: number } | null;
  readonly camera: CameraChoice;
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
  camera: 'string',
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
  const outputs = options.out.length > 0 ? options.out : [`${basename(file, extname(file))}.png`];
  outputs.forEach(requireWritable);
  const { width, height } = readSize('size', options.size ?? '960x540', JOB_SIDE_PX_MAX);
  return {
    file,
    outputs,
    environment: options.env
      ? { file: options.env, intensity: readNumber('env-intensity', options['env-intensity'] ?? '1', 0, 1e6) }
      : null,
    camera: readCamera(options),
    width,
    height,
    samples: readInteger('spp', options.spp ?? '64', 1, JOB_SAMPLES_MAX),
    bounces: readInteger('bounces', options.bounces ?? '8', 1, JOB_BOUNCES_MAX),
    frameTimeS: readNumber('frame-time', options['frame-time'] ?? '0', 0, 1e6),
    variant: options.variant ?? null,
    transparent: options.transparent,
    seed: readInteger('seed', options.seed ?? '0', 0, 0xffffffff),
    network: options.network ? readUrl('network', options.network) : null,
    json: options.json,
  };
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

function readCamera(options: Partial<Record<'camera' | 'eye' | 'target' | 'up' | 'vfov', string | undefined>>): CameraChoice {
  if (options.camera !== undefined) {
    if (options.eye ?? options.target ?? options.up ?? options.vfov)
      throw new UsageError('--camera takes the camera of the file; leave out --eye, --target, --up and --vfov');
    return { kind: 'of-file', index: readInteger('camera', options.camera, 0, 1e6) };
  }
  if (options.eye === undefined && options.target === undefined) {
    if (options.up ?? options.vfov) throw new UsageError('--up and --vfov need --eye and --target');
    return { kind: 'default' };
  }
  if (options.eye === undefined || options.target === undefined) throw new UsageError('--eye and --target go together');
  const vfov = readNumber('vfov', options.vfov ?? '45', 0.01, 179.9);
  return {
    kind: 'given',
    camera: {
      eye: readVector('eye', options.eye),
      target: readVector('target', options.target),
      up: readVector('up', options.up ?? '0,1,0'),
      tanHalfVfov: Math.tan((vfov * Math.PI) / 360),
      lens: null,
    },
  };
}

/** The file's first camera when none is chosen, a framing view when it has none. @throws CommandError */
export function chooseCamera(choice: CameraChoice, summary: SceneSummary): Camera {
  if (choice.kind === 'given') return choice.camera;
  if (choice.kind === 'default') return summary.cameras[0]?.camera ?? summary.view;
  const found = summary.cameras[choice.index];
  if (found) return found.camera;
  const there = summary.cameras.length === 0 ? 'no cameras' : `cameras 0 to ${summary.cameras.length - 1}`;
  throw new CommandError(`the scene has ${there}, not camera ${choice.index}`);
}
