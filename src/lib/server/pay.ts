/**
 * What a verified lease costs, and paying it: once, from its job's escrow, to worker, checkers and
 * treasury, as its terms say. Refuses nothing by itself: whether a lease may be paid is decided by
 * who calls, in the same transaction.
 */
import { and, eq, sql } from 'drizzle-orm';
import { CHECKERS, escrowOf, heldOf, TREASURY } from '../ledger/leaf.ts';
import { checkerLines, feesLack, type Funds, type Paid } from '../ledger/fees.ts';
import { leafRects, tileCount, tileRect } from '../job/plan.ts';
import { payFactor } from '../trust/grading.ts';
import { settled, withheld } from '../trust/standing.ts';
import { jobPaths, leasePaths, leaseShares, OWN_SHARES, workPrice, type LeaseShares } from '../market/price.ts';
import type { Core } from './core.ts';
import { orderOf } from './jobs.ts';
import { balanceOf, post } from './ledger.ts';
import type { Notices } from './notices.ts';
import { gradesOf, setStanding, standingOf } from './records.ts';
import { checks, jobs, leases, type JobRow, type LeaseRow } from './store/schema.ts';
import type { Tx } from './store/store.ts';

type Priced = Pick<LeaseRow, 'slot' | 'segments' | 'worker' | 'buyMicro' | 'sellMicro'>;

/** Was it rendered on its creator's own machine? Then nobody pays, nobody is paid, and nobody need check it. */
export const isOwn = (job: Pick<JobRow, 'creator'>, lease: Pick<LeaseRow, 'worker'>): boolean => lease.worker === job.creator;

/** What a lease costs now that its segments are known, and how it is cut. */
export function sharesOf(job: JobRow, lease: Priced): LeaseShares {
  if (isOwn(job, lease)) return OWN_SHARES;
  const order = orderOf(job);
  const bill = {
    segments: lease.segments ?? 0,
    costPerMille: order.costPerMille,
    paths: leasePaths(order, lease.slot),
    jobPaths: jobPaths(order),
    capMicro: job.capMicro,
  };
  return leaseShares(bill, { buyMicro: lease.buyMicro ?? job.priceMicro, sellMicro: lease.sellMicro ?? job.priceMicro }, job);
}

/** Micro-tokens. */
export const priceOf = (job: JobRow, lease: Priced): bigint => sharesOf(job, lease).amountMicro;

/** Settles a committed lease; without a receipt the log says so. @returns false when someone else ended it first. */
export async function payLease(core: Core, tx: Tx, notices: Notices, job: JobRow, lease: LeaseRow): Promise<boolean> {
  const atMs = core.clock.nowMs();
  const claimed = await tx.db
    .update(leases)
    .set({ state: 'settled', endedMs: atMs })
    .where(and(eq(leases.id, lease.id), eq(leases.state, 'committed')))
    .returning({ id: leases.id });
  if (claimed.length === 0) return false;
  if (!lease.received) tx.append({ type: 'waiver', lease: lease.id, atMs });
  await pay(core, tx, notices, job, lease);
  await tx.db
    .update(checks)
    .set({ state: 'withdrawn' })
    .where(and(eq(checks.lease, lease.id), eq(checks.state, 'drawn')));
  return true;
}

/** What nobody earned, and the treasury. */
export const fundsOf = async ({ db }: Tx): Promise<Funds> => ({
  checkersMicro: await balanceOf(db, CHECKERS),
  treasuryMicro: await balanceOf(db, TREASURY),
});

async function pay(core: Core, tx: Tx, notices: Notices, job: JobRow, lease: LeaseRow): Promise<void> {
  const split = sharesOf(job, lease);
  const amount = split.amountMicro;
  const own = isOwn(job, lease);
  const passed = await tx.db
    .select({ checker: checks.checker, drawn: checks.drawn })
    .from(checks)
    .where(and(eq(checks.lease, lease.id), eq(checks.state, 'pass')));
  const paid: Paid[] = [];
  for (const { checker, drawn } of passed)
    paid.push({ checker, leaves: drawn.split(',').length, factor: payFactor(await gradesOf(tx.db, checker), core.rules.unprovenPay) });
  const order = orderOf(job);
  const terms = { ...split, leaves: leafRects(tileRect(order, lease.slot % tileCount(order))).length, auditPay: core.rules.auditPay };
  const funds = feesLack(terms, paid) > 0n ? await fundsOf(tx) : { checkersMicro: 0n, treasuryMicro: 0n };
  const standing = await standingOf(tx.db, lease.worker);
  const kept = withheld(standing, await balanceOf(tx.db, heldOf(lease.worker)), split.workerMicro, core.rules);
  const atMs = core.clock.nowMs();
  if (!own) await setStanding(tx, lease.worker, settled(standing, split.workerMicro), atMs);
  await post(tx, {
    kind: 'settle',
    job: job.id,
    lease: lease.id,
    atMs,
    postings: [
      [escrowOf(job.id), -amount],
      [heldOf(lease.worker), kept],
      [lease.worker, split.workerMicro - kept],
      ...checkerLines(terms, paid, funds),
      [TREASURY, split.feeMicro],
    ],
  });
  await tx.db
    .update(jobs)
    .set({
      settled: sql`${jobs.settled} + 1`,
      segments: sql`${jobs.segments} + ${lease.segments ?? 0}`,
      spentMicro: sql`${jobs.spentMicro} + ${amount}`,
      workMicro: sql`${jobs.workMicro} + ${own ? 0n : workPrice(lease.segments ?? 0, lease.buyMicro ?? job.priceMicro, orderOf(job).costPerMille)}`,
    })
    .where(eq(jobs.id, job.id));
  for (const key of [lease.worker, ...passed.map(({ checker }) => checker)])
    for (const session of core.sessions.ofKey(key)) session.proven.add(job.id);
  for (const key of [job.creator, lease.worker, ...passed.map(({ checker }) => checker)]) notices.balance(key);
  notices.toPeer(lease.workerPeer, { type: 'settled', lease: lease.id, paidMicro: String(split.workerMicro) });
  notices.toPeer(core.sessions.creatorOf(job)?.peer, { type: 'settled', lease: lease.id, paidMicro: String(amount) });
}
