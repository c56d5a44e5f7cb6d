/**
 * Makes a job's receipt: its signed order and its entries, each with the path to a checkpoint, the
 * newest cosigned one where that counts them all. It verifies offline (ledger/receipt).
 */
import { and, asc, eq, inArray } from 'drizzle-orm';
import { parseCheckpoint } from '../ledger/checkpoint.ts';
import { decodeLeaf, escrowOf } from '../ledger/leaf.ts';
import { toBase64 } from '../ledger/note.ts';
import type { Receipt } from '../ledger/receipt.ts';
import type { Bytes } from '../protocol/bytes.ts';
import type { JobOrder } from '../protocol/order.ts';
import type { Core } from './core.ts';
import { entries, leases, logLeaves, type LeaseRow } from './store/schema.ts';
import { rowsIn } from './store/rows.ts';
import type { Db } from './store/store.ts';

/** Larger jobs get the first so many entries; the log has the rest. */
const RECEIPT_ENTRIES_MAX = 10_000;
const ROWS_AT_ONCE = 1_000;

export async function jobReceipt(core: Core, id: string): Promise<Receipt | null> {
  const found = await core.store.db.transaction(
    async (db) => {
      const job = await rowsIn(db).jobs.get(id);
      return job && { job, indices: await leavesOf(db, id), settled: await settledOf(db, id) };
    },
    { isolationLevel: 'repeatable read', accessMode: 'read only' },
  );
  if (!found) return null;
  const { job, indices, settled } = found;
  await core.log.sign();
  const note = (await core.witnesses.covering(indices.at(-1) ?? 0)) ?? (await core.witnesses.latest());
  const { size } = parseCheckpoint(note)!;
  const rows = await read(
    core.store.db,
    indices.filter((index) => index < size),
  );
  const proofs = await core.log.inclusions(
    rows.map((row) => row.index),
    size,
  );
  const paid = rows.flatMap(({ bytes }) => settlementIn(bytes, id));
  const leasesPaid = new Set(paid.map(({ lease }) => lease));
  return {
    format: 'pictor receipt v2',
    network: core.network,
    coordinatorKey: core.identity.key,
    job: id,
    creator: job.creator,
    orderHash: job.orderHash,
    order: JSON.parse(job.orderJson) as JobOrder,
    state: job.state,
    capMicro: String(job.capMicro),
    spentMicro: String(paid.reduce((sum, { micro }) => sum + micro, 0n)),
    leases: settled
      .filter(({ id: lease }) => leasesPaid.has(lease))
      .map((lease) => ({ lease: lease.id, slot: lease.slot, worker: lease.worker, root: lease.root!, segments: lease.segments ?? 0 })),
    checkpoint: note,
    entries: rows.map((row, i) => ({ leaf: row.index, bytes: toBase64(row.bytes), proof: proofs[i]!.map(toBase64) })),
  };
}

const settledOf = (db: Db, job: string): Promise<LeaseRow[]> =>
  db
    .select()
    .from(leases)
    .where(and(eq(leases.job, job), eq(leases.state, 'settled')))
    .orderBy(asc(leases.slot));

/** Which lease a leaf pays, and what that took from the job's escrow. */
function settlementIn(bytes: Bytes, job: string): { lease: string; micro: bigint }[] {
  const leaf = decodeLeaf(bytes);
  if (leaf?.type !== 'entry' || leaf.kind !== 'settle' || leaf.lease === null) return [];
  const taken = leaf.postings.filter(([account]) => account === escrowOf(job));
  return [{ lease: leaf.lease, micro: taken.reduce((sum, [, micro]) => sum - BigInt(micro), 0n) }];
}

/** The job's own leaf, which stands right before its escrow, and its entries; ascending. */
async function leavesOf(db: Db, job: string): Promise<number[]> {
  const own = await db
    .select({ id: entries.id, kind: entries.kind })
    .from(entries)
    .where(eq(entries.job, job))
    .orderBy(asc(entries.id))
    .limit(RECEIPT_ENTRIES_MAX);
  return own.flatMap(({ id, kind }) => (kind === 'escrow' ? [id - 1, id] : [id]));
}

async function read(db: Db, indices: readonly number[]): Promise<(typeof logLeaves.$inferSelect)[]> {
  const rows: (typeof logLeaves.$inferSelect)[] = [];
  for (let at = 0; at < indices.length; at += ROWS_AT_ONCE) {
    const some = indices.slice(at, at + ROWS_AT_ONCE);
    rows.push(...(await db.select().from(logLeaves).where(inArray(logLeaves.index, some)).orderBy(asc(logLeaves.index))));
  }
  return rows;
}
