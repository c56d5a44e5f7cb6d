/**
 * Opens a store: the embedded PostgreSQL in a data folder, any PostgreSQL by URL, or an in-memory
 * PGlite for tests. PGlite never calls fsync and takes no lock, so it is refused for a data folder.
 */
import { drizzle as drizzleNode } from 'drizzle-orm/node-postgres';
import { Pool } from 'pg';
import { startEmbedded } from './embedded.ts';
import { Store, type Db } from './store.ts';
import * as tables from './schema.ts';

const CONNECTIONS_MAX = 8;

export type Logger = (line: string) => void;

/** @throws Error with one sentence when the server can't be reached. */
export async function openUrl(url: string, description: string, after: () => Promise<void> = async () => {}): Promise<Store> {
  const pool = new Pool({ connectionString: url, max: CONNECTIONS_MAX, connectionTimeoutMillis: 10_000 });
  // An idle connection that breaks is replaced by the pool; the queries that need it report it.
  pool.on('error', () => {});
  const store = new Store(drizzleNode(pool, { schema: tables }) as unknown as Db, description, async () => {
    await pool.end();
    await after();
  });
  await store.migrate();
  return store;
}

export async function openEmbedded(dataDir: string, log: Logger): Promise<Store> {
  const server = await startEmbedded(dataDir, log);
  return openUrl(server.url, `embedded PostgreSQL in ${dataDir}`, () => server.stop());
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
