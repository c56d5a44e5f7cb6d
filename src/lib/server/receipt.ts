/**
 * A job's receipt: its entries, what the log says about its leases, and for each of those leaves the
 * path to a signed checkpoint. It verifies offline, without this coordinator.
 */
import { asc, eq, inArray } from 'drizzle-orm';
import { toHex } from '../protocol/bytes.ts';
import { toBase64 } from '../ledger/note.ts';
import type { Core } from './core.ts';
import { findJob } from './jobs.ts';
import { entries, leases, logLeaves } from './store/schema.ts';

/** Larger jobs get the first so many entries; the log has the rest. */
const RECEIPT_ENTRIES_MAX = 10_000;

export interface Receipt {
  readonly format: 'pictor receipt v1';
  readonly network: string;
  /** Public key that signed `checkpoint`, hex. */
  readonly coordinatorKey: string;
  readonly job: string;
  readonly creator: string;
  /** SHA-256 of the order's canonical CBOR, hex. */
  readonly orderHash: string;
  readonly order: unknown;
  readonly state: string;
  readonly capMicro: string;
  readonly spentMicro: string;
  readonly leases: readonly {
    readonly lease: string;
    readonly slot: number;
    readonly worker: string;
    readonly root: string;
    readonly segments: number;
  }[];
  readonly checkpoint: string;
  readonly entries: readonly {
    readonly leaf: number;
    /** Canonical CBOR, base64. */ readonly bytes: string;
    /** Hex, from the leaf's sibling upwards. */ readonly proof: readonly string[];
  }[];
}

export async function jobReceipt(core: Core, id: string): Promise<Receipt | null> {
  const { db } = core.store;
  const job = await findJob(db, id);
  if (!job) return null;
  const checkpoint = await core.log.sign();
  const settled = await db.select().from(leases).where(eq(leases.job, id)).orderBy(asc(leases.slot));
  const own = await db
    .select({ id: entries.id })
    .from(entries)
    .where(eq(entries.job, id))
    .orderBy(asc(entries.id))
    .limit(RECEIPT_ENTRIES_MAX);
  const rows =
    own.length === 0
      ? []
      : await db
          .select()
          .from(logLeaves)
          .where(
            inArray(
              logLeaves.index,
              own.map((row) => row.id),
            ),
          )
          .orderBy(asc(logLeaves.index));
  const included = rows.filter((row) => row.index < checkpoint.size);
  const proofs = await core.log.inclusions(
    included.map((row) => row.index),
    checkpoint.size,
  );
  return {
    format: 'pictor receipt v1',
    network: core.network,
    coordinatorKey: core.identity.key,
    job: id,
    creator: job.creator,
    orderHash: job.orderHash,
    order: JSON.parse(job.orderJson),
    state: job.state,
    capMicro: String(job.capMicro),
    spentMicro: String(job.spentMicro),
    leases: settled
      .filter((lease) => lease.state === 'settled')
      .map((lease) => ({ lease: lease.id, slot: lease.slot, worker: lease.worker, root: lease.root!, segments: lease.segments ?? 0 })),
    checkpoint: checkpoint.note,
    entries: included.map((row, i) => ({ leaf: row.index, bytes: toBase64(row.bytes), proof: proofs[i]!.map(toHex) })),
  };
}
