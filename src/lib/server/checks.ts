/**
 * Challenges: a checker that committed to a nonce is drawn for a committed lease, the beacon is
 * revealed, and its signed verdict is recorded with the draw that anyone can recompute. A first
 * failing verdict asks another checker where there is one; only then is a lease void.
 */
import { and, asc, count, eq, inArray, ne, sql } from 'drizzle-orm';
import { drawLeaves, drawSeed, nonceCommitment } from '../trust/draw.ts';
import { fromHex, toHex } from '../protocol/bytes.ts';
import type { CheckVerdictBody } from '../protocol/control.ts';
import { CHECK_DEADLINE_MS, CHECK_NONCES_PER_CHECKER_MAX, CHECKS_UNAVAILABLE_MAX } from '../protocol/limits.ts';
import { refuse, type Core, type Refusal } from './core.ts';
import { findJob, orderOf, type Request } from './jobs.ts';
import { findLease, leafCount } from './leases.ts';
import type { Notices } from './notices.ts';
import type { Session } from './sessions.ts';
import { giveUp, settleIfReady } from './settle.ts';
import { checks, jobs, leases, nonces, type CheckRow, type JobRow, type LeaseRow } from './store/schema.ts';
import type { Db, Tx } from './store/store.ts';

/** What the verdicts so far amount to. `tie` voids without blaming the worker. */
export type Decision = 'pass' | 'fail' | 'tie' | 'wait';

/** Majority of up to three; one pass is enough while nobody disagrees. */
export function decide(passes: number, fails: number, another: boolean): Decision {
  if (fails === 0) return passes > 0 ? 'pass' : 'wait';
  if (passes >= 2) return 'pass';
  if (fails >= 2) return 'fail';
  if (another) return 'wait';
  return passes === 0 ? 'fail' : 'tie';
}

/** Keeps new commitments of a checker's session, up to the bound, and logs them before any draw can use them. */
export async function addNonces(tx: Tx, checker: Pick<Session, 'key' | 'peer'>, commitments: readonly string[]): Promise<void> {
  const known = await tx.db
    .select({ commitment: nonces.commitment })
    .from(nonces)
    .where(inArray(nonces.commitment, [...commitments]));
  const seen = new Set(known.map((row) => row.commitment));
  const room = CHECK_NONCES_PER_CHECKER_MAX - (await unusedNonces(tx.db, checker.peer));
  const fresh = [...new Set(commitments)].filter((commitment) => !seen.has(commitment)).slice(0, Math.max(room, 0));
  if (fresh.length === 0) return;
  await tx.db.insert(nonces).values(fresh.map((commitment) => ({ commitment, checker: checker.key, checkerPeer: checker.peer })));
  tx.append({ type: 'nonces', checker: checker.key, commitments: fresh });
}

async function unusedNonces(db: Db, peer: string): Promise<number> {
  const [row] = await db
    .select({ n: count() })
    .from(nonces)
    .where(and(eq(nonces.checkerPeer, peer), eq(nonces.used, false)));
  return row?.n ?? 0;
}

/** Draws a check of a committed lease for one checker. Null when the lease is decided, already drawn, or the checker has no nonce left. */
export async function drawCheck(
  core: Core,
  tx: Tx,
  id: string,
  checker: Pick<Session, 'key' | 'peer'>,
): Promise<{ check: CheckRow; lease: LeaseRow; job: JobRow } | null> {
  const lease = await findLease(tx.db, id);
  if (lease?.state !== 'committed' || lease.verdict !== null) return null;
  const [running] = await tx.db
    .select({ n: count() })
    .from(checks)
    .where(and(eq(checks.lease, id), eq(checks.state, 'drawn')));
  if ((running?.n ?? 0) > 0) return null;
  const [nonce] = await tx.db
    .select()
    .from(nonces)
    .where(and(eq(nonces.checkerPeer, checker.peer), eq(nonces.used, false)))
    .orderBy(asc(nonces.commitment))
    .limit(1);
  if (!nonce) return null;
  await tx.db.update(nonces).set({ used: true }).where(eq(nonces.commitment, nonce.commitment));
  const beacon = await core.beacon.next(tx);
  const job = (await findJob(tx.db, lease.job))!;
  const atMs = core.clock.nowMs();
  const [check] = await tx.db
    .insert(checks)
    .values({
      nonceCommitment: nonce.commitment,
      lease: id,
      checker: checker.key,
      checkerPeer: checker.peer,
      beacon: beacon.value,
      state: 'drawn',
      deadlineMs: atMs + CHECK_DEADLINE_MS,
    })
    .returning();
  tx.append({
    type: 'draw',
    lease: id,
    checker: checker.key,
    nonceCommitment: nonce.commitment,
    chain: beacon.chain,
    beacon: beacon.value,
    count: job.leavesPerCheck,
    atMs,
  });
  return check ? { check, lease, job } : null;
}

