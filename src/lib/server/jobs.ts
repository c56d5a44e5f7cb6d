/**
 * Jobs: taking one on against escrow, and what is told about it. A job is taken whole or refused with
 * a reason; how it ends is closing.ts.
 */
import { and, count, countDistinct, eq, gte, sql } from 'drizzle-orm';
import { escrowOf } from '../ledger/leaf.ts';
import { capFloor, jobPaths } from '../market/price.ts';
import { stopAt } from '../market/tail.ts';
import { leaseCount } from '../job/plan.ts';
import { sha256, toHex } from '../protocol/bytes.ts';
import { encodeCanonical } from '../protocol/canonical.ts';
import type { JobView } from '../protocol/control.ts';
import type { Envelope } from '../protocol/envelope.ts';
import type { JobOrder } from '../protocol/order.ts';
import { JOB_LEASES_MAX, JOBS_OPEN_PER_CREATOR_MAX, LEASE_FAULTS_PER_WORKER_AND_JOB_MAX } from '../protocol/limits.ts';
import { refuse, type Core, type Refusal } from './core.ts';
import { post } from './ledger.ts';
import { faults, jobs, leases, type JobRow } from './store/schema.ts';
import type { Session } from './sessions.ts';
import { inState, oneOf } from './store/table.ts';
import type { Tx } from './store/store.ts';

/** Why no more of a job is leased, and why it ends then. */
export const CAP_SHORT = 'the limit is less than half of what its rays cost: order again with a higher one';

const COST_SHORT = 'workers measured that its rays cost more than the order says: cancel it and order again';
/** A worker's reason to give a lease back (protocol/control). */
export const UNDERSTATED = 'cost-understated';

const ORDERS_KEPT_MAX = 1_024;
const orders = new Map<string, JobOrder>();

/** The job's order; parsed once, however often its row changes. */
export function orderOf({ orderHash: hash, orderJson }: Pick<JobRow, 'orderHash' | 'orderJson'>): JobOrder {
  let order = orders.get(hash);
  if (!order) {
    if (orders.size >= ORDERS_KEPT_MAX) orders.clear();
    orders.set(hash, (order = JSON.parse(orderJson) as JobOrder));
  }
  return order;
}

/** SHA-256 over the order's canonical bytes, hex. */
export const orderHash = (order: JobOrder): string => toHex(sha256(encodeCanonical(order)));

export interface Request {
  readonly hash: string;
  readonly key: string;
  /** As it came; the log keeps it, so that others can check who asked. */
  readonly signed: Envelope;
}

/** What a job begins with. */
const UNTOUCHED = {
  state: 'open' as const,
  reason: '',
  nextSlot: 0,
  settled: 0,
  redone: 0,
  checks: 0,
  segments: 0,
  spentMicro: 0n,
  workMicro: 0n,
  refunded: false,
  quiet: '[]',
};

/** A job's id is the first half of its request's hash: sending it again is the same job. */
export async function openJob(core: Core, tx: Tx, request: Request, order: JobOrder): Promise<{ ok: true; ref: string } | Refusal> {
  const slots = leaseCount(order);
  if (slots > JOB_LEASES_MAX)
    return refuse(
      'job-too-big',
      `This job would take ${slots} leases; the most is ${JOB_LEASES_MAX}. Ask for fewer samples, a smaller picture or larger tiles.`,
    );
  const db = await tx.sql();
  const [open] = await db
    .select({ n: count() })
    .from(jobs)
    .where(and(eq(jobs.creator, request.key), eq(jobs.state, 'open')));
  if ((open?.n ?? 0) >= JOBS_OPEN_PER_CREATOR_MAX)
    return refuse('jobs-open', `You already have ${JOBS_OPEN_PER_CREATOR_MAX} jobs running; wait for one to end or cancel it.`);
  const cap = BigInt(order.capMicro);
  const floor = capFloor(order, BigInt(core.policy.pricePerWorkUnitMicro));
  if (cap < floor)
    return refuse(
      'cap-too-low',
      `A limit of ${tokens(cap)} tokens is below the ${tokens(floor)} that this picture costs if every path ends at the first thing it meets. Raise it, or ask for less.`,
    );
  const balance = await tx.rows.balances.get(request.key);
  if (balance < cap)
    return refuse(
      'balance',
      `This job may cost ${tokens(cap)} tokens and you have ${tokens(balance)}. Lower its limit, or earn by rendering for others.`,
    );
  const id = request.hash.slice(0, 32);
  const atMs = core.clock.nowMs();
  const { pricePerWorkUnitMicro, checkerShare, feeShare, leavesPerCheck } = core.policy;
  const hash = orderHash(order);
  tx.rows.jobs.put({
    ...UNTOUCHED,
    id,
    creator: request.key,
    orderJson: JSON.stringify(order),
    orderHash: hash,
    capMicro: cap,
    priceMicro: BigInt(pricePerWorkUnitMicro),
    checkerShare,
    feeShare,
    leavesPerCheck,
    slots,
    createdMs: atMs,
  });
  tx.rows.redo.emptied(id);
  const terms = { capMicro: order.capMicro, pricePerWorkUnitMicro, checkerShare, feeShare, paths: jobPaths(order), leaves: leavesPerCheck };
  tx.append({ type: 'job', job: id, creator: request.key, order: hash, ...terms, request: request.hash, signed: request.signed, atMs });
  await post(tx, {
    kind: 'escrow',
    job: id,
    request: request.hash,
    atMs,
    postings: [
      [request.key, -cap],
      [escrowOf(id), cap],
    ],
  });
  return { ok: true, ref: id };
}

