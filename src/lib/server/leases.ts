/**
 * Leases: granted, committed, settled, or given back. Every change is a guarded claim: an update that
 * names the state it expects, so that two parties can't both make it. A slot (one tile of one pass)
 * has at most one live lease, by a unique index.
 */
import { and, eq, like, ne, sql } from 'drizzle-orm';
import { leafRects, segmentsPerPathMax, tileCount, tileRect } from '../job/plan.ts';
import { leasePaths, pathsOfFirst } from '../market/price.ts';
import { toHex } from '../protocol/bytes.ts';
import type { LeaseCommitBody } from '../protocol/bodies.ts';
import type { Lease } from '../protocol/control.ts';
import {
  LEASE_ATTEMPTS_MAX,
  LEASE_DEADLINE_MAX_MS,
  LEASE_DEADLINE_MIN_MS,
  LEASE_FAULTS_PER_WORKER_AND_JOB_MAX,
  SCENE_ALLOWANCE_MS,
} from '../protocol/limits.ts';
import type { JobOrder } from '../protocol/order.ts';
import { blocked, doubted } from '../trust/standing.ts';
import { unpackClasses } from '../trust/weights.ts';
import { askDrill } from './drill-ask.ts';
import { refuse, type Core, type Refusal } from './core.ts';
import { closeJob, refundIfOver } from './closing.ts';
import { findJob, orderOf, type Request } from './jobs.ts';
import type { Notices } from './notices.ts';
import { nextSlot, type Slot } from './slots.ts';
import { beginAnew, forfeit, standingOf } from './records.ts';
import { checks, faults, jobs, leases, meters, redo, type JobRow, type LeaseRow } from './store/schema.ts';
import type { Db, Tx } from './store/store.ts';

/** How many times the expected duration a worker may take. */
const DEADLINE_FACTOR = 4;

export const findLease = async (db: Db, id: string): Promise<LeaseRow | null> =>
  (await db.select().from(leases).where(eq(leases.id, id)))[0] ?? null;

export function leaseView(row: Pick<LeaseRow, 'id' | 'job' | 'slot' | 'attempt'>, order: JobOrder): Lease {
  const tiles = tileCount(order);
  return { lease: row.id, job: row.job, tile: row.slot % tiles, pass: Math.floor(row.slot / tiles), attempt: row.attempt };
}

/** Leaves of the lease's film. */
export const leafCount = (order: JobOrder, slot: number): number => leafRects(tileRect(order, slot % tileCount(order))).length;

/** Who takes a lease, and at which of the market's prices; without one, at its job's. */
export interface Taker {
  readonly key: string;
  readonly peer: string;
  readonly price?: { readonly round: number; readonly buyMicro: bigint; readonly sellMicro: bigint } | undefined;
}

/** Takes the job's next slot for a worker: slots to be done again first, then the next in pass order. Null when none is left. */
export async function claimLease(core: Core, tx: Tx, job: JobRow, worker: Taker): Promise<LeaseRow | null> {
  const slot = await nextSlot(tx, job.id);
  return slot && grantSlot(core, tx, job, worker, slot);
}

async function grantSlot(core: Core, tx: Tx, job: JobRow, worker: Taker, slot: Slot): Promise<LeaseRow | null> {
  const nowMs = core.clock.nowMs();
  const [row] = await tx.db
    .insert(leases)
    .values({
      id: toHex(core.random(16)),
      job: job.id,
      ...slot,
      worker: worker.key,
      workerPeer: worker.peer,
      state: 'granted',
      grantedMs: nowMs,
      ...(worker.price ? { round: worker.price.round, buyMicro: worker.price.buyMicro, sellMicro: worker.price.sellMicro } : {}),
      deadlineMs: nowMs + (await allowance(tx, job, slot.slot, worker.key)),
      // Nobody checks what its owner renders for himself: it would have a spoiled film for its picture.
      drill: worker.key === job.creator ? null : await askDrill(core, tx, job, worker.key),
    })
    .returning();
  return row ?? null;
}

/** After a drill: its slot for the worker that has the honest film. Nothing when its job is over. */
export async function grantAgain(core: Core, tx: Tx, notices: Notices, { job: id, slot, worker, workerPeer }: LeaseRow): Promise<void> {
  const [waiting] = await tx.db
    .delete(redo)
    .where(and(eq(redo.job, id), eq(redo.slot, slot)))
    .returning();
  if (!waiting) return;
  await grantSlot(core, tx, (await findJob(tx.db, id))!, { key: worker, peer: workerPeer }, waiting);
  notices.resend(workerPeer);
}

