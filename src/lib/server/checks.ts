/**
 * Draws: a checker that committed to a nonce is drawn for a committed lease and the beacon is
 * revealed, with as many leaves as the worker's record asks for. Who may be drawn at all is decided
 * here, and nothing else: what verdicts lead to is verdicts.ts.
 */
import { and, asc, count, eq, inArray, ne, notInArray } from 'drizzle-orm';
import { CHECK_DEADLINE_MS, CHECK_NONCES_PER_CHECKER_MAX } from '../protocol/limits.ts';
import { escalatedPpm } from '../trust/escalation.ts';
import { challengeOf } from '../trust/standing.ts';
import type { Core } from './core.ts';
import { sealFor } from './drills.ts';
import { findJob, orderOf } from './jobs.ts';
import { findLease } from './leases.ts';
import { mayJudge, standingOf } from './records.ts';
import type { Session } from './sessions.ts';
import { checks, nonces, type CheckRow, type JobRow, type LeaseRow } from './store/schema.ts';
import type { Db, Tx } from './store/store.ts';

/** Nonces that one leaf commits to: a session's further ones wait until these are used. */
const NONCES_PER_LEAF = 16;

type Checker = Pick<Session, 'key' | 'peer' | 'commitments'>;

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
  if (!(await mayJudge(core, tx.db, checker.key, lease.worker))) return null;
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
  const { count: leaves, auditPpm } = challengeOf(await standingOf(tx.db, lease.worker), job.leavesPerCheck, core.rules);
  const disputed = (await verdictsOf(tx.db, id)).some(({ state }) => state === 'fail');
  const challenge = { count: leaves, auditPpm: escalatedPpm(auditPpm, disputed ? [{ verdict: 'fail' }] : []) };
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
      leaves: challenge.count,
      auditPpm: challenge.auditPpm,
    })
    .returning();
  tx.append({
    type: 'draw',
    lease: id,
    checker: checker.key,
    nonceCommitment: nonce,
    chain: beacon.chain,
    beacon: beacon.value,
    ...challenge,
    sealed: await sealFor(core, tx.db, lease, nonce),
    atMs,
  });
  return check ? { check, lease, job } : null;
}

/** May this session check that lease at all? Never the worker's, never the creator's own, never one from the worker's network. */
export const mayCheck = (core: Core, session: Session, lease: Pick<LeaseRow, 'worker'>, job: JobRow): boolean =>
  session.checksWanted > 0 &&
  session.roles.has('checker') &&
  session.key !== lease.worker &&
  session.key !== job.creator &&
  !orderOf(job).avoid?.includes(session.key) &&
  !core.sessions.near(session, lease.worker);

/** Is a checker here that could still look: one that may, has not been asked, and has a nonce to be drawn with? */
export async function anotherFor(core: Core, db: Db, lease: LeaseRow, job: JobRow, asked: ReadonlySet<string>): Promise<boolean> {
  for (const session of core.sessions.all()) {
    if (!mayCheck(core, session, lease, job) || asked.has(session.key) || !(await hasNonce(db, session))) continue;
    if (await mayJudge(core, db, session.key, lease.worker)) return true;
  }
  return false;
}

/** Checks of this lease that are over, in the order in which they were drawn. */
export const verdictsOf = (db: Db, lease: string): Promise<CheckRow[]> =>
  db
    .select()
    .from(checks)
    .where(and(eq(checks.lease, lease), ne(checks.state, 'drawn')))
    .orderBy(asc(checks.deadlineMs));