/** 1500000 → "1.5". */
export function tokens(micro: bigint): string {
  const digits = micro.toString().padStart(7, '0');
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`.replace(/\.?0+$/, '');
}

async function allBlocked(core: Core, job: string, workers: readonly Session[]): Promise<boolean> {
  const found = await core.store.db
    .select({ worker: faults.worker })
    .from(faults)
    .where(and(eq(faults.job, job), gte(faults.count, LEASE_FAULTS_PER_WORKER_AND_JOB_MAX)));
  const blocked = new Set(found.map((row) => row.worker));
  return workers.every((session) => blocked.has(session.key));
}

/** Did a worker give a lease of this job back because its rays cost more than the order says? */
async function leftForCost(core: Core, job: string): Promise<boolean> {
  const left = and(eq(leases.job, job), eq(leases.reason, `yield-${UNDERSTATED}`));
  return (await core.store.db.select({ id: leases.id }).from(leases).where(left).limit(1)).length > 0;
}

/** Why an open job stands still, for people; empty while it moves. */
async function waitsFor(core: Core, job: JobRow, leased: number, committed: number): Promise<string> {
  if (job.state !== 'open') return job.reason;
  if (stopAt(orderOf(job), job) !== 'lease') return CAP_SHORT;
  if (!core.sessions.creatorOf(job)) return 'waiting for its creator’s tab';
  const workers = core.sessions.with('worker');
  if (workers.length === 0) return 'waiting for a worker';
  if (leased + committed === 0 && (await allBlocked(core, job.id, workers)))
    return (await leftForCost(core, job.id)) ? COST_SHORT : 'every worker here has failed at this job; waiting for another';
  const checkers = core.sessions.with('checker').filter((session) => session.key !== job.creator);
  return committed > 0 && checkers.length === 0 ? 'waiting for a checker' : '';
}

export const viewJob = async (core: Core, id: string): Promise<JobView | null> => (await viewJobs(core, [id]))[0] ?? null;

/** Those that there are. */
export async function viewJobs(core: Core, ids: readonly string[]): Promise<JobView[]> {
  const { db } = core.store;
  const { jobs: known } = core.store.committed();
  await known.load(ids);
  // Slots, not leases: a slot may have two at the end of a job, and counts as what is farthest of it.
  const committedSlots = sql<string>`count(distinct ${leases.slot}) filter (where ${leases.state} = 'committed')`;
  const live = await db
    .select({ job: leases.job, slots: countDistinct(leases.slot), committed: committedSlots.mapWith(Number) })
    .from(leases)
    .where(and(oneOf(leases.job, ids), inState(leases.state, 'granted', 'committed')))
    .groupBy(leases.job);
  const people = await db
    .select({ job: leases.job, workers: countDistinct(leases.worker) })
    .from(leases)
    .where(oneOf(leases.job, ids))
    .groupBy(leases.job);
  const views: JobView[] = [];
  for (const id of ids) {
    const job = await known.get(id);
    const workers = people.find((row) => row.job === id)?.workers ?? 0;
    if (job) views.push(await viewOf(core, job, { slots: 0, committed: 0, ...live.find((row) => row.job === id), workers }));
  }
  return views;
}

/** @param live slots of which a lease runs, those of them that are committed, and all workers that ever had a lease. */
async function viewOf(core: Core, job: JobRow, live: { slots: number; committed: number; workers: number }): Promise<JobView> {
  const { committed, workers } = live;
  const leased = live.slots - committed;
  return {
    job: job.id,
    title: orderOf(job).title,
    creator: job.creator,
    state: job.state,
    reason: await waitsFor(core, job, leased, committed),
    // Passes of quiet tiles are wanted no more.
    leases: job.state === 'done' ? job.settled : job.slots,
    settled: job.settled,
    committed,
    leased,
    redone: job.redone,
    workers,
    checks: job.checks,
    segments: job.segments,
    capMicro: String(job.capMicro),
    spentMicro: String(job.spentMicro),
  };
}
