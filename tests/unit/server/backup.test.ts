/** Backups hold everything and come back whole or not at all; every released schema comes up to date with its rows. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { fetchLog } from '#lib/ledger/client.ts';
import { verifyLog } from '#lib/ledger/verify.ts';
import { replayVerify } from '#lib/server/keys.ts';
import { backUp, restoreFrom } from '#lib/server/store/backup.ts';
import { startEmbedded, type EmbeddedServer } from '#lib/server/store/embedded.ts';
import { migrations } from '#lib/server/store/migrations.ts';
import { openUrl } from '#lib/server/store/open.ts';
import * as tables from '#lib/server/store/schema.ts';
import { rows, Store, type Db } from '#lib/server/store/store.ts';
import { oneLease, road, world, type World } from './harness.ts';

const SLOW_MS = 120_000;

let dataDir: string;
let server: EmbeddedServer;
let lines: string[];
let before: Awaited<ReturnType<typeof picture>>;
let databases = 0;

async function freshDatabase(): Promise<string> {
  const name = `fresh${++databases}`;
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  return server.url.replace(/\/postgres$/, `/${name}`);
}

const open = (url: string): Promise<Store> => openUrl({ url, description: 'test', shared: false, log: () => {} });
const restore = (url: string, from: readonly string[]) =>
  restoreFrom(
    url,
    (async function* () {
      yield* from;
    })(),
  );

/** What a coordinator says of itself and its log. */
async function picture(w: World): Promise<{ key: string; leaves: number; balances: unknown; verdict: unknown }> {
  await w.pass(1_500);
  const log = await fetchLog(AbortSignal.timeout(30_000), 'http://c', async (url) => (await w.coordinator.http(new Request(url)))!);
  if (!log.ok) throw new Error(log.reason);
  const { key } = w.coordinator;
  const balances = await (await w.coordinator.http(new Request('http://c/api/balance/treasury')))!.json();
  return { key, leaves: log.leaves.length, balances, verdict: await verifyLog(log.checkpoint, key, log.leaves, replayVerify) };
}

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'pictor-backup-'));
  chmodSync(dataDir, 0o755);
  server = await startEmbedded(dataDir, () => {});
  const url = await freshDatabase();
  const w = await world({ store: await open(url) });
  const { creator, worker, checker } = await road(w);
  for (let i = 0; i < 3; i++) await oneLease(creator, worker, checker);
  before = await picture(w);
  lines = [];
  // While the coordinator runs.
  await backUp(url, async (line) => void lines.push(line));
  await w.coordinator.close();
}, SLOW_MS);
afterAll(async () => {
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
}, SLOW_MS);

describe('a backup', () => {
  test('comes back as it was: same key, same log, same balances, and the work goes on', { timeout: SLOW_MS }, async () => {
    const url = await freshDatabase();
    const counts = await restore(url, lines);
    expect(counts.leaves).toBe(before.leaves);
    const store = await open(url);
    // Derived, not copied.
    const [sum] = await rows<{ n: string }>(
      store.db,
      sql`select count(*) as n from balances b where micro <> (select sum(micro) from postings p where p.account = b.account)`,
    );
    expect(Number(sum!.n)).toBe(0);
    const w = await world({ store });
    expect(await picture(w)).toEqual(before);
    const { creator, worker, checker } = await road(w);
    await oneLease(creator, worker, checker);
    expect((await picture(w)).verdict).toMatchObject({ ok: true, summary: { settled: 4 } });
    await w.coordinator.close();
  });

  test.each<[string, (lines: string[]) => string[], string]>([
    ['cut short', (all) => all.slice(0, -1), 'cut short'],
    ['with a row less', (all) => all.toSpliced(-2, 1), 'changed or damaged'],
    ['with an amount changed', (all) => all.map((line) => line.replace(/"micro":(\d+)/, '"micro":1$1')), 'sum to zero'],
    ['of a later release', (all) => [all[0]!.replace(/"version":\d+/, '"version":9999'), ...all.slice(1)], 'later release'],
    ['that is none', () => ['hello'], 'not a backup'],
  ])('%s is refused, and the database stays empty', { timeout: SLOW_MS }, async (_, change, reason) => {
    const url = await freshDatabase();
    await expect(restore(url, change(lines))).rejects.toThrow(reason);
    expect((await restore(url, lines)).leaves).toBe(before.leaves);
  });

  test('is not restored over anything', { timeout: SLOW_MS }, async () => {
    const url = await freshDatabase();
    await restore(url, lines);
    await expect(restore(url, lines)).rejects.toThrow('not empty');
  });
});

describe.each(migrations.map(({ version }) => version))('the schema of release %i', (version) => {
  test('comes up to date with its rows', { timeout: SLOW_MS }, async () => {
    const client = new pg.Client({ connectionString: await freshDatabase() });
    await client.connect();
    onTestFinished(() => client.end());
    const store = new Store(drizzle(client, { schema: tables }) as unknown as Db, 'old', async () => {});
    await store.migrate(version);
    await client.query(oldRows(version));
    await store.migrate();
    await store.migrate();
    const [job] = await rows<{ settled: number }>(store.db, sql`select settled from jobs`);
    expect(job!.settled).toBe(1);
    const [lease] = await store.db.select().from(tables.leases);
    expect(lease).toMatchObject({ state: 'settled', missing: 0, adapterClass: '', second: false, place: 0, twin: null });
    expect(await store.db.select().from(tables.checks)).toMatchObject([{ leaves: 4, auditPpm: 0, whole: false }]);
    await expect(client.query(`insert into postings values (2, 'treasury', 5)`)).rejects.toThrow('sum to zero');
  });
});

/** In the columns of that release. */
const oldRows = (version: number): string => `
insert into entries (id, kind, account, job, lease, request, at_ms) values (1, 'grant', 'k', null, null, null, 1), (2, 'settle', null, 'j', 'l', null, 1);
insert into postings values (1, 'mint', -10), (1, 'k', 10);
insert into jobs (id, creator, order_json, order_hash, cap_micro, price_micro, checker_share, fee_share, leaves_per_check, state, reason, slots, settled, created_ms)
  values ('j', 'k', '{}', 'h', 10, 1, 80, 20, 4, 'open', '', 4, 1, 1);
insert into leases (id, job, slot, attempt, failures, worker, worker_peer, state, granted_ms, deadline_ms)
  values ('l', 'j', 0, 1, 0, 'w', 'w-1', 'settled', 1, 2);
insert into nonces (commitment, checker, checker_peer, used) values ('n', 'c', 'c-1', true);
insert into checks (nonce_commitment, lease, checker, checker_peer, beacon, state, deadline_ms ${version < 3 ? '' : ', leaves'})
  values ('n', 'l', 'c', 'c-1', 'b', 'pass', 3 ${version < 3 ? '' : ', 4'});
`;
