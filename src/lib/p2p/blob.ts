/**
 * Content addresses. A blob's name is the SHA-256 of its manifest: 40 bytes of little-endian header
 * ("PICTBLOB", version u32, chunk bytes u32, blob bytes u64, chunk count u32, 12 zero bytes), then
 * the SHA-256 of every chunk. Every chunk but the last has BLOB_CHUNK_BYTES. Refuses any manifest
 * that its own bytes don't imply.
 */
import { concat, equalBytes, sha256 as plainSha256, toHex, utf8, type Bytes } from '../protocol/bytes.ts';
import { BLOB_BYTES_MAX, BLOB_CHUNK_BYTES } from '../protocol/limits.ts';

const MAGIC = utf8('PICTBLOB');
const VERSION = 1;
export const MANIFEST_HEADER_BYTES = 40;

export interface Manifest {
  /** Length of the blob. */
  readonly bytes: number;
  /** SHA-256 of each chunk, 32 bytes. */
  readonly chunks: readonly Bytes[];
}

/** WebCrypto where there is a secure context: six times faster than the portable hash. */
export async function sha256Fast(bytes: Bytes): Promise<Bytes> {
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;
  return subtle ? new Uint8Array(await subtle.digest('SHA-256', bytes)) : plainSha256(bytes);
}

export const chunkCount = (bytes: number): number => Math.ceil(bytes / BLOB_CHUNK_BYTES);

export const chunkAt = (blob: Bytes, index: number): Bytes => blob.subarray(index * BLOB_CHUNK_BYTES, (index + 1) * BLOB_CHUNK_BYTES);

export const chunkLength = (bytes: number, index: number): number => Math.min(BLOB_CHUNK_BYTES, bytes - index * BLOB_CHUNK_BYTES);

export async function manifestOf(blob: Bytes): Promise<Bytes> {
  const count = chunkCount(blob.length);
  const hashes: Bytes[] = [];
  for (let i = 0; i < count; i++) hashes.push(await sha256Fast(chunkAt(blob, i)));
  return concat(header(blob.length), ...hashes);
}

function header(bytes: number): Bytes {
  const out = new Uint8Array(MANIFEST_HEADER_BYTES);
  out.set(MAGIC);
  const view = new DataView(out.buffer);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, BLOB_CHUNK_BYTES, true);
  view.setBigUint64(16, BigInt(bytes), true);
  view.setUint32(24, chunkCount(bytes), true);
  return out;
}

export const hashOfManifest = (manifest: Bytes): string => toHex(plainSha256(manifest));

export const hashOfBlob = async (blob: Bytes): Promise<string> => hashOfManifest(await manifestOf(blob));

/** @returns null unless `manifest` is the manifest that `hash` names. */
export function parseManifest(hash: string, manifest: Bytes): Manifest | null {
  if (manifest.length < MANIFEST_HEADER_BYTES || hashOfManifest(manifest) !== hash) return null;
  const bytes = Number(new DataView(manifest.buffer, manifest.byteOffset).getBigUint64(16, true));
  if (bytes > BLOB_BYTES_MAX || !equalBytes(manifest.subarray(0, MANIFEST_HEADER_BYTES), header(bytes))) return null;
  const count = chunkCount(bytes);
  if (manifest.length !== MANIFEST_HEADER_BYTES + count * 32) return null;
  const at = (i: number): number => MANIFEST_HEADER_BYTES + i * 32;
  return { bytes, chunks: Array.from({ length: count }, (_, i) => manifest.slice(at(i), at(i) + 32)) };
}
