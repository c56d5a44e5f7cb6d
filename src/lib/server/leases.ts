/**
 * Leases: granted, committed, settled, or given back. Every change is a guarded claim: an update that
 * names the state it expects, so that two parties can't both make it. A slot (one tile of one pass)
 * has one live lease, at the end of a job two (twins.ts), and never two that are settled, by unique indexes.
 */
import { and, eq, gte, inArray, like, ne } from 'drizzle-orm';
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
import { orderOf, type Request } from './jobs.ts';
import { paidFor, withdrawChecks } from './lease-ends.ts';
import type { Notices } from './notices.ts';
import { nextSlot, type Slot } from './slots.ts';
import { twinOf } from './twins.ts';
import { beginAnew, forfeit, standingOf } from './records.ts';
import { faults, leases, type JobRow, type LeaseRow, type MeterRow } from './store/schema.ts';
import type { Db, Tx } from './store/store.ts';

/** How many times the expected duration a worker may take. */
const DEADLINE_FACTOR = 4;
/** Tries are counted so far (protocol/control, LeaseSchema). */
const ATTEMPT_MAX = 1_000;

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

/** What a lease begins with. */
const UNTOUCHED = {
  state: 'granted' as const,
  root: null,
  segments: null,
  committedMs: null,
  adapterClass: '',
  weights: null,
  second: false,
  received: false,
  corrupt: 0,
  missing: 0,
  unavailable: 0,
  verdict: null,
  verdictMs: null,
  endedMs: null,
  reason: null,
  faulted: false,
  shader: '',
};

/** @param twin the live lease of the same slot beside which this one is issued. */
export async function grantSlot(core: Core, tx: Tx, job: JobRow, worker: Taker, slot: Slot, twin?: LeaseRow): Promise<LeaseRow> {
  const nowMs = core.clock.nowMs();
  const { round = null, buyMicro = null, sellMicro = null } = worker.price ?? {};
  const lease: LeaseRow = {
    ...UNTOUCHED,
    id: toHex(core.random(16)),
    job: job.id,
    ...slot,
    place: twin ? 1 - twin.place : 0,
    twin: twin?.id ?? null,
    worker: worker.key,
    workerPeer: worker.peer,
    grantedMs: nowMs,
    ...{ round, buyMicro, sellMicro },
    deadlineMs: nowMs + (await allowance(tx, job, slot.slot, worker.key)),
    // Nobody checks what its owner renders for himself: it would have a spoiled film for its picture.
    drill: worker.key === job.creator ? null : await askDrill(core, tx, job, worker.key),
  };
  tx.rows.leases.put(lease);
  if (twin) tx.rows.leases.put({ ...twin, twin: lease.id });
  tx.rows.checks.emptied(lease.id);
  tx.rows.drills.absent(lease.id);
  return lease;
}

/** After a drill: its slot for the worker that has the honest film, also beside another lease of it. Nothing when its job is over. */
export async function grantAgain(core: Core, tx: Tx, notices: Notices, drilled: LeaseRow): Promise<void> {
  const { job: id, slot, worker, workerPeer } = drilled;
  const job = (await tx.rows.jobs.get(id))!;
  const waiting = await tx.rows.redo.get(id, slot);
  const twin = waiting ? null : await twinOf(tx, drilled);
  if (job.state !== 'open' || (!waiting && !twin)) return;
  if (waiting) tx.rows.redo.delete(waiting);
  const { attempt, failures } = waiting ?? nextTry(twin!);
  await grantSlot(core, tx, job, { key: worker, peer: workerPeer }, { slot, attempt, failures }, twin ?? undefined);
  notices.resend(workerPeer);
}

/** As what another lease of the same slot begins. */
export const nextTry = ({ slot, attempt, failures }: LeaseRow): Slot => ({ slot, attempt: Math.min(attempt + 1, ATTEMPT_MAX), failures });

