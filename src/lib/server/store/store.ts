/**
 * The one store: PostgreSQL through drizzle. All writes go through `write`, which groups waiting
 * writes into one transaction (one fsync), each in its own savepoint, under the lock of the log's
 * head: a write sees every earlier one, its log leaves get the next indices, and when its promise
 * resolves it is on disk. A write that throws changes nothing and fails alone.
 */
import { sql } from 'drizzle-orm';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import type { Bytes } from '../../protocol/bytes.ts';
import { LOG_ENTRY_BYTES_MAX, WRITES_PER_TRANSACTION_MAX } from '../../protocol/limits.ts';
import { encodeLeaf, type LogLeaf } from '../../ledger/leaf.ts';
import { hashLeaf } from '../../ledger/merkle.ts';
import type { InstanceLink } from './instance-link.ts';
import { migrations } from './migrations.ts';
import * as tables from './schema.ts';

export type Db = PgDatabase<PgQueryResultHKT, typeof tables>;

/** One write in progress. */
export interface Tx {
  readonly db: Db;
  /** Appends a leaf to the log in this transaction. @returns its index. */
  append(leaf: LogLeaf): number;
}

interface Pending {
  readonly work: (tx: Tx) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

interface LeafRow {
  readonly index: number;
  readonly bytes: Bytes;
  readonly hash: Bytes;
}

export class Store {
  readonly db: Db;
  /** For people: which database this is. */
  readonly description: string;
  /** Of a database that several instances may share; null where there is one. */
  readonly link: InstanceLink | null;
  /** Told when a transaction broke while it was being committed: it may be durable, and nobody was told of it. */
  onUnknown: () => void = () => {};
  readonly #closeDriver: () => Promise<void>;
  #waiting: Pending[] = [];
  #running: Promise<void> | null = null;
  #closed = false;

  constructor(db: Db, description: string, closeDriver: () => Promise<void>, link: InstanceLink | null = null) {
    this.link = link;
    this.db = db;
    this.description = description;
    this.#closeDriver = closeDriver;
  }

  /** Durable when resolved. `work` must use nothing but `tx.db`, and may be run on a later tick. */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error('the store is closed'));
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve: resolve as (value: unknown) => void, reject });
      this.#running ??= this.#drain();
    });
  }

  /** Resolves when no write is waiting or running. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.idle();
    await this.#closeDriver();
  }

  /** @param upTo of a backup of an older release: the last version to apply. */
  async migrate(upTo = Infinity): Promise<void> {
    await this.db.execute(sql`create table if not exists migrations (version int primary key, at timestamptz not null default now())`);
    await this.db.transaction(async (tx) => {
      await tx.execute(sql`lock table migrations in exclusive mode`);
      const done = new Set((await rows<{ version: number }>(tx, sql`select version from migrations`)).map((row) => row.version));
      for (const { version, sql: text } of migrations) {
        if (done.has(version) || version > upTo) continue;
        for (const statement of statements(text)) await tx.execute(sql.raw(statement));
        await tx.execute(sql`insert into migrations (version) values (${version})`);
      }
    });
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) await this.#transact(this.#waiting.splice(0, WRITES_PER_TRANSACTION_MAX));
    this.#running = null;
  }

  async #transact(batch: Pending[]): Promise<void> {
    const done: (() => void)[] = [];
    try {
      await this.db.transaction(async (outer) => {
        const [head] = await outer.select({ size: tables.logHead.size }).from(tables.logHead).for('update');
        if (!head) throw new Error('the log has no head');
        const log: LeafRow[] = [];
        for (const pending of batch) done.push(await attempt(outer, head.size, log, pending));
        if (log.length === 0) return;
        await outer.insert(tables.logLeaves).values(log);
        await outer.update(tables.logHead).set({ size: head.size + log.length });
      });
      for (const tell of done) tell();
    } catch (error) {
      // The transaction itself failed: nobody is told that anything of the batch is durable.
      for (const pending of batch) pending.reject(error);
      if (done.length === batch.length) this.onUnknown();
    }
  }
}

/** Runs one write in a savepoint. @returns what to tell its caller once the batch is committed. */
async function attempt(outer: Db, size: number, log: LeafRow[], pending: Pending): Promise<() => void> {
  const mark = log.length;
  try {
    const value = await outer.transaction((db) => pending.work({ db, append: (leaf) => append(log, size, leaf) }));
    return () => pending.resolve(value);
  } catch (error) {
    log.length = mark;
    return () => pending.reject(error);
  }
}

function append(log: LeafRow[], size: number, leaf: LogLeaf): number {
  const bytes = encodeLeaf(leaf);
  if (bytes.length > LOG_ENTRY_BYTES_MAX) throw new RangeError(`a log leaf of ${bytes.length} bytes`);
  const index = size + log.length;
  log.push({ index, bytes, hash: hashLeaf(bytes) });
  return index;
}

/** Rows of a raw query; both drivers answer with `rows`. */
export async function rows<T>(db: Db, query: ReturnType<typeof sql>): Promise<T[]> {
  return ((await db.execute(query)) as { rows: T[] }).rows;
}

/** Cuts a migration at semicolons outside $$-quoted bodies: the extended protocol takes one statement at a time. */
function statements(text: string): string[] {
  return text
    .replaceAll(/^--.*$/gm, '')
    .split(/(\$\$[\s\S]*?\$\$)/)
    .map((part) => (part.startsWith('$$') ? part.replaceAll(';', '\u0000') : part))
    .join('')
    .split(';')
    .map((statement) => statement.replaceAll('\u0000', ';').trim())
    .filter((statement) => statement.length > 0);
}
