/**
 * The end of a job: running leases are taken back, verified ones are paid although no receipt came
 * (whoever closes a job waives receipts), and those still to be verified keep the escrow until their
 * verdict. What is left goes back exactly once, after the last of them.
 */
import { and, asc, count, eq, or } from 'drizzle-orm';
import { escrowOf } from '../ledger/leaf.ts';
import type { Core } from './core.ts';
import { findJob } from './jobs.ts';
import { balanceOf, post } from './ledger.ts';
import type { Notices } from './notices.ts';
import { payLease } from './pay.ts';
import { jobs, leases, redo } from './store/schema.ts';
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
  const [job] = await tx.db
    .update(jobs)
    .set({ state, reason })
    .where(and(eq(jobs.id, id), eq(jobs.state, 'open')))
    .returning();
  if (!job) return;
  const atMs = core.clock.nowMs();
  const recalled = await tx.db
    .update(leases)
    .set({ state: 'released', endedMs: atMs, reason: 'job-closed' })
    .where(and(eq(leases.job, id), eq(leases.state, 'granted')))
    .returning({ id: leases.id, workerPeer: leases.workerPeer });
  for (const lease of recalled) notices.toPeer(lease.workerPeer, { type: 'recalled', lease: lease.id, reason: 'job-closed' });
  await tx.db.delete(redo).where(eq(redo.job, id));
  const verified = await tx.db
    .select()
    .from(leases)
    .where(and(eq(leases.job, id), eq(leases.state, 'committed'), or(eq(leases.verdict, 'pass'), eq(leases.worker, job.creator))))
    .orderBy(asc(leases.slot));
  for (const lease of verified) await payLease(core, tx, notices, job, lease);
  tx.append({ type: 'closed', job: id, state, atMs });
  await refundIfOver(core, tx, id);
  notices.job(id);
  notices.balance(job.creator);
}

/** Returns what is left in escrow once a closed job has no committed lease left. Changes nothing otherwise. */
export async function refundIfOver(core: Core, tx: Tx, id: string): Promise<void> {
  const job = await findJob(tx.db, id);
  if (!job || job.state === 'open' || job.refunded) return;
  const [open] = await tx.db
    .select({ n: count() })
    .from(leases)
    .where(and(eq(leases.job, id), eq(leases.state, 'committed')));
  if ((open?.n ?? 0) > 0) return;
  await tx.db.update(jobs).set({ refunded: true }).where(eq(jobs.id, id));
  const left = await balanceOf(tx.db, escrowOf(id));
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
