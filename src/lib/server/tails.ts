/**
 * The end of a job in the coordinator: which jobs have nothing left to lease and only their tail
 * running, and which idle worker takes a slot of it beside a slower one. The decision is market/tail.ts; the
 * claim is guarded here. Refuses own work on either side: it is free and unchecked, so beside a lease
 * that costs something it would be a way not to pay.
 */
import { and, asc, eq, gte, inArray, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { tileCount } from '../job/plan.ts';
import { lastCommitMs } from '../ledger/lease-price.ts';
import { duplicate, tailLeases, type RunningLease } from '../market/tail.ts';
import { SCENE_ALLOWANCE_MS, TAIL_WORKERS_PER_ROUND_MAX } from '../protocol/limits.ts';
import type { Core } from './core.ts';
import { orderOf } from './jobs.ts';
import { allowance, expectedMs, grantSlot, nextTry } from './leases.ts';
import { quietTiles } from './quiet.ts';
import type { Session } from './sessions.ts';
import type { Rows } from './store/rows.ts';
import { inState } from './store/table.ts';
import { jobs, leases, rounds, type JobRow, type LeaseRow, type MeterRow } from './store/schema.ts';
import type { Db, Tx } from './store/store.ts';
import { twinOf } from './twins.ts';

type TailLease = RunningLease & Pick<LeaseRow, 'slot' | 'buyMicro' | 'sellMicro'>;

/** A job of which only the tail runs. */
export interface Tail {
  readonly job: JobRow;
  /** Slots that nobody has committed to. */
  readonly left: number;
}

/** An idle worker, and the running lease that it takes too. */
export interface TailPair {
  readonly job: JobRow;
  readonly worker: Session;
  readonly lease: TailLease;
}

const twin = alias(leases, 'twin');
const withTwin = and(eq(twin.id, leases.twin), inState(twin.state, 'granted', 'committed'));

/** Jobs of which only the tail runs, the oldest first. */
export async function tailsOf(db: Db): Promise<Tail[]> {
  const nothingWaits = and(
    gte(jobs.nextSlot, jobs.slots),
    sql`not exists (select 1 from redo r where r.job = ${jobs.id})`,
    eq(jobs.state, 'open'),
  );
  // Counted before leases are read: far from its end a job may have very many.
  const left = sql<string>`count(distinct ${leases.slot}) filter (where ${twin.state} is distinct from 'committed')`;
  const found = await db
    .select({ job: jobs, left: left.mapWith(Number) })
    .from(leases)
    .innerJoin(jobs, eq(jobs.id, leases.job))
    .leftJoin(twin, withTwin)
    .where(and(inState(leases.state, 'granted'), nothingWaits))
    .groupBy(jobs.id)
    .orderBy(asc(jobs.createdMs));
  return found.filter((tail) => tail.left <= tailLeases(tail.job.slots));
}

/**
 * Who of the idle workers takes what, the fastest of them first; each takes one lease, and each lease is taken once.
 * @param may does this worker sell to that job, at the price at which the lease was given?
 */
export async function pairTails(
  core: Core,
  tails: readonly Tail[],
  idle: readonly Session[],
  may: (job: JobRow, worker: Session, lease: TailLease) => boolean,
): Promise<TailPair[]> {
  const rows = core.store.committed();
  const free = tails.length === 0 ? [] : await fastest(rows, idle);
  if (free.length === 0) return [];
  const running = await runningOf(core.store.db, rows, tails);
  const nowMs = core.clock.nowMs();
  const pairs: TailPair[] = [];
  const taken = new Set<string>();
  for (const { job, left } of tails) {
    const open = running.get(job.id)!;
    for (const { session, meter } of free) {
      if (taken.has(session.peer) || session.key === job.creator) continue;
      const sceneMs = session.proven.has(job.id) || session.scene?.root === orderOf(job).sceneRoot ? 0 : SCENE_ALLOWANCE_MS;
      const needsMs = ({ slot }: TailLease): number => sceneMs + expectedMs(job, slot, meter)!;
      const offered = open.filter((lease) => !taken.has(lease.lease) && may(job, session, lease));
      const lease = duplicate({ slots: job.slots, left }, offered, { worker: session.key, needsMs }, nowMs);
      if (!lease) continue;
      pairs.push({ job, worker: session, lease });
      taken.add(session.peer).add(lease.lease);
    }
  }
  return pairs;
}

/** Idle workers whose speed was measured. */
async function fastest(rows: Rows, idle: readonly Session[]): Promise<{ session: Session; meter: MeterRow }[]> {
  await rows.meters.load(idle.map(({ key }) => key));
  const measured: { session: Session; meter: MeterRow }[] = [];
  for (const session of idle) {
    const meter = await rows.meters.get(session.key);
    if (meter && meter.traceMs > 0) measured.push({ session, meter });
  }
  const speed = ({ meter }: { meter: MeterRow }): number => meter.segments / meter.traceMs;
  return measured.sort((a, b) => speed(b) - speed(a)).slice(0, TAIL_WORKERS_PER_ROUND_MAX);
}

/** What runs of each of these jobs and is not its creator's own, with when it should be done: a worker traces one lease after the other. */
async function runningOf(db: Db, rows: Rows, tails: readonly Tail[]): Promise<Map<string, TailLease[]>> {
  const { id, job, slot, worker, workerPeer, grantedMs, buyMicro, sellMicro } = leases;
  const found = await db
    .select({ lease: id, job, slot, worker, workerPeer, grantedMs, buyMicro, sellMicro, twin: twin.id })
    .from(leases)
    .leftJoin(twin, withTwin)
    .where(
      and(
        inState(leases.state, 'granted'),
        inArray(
          job,
          tails.map((tail) => tail.job.id),
        ),
      ),
    )
    .orderBy(asc(grantedMs), asc(slot));
  await rows.meters.load(found.map((lease) => lease.worker));
  const running = new Map<string, TailLease[]>();
  for (const tail of tails) {
    const doneMs = new Map<string, number>();
    const its: TailLease[] = [];
    for (const lease of found.filter((one) => one.job === tail.job.id)) {
      const traceMs = expectedMs(tail.job, lease.slot, await rows.meters.get(lease.worker));
      const expected = traceMs === null ? null : Math.max(lease.grantedMs, doneMs.get(lease.workerPeer) ?? 0) + traceMs;
      if (expected !== null) doneMs.set(lease.workerPeer, expected);
      if (lease.worker !== tail.job.creator) its.push({ ...lease, expectedMs: expected, doubled: lease.twin !== null });
    }
    running.set(tail.job.id, its);
  }
  return running;
}

/**
 * Issues the slot of a running lease a second time, at the price at which it was given: whoever is quicker,
 * the slot costs the same. Null when it is too late for that, or not needed any more.
 */
export async function claimTwin(core: Core, tx: Tx, id: string, worker: { key: string; peer: string }): Promise<LeaseRow | null> {
  const first = await tx.rows.leases.get(id);
  const job = first && (await tx.rows.jobs.get(first.job));
  if (first?.state !== 'granted' || job?.state !== 'open' || job.nextSlot < job.slots) return null;
  if ([first.worker, job.creator].includes(worker.key) || first.worker === job.creator) return null;
  if ((await twinOf(tx, first)) || (await tx.rows.redo.members(job.id)).length > 0) return null;
  if (quietTiles(job).has(first.slot % tileCount(orderOf(job)))) return null;
  const { round, buyMicro, sellMicro } = first;
  const price = round === null ? undefined : { round, buyMicro: buyMicro!, sellMicro: sellMicro! };
  const doneMs = core.clock.nowMs() + (await allowance(tx, job, first.slot, worker.key));
  if (doneMs > (await priceEndsMs(tx, round))) return null;
  return grantSlot(core, tx, job, { ...worker, price }, nextTry(first), first);
}

/** Until when a lease at the price of this round may be committed. */
async function priceEndsMs(tx: Tx, round: number | null): Promise<number> {
  if (round === null) return Infinity;
  const [held] = await (await tx.sql()).select({ atMs: rounds.atMs }).from(rounds).where(eq(rounds.round, round));
  return lastCommitMs(held!.atMs);
}
