/**
 * What people say: a worker's appeal against a rejection, and reviewers' words on it and on other cases of
 * the queue. A granted appeal clears the worker's record, gives back what was forfeited as far as the
 * treasury reaches, and counts against those who were wrong. Refuses words of those who have a part in the
 * case, and of keys that have not shown that they look.
 */
import { and, eq, lt } from 'drizzle-orm';
import { heldOf, TREASURY } from '../ledger/leaf.ts';
import { restoreLines } from '../ledger/postings.ts';
import type { LeaseAppealBody, ReviewWordBody } from '../protocol/bodies.ts';
import { APPEAL_MS_MAX, APPEAL_OPEN_MS_MAX } from '../protocol/limits.ts';
import { graded, mayReview } from '../trust/grading.ts';
import { appealOutcome, wordsWith, type Words } from '../trust/review.ts';
import { cleared } from '../trust/standing.ts';
import { verdictsOf } from './checks.ts';
import { refuse, type Core, type Refusal } from './core.ts';
import type { Request } from './jobs.ts';
import { post } from './ledger.ts';
import { commit, type Notices } from './notices.ts';
import { changeGrades, gradesOf, setStanding, standingOf } from './records.ts';
import { appeals, entries, postings, words, type JobRow, type LeaseRow } from './store/schema.ts';
import type { Rows } from './store/rows.ts';
import type { Db, Tx } from './store/store.ts';

type Done = { readonly ok: true; readonly ref: string };

/** May a lease that ended so be appealed against? */
export const rejected = ({ state, reason }: Pick<LeaseRow, 'state' | 'reason'>): boolean =>
  state === 'voided' && (reason ?? '').startsWith('check-');

export async function appeal(core: Core, tx: Tx, notices: Notices, request: Request, body: LeaseAppealBody): Promise<Done | Refusal> {
  const lease = await tx.rows.leases.get(body.lease);
  if (!lease || lease.worker !== request.key) return refuse('lease-unknown', 'This lease was never given to this worker.');
  if (!rejected(lease)) return refuse('appeal-nothing', 'Only what checks rejected can be appealed against.');
  const atMs = core.clock.nowMs();
  if (atMs - (lease.endedMs ?? 0) > APPEAL_MS_MAX) return refuse('appeal-late', 'This rejection is more than a day old.');
  const db = await tx.sql();
  const [before] = await db.select().from(appeals).where(eq(appeals.lease, lease.id));
  if (before) return refuse('appeal-again', 'A rejection is appealed against once.');
  await db.insert(appeals).values({ lease: lease.id, text: body.text, atMs });
  tx.append({ type: 'appeal', lease: lease.id, request: request.hash, signed: request.signed, atMs });
  notices.job(lease.job);
  return { ok: true, ref: request.hash };
}

/** Why this key may say nothing about this lease; null when it may. */
export async function reviewerFault(core: Core, rows: Rows, key: string, lease: LeaseRow, job: JobRow): Promise<Refusal | null> {
  const spoke = (await verdictsOf(rows, lease.id)).some(({ checker, state }) => checker === key && (state === 'pass' || state === 'fail'));
  if (spoke || key === lease.worker || key === job.creator) return refuse('reviewer-involved', 'You have a part in this case.');
  if (core.lists.reviewers.has(key) || mayReview(await gradesOf(rows, key))) return null;
  return refuse('reviewer-unproven', 'Reviewers have answered sixteen checks before, and were hardly ever wrong.');
}

