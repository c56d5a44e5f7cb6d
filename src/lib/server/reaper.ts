/**
 * Notices what did not happen: silent connections, leases past their deadline, workers that are gone,
 * checks that were never answered, receipts that never came. Each is acted on by the same guarded
 * claims as everything else, so a late answer and the reaper can't both win.
 */
import { and, eq, inArray, isNotNull, isNull, lt, or, sql } from 'drizzle-orm';
import {
  CHECK_PAUSE_MS,
  CONTROL_SILENCE_MS_MAX,
  FILM_SILENCE_MS_MAX,
  LEASE_SILENCE_MS_MAX,
  RECEIPT_WAIT_MS_MAX,
} from '../protocol/limits.ts';
import { heldOf } from '../ledger/leaf.ts';
import { missed } from '../trust/grading.ts';
import { released } from '../trust/standing.ts';
import { lapseAppeals } from './appeals.ts';
import type { Core } from './core.ts';
import { post } from './ledger.ts';
import { commit } from './notices.ts';
import { changeGrades, quietHolders, setStanding, standingOf } from './records.ts';
import { giveUp, settleIfReady } from './settle.ts';
import type { Scheduler } from './scheduler.ts';
import { checks, leases } from './store/schema.ts';
import { inState } from './store/table.ts';
import { decideLease } from './verdicts.ts';

/** A round this late after the last means that this process itself stood still: what others said meanwhile is still unread. */
const OWN_SILENCE_MS_MAX = 1_500;
/** What is held is paid out after a day: nobody waits for the minute. */
const HELD_INTERVAL_MS = 60_000;

export class Reaper {
  readonly #core: Core;
  readonly #scheduler: Scheduler;
  /** End of the last round. */
  #lastMs: number;
  #skipped = false;
  /** When what is held was last looked at. */
  #heldMs = 0;

  constructor(core: Core, scheduler: Scheduler) {
    this.#core = core;
    this.#scheduler = scheduler;
    this.#lastMs = core.clock.nowMs();
  }

  async round(): Promise<void> {
    const core = this.#core;
    const nowMs = core.clock.nowMs();
    const stoodStill = nowMs - this.#lastMs > OWN_SILENCE_MS_MAX && !this.#skipped;
    this.#skipped = stoodStill;
    if (!stoodStill) await this.#act(core, nowMs);
    this.#lastMs = core.clock.nowMs();
  }

  async #act(core: Core, nowMs: number): Promise<void> {
    closeSilent(core, nowMs);
    if (!core.leads()) return core.sessions.forgetBefore(nowMs - 2 * FILM_SILENCE_MS_MAX);
    await reapLeases(core, nowMs);
    await reapFilms(core, nowMs);
    await reapChecks(core, this.#scheduler, nowMs);
    await reapDoubts(core);
    await reapReceipts(core, nowMs);
    if (nowMs - this.#heldMs >= HELD_INTERVAL_MS) {
      this.#heldMs = nowMs;
      await reapHeld(core);
      await lapseAppeals(core);
    }
    core.sessions.forgetBefore(nowMs - 2 * FILM_SILENCE_MS_MAX);
    core.sessions.endPauses(nowMs);
    const pauses = this.#scheduler.drawing.pausedUntilMs;
    for (const [lease, untilMs] of pauses) if (untilMs <= nowMs) pauses.delete(lease);
    // Pauses that are over, and whatever a failed round left undone.
    core.wake.match();
  }
}

/** At once, not when the socket has closed: a dead one takes its time, and must not be given anything meanwhile. */
function closeSilent(core: Core, nowMs: number): void {
  for (const session of core.sessions.all()) {
    if (nowMs - session.lastSeenMs <= CONTROL_SILENCE_MS_MAX) continue;
    core.counters.count('silent');
    core.sessions.remove(session);
    session.close();
  }
  for (const link of core.sessions.unprovenSince(nowMs - CONTROL_SILENCE_MS_MAX)) {
    core.counters.count('hello-missing');
    core.sessions.closed(link);
    link.close();
  }
}

async function reapLeases(core: Core, nowMs: number): Promise<void> {
  const silent = core.sessions.silentSince(nowMs - LEASE_SILENCE_MS_MAX);
  const gone = silent.length > 0 ? inArray(leases.workerPeer, silent) : undefined;
  const due = await core.store.db
    .select({ id: leases.id, deadlineMs: leases.deadlineMs })
    .from(leases)
    .where(and(inState(leases.state, 'granted'), or(lt(leases.deadlineMs, nowMs), gone)));
  for (const { id, deadlineMs } of due) {
    const late = deadlineMs < nowMs;
    core.counters.count(late ? 'lease-late' : 'lease-silent');
    const ending = late ? { reason: 'deadline', faults: 1, failed: true } : { reason: 'silent', faults: 0, failed: false };
    await commit(core, (tx, notices) => giveUp(core, tx, notices, id, { from: 'granted', ...ending }));
  }
}

