/**
 * A tab's own memory in IndexedDB: the identity key, envelopes not yet acknowledged, and a
 * creator's orders and films. The secret key never leaves this browser unless its owner exports it.
 */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import { randomBytes, utf8, type Bytes } from '../protocol/bytes.ts';
import { envelopeHash, identityFromSecret, type Envelope, type Identity } from '../protocol/envelope.ts';
import type { FrameHead, StoredFrame } from './frame-store.ts';
import type { JobStore, StoredFilm, StoredJob } from './job-store.ts';
import type { Outbox } from './outbox.ts';
import type { SequencePlan } from './sequence-plan.ts';
import { parseMemory, type WitnessMemory, type WitnessStore } from './witness.ts';

interface Schema extends DBSchema {
  keys: { key: string; value: Bytes };
  outbox: { key: string; value: Envelope };
  jobs: { key: string; value: StoredJob };
  /** Under the lease's id; `place` is [job, tile]. */
  films: { key: string; value: StoredFilm & { readonly place: [string, number] }; indexes: { place: [string, number] } };
  sequences: { key: string; value: SequencePlan };
  frames: { key: [string, number]; value: StoredFrame };
  /** Apart from the pixels, so that a look at a whole sequence reads none. */
  frameHeads: { key: [string, number]; value: FrameHead & { readonly sequence: string } };
}

export type BrowserDatabase = IDBPDatabase<Schema>;

/** @throws when another tab still holds the database of an older version: it has films that must not be lost. */
export function openBrowserDatabase(name = 'pictor'): Promise<BrowserDatabase> {
  let stuck: (why: Error) => void = () => {};
  const blocked = new Promise<never>((_, reject) => (stuck = reject));
  const opened = openDB<Schema>(name, 3, {
    blocked: () => stuck(new Error('another tab of this site is of an older version: reload or close it, then try again')),
    upgrade(db, before) {
      if (before < 1) {
        db.createObjectStore('keys');
        db.createObjectStore('outbox');
      } else if (before < 2) {
        // Films of version 1 have another layout, and nothing reads it any more; keys stay.
        db.deleteObjectStore('jobs');
        db.deleteObjectStore('films');
      }
      if (before < 2) {
        db.createObjectStore('jobs', { keyPath: 'job' });
        db.createObjectStore('films').createIndex('place', 'place');
      }
      db.createObjectStore('sequences', { keyPath: 'sequence' });
      db.createObjectStore('frames', { keyPath: ['sequence', 'frame'] });
      db.createObjectStore('frameHeads', { keyPath: ['sequence', 'frame'] });
    },
  });
  return Promise.race([opened, blocked]);
}

const SECRET = 'identity';

/** The key of this browser, made on first use; two tabs that race end with the same one. */
export async function browserIdentity(db: BrowserDatabase): Promise<Identity> {
  const transaction = db.transaction('keys', 'readwrite');
  let secret = await transaction.store.get(SECRET);
  if (!secret) {
    secret = randomBytes(32);
    await transaction.store.put(secret, SECRET);
  }
  await transaction.done;
  return identityFromSecret(secret);
}

/** All tabs of a browser are one witness: its key is one, and so is what it remembers. */
export class IdbWitnessStore implements WitnessStore {
  readonly #db: BrowserDatabase;

  constructor(db: BrowserDatabase) {
    this.#db = db;
  }

  async load(origin: string): Promise<WitnessMemory | null> {
    const bytes = await this.#db.get('keys', `witness:${origin}`);
    return bytes ? parseMemory(bytes) : null;
  }

  async save(origin: string, memory: WitnessMemory): Promise<void> {
    await this.#db.put('keys', utf8(JSON.stringify(memory)), `witness:${origin}`);
  }
}

/** Of one origin all tabs share an outbox: whoever comes first delivers, twice does no harm. */
export class IdbOutbox implements Outbox {
  readonly #db: BrowserDatabase;

  constructor(db: BrowserDatabase) {
    this.#db = db;
  }

  load(): Promise<readonly Envelope[]> {
    return this.#db.getAll('outbox');
  }

  async save(envelope: Envelope): Promise<void> {
    await this.#db.put('outbox', envelope, envelopeHash(envelope));
  }

  remove(envelope: Envelope): Promise<void> {
    return this.#db.delete('outbox', envelopeHash(envelope));
  }
}

export class IdbJobStore implements JobStore {
  readonly #db: BrowserDatabase;

  constructor(db: BrowserDatabase) {
    this.#db = db;
  }

  jobs(): Promise<readonly StoredJob[]> {
    return this.#db.getAll('jobs');
  }

  async putJob(job: StoredJob): Promise<void> {
    await this.#db.put('jobs', job);
  }

  async deleteJob(job: string): Promise<void> {
    const transaction = this.#db.transaction(['jobs', 'films'], 'readwrite');
    const films = transaction.objectStore('films');
    for (const key of await films.index('place').getAllKeys(rangeOf(job))) await films.delete(key);
    await transaction.objectStore('jobs').delete(job);
    await transaction.done;
  }

  async putFilm(film: StoredFilm): Promise<void> {
    await this.#db.put('films', { ...film, place: [film.lease.job, film.lease.tile] }, film.lease.lease);
  }

  deleteFilm(lease: string): Promise<void> {
    return this.#db.delete('films', lease);
  }

  films(job: string, tile?: number): Promise<readonly StoredFilm[]> {
    return this.#db.getAllFromIndex('films', 'place', rangeOf(job, tile));
  }
}

const rangeOf = (job: string, tile?: number): IDBKeyRange =>
  tile === undefined ? IDBKeyRange.bound([job], [job, []]) : IDBKeyRange.only([job, tile]);
