/**
 * What is known of workers and checkers, kept in the store: the pure transitions of trust/standing
 * and trust/grading applied in the transaction that logs their cause, so that a replay of the log
 * comes to the same records. Decides nothing by itself.
 */
import { and, asc, eq, gte, or, sql } from 'drizzle-orm';
import { heldOf } from '../ledger/leaf.ts';
import { forfeitLines } from '../ledger/postings.ts';
import { CHECK_DEADLINE_MS } from '../protocol/limits.ts';
import type { Observation } from '../trust/aggregate.ts';
import { accuracyOf, mayBeDrawn, payFactor, presenceOf, UNGRADED, type Grades } from '../trust/grading.ts';
import { verified } from '../trust/lots.ts';
import type { TrustRules } from '../trust/rules.ts';
import { blocked, NEWCOMER, observed, reputationOf, type Standing } from '../trust/standing.ts';
import type { Core } from './core.ts';
import { post } from './ledger.ts';
import type { Notices } from './notices.ts';
import { grades, leases, observations, standings, type JobRow, type LeaseRow } from './store/schema.ts';
import type { Session } from './sessions.ts';
import type { Rows } from './store/rows.ts';
import type { Db, Tx } from './store/store.ts';

export async function standingOf(rows: Rows, worker: string): Promise<Standing> {
  const row = await rows.standings.get(worker);
  if (!row) return NEWCOMER;
  const { passes, faults, doubts, topMicro, differing, brighter, darker } = row;
  return { passes, faults, doubts, topMicro, aggregate: { differing, brighter, darker } };
}

/** @param lastMs when the worker was paid, if it was now. */
export async function setStanding({ rows }: Tx, worker: string, { aggregate, ...standing }: Standing, lastMs?: number): Promise<void> {
  const before = await rows.standings.get(worker);
  rows.standings.put({ worker, ...standing, ...aggregate, lastMs: lastMs ?? before?.lastMs ?? 0 });
}

/** A record that begins anew: what was observed before counts no more. */
export async function beginAnew(tx: Tx, worker: string, standing: Standing): Promise<void> {
  await (await tx.sql()).delete(observations).where(eq(observations.worker, worker));
  tx.rows.observations.emptied(worker);
  await setStanding(tx, worker, standing);
}

/** Workers that get no lease from anybody. */
export async function blockedKeys(db: Db, { faultsBlocked }: TrustRules): Promise<Set<string>> {
  const found = await db.select({ worker: standings.worker }).from(standings).where(gte(standings.faults, faultsBlocked));
  return new Set(found.map((row) => row.worker));
}

/** A check's part in the sequential test. @param leaf index of its verdict in the log. @returns whether the worker is at fault now. */
export async function observeCheck(core: Core, tx: Tx, worker: string, leaf: number, seen: Observation): Promise<boolean> {
  tx.rows.observations.put({ leaf, worker, ...seen });
  const latest = (await tx.rows.observations.members(worker)).sort((a, b) => a.leaf - b.leaf);
  const { standing, alarm } = observed(await standingOf(tx.rows, worker), latest, core.rules);
  if (alarm === 'fault') await beginAnew(tx, worker, standing);
  else await setStanding(tx, worker, standing);
  if (alarm !== 'none') core.counters.count(`aggregate-${alarm}`);
  return alarm === 'fault';
}

/** Takes all that is held of a worker at fault. Follows the `void` of the lease it was found by, in its transaction. */
export async function forfeit(
  core: Core,
  tx: Tx,
  notices: Notices,
  lease: LeaseRow,
  job: JobRow,
  finders: readonly string[],
): Promise<void> {
  core.counters.count('fault');
  const heldMicro = await tx.rows.balances.get(heldOf(lease.worker));
  if (heldMicro === 0n) return;
  await post(tx, {
    kind: 'forfeit',
    job: job.id,
    lease: lease.id,
    atMs: core.clock.nowMs(),
    postings: forfeitLines({ worker: lease.worker, creator: job.creator, finders, heldMicro }, core.rules),
  });
  for (const key of [lease.worker, job.creator, ...finders]) notices.balance(key);
}

export async function gradesOf(rows: Rows, checker: string): Promise<Grades> {
  const row = await rows.grades.get(checker);
  if (!row) return UNGRADED;
  const { checker: _, ...known } = row;
  return known;
}

/** Checkers whose word weighs (trust/lots). */
export async function verifiedKeys(db: Db): Promise<Set<string>> {
  const found = await db.select().from(grades).where(gte(grades.badRight, 1));
  return new Set(found.filter((row) => verified(row)).map((row) => row.checker));
}

export async function changeGrades(tx: Tx, checker: string, change: (grades: Grades) => Grades): Promise<void> {
  tx.rows.grades.put({ checker, ...change(await gradesOf(tx.rows, checker)) });
}

/** May this checker judge this worker: was it right often enough, and does the worker not check it in turn? */
export async function mayJudge(core: Core, rows: Rows, checker: string, worker: string): Promise<boolean> {
  if (!mayBeDrawn(await gradesOf(rows, checker))) return false;
  const sinceMs = judgedSinceMs(core);
  return (await rows.judged.last(worker, checker, sinceMs)) <= sinceMs;
}

/** Says of each session whether its key is past probation, as a worker. */
export async function knowProven(core: Core, rows: Rows, sessions: readonly Session[]): Promise<void> {
  await rows.standings.load(sessions.map(({ key }) => key));
  for (const session of sessions) session.provenWorker = (await standingOf(rows, session.key)).passes >= core.rules.probationLeases;
}

/** Who was drawn for whom with a deadline before this may be drawn the other way round. */
export const judgedSinceMs = ({ clock, rules }: Pick<Core, 'clock' | 'rules'>): number => clock.nowMs() - rules.pairMs + CHECK_DEADLINE_MS;

/** Workers whose held earnings have been quiet for long enough to be paid out. */
export async function quietHolders(core: Core, db: Db): Promise<string[]> {
  const beforeMs = core.clock.nowMs() - core.rules.holdReleaseMs;
  const busy = db
    .select({ one: sql`1` })
    .from(leases)
    .where(and(eq(leases.worker, standings.worker), or(eq(leases.state, 'granted'), eq(leases.state, 'committed'))));
  const found = await db
    .select({ worker: standings.worker })
    .from(standings)
    .where(
      and(
        sql`${standings.topMicro} > 0 and ${standings.lastMs} <= ${beforeMs}::bigint`,
        sql`not exists ${busy}`,
        sql`exists (select 1 from balances b where b.account = 'held:' || ${standings.worker} and b.micro > 0)`,
      ),
    )
    .orderBy(asc(standings.lastMs))
    .limit(64);
  return found.map((row) => row.worker);
}

/** What anybody may know of a key, as worker and as checker: the confusion matrix is public. */
export async function recordOf(core: Core, key: string): Promise<unknown> {
  const rows = core.store.committed();
  const standing = await standingOf(rows, key);
  const known = await gradesOf(rows, key);
  const { passes, faults, doubts } = standing;
  const heldMicro = String(await rows.balances.get(heldOf(key)));
  return {
    key,
    worker: { passes, faults, doubts, heldMicro, reputation: reputationOf(standing, core.rules), blocked: blocked(standing, core.rules) },
    checker: {
      ...known,
      accuracy: accuracyOf(known),
      presence: presenceOf(known),
      payFactor: payFactor(known, core.rules.unprovenPay),
      drawn: mayBeDrawn(known),
    },
  };
}