async function reapFilms(core: Core, nowMs: number): Promise<void> {
  const gone = core.sessions.silentSince(nowMs - FILM_SILENCE_MS_MAX);
  if (gone.length === 0) return;
  const lost = await core.store.db
    .select({ id: leases.id })
    .from(leases)
    .where(and(inState(leases.state, 'committed'), inArray(leases.workerPeer, gone)));
  for (const { id } of lost) {
    core.counters.count('film-lost');
    await commit(core, (tx, notices) =>
      giveUp(core, tx, notices, id, { from: 'committed', reason: 'worker-gone', faults: 0, failed: false }),
    );
  }
}

async function reapChecks(core: Core, scheduler: Scheduler, nowMs: number): Promise<void> {
  const silent = core.sessions.silentSince(nowMs - LEASE_SILENCE_MS_MAX);
  const gone = silent.length > 0 ? inArray(checks.checkerPeer, silent) : undefined;
  const due = await core.store.db
    .select({ commitment: checks.nonceCommitment, lease: checks.lease, peer: checks.checkerPeer, checker: checks.checker })
    .from(checks)
    .where(and(inState(checks.state, 'drawn'), or(lt(checks.deadlineMs, nowMs), gone)));
  for (const { commitment, lease: id, peer, checker } of due) {
    core.counters.count('check-expired');
    await commit(core, async (tx, notices) => {
      const check = await tx.rows.checks.get(commitment);
      if (check?.state !== 'drawn') return;
      tx.rows.checks.put({ ...check, state: 'expired' });
      tx.append({ type: 'missed', lease: id, checker, nonceCommitment: commitment, atMs: core.clock.nowMs() });
      await changeGrades(tx, checker, missed);
      notices.toPeer(peer, { type: 'check-withdrawn', lease: id });
      const lease = (await tx.rows.leases.get(id))!;
      const job = (await tx.rows.jobs.get(lease.job))!;
      notices.job(job.id);
      await decideLease(core, tx, notices, lease, job);
    });
    scheduler.drawing.pausedUntilMs.set(id, nowMs + CHECK_PAUSE_MS);
  }
}

/** What was held of a worker is paid out after a time without a lease. */
async function reapHeld(core: Core): Promise<void> {
  for (const worker of await quietHolders(core, core.store.db)) {
    await commit(core, async (tx, notices) => {
      const micro = await tx.rows.balances.get(heldOf(worker));
      if (micro === 0n || !(await quietHolders(core, await tx.sql())).includes(worker)) return;
      const postings = [[heldOf(worker), -micro] as const, [worker, micro] as const];
      await post(tx, { kind: 'release', atMs: core.clock.nowMs(), postings });
      await setStanding(tx, worker, released(await standingOf(tx.rows, worker)));
      notices.balance(worker);
    });
  }
}

/** A first verdict that failed, or that a second audit is to confirm, waits for a second checker only while there is one, and not for ever. */
async function reapDoubts(core: Core): Promise<void> {
  const doubted = await core.store.db
    .select({ id: leases.id })
    .from(leases)
    .innerJoin(checks, and(eq(checks.lease, leases.id), inState(checks.state, 'pass', 'fail')))
    .where(and(inState(leases.state, 'committed'), isNull(leases.verdict)));
  for (const { id } of doubted) {
    await commit(core, async (tx, notices) => {
      const lease = await tx.rows.leases.get(id);
      if (lease?.state !== 'committed') return;
      const job = (await tx.rows.jobs.get(lease.job))!;
      await decideLease(core, tx, notices, lease, job);
    });
  }
}

/** The re-trace decides, not the creator: one that never answers, or has left for good, pays all the same. */
async function reapReceipts(core: Core, nowMs: number): Promise<void> {
  const due = await core.store.db
    .select({ id: leases.id })
    .from(leases)
    .where(
      and(
        inState(leases.state, 'committed'),
        eq(leases.verdict, 'pass'),
        isNotNull(leases.verdictMs),
        // Somebody who said "missing" has said something; but not to have said it again is no way to never pay.
        sql`${leases.verdictMs} + (1 + 2 * ${leases.missing}) * ${RECEIPT_WAIT_MS_MAX}::bigint < ${nowMs}::bigint`,
      ),
    );
  for (const { id } of due) {
    core.counters.count('receipt-waived');
    await commit(core, (tx, notices) => settleIfReady(core, tx, notices, id, true));
  }
}
