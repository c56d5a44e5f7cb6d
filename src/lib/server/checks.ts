/**
 * Draws: a checker that committed to a nonce is drawn for a committed lease and the beacon is
 * revealed, with as many leaves as the worker's record asks for. Who may be drawn at all is decided
 * here, and nothing else: what verdicts lead to is verdicts.ts.
 */
import { CHECK_DEADLINE_MS, CHECK_NONCES_PER_CHECKER_MAX } from '../protocol/limits.ts';
import { escalatedPpm, type Opinion } from '../trust/escalation.ts';
import { challengeOf } from '../trust/standing.ts';
import type { Core } from './core.ts';
import { sealFor } from './drills.ts';
import { orderOf } from './jobs.ts';
import { judgedSinceMs, mayJudge, standingOf } from './records.ts';
import type { Session } from './sessions.ts';
import type { Rows } from './store/rows.ts';
import type { CheckRow, JobRow, LeaseRow, NonceRow } from './store/schema.ts';
import type { Tx } from './store/store.ts';
import { isBehind } from './twins.ts';

/** Nonces that one leaf commits to: a session's further ones wait until these are used. */
const NONCES_PER_LEAF = 16;

type Checker = Pick<Session, 'key' | 'peer' | 'commitments'>;

/**
 * Logs commitments that a checker's session offers, up to the bound of its key. Only when it is to be drawn and has none
 * left, and before the draw that uses one: an offer costs nothing, so it must not take a place in the log by itself.
 */
async function logNonces(core: Core, tx: Tx, checker: Checker): Promise<void> {
  const { rows } = tx;
  const here = core.sessions.ofKey(checker.key).map((session) => session.peer);
  // Nobody knows the nonces of a session that is gone, and one that comes back says its own again.
  const unused = await rows.nonces.members(checker.key);
  const forgotten = unused.filter(({ checkerPeer }) => checkerPeer !== checker.peer && !here.includes(checkerPeer));
  for (const nonce of forgotten) rows.nonces.delete(nonce);
  // The session may offer others while these are read.
  const { commitments } = checker;
  await rows.nonces.load(commitments);
  const offered = await Promise.all([...commitments].map(async (one) => ((await rows.nonces.get(one)) ? [] : [one])));
  const room = Math.min(CHECK_NONCES_PER_CHECKER_MAX - (unused.length - forgotten.length), NONCES_PER_LEAF);
  const fresh = offered.flat().slice(0, Math.max(room, 0));
  if (fresh.length === 0) return;
  for (const commitment of fresh) rows.nonces.put({ commitment, checker: checker.key, checkerPeer: checker.peer, used: false });
  tx.append({ type: 'nonces', checker: checker.key, commitments: fresh });
}

/** The least of the commitments that this session has in the log and were not drawn with. */
const unusedNonce = async (rows: Rows, { key, peer }: Pick<Session, 'key' | 'peer'>): Promise<NonceRow | undefined> =>
  (await rows.nonces.members(key)).find(({ checkerPeer }) => checkerPeer === peer);

/** Has this session a nonce that a draw could use: one in the log, or one that it offers? */
export async function hasNonce(rows: Rows, session: Session): Promise<boolean> {
  if (await unusedNonce(rows, session)) return true;
  await rows.nonces.load(session.commitments);
  for (const commitment of session.commitments) if (!(await rows.nonces.get(commitment))) return true;
  return false;
}

/** Is a check of this lease drawn and not answered? */
export const beingChecked = async (rows: Rows, lease: string): Promise<boolean> =>
  (await rows.checks.members(lease)).some(({ state }) => state === 'drawn');

/** What a check begins with. */
const UNANSWERED = {
  state: 'drawn' as const,
  retraceRoot: null,
  retraceBeacon: null,
  adapterClass: '',
  reason: null,
  whole: false,
  drawn: '',
  paths: 0,
  pathsEqual: 0,
  pixelsWrong: 0,
  atMs: 0,
};

