/**
 * Challenges: a checker that committed to a nonce is drawn for a committed lease, the beacon is
 * revealed, and its signed verdict is recorded with the draw that anyone can recompute. A first
 * failing verdict asks another checker where there is one; only then is a lease void.
 */
import { and, asc, count, eq, inArray, ne, notInArray, sql } from 'drizzle-orm';
import { drawLeaves, drawSeed, nonceCommitment } from '../trust/draw.ts';
import { fromHex, toHex } from '../protocol/bytes.ts';
import type { CheckVerdictBody } from '../protocol/control.ts';
import { CHECK_DEADLINE_MS, CHECK_NONCES_PER_CHECKER_MAX, CHECKS_UNAVAILABLE_MAX, SECOND_OPINION_MS_MAX } from '../protocol/limits.ts';
import { refuse, type Core, type Refusal } from './core.ts';
import { findJob, orderOf, type Request } from './jobs.ts';
import { findLease, leafCount, UNDECIDED } from './leases.ts';
import type { Notices } from './notices.ts';
import type { Session } from './sessions.ts';
import { giveUp, settleIfReady } from './settle.ts';
import { checks, jobs, leases, nonces, type CheckRow, type JobRow, type LeaseRow } from './store/schema.ts';
import type { Db, Tx } from './store/store.ts';

/** Nonces that one leaf commits to: a session's further ones wait until these are used. */
const NONCES_PER_LEAF = 16;

type Checker = Pick<Session, 'key' | 'peer' | 'commitments'>;

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

/**
 * Logs commitments that a checker's session offers, up to the bound of its key. Only when it is to be drawn and has none
 * left, and before the draw that uses one: an offer costs nothing, so it must not take a place in the log by itself.
 */
async function logNonces(core: Core, tx: Tx, checker: Checker): Promise<void> {
  const here = core.sessions.ofKey(checker.key).map((session) => session.peer);
  const unused = and(eq(nonces.checker, checker.key), eq(nonces.used, false));
  // Nobody knows the nonces of a session that is gone, and one that comes back says its own again.
  await tx.db.delete(nonces).where(and(unused, notInArray(nonces.checkerPeer, [...here, checker.peer])));
  const [left] = await tx.db.select({ n: count() }).from(nonces).where(unused);
  const known = await tx.db
    .select({ commitment: nonces.commitment })
    .from(nonces)
    .where(inArray(nonces.commitment, [...checker.commitments]));
  const seen = new Set(known.map((row) => row.commitment));
  const room = Math.min(CHECK_NONCES_PER_CHECKER_MAX - (left?.n ?? 0), NONCES_PER_LEAF);
  const fresh = [...checker.commitments].filter((commitment) => !seen.has(commitment)).slice(0, Math.max(room, 0));
  if (fresh.length === 0) return;
  await tx.db.insert(nonces).values(fresh.map((commitment) => ({ commitment, checker: checker.key, checkerPeer: checker.peer })));
  tx.append({ type: 'nonces', checker: checker.key, commitments: fresh });
}

async function unusedNonce(db: Db, peer: string): Promise<string | undefined> {
  const [nonce] = await db
    .select({ commitment: nonces.commitment })
    .from(nonces)
    .where(and(eq(nonces.checkerPeer, peer), eq(nonces.used, false)))
    .orderBy(asc(nonces.commitment))
    .limit(1);
  return nonce?.commitment;
}

/** Has this session a nonce that a draw could use: one in the log, or one that it offers? */
async function hasNonce(db: Db, session: Session): Promise<boolean> {
  if ((await unusedNonce(db, session.peer)) !== undefined) return true;
  const offered = [...session.commitments];
  if (offered.length === 0) return false;
  const [known] = await db.select({ n: count() }).from(nonces).where(inArray(nonces.commitment, offered));
  return (known?.n ?? 0) < offered.length;
}

/** Is a check of this lease drawn and not answered? */
export async function beingChecked(db: Db, lease: string): Promise<boolean> {
  const [running] = await db
    .select({ n: count() })
    .from(checks)
    .where(and(eq(checks.lease, lease), eq(checks.state, 'drawn')));
  return (running?.n ?? 0) > 0;
}

