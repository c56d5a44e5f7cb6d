/**
 * The one store: PostgreSQL through drizzle. All writes go through `write`, which groups waiting
 * writes into one transaction (one fsync) under the lock of the log's head: a write sees every
 * earlier one, its log leaves get the next indices, and when its promise resolves it is on disk.
 * What writes change is kept in memory (rows.ts) and written together at the end, in one
 * statement. Where one throws, nothing of the transaction stands, and each is run again alone: it
 * changes nothing and fails alone.
 */
import { randomBytes } from 'node:crypto';
import { sql } from 'drizzle-orm';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { LOG_ENTRY_BYTES_MAX, WRITES_PER_TRANSACTION_MAX } from '../../protocol/limits.ts';
import { encodeLeaf, type LogLeaf } from '../../ledger/leaf.ts';
import { hashLeaf } from '../../ledger/merkle.ts';
import type { InstanceLink } from './instance-link.ts';
import { migrations } from './migrations.ts';
import { Rows, rowsIn, type Wants } from './rows.ts';
import * as tables from './schema.ts';

export type Db = PgDatabase<PgQueryResultHKT, typeof tables>;

/** One write in progress. */
export interface Tx {
  readonly rows: Rows;
  /** For what is not among the rows: they are written first, and what is asked sees them. Tables of rows are only read by it. */
  sql(): Promise<Db>;
  /** Appends a leaf to the log in this transaction. @returns its index. */
  append(leaf: LogLeaf): number;
}

interface Pending {
  readonly wants: Wants;
  readonly work: (tx: Tx) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

/** Writes run, or answered, before whoever only reads has its turn. */
const WORKS_PER_TURN_MAX = 16;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Rows kept from one transaction to the next. */
const ROWS_KEPT_MAX = 50_000;

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
  /** Of the transaction under way; between two, the database's. */
  #current: Db;
  readonly #rows = new Rows(() => this.#current);
  /** Who wrote last is written beside the log's head: rows that another wrote since are not what is kept here. */
  readonly #writer = randomBytes(8).toString('hex');

  constructor(db: Db, description: string, closeDriver: () => Promise<void>, link: InstanceLink | null = null) {
    this.link = link;
    this.db = db;
    this.#current = db;
    this.description = description;
    this.#closeDriver = closeDriver;
  }

  /** Rows as they are committed, for whoever only reads. */
  committed(): Rows {
    return rowsIn(this.db);
  }

  /** Durable when resolved. `work` must use nothing but `tx`, and may be run on a later tick, and twice. */
  write<T>(work: (tx: Tx) => Promise<T>, wants: Wants = {}): Promise<T> {
    if (this.#closed) return Promise.reject(new Error('the store is closed'));
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, wants, resolve: resolve as (value: unknown) => void, reject });
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
    while (this.#waiting.length > 0) await this.#commit(() => this.#waiting.splice(0, WRITES_PER_TRANSACTION_MAX));
    this.#running = null;
  }

  /** @param take called when the lock is held, so that what comes while another holds it is of the same transaction. @returns whether the database is away. */
  async #commit(take: () => readonly Pending[]): Promise<boolean> {
    const ran: unknown[] = [];
    let batch: readonly Pending[] = [];
    let [begun, lasting] = [false, false];
    try {
      await this.db.transaction(async (db) => {
        const [head] = await db.select().from(tables.logHead).for('update');
        if (!head) throw new Error('the log has no head');
        begun = true;
        batch = take();
        await this.#transact(db, head, batch, ran);
        lasting = true;
      });
      for (const [i, pending] of batch.entries()) {
        if (i % WORKS_PER_TURN_MAX === WORKS_PER_TURN_MAX - 1) await turn();
        pending.resolve(ran[i]);
      }
      return false;
    } catch (error) {
      this.#rows.clear();
      if (!begun) batch = take();
      if (!lasting && batch.length > 1 && !isOutage(error)) {
        let away = false;
        for (const pending of batch)
          if (away) pending.reject(error);
          else away = await this.#commit(() => [pending]);
        return away;
      }
      // Nobody is told that anything of the batch is durable; where it broke in the commit itself, it may be.
      for (const pending of batch) pending.reject(error);
      if (lasting) this.onUnknown();
      return isOutage(error);
    } finally {
      this.#current = this.db;
    }
  }

  async #transact(db: Db, head: typeof tables.logHead.$inferSelect, batch: readonly Pending[], ran: unknown[]): Promise<void> {
    this.#current = db;
    if (head.writer !== this.#writer || this.#rows.size > ROWS_KEPT_MAX) this.#rows.clear();
    let { size } = head;
    const tx: Tx = {
      rows: this.#rows,
      append: (leaf) => {
        const bytes = encodeLeaf(leaf);
        if (bytes.length > LOG_ENTRY_BYTES_MAX) throw new RangeError(`a log leaf of ${bytes.length} bytes`);
        this.#rows.log.add({ index: size, bytes, hash: hashLeaf(bytes) });
        return size++;
      },
      sql: async () => {
        await this.#rows.flush();
        return db;
      },
    };
    await this.#rows.prefetch(batch.map(({ wants }) => wants));
    for (const [i, { work }] of batch.entries()) {
      if (i % WORKS_PER_TURN_MAX === WORKS_PER_TURN_MAX - 1) await turn();
      ran.push(await work(tx));
    }
    const grown = size > head.size || head.writer !== this.#writer;
    await this.#rows.flush(...(grown ? [sql`update ${tables.logHead} set size = ${size}, writer = ${this.#writer}`] : []));
  }
}

/** Classes of PostgreSQL's error codes that say something of the server or the connection, and nothing of what was asked. */
const OUTAGE_CODES = /^(08|53|57|58|E(?!RR_)[A-Z]{2}|XX)/;

/** Is the database away? Then it is away for each of a transaction, and every one would wait for it in turn. */
function isOutage(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string') return OUTAGE_CODES.test(cause.code);
    if (
      /^(Connection terminated|timeout exceeded when trying to connect|Client was closed|Client has encountered a connection error)/.test(
        cause.message,
      )
    )
      return true;
  }
  return false;
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
