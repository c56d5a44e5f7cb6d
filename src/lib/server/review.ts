/**
 * The queue of doubt, and what it shows: leases on which checkers disagree, rejections that nobody could
 * confirm, appeals. Read only. Tells no key with the queue; a capability to see a film goes only to those
 * whose word would be heard, for it opens the job's scene.
 */
import { and, asc, desc, eq, gt, inArray, isNull, like, sql } from 'drizzle-orm';
import { doubtOf, WORDS_NEEDED, type Board, type Provenance, type ReviewCase, type ReviewQueue } from '../trust/review.ts';
import { APPEAL_MS_MAX, REVIEW_CASES_MAX } from '../protocol/limits.ts';
import type { ServerMessage } from '../protocol/control.ts';
import { rejected, reviewerFault, wordsOn } from './appeals.ts';
import { verdictsOf } from './checks.ts';
import { refuse, type Core, type Refusal } from './core.ts';
import { orderOf } from './jobs.ts';
import { leaseView } from './leases.ts';
import { sourcesOf } from './work-messages.ts';
import type { Session } from './sessions.ts';
import { appeals, checks, jobs, leases, observations, standings, type JobRow, type LeaseRow } from './store/schema.ts';
import { rowsIn } from './store/rows.ts';
import type { Db } from './store/store.ts';

const BOARD_ROWS_MAX = 100;

export async function reviewQueue(core: Core): Promise<ReviewQueue> {
  const { db } = core.store;
  const found = [...(await appealed(db)), ...(await disputed(db)), ...(await unconfirmed(db, core.clock.nowMs() - APPEAL_MS_MAX))];
  const cases: ReviewCase[] = [];
  const known = new Set<string>();
  for (const { lease, job, kind } of found) {
    if (known.has(lease.id)) continue;
    known.add(lease.id);
    cases.push(await caseOf(db, lease, job, kind));
  }
  return { cases: cases.toSorted((a, b) => b.doubt - a.doubt || a.committedMs - b.committedMs).slice(0, REVIEW_CASES_MAX) };
}

interface Found {
  readonly lease: LeaseRow;
  readonly job: JobRow;
  readonly kind: ReviewCase['kind'];
}

async function appealed(db: Db): Promise<Found[]> {
  const rows = await db
    .select({ lease: leases, job: jobs })
    .from(appeals)
    .innerJoin(leases, eq(leases.id, appeals.lease))
    .innerJoin(jobs, eq(jobs.id, leases.job))
    .where(eq(appeals.outcome, 'open'))
    .orderBy(asc(appeals.atMs))
    .limit(REVIEW_CASES_MAX);
  return rows.map((row) => ({ ...row, kind: 'appeal' }));
}

async function disputed(db: Db): Promise<Found[]> {
  const rows = await db
    .selectDistinctOn([leases.id], { lease: leases, job: jobs })
    .from(leases)
    .innerJoin(jobs, eq(jobs.id, leases.job))
    .innerJoin(checks, and(eq(checks.lease, leases.id), eq(checks.state, 'fail')))
    .where(and(eq(leases.state, 'committed'), isNull(leases.verdict)))
    .limit(REVIEW_CASES_MAX);
  return rows.map((row) => ({ ...row, kind: 'disagreement' }));
}

async function unconfirmed(db: Db, sinceMs: number): Promise<Found[]> {
  const rows = await db
    .select({ lease: leases, job: jobs })
    .from(leases)
    .innerJoin(jobs, eq(jobs.id, leases.job))
    .leftJoin(appeals, eq(appeals.lease, leases.id))
    .where(
      and(
        eq(leases.state, 'voided'),
        like(leases.reason, 'check-%'),
        eq(leases.faulted, false),
        gt(leases.endedMs, sinceMs),
        isNull(appeals.lease),
      ),
    )
    .orderBy(desc(leases.endedMs))
    .limit(REVIEW_CASES_MAX);
  return rows.map((row) => ({ ...row, kind: 'doubt' }));
}

