/**
 * What a verified lease costs, and paying it: once, from its job's escrow, to worker, checkers and
 * treasury, as its terms say. Refuses nothing by itself: whether a lease may be paid is decided by
 * who calls, in the same transaction.
 */
import { CHECKERS, escrowOf, heldOf, TREASURY } from '../ledger/leaf.ts';
import { checkerLines, feesLack, type Funds, type Paid } from '../ledger/fees.ts';
import { leafRects, tileCount, tileRect } from '../job/plan.ts';
import { payFactor } from '../trust/grading.ts';
import { settled, withheld } from '../trust/standing.ts';
import { jobPaths, leasePaths, leaseShares, OWN_SHARES, workPrice, type LeaseShares } from '../market/price.ts';
import type { Core } from './core.ts';
import { orderOf } from './jobs.ts';
import { paidFor, withdrawChecks } from './lease-ends.ts';
import { post } from './ledger.ts';
import type { Notices } from './notices.ts';
import { gradesOf, setStanding, standingOf } from './records.ts';
import type { JobRow, LeaseRow } from './store/schema.ts';
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
  if ((await tx.rows.leases.get(lease.id))?.state !== 'committed') return false;
  (await paidFor(tx, job.id)).add(lease.worker);
  await tx.rows.leases.change(lease.id, () => ({ state: 'settled', endedMs: atMs }));
  if (!lease.received) tx.append({ type: 'waiver', lease: lease.id, atMs });
  await pay(core, tx, notices, job, lease);
  await withdrawChecks(tx, lease.id);
  return true;
}

/** What nobody earned, and the treasury. */
export const fundsOf = async ({ rows }: Tx): Promise<Funds> => ({
  checkersMicro: await rows.balances.get(CHECKERS),
  treasuryMicro: await rows.balances.get(TREASURY),
});

async function pay(core: Core, tx: Tx, notices: Notices, job: JobRow, lease: LeaseRow): Promise<void> {
  const split = sharesOf(job, lease);
  const amount = split.amountMicro;
  const own = isOwn(job, lease);
  const passed = (await tx.rows.checks.members(lease.id)).filter(({ state }) => state === 'pass');
  const paid: Paid[] = [];
  for (const { checker, drawn } of passed)
    paid.push({ checker, leaves: drawn.split(',').length, factor: payFactor(await gradesOf(tx.rows, checker), core.rules.unprovenPay) });
  const order = orderOf(job);
  const terms = { ...split, leaves: leafRects(tileRect(order, lease.slot % tileCount(order))).length, auditPay: core.rules.auditPay };
  const funds = feesLack(terms, paid) > 0n ? await fundsOf(tx) : { checkersMicro: 0n, treasuryMicro: 0n };
  const standing = await standingOf(tx.rows, lease.worker);
  const kept = withheld(standing, await tx.rows.balances.get(heldOf(lease.worker)), split.workerMicro, core.rules);
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
  const segments = lease.segments ?? 0;
  const workMicro = own ? 0n : workPrice(segments, lease.buyMicro ?? job.priceMicro, order.costPerMille);
  await tx.rows.jobs.change(job.id, (before) => ({
    settled: before.settled + 1,
    segments: before.segments + segments,
    spentMicro: before.spentMicro + amount,
    workMicro: before.workMicro + workMicro,
  }));
  for (const key of [lease.worker, ...passed.map(({ checker }) => checker)])
    for (const session of core.sessions.ofKey(key)) session.proven.add(job.id);
  for (const key of [job.creator, lease.worker, ...passed.map(({ checker }) => checker)]) notices.balance(key);
  notices.toPeer(lease.workerPeer, { type: 'settled', lease: lease.id, paidMicro: String(split.workerMicro) });
  notices.toPeer(core.sessions.creatorOf(job)?.peer, { type: 'settled', lease: lease.id, paidMicro: String(amount) });
}
