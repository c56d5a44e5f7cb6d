/**
 * Blobs in IndexedDB, the least recently used gone first beyond the bound or half of what the
 * browser grants this site. Refuses a blob that does not fit even alone, with one sentence.
 */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import type { Bytes } from '../protocol/bytes.ts';
import { BLOB_STORE_BYTES_MAX } from '../protocol/limits.ts';
import type { BlobStore } from '../roles/types.ts';

interface Schema extends DBSchema {
  blobs: { key: string; value: Bytes };
  /** Apart from the bytes, so that eviction reads no blob. */
  uses: { key: string; value: { readonly hash: string; readonly bytes: number; readonly usedMs: number } };
}

export class IdbBlobStore implements BlobStore {
  readonly #db: Promise<IDBPDatabase<Schema>>;

  constructor(name = 'pictor-blobs') {
    this.#db = openDB<Schema>(name, 1, {
      upgrade(db) {
        db.createObjectStore('blobs');
        db.createObjectStore('uses', { keyPath: 'hash' });
      },
    });
  }

  async get(hash: string): Promise<Bytes | null> {
    const db = await this.#db;
    const blob = await db.get('blobs', hash);
    if (!blob) return null;
    await db.put('uses', { hash, bytes: blob.length, usedMs: Date.now() });
    return blob;
  }

  async put(hash: string, bytes: Bytes): Promise<void> {
    await this.#evict(hash, bytes.length);
    try {
      await this.#write(hash, bytes);
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'QuotaExceededError') throw error;
      // The browser's estimate was too kind: make all the room there is, once.
      await this.#evict(hash, Number.POSITIVE_INFINITY);
      await this.#write(hash, bytes);
    }
  }

  async list(): Promise<readonly string[]> {
    return (await this.#db).getAllKeys('uses');
  }

  async delete(hash: string): Promise<void> {
    const transaction = (await this.#db).transaction(['blobs', 'uses'], 'readwrite');
    await Promise.all([transaction.objectStore('blobs').delete(hash), transaction.objectStore('uses').delete(hash), transaction.done]);
  }

  async #write(hash: string, bytes: Bytes): Promise<void> {
    const transaction = (await this.#db).transaction(['blobs', 'uses'], 'readwrite');
    const use = { hash, bytes: bytes.length, usedMs: Date.now() };
    await Promise.all([transaction.objectStore('blobs').put(bytes, hash), transaction.objectStore('uses').put(use), transaction.done]);
  }

  async #evict(keep: string, wanted: number): Promise<void> {
    const uses = (await (await this.#db).getAll('uses')).filter((use) => use.hash !== keep);
    const room = (await roomBytes()) - wanted;
    let held = uses.reduce((sum, use) => sum + use.bytes, 0);
    for (const use of uses.toSorted((a, b) => a.usedMs - b.usedMs)) {
      if (held <= room) return;
      await this.delete(use.hash);
      held -= use.bytes;
    }
  }
}

async function roomBytes(): Promise<number> {
  const quota = (await navigator.storage?.estimate())?.quota ?? BLOB_STORE_BYTES_MAX;
  return Math.min(BLOB_STORE_BYTES_MAX, quota / 2);
}