async function caseOf(db: Db, lease: LeaseRow, job: JobRow, kind: Found['kind']): Promise<ReviewCase> {
  const [plea] = await db.select().from(appeals).where(eq(appeals.lease, lease.id));
  const opinions = (await verdictsOf(rowsIn(db), lease.id)).flatMap(
    ({ state, reason, drawn, paths, pathsEqual, pixelsWrong, adapterClass, atMs }) =>
      state === 'pass' || state === 'fail' || state === 'unavailable'
        ? [
            {
              verdict: state,
              reason: reason ?? '',
              drawn: drawn === '' ? [] : drawn.split(',').map(Number),
              ...{ paths, pathsEqual, pixelsWrong, adapterClass, atMs },
            },
          ]
        : [],
  );
  const said = (verdict: string): number => opinions.filter((opinion) => opinion.verdict === verdict).length;
  const order = orderOf(job);
  return {
    lease: leaseView(lease, order),
    kind,
    doubt: doubtOf(kind, said('pass'), said('fail')),
    order,
    root: lease.root!,
    segments: lease.segments ?? 0,
    weights: lease.weights,
    adapterClass: lease.adapterClass,
    reason: lease.state === 'voided' ? (lease.reason ?? '') : '',
    opinions,
    appeal: plea ? { text: plea.text, atMs: plea.atMs } : null,
    words: await wordsOn(db, lease.id, plea !== undefined),
    needed: WORDS_NEEDED,
    committedMs: lease.committedMs ?? 0,
  };
}

/** Whose film it is and who judged it: all of it stands in the log as well. */
export async function provenance(db: Db, id: string): Promise<Provenance | null> {
  const rows = rowsIn(db);
  const lease = await rows.leases.get(id);
  const job = lease && (await rows.jobs.get(lease.job));
  if (!lease || !job || lease.root === null) return null;
  const [plea] = await db.select().from(appeals).where(eq(appeals.lease, id));
  const spoke = (await verdictsOf(rows, id)).filter(({ state }) => state === 'pass' || state === 'fail' || state === 'unavailable');
  return {
    lease: id,
    job: job.id,
    creator: job.creator,
    worker: lease.worker,
    adapterClass: lease.adapterClass,
    shader: lease.shader,
    sceneRoot: orderOf(job).sceneRoot,
    root: lease.root,
    checkers: spoke.map(({ checker }) => checker),
    outcome: plea?.outcome ?? 'none',
  };
}

/** Keys with settled work, those with most first. */
export async function board(db: Db): Promise<Board> {
  const rows = await db
    .select({
      key: leases.worker,
      adapterClass: sql<string>`max(${leases.adapterClass})`,
      settled: sql<number>`count(*)::int`,
      segments: sql<string>`sum(${leases.segments})`,
    })
    .from(leases)
    .where(eq(leases.state, 'settled'))
    .groupBy(leases.worker)
    .orderBy(desc(sql`sum(${leases.segments})`))
    .limit(BOARD_ROWS_MAX);
  const keys = rows.map(({ key }) => key);
  if (keys.length === 0) return { workers: [] };
  const records = new Map((await db.select().from(standings).where(inArray(standings.worker, keys))).map((row) => [row.worker, row]));
  const seen = await db
    .select({
      worker: observations.worker,
      paths: sql<string>`sum(${observations.paths})`,
      equal: sql<string>`sum(${observations.pathsEqual})`,
    })
    .from(observations)
    .where(inArray(observations.worker, keys))
    .groupBy(observations.worker);
  const matches = new Map(seen.map((row) => [row.worker, row]));
  return {
    workers: rows.map(({ key, adapterClass, settled, segments }) => {
      const { faults = 0, doubts = 0, passes = 0 } = records.get(key) ?? {};
      const match = matches.get(key);
      const matched = { paths: Number(match?.paths ?? 0), pathsEqual: Number(match?.equal ?? 0) };
      return { key, adapterClass, settled, segments: Number(segments), ...matched, faults, doubts, passes };
    }),
  };
}

/** A reviewer's way to a film: where it is opened, and with what. */
export async function lookAt(
  core: Core,
  session: Session,
  id: string,
  capability: (job: string) => Promise<string>,
): Promise<Extract<ServerMessage, { type: 'case' }> | Refusal> {
  const rows = core.store.committed();
  const lease = await rows.leases.get(id);
  const job = lease && (await rows.jobs.get(lease.job));
  if (!lease || !job || lease.root === null || (lease.state !== 'committed' && !rejected(lease)))
    return refuse('case-unknown', 'There is no such case.');
  const fault = await reviewerFault(core, rows, session.key, lease, job);
  if (fault) return fault;
  return {
    type: 'case',
    lease: leaseView(lease, orderOf(job)),
    order: orderOf(job),
    root: lease.root,
    workerPeer: lease.workerPeer,
    sources: sourcesOf(core, job, session.peer),
    capability: await capability(job.id),
  };
}
