/** C2SP tlog-tiles: names of tiles and entry bundles, and the bundle format. Pure; refuses other spellings of a name. */
import { LOG_TILE_HASHES } from '../protocol/limits.ts';
import type { Bytes } from '../protocol/bytes.ts';

const HASH_BYTES = 32;

export interface TileName {
  readonly level: number | 'entries';
  readonly index: number;
  /** 256, or fewer for the log's right edge. */
  readonly width: number;
}

/** 1234067 → `x001/x234/067`. */
export function formatTileIndex(index: number): string {
  let text = String(index % 1000).padStart(3, '0');
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000))
    text = `x${String(rest % 1000).padStart(3, '0')}/${text}`;
  return text;
}

export const formatTilePath = ({ level, index, width }: TileName): string =>
  `${level}/${formatTileIndex(index)}${width === LOG_TILE_HASHES ? '' : `.p/${width}`}`;

/** @returns null unless `path` is the one spelling of a tile's name. */
export function parseTilePath(path: string): TileName | null {
  const match = /^(entries|[0-9]|[1-5][0-9]|6[0-3])\/((?:x[0-9]{3}\/){0,4}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/.exec(path);
  if (!match) return null;
  const index = Number(match[2]!.replaceAll(/[x/]/g, ''));
  const width = match[3] === undefined ? LOG_TILE_HASHES : Number(match[3]);
  const level = match[1] === 'entries' ? 'entries' : Number(match[1]);
  const name = { level, index, width } as const;
  return formatTilePath(name) === path && width <= LOG_TILE_HASHES ? name : null;
}

/** Leaves of an entry bundle (each after its length as big-endian u16), or null when it is cut short. */
export function parseBundle(bytes: Bytes): Bytes[] | null {
  const out: Bytes[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + 2 > bytes.length) return null;
    const length = (bytes[at]! << 8) | bytes[at + 1]!;
    if (at + 2 + length > bytes.length) return null;
    out.push(bytes.slice(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return out;
}

/** C2SP entry bundle: each leaf after its length as big-endian u16. */
export function formatBundle(leaves: readonly Uint8Array[]): Bytes {
  const out = new Uint8Array(leaves.reduce((sum, leaf) => sum + 2 + leaf.length, 0));
  let at = 0;
  for (const leaf of leaves) {
    out[at] = leaf.length >> 8;
    out[at + 1] = leaf.length & 255;
    out.set(leaf, at + 2);
    at += 2 + leaf.length;
  }
  return out;
}

/** Hashes of a tile, or null unless there are exactly `width`. */
export function parseTile(bytes: Bytes, width: number): Bytes[] | null {
  if (bytes.length !== width * HASH_BYTES) return null;
  return Array.from({ length: width }, (_, i) => bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES));
}
