/**
 * Opens a store: the embedded PostgreSQL in a data folder, any PostgreSQL by URL, or an in-memory
 * PGlite for tests. PGlite never calls fsync and takes no lock, so it is refused for a data folder.
 */
import { drizzle as drizzleNode } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { startEmbedded } from './embedded.ts';
import { AlreadyRunning, takeGuard } from './guard.ts';
import { Store, type Db } from './store.ts';
import * as tables from './schema.ts';

const CONNECTIONS_MAX = 8;
const CONNECT_TIMEOUT_MS = 10_000;

export type Logger = (line: string) => void;

/** @throws Error with one sentence when the server can't be reached or another coordinator uses it. */
export async function openUrl(url: string, description: string, log: Logger, after: () => Promise<void> = async () => {}): Promise<Store> {
  const guard = await takeGuard(url, log, (error) => {
    // Two coordinators on one database would grant twice: the one that lost the lock stops at once.
    throw error;
  });
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS_MAX, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  // An idle connection that breaks is replaced by the pool; the queries that need it report it.
  pool.on('error', () => {});
  // The pool listens to idle ones only: one that breaks in the middle of a transaction would end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  const close = async (): Promise<void> => {
    await pool.end();
    await guard.release();
    await after();
  };
  const store = new Store(drizzleNode(pool, { schema: tables }) as unknown as Db, description, close);
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
    return await openUrl(server.url, `embedded PostgreSQL in ${dataDir}`, log, () => server.stop());
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
