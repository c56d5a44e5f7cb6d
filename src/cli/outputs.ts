/**
 * Writes a finished picture in every asked format. EXR and PFM hold raw linear radiance; PNG is tone
 * mapped. Auxiliaries are layers of each EXR, and PFM files beside the first picture when there is none.
 */
import { extname } from 'node:path';
import { encodeAuxiliary, exrLayers, type AuxiliaryName } from '#lib/image/auxiliary.ts';
import { encodeExr } from '#lib/image/exr.ts';
import { encodePfm } from '#lib/image/pfm.ts';
import { encodePng } from '#lib/image/png.ts';
import { DEFAULT_TONE } from '#lib/image/tonemap.ts';
import type { Layers } from '#lib/job/layers.ts';
import type { Bytes } from '#lib/protocol/bytes.ts';
import { CommandError } from './command.ts';
import { writeWhole } from './stores.ts';

export interface Picture {
  /** Mean linear radiance, width × height × 3, rows from the top. */
  readonly rgb: Float32Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
  /** Null when nobody asked for them. */
  readonly layers: Layers | null;
}

export interface OutputWishes {
  readonly paths: readonly string[];
  readonly auxiliaries: readonly AuxiliaryName[];
  /** Alpha from coverage. */
  readonly transparent: boolean;
}

async function encodeAs(type: string, picture: Picture, { auxiliaries, transparent }: OutputWishes): Promise<Bytes> {
  const { rgb, width, height, layers } = picture;
  const coverage = transparent ? (layers?.coverage ?? null) : null;
  switch (type) {
    case '.pfm':
      return encodePfm(rgb, width, height);
    case '.exr':
      return encodeExr(exrLayers(rgb, coverage, layers, auxiliaries), width, height, { type: 'float', compression: 'zip' });
    default:
      return encodePng(rgb, width, height, DEFAULT_TONE, coverage ?? undefined);
  }
}

export interface Written {
  readonly path: string;
  readonly bytes: number;
}

/** @throws CommandError */
export async function writePicture(picture: Picture, wishes: OutputWishes): Promise<readonly Written[]> {
  const written: Written[] = [];
  for (const path of wishes.paths) written.push(await write(path, await encodeAs(extname(path), picture, wishes)));
  const { layers, width, height } = picture;
  if (!layers || wishes.paths.some((path) => extname(path) === '.exr')) return written;
  const base = wishes.paths[0]!.replace(/\.[a-z]+$/, '');
  for (const name of wishes.auxiliaries) written.push(await write(`${base}.${name}.pfm`, encodeAuxiliary(name, layers, width, height)));
  return written;
}

async function write(path: string, bytes: Bytes): Promise<Written> {
  await writeWhole(path, bytes).catch((error: unknown) => {
    throw new CommandError(`${path} could not be written: ${error instanceof Error ? error.message : String(error)}`);
  });
  return { path, bytes: bytes.length };
}