/** Milliseconds in which a device of this measured speed should trace a slot; null where nothing was measured. */
export function expectedMs(job: JobRow, slot: number, meter: MeterRow | null): number | null {
  if (!meter || meter.traceMs === 0) return null;
  const order = orderOf(job);
  const perPath =
    job.settled > 0 && job.segments > 0 ? job.segments / Math.max(pathsOfFirst(order, job.settled), 1) : segmentsPerPathMax(order.bounces);
  return (leasePaths(order, slot) * perPath * meter.traceMs) / Math.max(meter.segments, 1);
}

/** Milliseconds until a lease is given to another: four times what this worker's measured speed leads to expect. */
export async function allowance(tx: Tx, job: JobRow, slot: number, worker: string): Promise<number> {
  const traceMs = expectedMs(job, slot, await tx.rows.meters.get(worker));
  if (traceMs === null) return LEASE_DEADLINE_MAX_MS;
  const ms = Math.min(Math.max(DEADLINE_FACTOR * traceMs, LEASE_DEADLINE_MIN_MS), LEASE_DEADLINE_MAX_MS);
  const before = (await paidFor(tx, job.id)).has(worker);
  return Math.round(before ? ms : ms + SCENE_ALLOWANCE_MS);
}

/** Durable and logged when the write resolves: only then may leaves be drawn. */
export async function commitLease(
  core: Core,
  tx: Tx,
  request: Request,
  body: LeaseCommitBody,
): Promise<{ ok: true; ref: string } | Refusal> {
  const lease = await tx.rows.leases.get(body.lease);
  if (!lease || lease.worker !== request.key) return refuse('lease-unknown', 'This lease was never given to this worker.');
  if (lease.state !== 'granted')
    return refuse('lease-over', `This lease is ${lease.state === 'committed' ? 'already committed' : 'no longer yours'}.`);
  const job = (await tx.rows.jobs.get(lease.job))!;
  const order = orderOf(job);
  if (body.sceneRoot !== order.sceneRoot) return refuse('scene-differs', 'The film was traced from another scene than the job’s.');
  if (blocked(await standingOf(tx.rows, request.key), core.rules))
    return refuse('worker-blocked', 'This key was found at fault too often: its leases go to others.');
  const leaves = leafCount(order, lease.slot);
  if (body.weights === undefined || !unpackClasses(body.weights, leaves))
    return refuse('weights', `A commitment says of each of its ${leaves} leaves what it can tell.`);
  const paths = leasePaths(order, lease.slot);
  if (body.segments > paths * segmentsPerPathMax(order.bounces))
    return refuse('segments-impossible', `A lease of ${paths} paths with ${order.bounces} bounces can’t hold ${body.segments} segments.`);
  const atMs = core.clock.nowMs();
  const before = await twinOf(tx, lease);
  // Of two of a slot the later one is strictly later: the order in which they are checked.
  const committedMs = Math.max(atMs, (before?.committedMs ?? 0) + 1);
  tx.rows.leases.put({
    ...lease,
    ...{ state: 'committed', root: body.root, segments: body.segments, committedMs },
    ...{ adapterClass: body.adapterClass, weights: body.weights, shader: body.shader },
  });
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
  const before = (await tx.rows.meters.get(worker)) ?? { segments: 0, traceMs: 0 };
  tx.rows.meters.put({
    worker,
    segments: Math.floor(before.segments / 2) + segments,
    traceMs: Math.floor(before.traceMs / 2) + traceMs,
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

/** Nobody is left who may look at the film. */
export const UNCHECKED = 'unchecked';

/** Ends a live lease unpaid and puts its slot back. @returns null when someone else was first. */
export async function endLease(core: Core, tx: Tx, notices: Notices, id: string, ending: Ending): Promise<LeaseRow | null> {
  const atMs = core.clock.nowMs();
  const state = ending.from === 'committed' ? 'voided' : 'released';
  const before = await tx.rows.leases.get(id);
  if (before?.state !== ending.from) return null;
  const lease = { ...before, state, endedMs: atMs, reason: ending.reason, faulted: ending.finders !== undefined } as const;
  tx.rows.leases.put(lease);
  if (ending.from === 'committed') {
    tx.append({ type: 'void', lease: id, reason: ending.reason, atMs });
    await hold(core, tx, notices, lease, ending);
    await withdrawChecks(tx, id);
  }
  const drilled = ending.reason === DRILL;
  const blamed = !drilled && ending.faults === 0 && ending.reason !== UNDECIDED && (await hasFailed(tx, id)) ? 1 : ending.faults;
  if (blamed > 0) await addFaults(tx, lease, blamed);
  const counts = ending.failed === 'once-per-worker' ? !(await gaveUpBefore(tx, lease)) : ending.failed;
  const failures = lease.failures + (counts ? 1 : 0);
  if ((await tx.rows.jobs.get(lease.job))?.state !== 'open') {
    await refundIfOver(core, tx, lease.job);
    return lease;
  }
  const twin = await twinOf(tx, lease);
  if (twin) {
    // Nothing is done again, for the slot is in good hands; what failed of it counts on.
    if (counts) tx.rows.leases.put({ ...twin, failures: twin.failures + 1 });
    return lease;
  }
  await tx.rows.jobs.change(lease.job, ({ redone }) => ({ redone: redone + (drilled ? 0 : 1) }));
  if (counts && failures >= LEASE_ATTEMPTS_MAX) {
    await closeJob(core, tx, notices, lease.job, 'failed', `a part of the picture failed ${failures} times, last: ${ending.reason}`);
    return lease;
  }
  tx.rows.redo.put({ job: lease.job, ...nextTry({ ...lease, failures }) });
  return lease;
}

/** What a void lease does to its worker's record: a fault costs all that was held, a doubt the trust that was earned. */
async function hold(core: Core, tx: Tx, notices: Notices, lease: LeaseRow, { finders, reason }: Ending): Promise<void> {
  if (reason === DRILL) return;
  if (finders) return forfeit(core, tx, notices, lease, (await tx.rows.jobs.get(lease.job))!, finders);
  if ((await hasFailed(tx, lease.id)) && !(await hasFailed(tx, lease.id, 'pass')))
    await beginAnew(tx, lease.worker, doubted(await standingOf(tx.rows, lease.worker)));
}

async function hasFailed(tx: Tx, lease: string, state: 'fail' | 'pass' = 'fail'): Promise<boolean> {
  return (await tx.rows.checks.members(lease)).some((check) => check.state === state);
}

/** Has this worker's key already given back this very slot, under another lease? */
async function gaveUpBefore(tx: Tx, lease: LeaseRow): Promise<boolean> {
  const same = and(eq(leases.job, lease.job), eq(leases.slot, lease.slot), eq(leases.worker, lease.worker));
  const earlier = and(same, ne(leases.id, lease.id), like(leases.reason, 'yield-%'));
  return (await (await tx.sql()).select({ id: leases.id }).from(leases).where(earlier).limit(1)).length > 0;
}

async function addFaults(tx: Tx, lease: LeaseRow, count: number): Promise<void> {
  const { worker, job } = lease;
  const before = await tx.rows.faults.get(worker, job);
  tx.rows.faults.put({ worker, job, count: (before?.count ?? 0) + count });
}

/** Of each of these jobs, the workers (keys) that are not given it any more. */
export async function blockedWorkers(db: Db, of: readonly string[]): Promise<Map<string, ReadonlySet<string>>> {
  const found = await db
    .select({ worker: faults.worker, job: faults.job })
    .from(faults)
    .where(and(inArray(faults.job, [...of]), gte(faults.count, LEASE_FAULTS_PER_WORKER_AND_JOB_MAX)));
  return new Map(of.map((id) => [id, new Set(found.filter(({ job }) => job === id).map(({ worker }) => worker))]));
}
