/**
 * How a committed lease ends: paid once from escrow when a checker agreed and the creator has the
 * film, or void and done again. Decisions are made from what is in the store, in the transaction
 * that records the last missing piece.
 */
import { and, count, eq, inArray, sql } from 'drizzle-orm';
import type { FilmReceiptBody } from '../protocol/bodies.ts';
import {
  FILM_MISSING_MAX,
  FILM_REDELIVERIES_MAX,
  FILM_WAIT_MS_MAX,
  FILMS_MISSING_PER_WORKER_MAX,
  FILMS_PER_MISSING,
  MISSING_PAUSE_MS,
  MISSING_WORKERS_MAX,
} from '../protocol/limits.ts';
import { refuse, type Core, type Refusal } from './core.ts';
import { refundIfOver } from './closing.ts';
import type { Request } from './jobs.ts';
import { DRILL, endLease, type Ending } from './leases.ts';
import type { Notices } from './notices.ts';
import { isOwn, payLease } from './pay.ts';
import { closeIfOver } from './quiet.ts';
import { jobs, leases, type JobRow, type LeaseRow } from './store/schema.ts';
import type { Tx } from './store/store.ts';
import { TWIN_PASSED, twinOf } from './twins.ts';

const FILM_MISSING = 'film-missing';

/** Settles when verified and received. A creator who closed the job has waived receipts. @returns whether it was paid now. */
export async function settleIfReady(core: Core, tx: Tx, notices: Notices, id: string, waived = false): Promise<boolean> {
  const lease = await tx.rows.leases.get(id);
  if (lease?.state !== 'committed') return false;
  const job = (await tx.rows.jobs.get(lease.job))!;
  if (lease.verdict !== 'pass' && !isOwn(job, lease)) return false;
  if (!lease.received && job.state === 'open' && !waived) return false;
  if (!(await payLease(core, tx, notices, job, lease))) return false;
  await closeIfOver(core, tx, notices, job.id);
  await refundIfOver(core, tx, job.id);
  notices.job(job.id);
  return true;
}

/** Ends a lease unpaid and tells everyone who held a part of it. @returns whether it was ended now. */
export async function giveUp(core: Core, tx: Tx, notices: Notices, id: string, ending: Ending): Promise<boolean> {
  const drawn = (await tx.rows.checks.members(id)).filter(({ state }) => state === 'drawn');
  const lease = await endLease(core, tx, notices, id, ending);
  if (!lease) return false;
  const job = (await tx.rows.jobs.get(lease.job))!;
  if (ending.from === 'committed') {
    for (const peer of [lease.workerPeer, core.sessions.creatorOf(job)?.peer])
      notices.toPeer(peer, { type: 'voided', lease: id, reason: ending.reason });
    for (const { checkerPeer } of drawn) notices.toPeer(checkerPeer, { type: 'check-withdrawn', lease: id });
  } else {
    notices.toPeer(lease.workerPeer, { type: 'recalled', lease: id, reason: ending.reason });
  }
  // A drill goes on: its worker still has the honest film.
  if (ending.reason !== DRILL) await closeIfOver(core, tx, notices, lease.job);
  notices.job(lease.job);
  notices.balance(lease.worker);
  if (job.state !== 'open') notices.balance(job.creator);
  return true;
}

/** A lease has passed: the other one of its slot, if there is one, ends without blame and without pay. */
export async function endTwin(core: Core, tx: Tx, notices: Notices, passed: LeaseRow): Promise<void> {
  const twin = await twinOf(tx, passed);
  if (twin) await giveUp(core, tx, notices, twin.id, { from: twin.state, reason: TWIN_PASSED, faults: 0, failed: false });
}

/** Asks the worker for its film, if the creator is there to take it; else it is asked when the creator comes back. */
export function askDelivery(core: Core, notices: Notices, lease: Pick<LeaseRow, 'id' | 'workerPeer'>, job: JobRow): void {
  const creatorPeer = core.sessions.creatorOf(job)?.peer;
  if (creatorPeer) notices.toPeer(lease.workerPeer, { type: 'deliver', lease: lease.id, creatorPeer });
}