/** Milliseconds until a lease is given to another: four times what this worker's measured speed leads to expect. */
async function allowance(tx: Tx, job: JobRow, slot: number, worker: string): Promise<number> {
  const [meter] = await tx.db.select().from(meters).where(eq(meters.worker, worker));
  if (!meter || meter.traceMs === 0) return LEASE_DEADLINE_MAX_MS;
  const order = orderOf(job);
  const perPath =
    job.settled > 0 && job.segments > 0 ? job.segments / Math.max(pathsOfFirst(order, job.settled), 1) : segmentsPerPathMax(order.bounces);
  const expectedMs = (leasePaths(order, slot) * perPath * meter.traceMs) / Math.max(meter.segments, 1);
  const ms = Math.min(Math.max(DEADLINE_FACTOR * expectedMs, LEASE_DEADLINE_MIN_MS), LEASE_DEADLINE_MAX_MS);
  const [before] = await tx.db
    .select({ id: leases.id })
    .from(leases)
    .where(and(eq(leases.job, job.id), eq(leases.worker, worker), eq(leases.state, 'settled')))
    .limit(1);
  return Math.round(before ? ms : ms + SCENE_ALLOWANCE_MS);
}

/** Durable and logged when the write resolves: only then may leaves be drawn. */
export async function commitLease(
  core: Core,
  tx: Tx,
  request: Request,
  body: LeaseCommitBody,
): Promise<{ ok: true; ref: string } | Refusal> {
  const lease = await findLease(tx.db, body.lease);
  if (!lease || lease.worker !== request.key) return refuse('lease-unknown', 'This lease was never given to this worker.');
  if (lease.state !== 'granted')
    return refuse('lease-over', `This lease is ${lease.state === 'committed' ? 'already committed' : 'no longer yours'}.`);
  const job = (await findJob(tx.db, lease.job))!;
  const order = orderOf(job);
  if (body.sceneRoot !== order.sceneRoot) return refuse('scene-differs', 'The film was traced from another scene than the job’s.');
  if (blocked(await standingOf(tx.db, request.key), core.rules))
    return refuse('worker-blocked', 'This key was found at fault too often: its leases go to others.');
  const leaves = leafCount(order, lease.slot);
  if (body.weights === undefined || !unpackClasses(body.weights, leaves))
    return refuse('weights', `A commitment says of each of its ${leaves} leaves what it can tell.`);
  const paths = leasePaths(order, lease.slot);
  if (body.segments > paths * segmentsPerPathMax(order.bounces))
    return refuse('segments-impossible', `A lease of ${paths} paths with ${order.bounces} bounces can’t hold ${body.segments} segments.`);
  const atMs = core.clock.nowMs();
  const done = await tx.db
    .update(leases)
    .set({
      ...{ state: 'committed', root: body.root, segments: body.segments, committedMs: atMs },
      ...{ adapterClass: body.adapterClass, weights: body.weights, shader: body.shader },
    })
    .where(and(eq(leases.id, lease.id), eq(leases.state, 'granted')))
    .returning({ id: leases.id });
  if (done.length === 0) return refuse('lease-over', 'This lease is no longer yours.');
  const traced = { segments: body.segments, shader: body.shader, adapterClass: body.adapterClass };
  tx.append({
    type: 'commitment',
    lease: lease.id,
    job: job.id,
    slot: lease.slot,
    worker: request.key,
    root: body.root,
    sceneRoot: body.sceneRoot,
    ...traced,
    ...(lease.round === null ? {} : { round: lease.round }),
    paths,
    leaves,
    weights: body.weights,
    request: request.hash,
    signed: request.signed,
    atMs,
  });
  await measure(tx, request.key, body);
  return { ok: true, ref: request.hash };
}

/** Exponentially fading sums, so that a device's speed follows what it does now. */
async function measure(tx: Tx, worker: string, { segments, traceMs }: LeaseCommitBody): Promise<void> {
  await tx.db
    .insert(meters)
    .values({ worker, segments, traceMs })
    .onConflictDoUpdate({
      target: meters.worker,
      set: { segments: sql`${meters.segments} / 2 + ${segments}`, traceMs: sql`${meters.traceMs} / 2 + ${traceMs}` },
    });
}

export interface Ending {
  readonly from: 'granted' | 'committed';
  readonly reason: string;
  /** Counted against the worker for this job: 0 for a polite yield, the maximum to never offer it again. */
  readonly faults: number;
  /** Counted against the slot: too many and the job fails. What a worker says of itself counts once per worker. */
  readonly failed: boolean | 'once-per-worker';
  /** Who found the worker at fault: what was held back of it goes to the creator and them. */
  readonly finders?: readonly string[];
}

