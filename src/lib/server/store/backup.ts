/**
 * A whole store as one stream of lines, and back. A backup is one snapshot, taken while the coordinator
 * works; a restore fills an empty database in one transaction or not at all. Balances and tiles are not
 * in it: the database computes them again from postings and leaves, under the same constraints. It
 * refuses a database that holds anything, and a stream that was cut or changed.
 */
import { createHash } from 'node:crypto';
import pg from 'pg';
import * as v from 'valibot';
import { Store, type Db } from './store.ts';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrations } from './migrations.ts';
import * as tables from './schema.ts';

const FORMAT = 'pictor backup v1';
const ROWS_AT_ONCE = 1_000;
/** Derived by triggers and the log, of one run only, or written by the migrations themselves. */
const LEFT_OUT = ['balances', 'log_tiles', 'instances', 'presence', 'mail', 'migrations'];

const HeadSchema = v.strictObject({ format: v.literal(FORMAT), version: v.number(), tables: v.array(v.string()) });
const EndSchema = v.strictObject({ end: v.literal(true), rows: v.number(), sha256: v.string() });

export interface BackupCounts {
  readonly rows: number;
  /** Leaves of the log. */
  readonly leaves: number;
}

/** @param write is waited for: nobody has to hold a store in memory. */
export async function backUp(url: string, write: (line: string) => Promise<void>): Promise<BackupCounts> {
  return withClient(url, async (client) => {
    await client.query('begin isolation level repeatable read read only');
    const version = await versionOf(client);
    const names = await tablesInOrder(client);
    const hash = createHash('sha256');
    let rows = 0;
    await write(JSON.stringify({ format: FORMAT, version, tables: names }));
    for (const name of names) {
      await client.query(
        `declare rows no scroll cursor for select to_json(t)::text as row from ${name} t order by ${await keyOf(client, name)}`,
      );
      for (;;) {
        const { rows: some } = await client.query<{ row: string }>(`fetch ${ROWS_AT_ONCE} from rows`);
        if (some.length === 0) break;
        for (const { row } of some) {
          const line = `${name} ${row}`;
          hash.update(`${line}\n`);
          await write(line);
        }
        rows += some.length;
      }
      await client.query('close rows');
    }
    await write(JSON.stringify({ end: true, rows, sha256: hash.digest('hex') }));
    const leaves = await logSize(client);
    await client.query('commit');
    return { rows, leaves };
  });
}

/** @throws Error with one sentence; then the database is as it was. */
export async function restoreFrom(url: string, lines: AsyncIterable<string>): Promise<BackupCounts> {
  return withClient(url, async (client) => {
    const source = lines[Symbol.asyncIterator]();
    const first = await source.next();
    const head = v.safeParse(HeadSchema, parse(first.done ? '' : first.value));
    if (!head.success) throw new Error('this is not a backup that this release can read');
    const { version, tables: names } = head.output;
    if (version > migrations.at(-1)!.version) throw new Error(`the backup is of a later release (schema ${version})`);
    // In transactions of its own: what a refused backup leaves behind is an empty schema.
    await migrateTo(client, version);
    await client.query('begin');
    if ((await client.query('select 1 from meta limit 1')).rows.length > 0)
      throw new Error('the database is not empty: restore into a new one');
    await client.query('delete from log_head');
    const rows = await load(client, new Set(names), source);
    const leaves = await logSize(client);
    const held = Number((await client.query<{ n: string }>('select count(*) as n from log_leaves')).rows[0]!.n);
    if (held !== leaves) throw new Error(`the log in the backup has ${held} leaves and its head says ${leaves}`);
    await client.query('commit');
    await migrateTo(client, Infinity);
    return { rows, leaves };
  });
}

async function load(client: pg.Client, known: ReadonlySet<string>, source: AsyncIterator<string>): Promise<number> {
  const hash = createHash('sha256');
  let [table, waiting, rows] = ['', [] as string[], 0];
  const flush = async (): Promise<void> => {
    if (waiting.length === 0) return;
    const text = `[${waiting.join(',')}]`;
    waiting = [];
    await client.query(`insert into ${table} select * from json_populate_recordset(null::${table}, $1::json)`, [text]);
  };
  for (let next = await source.next(); !next.done; next = await source.next()) {
    const line = next.value;
    if (line.startsWith('{')) {
      await flush();
      const end = v.safeParse(EndSchema, parse(line));
      if (!end.success || end.output.rows !== rows || end.output.sha256 !== hash.digest('hex'))
        throw new Error('the backup was changed or damaged');
      return rows;
    }
    const cut = line.indexOf(' ');
    const name = line.slice(0, cut);
    if (!known.has(name)) throw new Error('the backup was changed or damaged');
    if (name !== table || waiting.length >= ROWS_AT_ONCE) await flush();
    table = name;
    waiting.push(line.slice(cut + 1));
    hash.update(`${line}\n`);
    rows++;
  }
  throw new Error('the backup was cut short');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  } finally {
    await client.end().catch(() => {});
  }
}

const migrateTo = (client: pg.Client, version: number): Promise<void> =>
  new Store(drizzle(client, { schema: tables }) as unknown as Db, 'restored', async () => {}).migrate(version);

const versionOf = async (client: pg.Client): Promise<number> =>
  Number((await client.query<{ v: number }>('select max(version) as v from migrations')).rows[0]?.v ?? 0);

const logSize = async (client: pg.Client): Promise<number> =>
  Number((await client.query<{ size: string }>('select size from log_head')).rows[0]!.size);

/** Who is referred to comes first. */
async function tablesInOrder(client: pg.Client): Promise<string[]> {
  const { rows: all } = await client.query<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = current_schema() and table_type = 'BASE TABLE' order by 1`,
  );
  const { rows: links } = await client.query<{ child: string; parent: string }>(
    `select conrelid::regclass::text as child, confrelid::regclass::text as parent from pg_constraint where contype = 'f'`,
  );
  const left = new Set(all.map(({ name }) => name).filter((name) => !LEFT_OUT.includes(name)));
  const out: string[] = [];
  while (left.size > 0) {
    const ready = [...left].filter((name) => !links.some(({ child, parent }) => child === name && parent !== name && left.has(parent)));
    if (ready.length === 0) throw new Error('tables that refer to each other in a circle');
    for (const name of ready) {
      left.delete(name);
      out.push(name);
    }
  }
  return out;
}

/** Entries and leaves go back in the order in which they were made. */
async function keyOf(client: pg.Client, table: string): Promise<string> {
  const { rows: found } = await client.query<{ columns: string }>(
    `select string_agg(quote_ident(a.attname), ', ' order by k.n) as columns
       from pg_index i, unnest(i.indkey) with ordinality k (attnum, n), pg_attribute a
      where i.indrelid = $1::regclass and i.indisprimary and a.attrelid = i.indrelid and a.attnum = k.attnum`,
    [table],
  );
  return found[0]?.columns ?? '1';
}
