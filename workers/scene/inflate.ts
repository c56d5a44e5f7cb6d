/**
 * Deflate with the bound on the outside: it stops as soon as more comes out than was announced, so
 * that a few bytes can't become gigabytes. Also the checksum that zip and PNG share. It reports
 * damage as null and never throws.
 */
import { Inflate, Unzlib } from 'fflate';

/** Deflate makes at most 258 bytes of a quarter of a byte; a claim beyond this is a lie. */
export const DEFLATE_RATIO_MAX = 1032;
/** Fed in pieces, or a piece could become a thousand times its size before anyone looks. */
const PIECE_BYTES = 64 * 1024;

export type Packing = 'raw' | 'zlib';

/**
 * @returns exactly `size` bytes; null when the data is damaged or holds fewer. Bytes beyond `size`
 * are refused when `exact`, else left where they are.
 */
export function inflate(data: Uint8Array, size: number, packing: Packing, exact: boolean): Uint8Array<ArrayBuffer> | null {
  if (size > data.length * DEFLATE_RATIO_MAX + PIECE_BYTES) return null;
  const out = new Uint8Array(size);
  let filled = 0;
  let over = false;
  const take = (chunk: Uint8Array): void => {
    const room = size - filled;
    over ||= chunk.length > room;
    out.set(chunk.length > room ? chunk.subarray(0, room) : chunk, filled);
    filled += Math.min(room, chunk.length);
  };
  const stream = packing === 'zlib' ? new Unzlib(take) : new Inflate(take);
  try {
    for (let at = 0; at < data.length && !over; at += PIECE_BYTES) {
      if (filled === size && !exact) break;
      stream.push(data.subarray(at, at + PIECE_BYTES), at + PIECE_BYTES >= data.length);
    }
  } catch {
    if (filled < size || exact) return null;
  }
  return filled < size || (exact && over) ? null : out;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** CRC-32 of ISO 3309, as zip and PNG use it. */
export function crc32(data: Uint8Array): number {
  let c = 0xffffffff;
  for (let i = 0; i < data.length; i++) c = (CRC_TABLE[(c ^ (data[i] as number)) & 255] as number) ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}
