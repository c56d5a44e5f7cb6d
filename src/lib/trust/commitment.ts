/**
 * What a worker commits to: the Merkle root over a film's leaves (8×8 pixels in row order). A
 * leaf's hash is SHA-256(0x00 ‖ SHA-256(light) ‖ SHA-256(signatures)), RFC 6962 nodes above, so the
 * light can be delivered without the signatures and still be checked against the root.
 */
import { concat, equalBytes, sha256, toHex, type Bytes } from '../protocol/bytes.ts';
import { FILM_BYTES_PER_PIXEL, type Film } from '../job/film.ts';
import { leafRects, type Rect } from '../job/plan.ts';
import { hashLeaf, rootOf } from '../ledger/merkle.ts';

/** One leaf opened for a checker; both parts in the canonical little-endian layout. */
export interface LeafParts {
  /** FilmPixel per pixel, rows of the leaf from the top. */
  readonly light: Bytes;
  /** pixels × samples × 2 bytes. */
  readonly signatures: Bytes;
}

/** `leaf` in frame coordinates must lie inside the tile at `origin` of the film's size. */
export function cutLeaf(film: Film, origin: Pick<Rect, 'x' | 'y'>, leaf: Rect): LeafParts {
  return { light: cutLight(film, origin, leaf), signatures: cutSignatures(film, origin, leaf) };
}

export function cutLight(film: Pick<Film, 'width' | 'light'>, origin: Pick<Rect, 'x' | 'y'>, leaf: Rect): Bytes {
  return cutRows(film.light, film.width, FILM_BYTES_PER_PIXEL, origin, leaf);
}

function cutSignatures(film: Film, origin: Pick<Rect, 'x' | 'y'>, leaf: Rect): Bytes {
  const { buffer, byteOffset, byteLength } = film.signatures;
  return cutRows(new Uint8Array(buffer, byteOffset, byteLength), film.width, film.samples * 2, origin, leaf);
}

function cutRows(bytes: Bytes, filmWidth: number, pixelBytes: number, origin: Pick<Rect, 'x' | 'y'>, leaf: Rect): Bytes {
  const rowBytes = leaf.width * pixelBytes;
  const out = new Uint8Array(rowBytes * leaf.height);
  for (let row = 0; row < leaf.height; row++) {
    const from = ((leaf.y - origin.y + row) * filmWidth + (leaf.x - origin.x)) * pixelBytes;
    out.set(bytes.subarray(from, from + rowBytes), row * rowBytes);
  }
  return out;
}

export const leafHash = (lightHash: Uint8Array, signatureHash: Uint8Array): Bytes => hashLeaf(concat(lightHash, signatureHash));

export const partsHash = (parts: LeafParts): Bytes => leafHash(sha256(parts.light), sha256(parts.signatures));

export interface Commitment {
  /** Hex. */
  readonly root: string;
  /** 32 bytes per leaf, in leaf order; delivered with the light. */
  readonly signatureHashes: Bytes;
  readonly leafHashes: readonly Bytes[];
}

/** @param tile the film's rectangle in the frame; its size must be the film's. */
export function commit(film: Film, tile: Rect): Commitment {
  const parts = leafRects(tile).map((leaf) => cutLeaf(film, tile, leaf));
  const signatureHashes = parts.map((part) => sha256(part.signatures));
  const leafHashes = parts.map((part, i) => leafHash(sha256(part.light), signatureHashes[i]!));
  return { root: toHex(rootOf(leafHashes)), signatureHashes: concat(...signatureHashes), leafHashes };
}

/** Leaf hashes that delivered light and signature hashes imply; null when these are not as long as the tile asks. */
export function deliveredHashes(light: Bytes, signatureHashes: Bytes, tile: Rect): Bytes[] | null {
  const leaves = leafRects(tile);
  if (light.length !== tile.width * tile.height * FILM_BYTES_PER_PIXEL || signatureHashes.length !== leaves.length * 32) return null;
  return leaves.map((leaf, i) =>
    leafHash(sha256(cutLight({ width: tile.width, light }, tile, leaf)), signatureHashes.subarray(i * 32, i * 32 + 32)),
  );
}

/** The root over them; the receiver compares it with the commitment's. */
export function rootOfDelivery(light: Bytes, signatureHashes: Bytes, tile: Rect): string | null {
  const hashes = deliveredHashes(light, signatureHashes, tile);
  return hashes && toHex(rootOf(hashes));
}

/** Does an opened leaf belong to the committed root, given all leaf hashes the worker claims? */
export function openingMatches(parts: LeafParts, index: number, leafHashes: readonly Bytes[], root: string): boolean {
  const claimed = leafHashes[index];
  return claimed !== undefined && toHex(rootOf(leafHashes)) === root && equalBytes(claimed, partsHash(parts));
}
