/** `pictor backup` and `pictor restore`: a whole store as one file, and back into an empty one. */
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { createGunzip, createGzip } from 'node:zlib';
import { backUp, restoreFrom } from '#lib/server/store/backup.ts';
import { runningUrl, startEmbedded } from '#lib/server/store/embedded.ts';
import { takeGuard } from '#lib/server/store/guard.ts';
import { CommandError, EXIT_OK, parseWords, UsageError, type Command } from '../command.ts';
import { dataFolder } from '../paths.ts';

const PLACE = `
  --data FOLDER   of the embedded PostgreSQL, default .pictor; DATABASE_URL names another server`;

/** Gives `work` the store's address, starting the embedded server only where it does not run. */
async function withStore<T>(data: string, work: (url: string) => Promise<T>): Promise<T> {
  const running = process.env.DATABASE_URL ?? (await runningUrl(data));
  if (running) return work(running);
  const server = await startEmbedded(data, () => {});
  try {
    return await work(server.url);
  } finally {
    await server.stop();
  }
}

const told = (error: unknown): never => {
  throw new CommandError(error instanceof Error ? error.message : String(error));
};

export const backupCommand: Command = {
  name: 'backup',
  summary: 'write the whole ledger and all jobs of a coordinator to a file, while it runs',
  help: `
Usage: pictor backup FILE [--data FOLDER]

Writes one snapshot of the store, compressed, to FILE: log, entries, jobs, and the coordinator's secret
key, so keep it as you keep the store. The coordinator may go on meanwhile.
${PLACE}

Example:
  pictor backup pictor-2026-11-23.backup.gz
`,
  run: async (args) => {
    const { options, positionals } = parseWords(args, { data: 'string' }, 1);
    const [path] = positionals;
    if (path === undefined) throw new UsageError('say: backup FILE');
    const counts = await withStore(resolve(options.data ?? dataFolder()), (url) => writeBackup(url, path)).catch(told);
    process.stdout.write(`${path}: ${counts.rows} rows, a log of ${counts.leaves} lines\n`);
    return EXIT_OK;
  },
};

/** Under its name only once it is whole and on the disk. */
async function writeBackup(url: string, path: string): ReturnType<typeof backUp> {
  const part = `${path}.${process.pid}.part`;
  const gzip = createGzip();
  const file = createWriteStream(part, { mode: 0o600 });
  gzip.pipe(file);
  try {
    const counts = await backUp(url, async (line) => {
      if (!gzip.write(`${line}\n`)) await once(gzip, 'drain');
    });
    gzip.end();
    await once(file, 'close');
    const handle = await open(part, 'r');
    await handle.sync();
    await handle.close();
    await rename(part, path);
    return counts;
  } catch (error) {
    gzip.destroy();
    await rm(part, { force: true });
    throw error;
  }
}

export const restoreCommand: Command = {
  name: 'restore',
  summary: 'fill an empty store from a backup',
  help: `
Usage: pictor restore FILE [--data FOLDER]

Fills an empty store from a backup, all of it or nothing; older schemas are brought up to date. What was
acknowledged after the backup is lost with it, and witnesses that cosigned a longer log will not cosign
this one: restore only what can't be saved otherwise.
${PLACE}

Example:
  pictor restore pictor-2026-11-23.backup.gz --data .pictor-restored
`,
  run: async (args) => {
    const { options, positionals } = parseWords(args, { data: 'string' }, 1);
    const [path] = positionals;
    if (path === undefined) throw new UsageError('say: restore FILE');
    const counts = await withStore(resolve(options.data ?? dataFolder()), (url) => readBackup(url, path)).catch(told);
    process.stdout.write(`${path}: ${counts.rows} rows, a log of ${counts.leaves} lines\n`);
    return EXIT_OK;
  },
};

async function readBackup(url: string, path: string): ReturnType<typeof restoreFrom> {
  // Nobody else may use the store meanwhile.
  const guard = await takeGuard(url, false, () => {}, told);
  const gunzip = createGunzip();
  const file = createReadStream(path);
  file.on('error', (error) => gunzip.destroy(error));
  file.pipe(gunzip);
  try {
    return await restoreFrom(url, createInterface({ input: gunzip, crlfDelay: Infinity }));
  } finally {
    file.destroy();
    await guard.release();
  }
}
