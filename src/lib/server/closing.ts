/**
 * The end of a job: running leases are taken back, verified ones are paid although no receipt came
 * (whoever closes a job waives receipts), and those still to be verified keep the escrow until their
 * verdict. What is left goes back exactly once, after the last of them.
 */
import { and, asc, eq, inArray } from 'drizzle-orm';
import { escrowOf } from '../ledger/leaf.ts';
import type { Core } from './core.ts';
import { post } from './ledger.ts';
import type { Notices } from './notices.ts';
import { payLease } from './pay.ts';
import { leases, type LeaseRow } from './store/schema.ts';
import type { Tx } from './store/store.ts';

/** Ends an open job and tells the workers whose leases were taken back. Changes nothing when it was closed already. */
export async function closeJob(
  core: Core,
  tx: Tx,
  notices: Notices,
  id: string,
  state: 'done' | 'cancelled' | 'failed',
  reason: string,
): Promise<void> {
  const before = await tx.rows.jobs.get(id);
  if (before?.state !== 'open') return;
  const job = { ...before, state, reason };
  tx.rows.jobs.put(job);
  const atMs = core.clock.nowMs();
  const live = await liveLeases(tx, id);
  for (const lease of live) {
    if (lease.state !== 'granted') continue;
    tx.rows.leases.put({ ...lease, state: 'released', endedMs: atMs, reason: 'job-closed' });
    notices.toPeer(lease.workerPeer, { type: 'recalled', lease: lease.id, reason: 'job-closed' });
  }
  for (const waiting of await tx.rows.redo.members(id)) tx.rows.redo.delete(waiting);
  const verified = live.filter(({ state: its, verdict, worker }) => its === 'committed' && (verdict === 'pass' || worker === job.creator));
  for (const lease of verified) await payLease(core, tx, notices, job, lease);
  tx.append({ type: 'closed', job: id, state, atMs });
  await refundIfOver(core, tx, id);
  notices.job(id);
  notices.balance(job.creator);
}

async function liveLeases(tx: Tx, job: string): Promise<LeaseRow[]> {
  const running = and(eq(leases.job, job), inArray(leases.state, ['granted', 'committed']));
  return (await tx.sql()).select().from(leases).where(running).orderBy(asc(leases.slot));
}

/** Returns what is left in escrow once a closed job has no committed lease left. Changes nothing otherwise. */
export async function refundIfOver(core: Core, tx: Tx, id: string): Promise<void> {
  const job = await tx.rows.jobs.get(id);
  if (!job || job.state === 'open' || job.refunded) return;
  const waiting = (await liveLeases(tx, id)).some(({ state }) => state === 'committed');
  if (waiting) return;
  tx.rows.jobs.put({ ...job, refunded: true });
  const left = await tx.rows.balances.get(escrowOf(id));
  if (left > 0n)
    await post(tx, {
      kind: 'refund',
      job: id,
      atMs: core.clock.nowMs(),
      postings: [
        [escrowOf(id), -left],
        [job.creator, left],
      ],
    });
}
