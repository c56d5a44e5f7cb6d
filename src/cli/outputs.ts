/** Writes a finished picture in every asked format. EXR and PFM hold raw linear radiance; PNG is tone mapped. */
import { extname } from 'node:path';
import { encodeExr } from '#lib/image/exr.ts';
import { encodePfm } from '#lib/image/pfm.ts';
import { encodePng } from '#lib/image/png.ts';
import type { Bytes } from '#lib/protocol/bytes.ts';
import { CommandError } from './command.ts';
import { writeWhole } from './stores.ts';

export interface Picture {
  /** Mean linear radiance, width × height × 3, rows from the top. */
  readonly rgb: Float32Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

async function encodeAs(type: string, { rgb, width, height }: Picture): Promise<Bytes> {
  switch (type) {
    case '.pfm':
      return encodePfm(rgb, width, height);
    case '.exr':
      return encodeExr([{ name: '', rgb }], width, height, { type: 'float', compression: 'zip' });
    default:
      return encodePng(rgb, width, height);
  }
}

export interface Written {
  readonly path: string;
  readonly bytes: number;
}

/** @throws CommandError */
export async function writePicture(picture: Picture, paths: readonly string[]): Promise<readonly Written[]> {
  const written: Written[] = [];
  for (const path of paths) {
    const bytes = await encodeAs(extname(path), picture);
    await writeWhole(path, bytes).catch((error: unknown) => {
      throw new CommandError(`${path} could not be written: ${error instanceof Error ? error.message : String(error)}`);
    });
    written.push({ path, bytes: bytes.length });
  }
  return written;
}
