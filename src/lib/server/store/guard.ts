/**
 * Who may use a database: several coordinators that share it, or one that has it for itself, because
 * the server in its data folder starts and stops with it. The guard is an advisory lock, shared or not,
 * on a connection of its own; it falls with the process that held it, however that ended.
 */
import pg from 'pg';

/** Any constant would do; this one spells "pictor" in ASCII. */
const LOCK = '123630996615026';
/** A killed coordinator's connection is noticed by the server within this time. */
const WAIT_MS = 5_000;
const PAUSE_MS = 100;

export class AlreadyRunning extends Error {}

export interface Guard {
  release(): Promise<void>;
}

/**
 * @param log told when the server went away and the lock was taken again.
 * @param lost called when somebody else took the lock meanwhile: this coordinator must stop.
 * @throws AlreadyRunning, or Error when the server can't be reached.
 */
export async function takeGuard(url: string, shared: boolean, log: (line: string) => void, lost: (error: Error) => void): Promise<Guard> {
  let released = false;
  let client = await lock(url, shared);
  const watch = (): void => {
    client.once('error', () => {
      void client.end().catch(() => {});
      if (!released) void again();
    });
  };
  const again = async (): Promise<void> => {
    while (!released) {
      try {
        client = await lock(url, shared);
        log('the database is back');
        return watch();
      } catch (error) {
        if (error instanceof AlreadyRunning) return lost(error);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  };
  watch();
  return {
    release: async () => {
      released = true;
      await client.end().catch(() => {});
    },
  };
}

async function lock(url: string, shared: boolean): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: WAIT_MS, keepAlive: true });
  client.on('error', () => {});
  try {
    await client.connect();
    for (let waited = 0; waited <= WAIT_MS; waited += PAUSE_MS) {
      const result = await client.query<{ held: boolean }>(`select pg_try_advisory_lock${shared ? '_shared' : ''}(${LOCK}) as held`);
      if (result.rows[0]?.held) return client;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    throw new AlreadyRunning('another coordinator already runs on this database');
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}
