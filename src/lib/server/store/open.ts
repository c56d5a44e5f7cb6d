/**
 * Opens a store: the embedded PostgreSQL in a data folder, any PostgreSQL by URL, or an in-memory
 * PGlite for tests. PGlite never calls fsync and takes no lock, so it is refused for a data folder.
 */
import { drizzle as drizzleNode } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { startEmbedded } from './embedded.ts';
import { AlreadyRunning, takeGuard } from './guard.ts';
import { InstanceLink } from './instance-link.ts';
import { Store, type Db } from './store.ts';
import * as tables from './schema.ts';

const CONNECTIONS_MAX = 8;
const CONNECT_TIMEOUT_MS = 10_000;

export type Logger = (line: string) => void;

/** Texts of statements that are prepared; lists of many lengths make many texts, and those beyond are sent whole. */
const STATEMENTS_PREPARED_MAX = 500;
const statementNames = new Map<string, string>();

/** A statement with parameters is parsed and planned once per connection: its text is its name. */
function prepare(client: pg.PoolClient): void {
  const query = client.query.bind(client) as (config: unknown, values: unknown, ...rest: unknown[]) => unknown;
  const prepared = (config: unknown, values: unknown, ...rest: unknown[]): unknown => query(named(config, values), values, ...rest);
  client.query = prepared as typeof client.query;
}

function named(config: unknown, values: unknown): unknown {
  if (!config || typeof config !== 'object' || !('text' in config) || typeof config.text !== 'string') return config;
  if (!Array.isArray(values) || values.length === 0 || ('name' in config && config.name !== undefined)) return config;
  let name = statementNames.get(config.text);
  if (name === undefined) {
    if (statementNames.size >= STATEMENTS_PREPARED_MAX) return config;
    statementNames.set(config.text, (name = `pictor_${statementNames.size}`));
  }
  return { ...config, name };
}

/**
 * drizzle gives a transaction's connection back only if it began: one that had died while it was idle would be
 * kept for ever, and the pool closed to all after eight of them. So transactions are given theirs here.
 */
function overPool(pool: pg.Pool): Db {
  const over = new WeakMap<pg.PoolClient, Db>();
  const db = drizzleNode(pool, { schema: tables }) as unknown as Db;
  const transaction: Db['transaction'] = async (work, config) => {
    const client = await pool.connect();
    try {
      const known = over.get(client) ?? (drizzleNode(client, { schema: tables }) as unknown as Db);
      over.set(client, known);
      return await known.transaction(work, config);
    } finally {
      client.release();
    }
  };
  return Object.assign(db, { transaction });
}

interface UrlOptions {
  readonly url: string;
  readonly description: string;
  /** May other instances use the database too? Else a lock keeps them out. */
  readonly shared: boolean;
  readonly log: Logger;
  readonly after?: () => Promise<void>;
}

/** @throws Error with one sentence when the server can't be reached, or another coordinator has it for itself. */
export async function openUrl({ url, description, shared, log, after }: UrlOptions): Promise<Store> {
  const guard = await takeGuard(url, shared, log, (error) => {
    // Somebody has taken the database for itself meanwhile: it must not be written to any more.
    throw error;
  });
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS_MAX, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  // An idle connection that breaks is replaced by the pool; the queries that need it report it.
  pool.on('error', () => {});
  // The pool listens to idle ones only: one that breaks in the middle of a transaction would end the process.
  pool.on('connect', (client) => {
    client.on('error', () => {});
    prepare(client);
  });
  const link = shared ? new InstanceLink(url) : null;
  const close = async (): Promise<void> => {
    await link?.close();
    await pool.end();
    await guard.release();
    await after?.();
  };
  const store = new Store(overPool(pool), description, close, link);
  try {
    await store.migrate();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

export async function openEmbedded(dataDir: string, log: Logger): Promise<Store> {
  const server = await startEmbedded(dataDir, log);
  try {
    const description = `embedded PostgreSQL in ${dataDir}`;
    return await openUrl({ url: server.url, description, shared: false, log, after: () => server.stop() });
  } catch (error) {
    // A server that another coordinator is using is left running.
    if (error instanceof AlreadyRunning) server.release();
    else await server.stop();
    throw error;
  }
}

/** For tests only: nothing survives the process. */
export async function openMemory(): Promise<Store> {
  const { PGlite } = await import('@electric-sql/pglite');
  const { drizzle } = await import('drizzle-orm/pglite');
  const client = await PGlite.create();
  const store = new Store(drizzle(client, { schema: tables }) as unknown as Db, 'PGlite in memory', () => client.close());
  await store.migrate();
  return store;
}
