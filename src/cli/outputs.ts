/**
 * Writes a finished picture in every asked format. EXR and PFM hold linear radiance; PNG is tone
 * mapped. Auxiliaries are layers of each EXR, and PFM files beside the first picture when there is none.
 */
import { extname } from 'node:path';
import { encodeAuxiliary, type AuxiliaryName } from '#lib/image/auxiliary.ts';
import { develop, type DevelopChoices, type Format, type Picture } from '#lib/image/develop.ts';
import type { Notes } from '#lib/image/png.ts';
import type { ToneOptions } from '#lib/image/tonemap.ts';
import type { Bytes } from '#lib/protocol/bytes.ts';
import { CommandError } from './command.ts';
import { writeWhole } from './stores.ts';

export interface OutputWishes {
  readonly paths: readonly string[];
  readonly auxiliaries: readonly AuxiliaryName[];
  readonly tone: ToneOptions;
  /** Of each PNG. */
  readonly pngBits: 8 | 16;
  /** Go into each PNG and EXR. */
  readonly notes: Notes;
}

export interface Written {
  readonly path: string;
  readonly bytes: number;
}

/** @throws CommandError */
export async function writePicture(picture: Picture, wishes: OutputWishes): Promise<readonly Written[]> {
  const written: Written[] = [];
  for (const path of wishes.paths) written.push(await write(path, (await develop(picture, choicesFor(path, picture, wishes))).bytes));
  const { width, height, light, samples, auxiliary } = picture;
  if (!auxiliary || wishes.paths.some((path) => extname(path) === '.exr')) return written;
  const base = wishes.paths[0]!.replace(/\.[a-z]+$/, '');
  for (const name of wishes.auxiliaries) {
    const bytes = encodeAuxiliary(name, { light, samples, auxiliary }, width, height);
    written.push(await write(`${base}.${name}.pfm`, bytes));
  }
  return written;
}

/** What the ending of a path asks for; the denoised state wherever there is one. */
export function choicesFor(path: string, picture: Picture, { auxiliaries, tone, pngBits, notes }: OutputWishes): DevelopChoices {
  const format: Format = extname(path) === '.exr' ? 'exr32' : extname(path) === '.pfm' ? 'pfm' : pngBits === 16 ? 'png16' : 'png8';
  return { format, state: picture.denoised ? 'denoised' : 'raw', tone, layers: auxiliaries, title: '', notes };
}

/** @throws CommandError */
export async function write(path: string, bytes: Bytes): Promise<Written> {
  await writeWhole(path, bytes).catch((error: unknown) => {
    throw new CommandError(`${path} could not be written: ${error instanceof Error ? error.message : String(error)}`);
  });
  return { path, bytes: bytes.length };
}