export async function recordWord(core: Core, tx: Tx, notices: Notices, request: Request, body: ReviewWordBody): Promise<Done | Refusal> {
  const lease = await tx.rows.leases.get(body.lease);
  if (!lease || lease.root === null || (lease.state !== 'committed' && !rejected(lease)))
    return refuse('case-unknown', 'There is no such case.');
  if (lease.root !== body.root) return refuse('root-differs', 'This is not the root that the worker committed to.');
  const fault = await reviewerFault(core, tx.rows, request.key, lease, (await tx.rows.jobs.get(lease.job))!);
  if (fault) return fault;
  const db = await tx.sql();
  const [open] = await db.select().from(appeals).where(eq(appeals.lease, lease.id));
  if (open && open.outcome !== 'open') return refuse('case-over', `This appeal was ${open.outcome}.`);
  const [before] = await db
    .select()
    .from(words)
    .where(and(eq(words.lease, lease.id), eq(words.reviewer, request.key)));
  if (before) return refuse('word-again', 'You have said what you think of this case.');
  const atMs = core.clock.nowMs();
  const house = core.lists.reviewers.has(request.key);
  await db.insert(words).values({ lease: lease.id, reviewer: request.key, word: body.word, house, heard: open !== undefined, atMs });
  tx.append({ type: 'word', lease: lease.id, house, request: request.hash, signed: request.signed, atMs });
  const outcome = open ? appealOutcome(await wordsOn(db, lease.id, true)) : 'open';
  if (outcome !== 'open') await decideAppeal(core, tx, notices, lease, outcome);
  return { ok: true, ref: request.hash };
}

/** @param heard only those about an appeal: what was said before it is not. */
export async function wordsOn(db: Db, lease: string, heard: boolean): Promise<Words> {
  const said = await db.select().from(words).where(eq(words.lease, lease));
  return said
    .filter((word) => word.heard || !heard)
    .reduce<Words>((sum, { word, house }) => wordsWith(sum, word, house), { accept: 0, reject: 0, unsure: 0 });
}

async function decideAppeal(core: Core, tx: Tx, notices: Notices, lease: LeaseRow, outcome: 'granted' | 'denied'): Promise<void> {
  await (await tx.sql()).update(appeals).set({ outcome }).where(eq(appeals.lease, lease.id));
  tx.append({ type: 'appealed', lease: lease.id, outcome, atMs: core.clock.nowMs() });
  notices.job(lease.job);
  if (outcome === 'denied') return;
  core.counters.count('appeal-granted');
  if (lease.faulted) await setStanding(tx, lease.worker, cleared(await standingOf(tx.rows, lease.worker)));
  for (const { checker, state } of await verdictsOf(tx.rows, lease.id))
    if (state === 'fail') await changeGrades(tx, checker, (grades) => graded(grades, { truth: 'good', right: false }));
  await restore(core, tx, notices, lease);
}

async function restore(core: Core, tx: Tx, notices: Notices, { id, worker }: LeaseRow): Promise<void> {
  const [taken] = await (
    await tx.sql()
  )
    .select({ micro: postings.micro })
    .from(entries)
    .innerJoin(postings, and(eq(postings.entry, entries.id), eq(postings.account, heldOf(worker))))
    .where(and(eq(entries.lease, id), eq(entries.kind, 'forfeit')));
  const forfeitMicro = -(taken?.micro ?? 0n);
  const treasuryMicro = await tx.rows.balances.get(TREASURY);
  if (forfeitMicro === 0n || treasuryMicro === 0n) return;
  await post(tx, {
    kind: 'restore',
    lease: id,
    atMs: core.clock.nowMs(),
    postings: restoreLines(worker, forfeitMicro, treasuryMicro),
  });
  notices.balance(worker);
}

/** Appeals that nobody decided in time are denied. */
export async function lapseAppeals(core: Core): Promise<void> {
  const beforeMs = core.clock.nowMs() - APPEAL_OPEN_MS_MAX;
  const due = await core.store.db
    .select({ lease: appeals.lease })
    .from(appeals)
    .where(and(eq(appeals.outcome, 'open'), lt(appeals.atMs, beforeMs)));
  for (const { lease: id } of due) {
    await commit(core, async (tx, notices) => {
      const [still] = await (
        await tx.sql()
      )
        .select()
        .from(appeals)
        .where(and(eq(appeals.lease, id), eq(appeals.outcome, 'open')));
      if (still) await decideAppeal(core, tx, notices, (await tx.rows.leases.get(id))!, 'denied');
    });
  }
}