/** Draws a check of a committed lease for one checker. Null when the lease is decided, already drawn, or the checker has no nonce left. */
export async function drawCheck(
  core: Core,
  tx: Tx,
  id: string,
  checker: Checker,
): Promise<{ check: CheckRow; lease: LeaseRow; job: JobRow } | null> {
  const lease = await findLease(tx.db, id);
  if (lease?.state !== 'committed' || lease.verdict !== null) return null;
  if (await beingChecked(tx.db, id)) return null;
  let nonce = await unusedNonce(tx.db, checker.peer);
  if (nonce === undefined) {
    await logNonces(core, tx, checker);
    nonce = await unusedNonce(tx.db, checker.peer);
  }
  if (nonce === undefined) return null;
  await tx.db.update(nonces).set({ used: true }).where(eq(nonces.commitment, nonce));
  const beacon = await core.beacon.next(tx);
  const job = (await findJob(tx.db, lease.job))!;
  const atMs = core.clock.nowMs();
  const [check] = await tx.db
    .insert(checks)
    .values({
      nonceCommitment: nonce,
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
    nonceCommitment: nonce,
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
export async function verdictsOf(db: Db, lease: string): Promise<{ checker: string; state: CheckRow['state']; deadlineMs: number }[]> {
  return db
    .select({ checker: checks.checker, state: checks.state, deadlineMs: checks.deadlineMs })
    .from(checks)
    .where(and(eq(checks.lease, lease), ne(checks.state, 'drawn')));
}

/** A film that a worker opens wrongly, or refuses to, fails; only what never reached it is no verdict. */
const REASONS: Record<CheckVerdictBody['verdict'], readonly CheckVerdictBody['reason'][]> = {
  pass: ['agrees'],
  fail: ['size', 'signatures', 'light', 'not-finite', 'segments', 'opening'],
  unavailable: ['unreachable', 'scene'],
};

export async function recordVerdict(
  core: Core,
  tx: Tx,
  notices: Notices,
  request: Request,
  body: CheckVerdictBody,
): Promise<{ ok: true; ref: string } | Refusal> {
  if (!REASONS[body.verdict].includes(body.reason))
    return refuse('verdict-reason', `A ${body.verdict} can’t be for the reason “${body.reason}”.`);
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
  // A checker that could not get or trace the scene says nothing about the worker: as if it had not answered.
  const state = reason === 'scene' ? 'expired' : verdict;
  await tx.db.update(checks).set({ state }).where(eq(checks.nonceCommitment, commitment));
  await tx.db
    .update(jobs)
    .set({ checks: sql`${jobs.checks} + 1` })
    .where(eq(jobs.id, job.id));
  notices.job(job.id);
  if (state === 'unavailable' && (await outOfReach(core, tx, notices, lease, job))) return { ok: true, ref: request.hash };
  await decideLease(core, tx, notices, lease, job, reason);
  return { ok: true, ref: request.hash };
}

/** Voids a lease whose film several checkers, or the only one there is, could not reach: one's word is not enough while others could look. */
async function outOfReach(core: Core, tx: Tx, notices: Notices, lease: LeaseRow, job: JobRow): Promise<boolean> {
  const said = (await verdictsOf(tx.db, lease.id)).filter((row) => row.state === 'unavailable').map((row) => row.checker);
  await tx.db.update(leases).set({ unavailable: said.length }).where(eq(leases.id, lease.id));
  const keys = new Set(said);
  const alone = !(await anotherFor(core, tx.db, lease, job, keys));
  if ((alone ? said.length : keys.size) < CHECKS_UNAVAILABLE_MAX) return false;
  return giveUp(core, tx, notices, lease.id, { from: 'committed', reason: 'film-unavailable', faults: 1, failed: true });
}

/** Is a checker here that could still look: one that may, has not been asked, and has a nonce to be drawn with? */
async function anotherFor(core: Core, db: Db, lease: LeaseRow, job: JobRow, asked: ReadonlySet<string>): Promise<boolean> {
  for (const session of core.sessions.all())
    if (mayCheck(session, lease, job) && !asked.has(session.key) && (await hasNonce(db, session))) return true;
  return false;
}

/** Acts on the verdicts so far; also called when a second checker can't be had any more. */
export async function decideLease(core: Core, tx: Tx, notices: Notices, lease: LeaseRow, job: JobRow, reason: string): Promise<void> {
  const verdicts = await verdictsOf(tx.db, lease.id);
  const asked = new Set(verdicts.filter((row) => row.state === 'pass' || row.state === 'fail').map((row) => row.checker));
  const doubtedMs = Math.min(...verdicts.filter((row) => row.state === 'fail').map((row) => row.deadlineMs));
  const late = core.clock.nowMs() > doubtedMs + SECOND_OPINION_MS_MAX;
  // A check that is being run is a second opinion on its way, though its checker has no nonce left.
  const another = !late && ((await beingChecked(tx.db, lease.id)) || (await anotherFor(core, tx.db, lease, job, asked)));
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
  const ending = decision === 'fail' ? { reason: `check-${reason}`, faults: 1 } : { reason: UNDECIDED, faults: 0 };
  await giveUp(core, tx, notices, lease.id, { from: 'committed', failed: true, ...ending });
}