/** May this session check that lease at all? Never the worker's, never the creator's own. */
export const mayCheck = (session: Session, lease: Pick<LeaseRow, 'worker'>, job: Pick<JobRow, 'creator'>): boolean =>
  session.checksWanted > 0 && session.roles.has('checker') && session.key !== lease.worker && session.key !== job.creator;

/** Keys whose verdict on this lease is known. */
export async function verdictsOf(db: Db, lease: string): Promise<{ checker: string; state: CheckRow['state'] }[]> {
  return db
    .select({ checker: checks.checker, state: checks.state })
    .from(checks)
    .where(and(eq(checks.lease, lease), ne(checks.state, 'drawn')));
}

export async function recordVerdict(
  core: Core,
  tx: Tx,
  notices: Notices,
  request: Request,
  body: CheckVerdictBody,
): Promise<{ ok: true; ref: string } | Refusal> {
  const commitment = toHex(nonceCommitment(fromHex(body.nonce)));
  const [check] = await tx.db.select().from(checks).where(eq(checks.nonceCommitment, commitment));
  if (check?.lease !== body.lease || check.checker !== request.key)
    return refuse('check-unknown', 'No check of this lease was drawn with this nonce for this checker.');
  if (check.state !== 'drawn') return refuse('check-over', 'This check is over.');
  const lease = (await findLease(tx.db, body.lease))!;
  if (lease.state !== 'committed') return refuse('lease-over', `This lease is ${lease.state}.`);
  if (lease.root !== body.root) return refuse('root-differs', 'This is not the root that the worker committed to.');
  const job = (await findJob(tx.db, lease.job))!;
  const seed = drawSeed({ beacon: check.beacon, nonce: body.nonce, lease: lease.id, root: body.root });
  const drawn = drawLeaves(seed, leafCount(orderOf(job), lease.slot), job.leavesPerCheck);
  const { verdict, reason, paths, pathsEqual, pixelsWrong, nonce } = body;
  tx.append({
    type: 'verdict',
    lease: lease.id,
    checker: request.key,
    root: body.root,
    nonce,
    drawn,
    verdict,
    reason,
    paths,
    pathsEqual,
    pixelsWrong,
    request: request.hash,
    signed: request.signed,
    atMs: core.clock.nowMs(),
  });
  await tx.db.update(checks).set({ state: verdict }).where(eq(checks.nonceCommitment, commitment));
  await tx.db
    .update(jobs)
    .set({ checks: sql`${jobs.checks} + 1` })
    .where(eq(jobs.id, job.id));
  notices.job(job.id);
  if (verdict === 'unavailable') await countUnavailable(core, tx, notices, lease);
  await decideLease(core, tx, notices, lease, job, reason);
  return { ok: true, ref: request.hash };
}

async function countUnavailable(core: Core, tx: Tx, notices: Notices, lease: LeaseRow): Promise<void> {
  const unavailable = lease.unavailable + 1;
  await tx.db.update(leases).set({ unavailable }).where(eq(leases.id, lease.id));
  if (unavailable >= CHECKS_UNAVAILABLE_MAX)
    await giveUp(core, tx, notices, lease.id, { from: 'committed', reason: 'film-unavailable', faults: 1, failed: true });
}

/** Acts on the verdicts so far; also called when a second checker can't be had any more. */
export async function decideLease(core: Core, tx: Tx, notices: Notices, lease: LeaseRow, job: JobRow, reason: string): Promise<void> {
  const verdicts = await verdictsOf(tx.db, lease.id);
  const asked = new Set(verdicts.filter((row) => row.state === 'pass' || row.state === 'fail').map((row) => row.checker));
  const another = core.sessions.all().some((session) => mayCheck(session, lease, job) && !asked.has(session.key));
  const of = (state: string): number => verdicts.filter((row) => row.state === state).length;
  const decision = decide(of('pass'), of('fail'), another);
  if (decision === 'wait') return;
  if (decision === 'pass') {
    await tx.db
      .update(leases)
      .set({ verdict: 'pass', verdictMs: core.clock.nowMs() })
      .where(and(eq(leases.id, lease.id), eq(leases.state, 'committed')));
    await settleIfReady(core, tx, notices, lease.id);
    return;
  }
  const ending = decision === 'fail' ? { reason: `check-${reason}`, faults: 1 } : { reason: 'check-undecided', faults: 0 };
  await giveUp(core, tx, notices, lease.id, { from: 'committed', failed: true, ...ending });
}
