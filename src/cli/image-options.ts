/** Words about pictures that several commands share: tone, bits, denoising, and where files may go. */
import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import type { DenoiseQuality } from '#lib/gpu/engine.ts';
import { DEFAULT_TONE, TONE_OPERATORS, type ToneOptions } from '#lib/image/tonemap.ts';
import { readNumber, UsageError } from './command.ts';

export const TONE_KINDS = { tonemap: 'string', exposure: 'string', bits: 'string' } as const;

export interface ToneWords {
  readonly tonemap: string | undefined;
  readonly exposure: string | undefined;
  readonly bits: string | undefined;
}

/** Doublings of light either way; more is a mistake. */
const EXPOSURE_STOPS_MAX = 30;

/** @throws UsageError */
export function readTone({ tonemap, exposure }: ToneWords): ToneOptions {
  return {
    operator: readChoice('tonemap', tonemap ?? DEFAULT_TONE.operator, TONE_OPERATORS),
    exposure: readNumber('exposure', exposure ?? '0', -EXPOSURE_STOPS_MAX, EXPOSURE_STOPS_MAX),
  };
}

/** Of PNG. @throws UsageError */
export const readBits = ({ bits }: ToneWords): 8 | 16 => (readChoice('bits', bits ?? '8', ['8', '16']) === '16' ? 16 : 8);

const QUALITIES = ['fast', 'final'] as const satisfies readonly DenoiseQuality[];

/** @throws UsageError */
export const readQuality = (name: string, text: string): DenoiseQuality => readChoice(name, text, QUALITIES);

/** Null for 'off'. @throws UsageError */
export function readDenoise(text: string | undefined): DenoiseQuality | null {
  const choice = readChoice('denoise', text ?? 'off', ['off', ...QUALITIES]);
  return choice === 'off' ? null : choice;
}

function readChoice<const T extends string>(name: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw new UsageError(`--${name} takes ${choices.join(', ')}, not '${text}'`);
  return found;
}

/** @throws UsageError unless the path ends as one of `types` and its folder takes files. */
export function requireWritable(path: string, types: readonly string[]): void {
  if (!types.some((type) => path.endsWith(type))) throw new UsageError(`--out ${path}: the name must end in ${types.join(', ')}`);
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch {
    throw new UsageError(`--out ${path}: the folder ${dirname(path)} is not there or not writable`);
  }
}
