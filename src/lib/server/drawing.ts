/**
 * Which checker is drawn for which committed lease: by lot among those that may (trust/lots), all leases
 * that wait for one at once. The draw itself is checks.ts; it is guarded in the store, so that what was
 * true when a checker was picked is looked at again.
 */
import { and, asc, count, eq, isNull, lt, ne } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { bringsNews } from '../trust/escalation.ts';
import { mayBeDrawn } from '../trust/grading.ts';
import { inLotOrder } from '../trust/lots.ts';
import type { Capabilities } from './capabilities.ts';
import { drawCheck, hasNonce, mayCheck, spentKeys, verdictsOf } from './checks.ts';
import type { Core } from './core.ts';
import { commit } from './notices.ts';
import { gradesOf, judgedSinceMs, verifiedKeys } from './records.ts';
import { firstPermit } from './retraces.ts';
import type { Session } from './sessions.ts';
import type { Rows } from './store/rows.ts';
import { inState } from './store/table.ts';
import { checks, jobs, leases, type CheckRow, type JobRow, type LeaseRow } from './store/schema.ts';
import { checkMessage } from './work-messages.ts';

const CHECKS_PER_ROUND_MAX = 1_024;
/** Who was paid for this job before has its scene: drawn this many times likelier, so that not everyone fetches it. */
const PROVEN_WEIGHT = 4;

const first = alias(leases, 'first');

type DueLease = Pick<LeaseRow, 'id' | 'worker' | 'job'>;

export class Drawing {
  readonly #core: Core;
  readonly #capabilities: Capabilities;
  /** Leases not to be drawn again before a time, after a check that came to nothing. */
  readonly pausedUntilMs = new Map<string, number>();

  constructor(core: Core, capabilities: Capabilities) {
    this.#core = core;
    this.#capabilities = capabilities;
  }

  async round(): Promise<void> {
    const core = this.#core;
    const ready = core.sessions.with('checker').filter((session) => session.checksWanted > 0);
    if (ready.length === 0) return;
    const nowMs = core.clock.nowMs();
    // Columns are named one by one: rows of all of them took longer than the draws.
    const due = await core.store.db
      .select({ id: leases.id, worker: leases.worker, job: leases.job })
      .from(leases)
      .innerJoin(jobs, eq(jobs.id, leases.job))
      .leftJoin(checks, and(eq(checks.lease, leases.id), inState(checks.state, 'drawn')))
      // One that is behind another of its slot has its turn when that one has failed (twins.ts).
      .leftJoin(first, and(eq(first.id, leases.twin), inState(first.state, 'committed'), lt(first.committedMs, leases.committedMs)))
      .where(
        and(
          inState(leases.state, 'committed'),
          isNull(leases.verdict),
          isNull(checks.lease),
          isNull(first.id),
          ne(leases.worker, jobs.creator),
        ),
      )
      .orderBy(asc(leases.committedMs))
      .limit(CHECKS_PER_ROUND_MAX);
    if (due.length === 0) return;
    const running = await core.store.db
      .select({ peer: checks.checkerPeer, n: count() })
      .from(checks)
      .where(inState(checks.state, 'drawn'))
      .groupBy(checks.checkerPeer);
    const known = await verifiedKeys(core.store.db);
    const inFlight = new Map(running.map((row) => [row.peer, row.n]));
    const wanted = due.filter((lease) => (this.pausedUntilMs.get(lease.id) ?? 0) <= nowMs);
    const rows = core.store.committed();
    await rows.jobs.load(wanted.map(({ job }) => job));
    await rows.checks.loadGroups(wanted.map(({ id }) => id));
    const sinceMs = judgedSinceMs(core);
    await rows.judged.load(
      wanted.map(({ worker }) => worker),
      sinceMs,
    );
    const fit = await this.#fit(rows, ready);
    // All at once, so that they share a transaction. Who may not judge is left out before it takes a place that another's lease wants.
    const asked = wanted.map(async (lease) => {
      const job = (await rows.jobs.get(lease.job))!;
      const judgedBy = await rows.judged.of(lease.worker, sinceMs);
      const judges = fit.filter((session) => (judgedBy.get(session.key) ?? -Infinity) <= sinceMs);
      await this.#draw(lease, job, await verdictsOf(rows, lease.id), judges, known, inFlight);
    });
    for (const result of await Promise.allSettled(asked)) if (result.status === 'rejected') throw result.reason;
  }

  /** Those that are right often enough, and have a nonce to be drawn with. */
  async #fit(rows: Rows, ready: readonly Session[]): Promise<Session[]> {
    const keys = ready.map(({ key }) => key);
    await rows.grades.load(keys);
    await rows.nonces.loadGroups(keys);
    const fit: Session[] = [];
    for (const session of ready) if (mayBeDrawn(await gradesOf(rows, session.key)) && (await hasNonce(rows, session))) fit.push(session);
    return fit;
  }

  /**
   * By lot among the keys that may (trust/lots). One that was asked before only where it has seen nothing yet
   * that it could copy (checks.ts), and after those that were not.
   * @param spoke checks of this lease that are over.
   * @param known keys that have found false films before.
   * @param inFlight checks that each session has now: counted as soon as one is asked, so that no two draws count on one place.
   */
  async #draw(
    lease: DueLease,
    job: JobRow,
    spoke: readonly CheckRow[],
    ready: readonly Session[],
    known: ReadonlySet<string>,
    inFlight: Map<string, number>,
  ): Promise<void> {
    const core = this.#core;
    const opinions = spoke.filter((row) => row.state === 'pass' || row.state === 'fail');
    const spent = spentKeys(core, spoke);
    const tried = new Set(spoke.map((row) => row.checker));
    const busy = (session: Session): number => inFlight.get(session.peer) ?? 0;
    const able = ready.filter(
      (session) => mayCheck(core, session, lease, job) && !spent.has(session.key) && busy(session) < session.checksWanted,
    );
    const candidates = able.map((session) => ({
      session,
      verified: known.has(session.key),
      group: session.prefix ?? session.key,
      news: bringsNews(session.adapter?.class ?? '', opinions),
      tried: tried.has(session.key),
      weight: session.proven.has(job.id) ? PROVEN_WEIGHT : 1,
    }));
    const dispute = opinions.some(({ state }) => state === 'fail');
    for (const { session: checker } of inLotOrder(candidates, dispute, lots(core, 2 * candidates.length + 1))) {
      if (busy(checker) >= checker.checksWanted) continue;
      inFlight.set(checker.peer, busy(checker) + 1);
      if (await this.#ask(checker, lease, job)) return;
      inFlight.set(checker.peer, busy(checker) - 1);
    }
  }

  async #ask(checker: Session, lease: DueLease, job: JobRow): Promise<boolean> {
    const core = this.#core;
    const capability = await this.#capabilities.of(job.id, checker.key);
    const wants = { lease: lease.id, key: checker.key, judgedSinceMs: judgedSinceMs(core) };
    const drawn = await commit(
      core,
      async (tx, notices) => {
        const result = await drawCheck(core, tx, lease.id, checker);
        if (!result) return null;
        const first = await firstPermit(core, tx.rows, result.check, result.lease, result.job);
        notices.toPeer(checker.peer, checkMessage(core, result, { capability, ...first }));
        return result;
      },
      wants,
    );
    return drawn !== null;
  }
}

/** Numbers in (0, 1], drawn many at a time. */
function lots(core: Core, count: number): () => number {
  const bytes = core.random(6 * count);
  let at = 0;
  return () => (bytes.subarray(at, (at += 6)).reduce((sum, byte) => sum * 256 + byte, 0) + 1) / 2 ** 48;
}