/** A drill's lease ends so: it was a test of its checker. */
export const DRILL = 'drill';

/** Who ends a lease that a checker failed does not get away unblamed; only a draw of verdicts excuses. */
export const UNDECIDED = 'check-undecided';

/** Ends a live lease unpaid and puts its slot back. @returns null when someone else was first. */
export async function endLease(core: Core, tx: Tx, notices: Notices, id: string, ending: Ending): Promise<LeaseRow | null> {
  const atMs = core.clock.nowMs();
  const state = ending.from === 'committed' ? 'voided' : 'released';
  const [lease] = await tx.db
    .update(leases)
    .set({ state, endedMs: atMs, reason: ending.reason, faulted: ending.finders !== undefined })
    .where(and(eq(leases.id, id), eq(leases.state, ending.from)))
    .returning();
  if (!lease) return null;
  if (ending.from === 'committed') {
    tx.append({ type: 'void', lease: id, reason: ending.reason, atMs });
    await hold(core, tx, notices, lease, ending);
    await tx.db
      .update(checks)
      .set({ state: 'withdrawn' })
      .where(and(eq(checks.lease, id), eq(checks.state, 'drawn')));
  }
  const drilled = ending.reason === DRILL;
  const blamed = !drilled && ending.faults === 0 && ending.reason !== UNDECIDED && (await hasFailed(tx, id)) ? 1 : ending.faults;
  if (blamed > 0) await addFaults(tx, lease, blamed);
  const counts = ending.failed === 'once-per-worker' ? !(await gaveUpBefore(tx, lease)) : ending.failed;
  const failures = lease.failures + (counts ? 1 : 0);
  const reopened = await tx.db
    .update(jobs)
    .set({ redone: sql`${jobs.redone} + ${drilled ? 0 : 1}` })
    .where(and(eq(jobs.id, lease.job), eq(jobs.state, 'open')))
    .returning({ id: jobs.id });
  if (reopened.length === 0) {
    await refundIfOver(core, tx, lease.job);
    return lease;
  }
  if (failures >= LEASE_ATTEMPTS_MAX) {
    await closeJob(core, tx, notices, lease.job, 'failed', `a part of the picture failed ${failures} times, last: ${ending.reason}`);
    return lease;
  }
  await tx.db.insert(redo).values({ job: lease.job, slot: lease.slot, attempt: Math.min(lease.attempt + 1, 1_000), failures });
  return lease;
}

/** What a void lease does to its worker's record: a fault costs all that was held, a doubt the trust that was earned. */
async function hold(core: Core, tx: Tx, notices: Notices, lease: LeaseRow, { finders, reason }: Ending): Promise<void> {
  if (reason === DRILL) return;
  if (finders) return forfeit(core, tx, notices, lease, (await findJob(tx.db, lease.job))!, finders);
  if ((await hasFailed(tx, lease.id)) && !(await hasFailed(tx, lease.id, 'pass')))
    await beginAnew(tx, lease.worker, doubted(await standingOf(tx.db, lease.worker)));
}

async function hasFailed(tx: Tx, lease: string, state: 'fail' | 'pass' = 'fail'): Promise<boolean> {
  const mine = and(eq(checks.lease, lease), eq(checks.state, state));
  return (await tx.db.select({ lease: checks.lease }).from(checks).where(mine).limit(1)).length > 0;
}

/** Has this worker's key already given back this very slot, under another lease? */
async function gaveUpBefore(tx: Tx, lease: LeaseRow): Promise<boolean> {
  const same = and(eq(leases.job, lease.job), eq(leases.slot, lease.slot), eq(leases.worker, lease.worker));
  const earlier = and(same, ne(leases.id, lease.id), like(leases.reason, 'yield-%'));
  return (await tx.db.select({ id: leases.id }).from(leases).where(earlier).limit(1)).length > 0;
}

async function addFaults(tx: Tx, lease: LeaseRow, count: number): Promise<void> {
  await tx.db
    .insert(faults)
    .values({ worker: lease.worker, job: lease.job, count })
    .onConflictDoUpdate({ target: [faults.worker, faults.job], set: { count: sql`${faults.count} + ${count}` } });
}

/** Workers (keys) that are not given this job any more. */
export async function blockedWorkers(db: Db, job: string): Promise<Set<string>> {
  const found = await db
    .select({ worker: faults.worker })
    .from(faults)
    .where(and(eq(faults.job, job), sql`${faults.count} >= ${LEASE_FAULTS_PER_WORKER_AND_JOB_MAX}`));
  return new Set(found.map((row) => row.worker));
}
