/** Findings of the autotuner in IndexedDB, which a worker can reach. A browser that refuses it tunes anew each time. */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import type { TuneStore } from './autotune.ts';

interface Schema extends DBSchema {
  tuned: { key: string; value: string };
}

export class IdbTuneStore implements TuneStore {
  #db: Promise<IDBPDatabase<Schema>> | null = null;

  async get(key: string): Promise<string | null> {
    return (await (await this.#open()).get('tuned', key)) ?? null;
  }

  async set(key: string, value: string): Promise<void> {
    await (await this.#open()).put('tuned', value, key);
  }

  /** Not before it is needed: software adapters never ask. */
  #open(): Promise<IDBPDatabase<Schema>> {
    this.#db ??= openDB<Schema>('pictor-tune', 1, { upgrade: (db) => void db.createObjectStore('tuned') });
    return this.#db;
  }
}
