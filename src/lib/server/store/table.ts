/**
 * Rows of one table as a transaction sees them: read when they are first asked for, kept in memory, and
 * written with all others that changed in one statement. Nobody else writes such a table, and whoever holds
 * one holds the lock of the log's head; what another instance wrote since makes all of it be forgotten
 * (store.ts). Rows are never changed in place.
 */
import { and, asc, eq, getTableColumns, lte, sql, type SQL } from 'drizzle-orm';
import { getTableConfig, type PgColumn, type PgTable } from 'drizzle-orm/pg-core';
import type { Db } from './store.ts';

type Value = string | number;
export type RowOf<T extends PgTable> = T['$inferSelect'];

/** Rows that belong together and are asked for together. */
export interface GroupRule<Row> {
  readonly by: keyof Row & string;
  /** Only these are members; all where it is not said. */
  readonly where?: { readonly sql: SQL; readonly holds: (row: Row) => boolean };
  /** No more than this many are kept, those with the highest keys. */
  readonly max?: number;
}

const SEPARATOR = '\u0000';
/** As PostgreSQL reads them in JSON. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Uint8Array
    ? `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
    : (value ?? null);
}

/** One parameter however many values there are, so that the statement is planned once. */
export const oneOf = (column: PgColumn, values: readonly Value[]): SQL => sql`${column} = any(${sql.param(values)})`;

/**
 * The states are written out: indexes over rows of some states only serve who names them, and what a prepared
 * statement's parameters will be is not known when it is planned.
 */
export const inState = <C extends PgColumn>(column: C, ...states: C['_']['data'][]): SQL =>
  sql`${column} in (${sql.raw(states.map((state) => `'${String(state)}'`).join())})`;

/** What is known of a table before any row is. */
interface Shape {
  readonly name: string;
  readonly columns: Readonly<Record<string, PgColumn>>;
  readonly upsert: SQL;
  readonly delete: SQL;
}

/** Whoever only reads makes tables anew each time. */
const shapes = new WeakMap<PgTable, Shape>();

function shapeOf(table: PgTable, keys: readonly string[]): Shape {
  const known = shapes.get(table);
  if (known) return known;
  const columns = getTableColumns(table) as unknown as Record<string, PgColumn>;
  const { name } = getTableConfig(table);
  const quoted = (fields: readonly string[]): string[] => fields.map((field) => `"${columns[field]!.name}"`);
  const [all, own] = [quoted(Object.keys(columns)), quoted(keys)];
  const rest = all.filter((column) => !own.includes(column)).map((column) => `${column} = excluded.${column}`);
  const shape = {
    name,
    columns,
    upsert: sql.raw(`on conflict (${own.join()}) do update set ${rest.join()}`),
    delete: sql.raw(own.map((column) => `"${name}".${column} = gone.${column}`).join(' and ')),
  };
  shapes.set(table, shape);
  return shape;
}

export class Table<T extends PgTable, Row extends RowOf<T> = RowOf<T>> {
  readonly #table: T;
  readonly #shape: Shape;
  readonly #columns: Shape['columns'];
  readonly #keys: readonly string[];
  readonly #group: GroupRule<Row> | undefined;
  readonly #db: () => Db;
  readonly #rows = new Map<string, Row | null>();
  readonly #groups = new Map<Value, Map<string, Row>>();
  /** Changed since they were last written, in the order in which that began; with the row last seen. */
  readonly #changed = new Map<string, Row>();

  constructor(db: () => Db, table: T, keys: readonly (keyof Row & string)[], group?: GroupRule<Row>) {
    this.#db = db;
    this.#table = table;
    this.#shape = shapeOf(table, keys);
    this.#columns = this.#shape.columns;
    this.#keys = keys;
    this.#group = group;
  }

  /** Rows in memory. */
  get size(): number {
    return this.#rows.size;
  }

