/**
 * The embedded PostgreSQL: the road on a real server, whose process is killed, whose coordinator is
 * killed, and which a second coordinator may not share. Nothing acknowledged is ever lost.
 */
import { createHash } from 'node:crypto';
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createCoordinator } from '#lib/server/coordinator.ts';
import { openEmbedded } from '#lib/server/store/open.ts';
import { verifyLog } from '#lib/ledger/verify.ts';
import { fetchLog } from '#lib/ledger/client.ts';
import { oneLease, road, testOrder, world, type Client, type World } from './harness.ts';

const SLOW_MS = 120_000;

let dataDir: string;
let worlds: World[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'pictor-embedded-'));
  // Under root the server runs as another user, who must be able to pass.
  chmodSync(dataDir, 0o755);
});
afterEach(async () => {
  for (const w of worlds.splice(0)) await w.coordinator.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(clock?: World['clock']): Promise<World> {
  const w = await world({ dataDir, ...(clock ? { clock } : {}) });
  worlds.push(w);
  return w;
}

async function stop(w: World): Promise<void> {
  worlds = worlds.filter((one) => one !== w);
  await w.coordinator.close();
}

const postmasterPid = (): number => Number(readFileSync(join(dataDir, 'postgres/cluster/postmaster.pid'), 'utf8').split('\n')[0]);

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
}

const back = (w: World, client: Client): Promise<Client> =>
  w.join(['creator', 'worker', 'checker'], client.identity, client.peer.slice(-8));

async function verified(w: World): Promise<unknown> {
  const log = await fetchLog(
    AbortSignal.timeout(SLOW_MS),
    'http://coordinator',
    async (url) => (await w.coordinator.http(new Request(url)))!,
  );
  return log.ok ? verifyLog(log.checkpoint, w.coordinator.key, log.leaves) : log;
}

test(
  'a job goes on after an orderly restart, and the log verifies',
  async () => {
    const w = await start();
    const { creator, worker, checker, job } = await road(w, testOrder());
    await oneLease(creator, worker, checker);
    await oneLease(creator, worker, checker);
    const pid = postmasterPid();
    await stop(w);
    await until(() => !alive(pid));

    const again = await start(w.clock);
    expect(again.coordinator.key).toBe(w.coordinator.key);
    const creator2 = await back(again, creator);
    await creator2.request({ type: 'watch', job });
    const worker2 = await back(again, worker);
    // A checker's nonces are known to one session only, so another one starts with none.
    const checker2 = await again.join(['checker'], checker.identity);
    await checker2.checkReady(4);
    await oneLease(creator2, worker2, checker2);
    await oneLease(creator2, worker2, checker2);
    await again.pass(500);
    expect(creator2.last('job')!.view).toMatchObject({ state: 'done', settled: 4 });
    expect(await verified(again)).toMatchObject({ ok: true, summary: { settled: 4, jobs: 1, mintedMicro: '100000000' } });
  },
  SLOW_MS,
);

test(
  'the database server is killed: it is started again, and what was acknowledged is there',
  async () => {
    const w = await start();
    const { creator, worker, checker, job } = await road(w, testOrder());
    await oneLease(creator, worker, checker);
    await worker.ask(1);
    const grant = worker.last('grant')!;
    expect((await worker.commit(grant)).type).toBe('ack');
    const pid = postmasterPid();
    process.kill(pid, 'SIGKILL');
    await until(() => !alive(pid));
    await until(
      async () =>
        existsSync(join(dataDir, 'postgres/cluster/postmaster.pid')) &&
        (await w.coordinator.http(new Request('http://c/api/status')).then(
          (r) => r!.ok,
          () => false,
        )),
    );
    const creator2 = await back(w, creator);
    await creator2.request({ type: 'watch', job });
    expect(creator2.last('committed')!.lease.lease).toBe(grant.lease.lease);
    expect((await creator2.receipt(creator2.last('committed')!)).type).toBe('ack');
    const balance = await (await w.coordinator.http(new Request(`http://c/api/balance/${worker.key}`)))!.json();
    expect(balance).toMatchObject({ balanceMicro: '5' });
  },
  SLOW_MS,
);

test(
  'two coordinators never share a data folder, and the second leaves the first alone',
  async () => {
    const w = await start();
    await expect(createCoordinator({ dataDir, network: 'test' })).rejects.toThrow('another coordinator already runs');
    const { creator } = await road(w);
    expect((await creator.submit('grant', { work: '0'.repeat(16) })).type).toBe('refused');
  },
  SLOW_MS,
);

test(
  'the folder of the server is closed to others',
  async () => {
    await start();
    expect(statSync(join(dataDir, 'postgres/cluster')).mode & 0o077).toBe(0);
    expect(statSync(join(dataDir, 'postgres.json')).mode & 0o077).toBe(0);
  },
  SLOW_MS,
);

test(
  'a coordinator process is killed with −9: the next one takes its server over and finds every acknowledged request',
  async () => {
    const child: ChildProcess = fork(join(import.meta.dirname, 'killed-coordinator.mjs'), [dataDir], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const acknowledged: string[] = [];
    child.on('message', (key) => acknowledged.push(String(key)));
    await until(() => acknowledged.length >= 20);
    const pid = postmasterPid();
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(alive(pid)).toBe(true);

    const w = await start();
    expect(postmasterPid()).toBe(pid);
    for (const key of acknowledged) {
      const balance = await (await w.coordinator.http(new Request(`http://c/api/balance/${key}`)))!.json();
      expect(balance).toMatchObject({ balanceMicro: '100000000' });
    }
    expect(await verified(w)).toMatchObject({ ok: true });
  },
  SLOW_MS,
);

test(
  'a folder that only this user can reach works as well: under root the server lives elsewhere',
  async () => {
    chmodSync(dataDir, 0o700);
    const w = await start();
    const { key } = w.coordinator;
    await stop(w);
    expect((await start()).coordinator.key).toBe(key);
    const moved = join('/var/lib/pictor', createHash('sha256').update(dataDir).digest('hex').slice(0, 16));
    expect(existsSync(join(dataDir, 'postgres/cluster'))).toBe(!existsSync(moved));
    for (const one of worlds.splice(0)) await one.coordinator.close();
    rmSync(moved, { recursive: true, force: true });
  },
  SLOW_MS,
);

test(
  'a lock file that names a stranger’s process: the server starts, and the stranger is left alone',
  async () => {
    const w = await start();
    const { key } = w.coordinator;
    const lock = join(dataDir, 'postgres/cluster/postmaster.pid');
    const lines = readFileSync(lock, 'utf8').split('\n');
    const { uid, gid } = statSync(lock);
    await stop(w);
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { uid, gid, cwd: '/', stdio: 'ignore' });
    try {
      writeFileSync(lock, [String(stranger.pid), ...lines.slice(1)].join('\n'), { mode: 0o600 });
      chownSync(lock, uid, gid);
      expect((await start()).coordinator.key).toBe(key);
      expect(postmasterPid()).not.toBe(stranger.pid);
      expect([stranger.exitCode, stranger.signalCode]).toEqual([null, null]);
    } finally {
      stranger.kill('SIGKILL');
    }
  },
  SLOW_MS,
);

test(
  'a connection that breaks in the middle of a transaction fails that write alone',
  async () => {
    const store = await openEmbedded(dataDir, () => {});
    const cut = store.write(async (tx) => (await tx.sql()).execute(sql`select pg_terminate_backend(pg_backend_pid())`));
    await expect(cut).rejects.toThrow();
    expect(await store.write(async () => 'next')).toBe('next');
    await store.close();
  },
  SLOW_MS,
);

test(
  'connections that died while nobody used them are replaced, however many there were',
  async () => {
    const store = await openEmbedded(dataDir, () => {});
    const others = sql`select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'`;
    for (let round = 0; round < 30; round++) {
      await Promise.allSettled(Array.from({ length: 8 }, () => store.db.execute(sql`select pg_sleep(0.001)`)));
      await Promise.allSettled([store.db.execute(others), store.write(async () => {}), store.db.transaction(async () => {})]);
    }
    // The last of them may still be dying: a write that meets one fails, and the next meets another.
    let said: string | null = null;
    for (let tries = 0; tries < 20 && said === null; tries++) said = await store.write(async () => 'next').catch(() => null);
    expect(said).toBe('next');
    await store.close();
  },
  SLOW_MS,
);