/** The creator's word about a delivered film. */
export async function recordReceipt(
  core: Core,
  tx: Tx,
  notices: Notices,
  request: Request,
  body: FilmReceiptBody,
): Promise<{ ok: true; ref: string } | Refusal> {
  const lease = await tx.rows.leases.get(body.lease);
  const job = lease && (await tx.rows.jobs.get(lease.job));
  if (!lease || job?.creator !== request.key) return refuse('lease-unknown', 'This lease is not of one of your jobs.');
  if (lease.state !== 'committed') return refuse('lease-over', `This lease is ${lease.state}.`);
  if (lease.root !== body.root) return refuse('root-differs', 'This is not the root that the worker committed to.');
  const atMs = core.clock.nowMs();
  const fault = receiptFault(lease, body.verdict, atMs);
  if (fault) return fault;
  // Said twice is as good as said once, and takes no second place in the log.
  if (body.verdict === 'received' && lease.received) return { ok: true, ref: request.hash };
  tx.append({
    type: 'receipt',
    lease: lease.id,
    root: body.root,
    verdict: body.verdict,
    request: request.hash,
    signed: request.signed,
    atMs,
  });
  notices.job(job.id);
  if (body.verdict === 'received') {
    tx.rows.leases.put({ ...lease, received: true });
    await settleIfReady(core, tx, notices, lease.id);
  } else if (body.verdict === 'corrupt') {
    // Never voids: checkers hash the whole light, so their verdict says whether the film is what was committed to.
    tx.rows.leases.put({ ...lease, corrupt: lease.corrupt + 1 });
    askDelivery(core, notices, lease, job);
  } else {
    await recordMissing(core, tx, notices, lease, job);
  }
  return { ok: true, ref: request.hash };
}

/** What a creator can't say about this film now, or any more. */
function receiptFault(lease: LeaseRow, verdict: FilmReceiptBody['verdict'], atMs: number): Refusal | null {
  if (verdict === 'received') return null;
  if (lease.received) return refuse('receipt-given', 'You have said already that you have this film.');
  if (verdict === 'corrupt')
    return lease.corrupt < FILM_REDELIVERIES_MAX
      ? null
      : refuse('receipts', 'This film has been asked for often enough; its check decides.');
  if (lease.missing >= FILM_MISSING_MAX)
    return refuse('receipts', 'You have said often enough that this film is missing; its check decides.');
  if (atMs - (lease.committedMs ?? atMs) < (lease.missing + 1) * FILM_WAIT_MS_MAX)
    return refuse('receipt-early', 'The worker still has time to bring this film.');
  return null;
}

/**
 * From a few workers of every creator's films may never come, and from one more for every fifty that did: beyond
 * that it would have pictures for nothing. What one worker owes counts once, or a single one that brings nothing would use it up.
 */
async function mayMiss(tx: Tx, creator: string, worker: string): Promise<boolean> {
  const db = await tx.sql();
  const mine = db.select({ id: jobs.id }).from(jobs).where(eq(jobs.creator, creator));
  const rows = await db
    .select({
      worker: leases.worker,
      missed: count(sql`case when ${leases.reason} = ${FILM_MISSING} then 1 end`),
      settled: count(sql`case when ${leases.state} = 'settled' then 1 end`),
    })
    .from(leases)
    .where(and(inArray(leases.job, mine), inArray(leases.state, ['settled', 'voided'])))
    .groupBy(leases.worker);
  const others = rows.filter((row) => row.worker !== worker && row.missed > 0).length;
  const settled = rows.reduce((sum, row) => sum + row.settled, 0);
  const owed = rows.find((row) => row.worker === worker)?.missed ?? 0;
  return owed < FILMS_MISSING_PER_WORKER_MAX && others < MISSING_WORKERS_MAX + Math.floor(settled / FILMS_PER_MISSING);
}

/** The worker may be out of the creator's reach, or unwilling: somebody else renders it again, and nobody is blamed. */
async function recordMissing(core: Core, tx: Tx, notices: Notices, lease: LeaseRow, job: JobRow): Promise<void> {
  const missing = lease.missing + 1;
  tx.rows.leases.put({ ...lease, missing });
  if (missing < FILM_MISSING_MAX || !(await mayMiss(tx, job.creator, lease.worker))) return askDelivery(core, notices, lease, job);
  core.sessions.pause(lease.worker, job.id, core.clock.nowMs() + MISSING_PAUSE_MS);
  await giveUp(core, tx, notices, lease.id, { from: 'committed', reason: FILM_MISSING, faults: 0, failed: true });
}