  async get(...key: Value[]): Promise<Row | null> {
    const id = key.join(SEPARATOR);
    const known = this.#rows.get(id);
    if (known !== undefined) return known;
    const where = and(...this.#keys.map((field, i) => eq(this.#columns[field]!, key[i]!)));
    const [found] = await this.#select(where);
    this.#rows.set(id, found ?? null);
    return found ?? null;
  }

  /** Reads what is not in memory yet in one query; of tables with one key only. */
  async load(keys: Iterable<Value>): Promise<void> {
    const missing = [...new Set(keys)].filter((key) => !this.#rows.has(String(key)));
    if (missing.length === 0) return;
    for (const key of missing) this.#rows.set(String(key), null);
    for (const row of await this.#select(oneOf(this.#columns[this.#keys[0]!]!, missing))) this.#rows.set(this.#id(row), row);
  }

  /** All members of a group, by their keys. */
  async members(of: Value): Promise<Row[]> {
    await this.loadGroups([of]);
    return [...this.#groups.get(of)!].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  }

  async loadGroups(values: Iterable<Value>): Promise<void> {
    const missing = [...new Set(values)].filter((value) => !this.#groups.has(value));
    if (missing.length === 0) return;
    const { by, where, max } = this.#group!;
    const of = and(oneOf(this.#columns[by]!, missing), where?.sql);
    const found = max === undefined ? await this.#select(of) : await this.#selectLast(of, this.#columns[by]!, max);
    for (const value of missing) this.#groups.set(value, new Map());
    for (const row of found) {
      const id = this.#id(row);
      if (!this.#changed.has(id)) this.#set(id, row);
    }
    // What changed and is not written yet is not among what was found, or not as it is now.
    for (const id of this.#changed.keys()) {
      const row = this.#rows.get(id);
      if (row) this.#join(id, row);
    }
  }

  /** There is none of this group in the database, or none any more. */
  emptied(of: Value): void {
    for (const id of this.#groups.get(of)?.keys() ?? []) {
      this.#rows.delete(id);
      this.#changed.delete(id);
    }
    this.#groups.set(of, new Map());
  }

  /** There is no row of this key in the database. */
  absent(...key: Value[]): void {
    this.#rows.set(key.join(SEPARATOR), null);
  }

  put(row: Row): void {
    const id = this.#id(row);
    this.#leave(id);
    this.#set(id, row);
    this.#changed.set(id, row);
  }

  /** Writes a row over again, as it is now. @throws Error when there is none. */
  async change(key: Value, change: (row: Row) => Partial<Row>): Promise<Row> {
    const before = await this.get(key);
    if (!before) throw new Error(`there is no ${key} in ${this.#shape.name}`);
    const after = { ...before, ...change(before) };
    this.put(after);
    return after;
  }

  delete(row: Row): void {
    const id = this.#id(row);
    this.#leave(id);
    this.#rows.set(id, null);
    this.#changed.set(id, row);
  }

  /** Statements that write what changed; whoever asks for them runs them. */
  changes(): SQL[] {
    if (this.#changed.size === 0) return [];
    const kept: Row[] = [];
    const gone: Row[] = [];
    for (const [id, last] of this.#changed) {
      const row = this.#rows.get(id);
      if (row) kept.push(row);
      else gone.push(last);
    }
    this.#changed.clear();
    const statements: SQL[] = [];
    if (gone.length > 0)
      statements.push(sql`delete from ${this.#table} using ${recordset(this.#table, gone)} gone where ${this.#shape.delete}`);
    if (kept.length > 0) statements.push(sql`${insertInto(this.#table)} ${recordset(this.#table, kept)} ${this.#shape.upsert}`);
    return statements;
  }

  clear(): void {
    this.#rows.clear();
    this.#groups.clear();
    this.#changed.clear();
  }

  #id(row: Row): string {
    return this.#keys.map((field) => String(row[field as keyof Row])).join(SEPARATOR);
  }

  #set(id: string, row: Row): void {
    this.#rows.set(id, row);
    this.#join(id, row);
  }

  #join(id: string, row: Row): void {
    if (!this.#group) return;
    const { by, where, max = Infinity } = this.#group;
    const members = this.#groups.get(row[by] as Value);
    if (!members || where?.holds(row) === false) return;
    members.set(id, row);
    if (members.size > max) members.delete([...members.keys()].reduce((least, one) => (Number(one) < Number(least) ? one : least)));
  }

  #leave(id: string): void {
    const row = this.#rows.get(id);
    if (row && this.#group) this.#groups.get(row[this.#group.by] as Value)?.delete(id);
  }

  async #select(where: SQL | undefined): Promise<Row[]> {
    return (await this.#db()
      .select()
      .from(this.#table as PgTable)
      .where(where)
      .orderBy(asc(this.#columns[this.#keys[0]!]!))) as Row[];
  }

  /** Of each group no more than `max`, those with the highest keys. */
  async #selectLast(where: SQL | undefined, by: PgColumn, max: number): Promise<Row[]> {
    const place = sql<string>`row_number() over (partition by ${by} order by ${this.#columns[this.#keys[0]!]!} desc)`.as('place');
    const placed = this.#db()
      .select({ ...this.#columns, place })
      .from(this.#table as PgTable)
      .where(where)
      .as('placed');
    const found = await this.#db()
      .select()
      .from(placed)
      .where(lte(placed.place, sql`${max}`));
    return found.map((one) => {
      const { place: _, ...row } = one;
      return row as Row;
    });
  }
}

/** Rows that are written once and never looked at again in a write. */
export class Journal<T extends PgTable> {
  readonly #table: T;
  #rows: T['$inferInsert'][] = [];

  constructor(table: T) {
    this.#table = table;
  }

  add(...rows: readonly T['$inferInsert'][]): void {
    this.#rows.push(...rows);
  }

  changes(): SQL[] {
    const rows = this.#rows.splice(0);
    return rows.length > 0 ? [sql`${insertInto(this.#table)} ${recordset(this.#table, rows)}`] : [];
  }

  clear(): void {
    this.#rows = [];
  }
}

const insertInto = (table: PgTable): SQL => sql`insert into ${table} select * from`;

/** One parameter however many rows there are, so that the statement is planned once. */
function recordset(table: PgTable, rows: readonly Record<string, unknown>[]): SQL {
  const columns = Object.entries(getTableColumns(table) as unknown as Record<string, PgColumn>);
  const records = rows.map((row) => Object.fromEntries(columns.map(([field, { name }]) => [name, plain(row[field])])));
  return sql`json_populate_recordset(null::${table}, ${JSON.stringify(records)}::json)`;
}