/** Draws a check of a committed lease for one checker. Null when the lease is decided, already drawn, or the checker has no nonce left. */
export async function drawCheck(
  core: Core,
  tx: Tx,
  id: string,
  checker: Checker,
): Promise<{ check: CheckRow; lease: LeaseRow; job: JobRow } | null> {
  const { rows } = tx;
  const lease = await rows.leases.get(id);
  if (lease?.state !== 'committed' || lease.verdict !== null) return null;
  if ((await beingChecked(rows, id)) || (await isBehind(tx, lease))) return null;
  if (spentKeys(core, await verdictsOf(rows, id)).has(checker.key)) return null;
  if (!(await mayJudge(core, rows, checker.key, lease.worker))) return null;
  let unused = await unusedNonce(rows, checker);
  if (!unused) {
    await logNonces(core, tx, checker);
    unused = await unusedNonce(rows, checker);
  }
  if (!unused) return null;
  rows.nonces.put({ ...unused, used: true });
  const nonce = unused.commitment;
  const beacon = await core.beacon.next(tx);
  const job = (await rows.jobs.get(lease.job))!;
  const atMs = core.clock.nowMs();
  const { count: leaves, auditPpm } = challengeOf(await standingOf(rows, lease.worker), job.leavesPerCheck, core.rules);
  const disputed = (await verdictsOf(rows, id)).some(({ state }) => state === 'fail');
  const challenge = { count: leaves, auditPpm: escalatedPpm(auditPpm, disputed ? [{ verdict: 'fail' }] : []) };
  const check: CheckRow = {
    ...UNANSWERED,
    nonceCommitment: nonce,
    lease: id,
    checker: checker.key,
    checkerPeer: checker.peer,
    beacon: beacon.value,
    deadlineMs: atMs + CHECK_DEADLINE_MS,
    leaves: challenge.count,
    auditPpm: challenge.auditPpm,
  };
  rows.checks.put(check);
  await rows.judged.drawn(checker.key, lease.worker, check.deadlineMs, judgedSinceMs(core));
  tx.append({
    type: 'draw',
    lease: id,
    checker: checker.key,
    nonceCommitment: nonce,
    chain: beacon.chain,
    beacon: beacon.value,
    ...challenge,
    sealed: await sealFor(core, tx, lease, nonce),
    atMs,
  });
  return { check, lease, job };
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
export async function anotherFor(core: Core, rows: Rows, lease: LeaseRow, job: JobRow, asked: ReadonlySet<string>): Promise<boolean> {
  for (const session of core.sessions.all()) {
    if (!mayCheck(core, session, lease, job) || asked.has(session.key) || !(await hasNonce(rows, session))) continue;
    if (await mayJudge(core, rows, session.key, lease.worker)) return true;
  }
  return false;
}

/** Checks of this lease that are over, in the order in which they were drawn. */
export const verdictsOf = async (rows: Rows, lease: string): Promise<CheckRow[]> =>
  (await rows.checks.members(lease)).filter(({ state }) => state !== 'drawn').sort((a, b) => a.deadlineMs - b.deadlineMs);

/**
 * Who can't be drawn for a lease any more: keys that judged it, and where passes must be shown (trust/retrace) those to whom
 * its signatures were opened after they had promised a trace, or, once somebody has judged, on any earlier draw.
 * @param spoke checks of the lease that are over.
 */
export function spentKeys({ rules }: Core, spoke: readonly CheckRow[]): Set<string> {
  const judged = ({ state }: CheckRow): boolean => state === 'pass' || state === 'fail';
  const after = rules.shownPasses === 1 && spoke.some(judged);
  const spent = spoke.filter((check) => judged(check) || after || (rules.shownPasses === 1 && check.retraceRoot !== null));
  return new Set(spent.map(({ checker }) => checker));
}

/** Opinions on a lease, in the order of their draws. */
export async function opinionsOn(rows: Rows, lease: string): Promise<(Opinion & { reason: string; deadlineMs: number })[]> {
  return (await verdictsOf(rows, lease)).flatMap(({ checker, adapterClass, state, reason, whole, deadlineMs }) =>
    state === 'pass' || state === 'fail'
      ? [{ checker, adapterClass, verdict: state, reason: reason ?? 'disputed', whole, deadlineMs }]
      : [],
  );
}
