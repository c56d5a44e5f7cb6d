/** Blobs in memory, for tests and short-lived agents; the oldest go first beyond the bound. */
import type { Bytes } from '../protocol/bytes.ts';
import { BLOB_STORE_BYTES_MAX } from '../protocol/limits.ts';
import type { BlobStore } from '../roles/types.ts';

export class MemoryBlobStore implements BlobStore {
  readonly #bytesMax: number;
  /** Least recently used first: a Map keeps insertion order. */
  readonly #blobs = new Map<string, Bytes>();

  constructor(bytesMax = BLOB_STORE_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  async get(hash: string): Promise<Bytes | null> {
    const blob = this.#blobs.get(hash);
    if (!blob) return null;
    this.#blobs.delete(hash);
    this.#blobs.set(hash, blob);
    return blob;
  }

  async put(hash: string, bytes: Bytes): Promise<void> {
    this.#blobs.delete(hash);
    this.#blobs.set(hash, bytes);
    let held = [...this.#blobs.values()].reduce((sum, blob) => sum + blob.length, 0);
    for (const [old, blob] of this.#blobs) {
      if (held <= this.#bytesMax || old === hash) break;
      this.#blobs.delete(old);
      held -= blob.length;
    }
  }

  async list(): Promise<readonly string[]> {
    return [...this.#blobs.keys()];
  }

  async delete(hash: string): Promise<void> {
    this.#blobs.delete(hash);
  }
}
