/**
 * `npm run bench -- --ledger`: what the ledger costs. Replay of a log, proofs of a log of a million
 * leaves, and leases settled by one and by two coordinators on one embedded PostgreSQL. Wall time on a
 * busy machine lies, so processor seconds are printed beside it.
 */
import { mkdtempSync, chmodSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startExaminePool } from '#cli/examine-pool.ts';
import { examiner } from '#lib/ledger/examine.ts';
import { hashNode, rootFromInclusion, verifyConsistency } from '#lib/ledger/merkle.ts';
import { TileTree } from '#lib/ledger/tile-tree.ts';
import { verifyBundles } from '#lib/ledger/verify.ts';
import { sha256, utf8, type Bytes } from '#lib/protocol/bytes.ts';
import { LOG_TILE_HASHES } from '#lib/protocol/limits.ts';
import { replayVerify } from '#lib/server/keys.ts';
import { makeHistory, type History } from './ledger/history.ts';
import { settlements, type SettlementRate } from './ledger/settlements.ts';

const REPLAYED_LEAVES = 30_000;
const BIG_LOG_LEAVES = 1_000_000;
const PROOFS = 200;

export interface LedgerReport {
  readonly processors: number;
  readonly replay: readonly { readonly what: string; readonly perSecond: number; readonly perCpuSecond: number }[];
  readonly proofs: { readonly leaves: number; readonly inclusionMs: number; readonly consistencyMs: number; readonly served: number };
  readonly settlements: readonly SettlementRate[];
}

/** Rates by the clock and by processor seconds of this process, threads included. */
async function rate(count: number, work: () => Promise<unknown>): Promise<{ perSecond: number; perCpuSecond: number }> {
  const [cpu, at] = [process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: (count * 1000) / (performance.now() - at), perCpuSecond: (count * 1e6) / (user + system) };
}

export async function ledgerReport(say: (text: string) => void): Promise<LedgerReport> {
  say(`a log of ${REPLAYED_LEAVES} leaves`);
  const history = await makeHistory(REPLAYED_LEAVES);
  const replay = await replays(history, say);
  say(`proofs in a log of ${BIG_LOG_LEAVES} leaves`);
  const proofs = await bigLog();
  const dataDir = mkdtempSync(join(tmpdir(), 'pictor-bench-'));
  chmodSync(dataDir, 0o755);
  const rates: SettlementRate[] = [];
  try {
    for (const coordinators of [1, 2]) {
      say(`${coordinators} coordinators`);
      rates.push(await settlements(join(dataDir, String(coordinators)), coordinators));
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
  return { processors: availableParallelism(), replay, proofs, settlements: rates };
}

async function replays(history: History, say: (text: string) => void): Promise<LedgerReport['replay']> {
  const pool = startExaminePool();
  const one = examiner(replayVerify);
  const ways = [
    ['all of it, one thread', one, 1, 0],
    [`all of it, ${pool.threads} threads`, pool.examine, pool.ahead, 0],
    ['without signatures, one thread', one, 1, Infinity],
    [`without signatures, ${pool.threads} threads`, pool.examine, pool.ahead, Infinity],
  ] as const;
  const out = [];
  for (const [what, examine, ahead, from] of ways) {
    say(`replay: ${what}`);
    const bundle = (index: number): Promise<readonly Bytes[]> =>
      Promise.resolve(history.leaves.slice(index * LOG_TILE_HASHES, (index + 1) * LOG_TILE_HASHES));
    const log = { checkpoint: history.note, publicKey: history.key, bundle, examine, ahead, from, verify: replayVerify };
    const measured = await rate(history.leaves.length, async () => {
      const verdict = await verifyBundles(log);
      if (!verdict.ok) throw new Error(`leaf ${verdict.line}: ${verdict.reason}`);
    });
    out.push({ what, ...measured });
  }
  await pool.close();
  return out;
}

/** Tiles as a server has them; what is measured is what a browser does with them. */
async function bigLog(): Promise<LedgerReport['proofs']> {
  const levels: Bytes[][] = [Array.from({ length: BIG_LOG_LEAVES }, (_, i) => sha256(utf8(String(i))))];
  while (levels.at(-1)!.length >= LOG_TILE_HASHES) levels.push(roots(levels.at(-1)!));
  let served = 0;
  const treeOf = (size: number): TileTree =>
    new TileTree(size, ({ level, index, width }) => {
      served++;
      return Promise.resolve(levels[level]!.slice(index * LOG_TILE_HASHES, index * LOG_TILE_HASHES + width));
    });
  const root = await treeOf(BIG_LOG_LEAVES).root();
  served = 0;
  let at = performance.now();
  for (let i = 0; i < PROOFS; i++) {
    const index = (i * 7_919_993) % BIG_LOG_LEAVES;
    const proof = await treeOf(BIG_LOG_LEAVES).inclusion(index);
    if (rootFromInclusion(levels[0]![index]!, index, BIG_LOG_LEAVES, proof)?.join() !== root.join())
      throw new Error('a proof that does not hold');
  }
  const inclusionMs = (performance.now() - at) / PROOFS;
  const oldSize = 654_321;
  const oldRoot = await treeOf(oldSize).root();
  at = performance.now();
  for (let i = 0; i < PROOFS; i++) {
    const proof = await treeOf(BIG_LOG_LEAVES).consistency(oldSize);
    if (!verifyConsistency(oldSize, BIG_LOG_LEAVES, oldRoot, root, proof)) throw new Error('a proof that does not hold');
  }
  return { leaves: BIG_LOG_LEAVES, inclusionMs, consistencyMs: (performance.now() - at) / PROOFS, served };
}

/** Roots of the full tiles of a level. */
function roots(hashes: readonly Bytes[]): Bytes[] {
  return Array.from({ length: Math.floor(hashes.length / LOG_TILE_HASHES) }, (_, tile) => {
    let row = hashes.slice(tile * LOG_TILE_HASHES, (tile + 1) * LOG_TILE_HASHES);
    while (row.length > 1) row = Array.from({ length: row.length / 2 }, (_, i) => hashNode(row[2 * i]!, row[2 * i + 1]!));
    return row[0]!;
  });
}

const whole = (value: number): string => Math.round(value).toLocaleString('en');

export function ledgerText({ processors, replay, proofs, settlements: rates }: LedgerReport): string {
  const rows = [
    `| replay (${processors} processors) | leaves/s | leaves per CPU second |`,
    '|---|---|---|',
    ...replay.map(({ what, perSecond, perCpuSecond }) => `| ${what} | ${whole(perSecond)} | ${whole(perCpuSecond)} |`),
    '',
    `A log of ${whole(proofs.leaves)} leaves: inclusion made from tiles and verified in ${proofs.inclusionMs.toFixed(2)} ms, consistency in ${proofs.consistencyMs.toFixed(2)} ms.`,
    '',
    '| coordinators | leases | settled/s | CPU ms per lease, coordinators | CPU ms per lease, clients | proof, ms (median, worst of 100) |',
    '|---|---|---|---|---|---|',
    ...rates.map(
      ({ coordinators, leases, perSecond, coordinatorCpu, clientCpu, proofMs }) =>
        `| ${coordinators} | ${leases} | ${whole(perSecond)} | ${coordinatorCpu.toFixed(2)} | ${clientCpu.toFixed(2)} | ${proofMs.median.toFixed(2)}, ${proofMs.worst.toFixed(2)} |`,
    ),
  ];
  return rows.join('\n');
}
