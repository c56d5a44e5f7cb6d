/**
 * Matches what is wanted with who offers: slots of open jobs to workers with a standing ask, and
 * committed leases to checkers. One round runs at a time, so that no worker is promised twice; the
 * claims themselves are guarded in the store. It grants nothing while a job's creator is away.
 */
import { and, asc, count, eq, inArray, isNull, ne } from 'drizzle-orm';
import { capFallsShort } from '../market/price.ts';
import { tierOf } from '../market/tiers.ts';
import type { JobOrder } from '../protocol/order.ts';
import { FILMS_HELD_PER_WORKER_MAX, LEASES_PER_WORKER_MAX } from '../protocol/limits.ts';
import { bringsNews } from '../trust/escalation.ts';
import { inLotOrder } from '../trust/lots.ts';
import { Capabilities } from './capabilities.ts';
import { drawCheck, mayCheck, verdictsOf } from './checks.ts';
import type { Core } from './core.ts';
import { orderOf } from './jobs.ts';
import { Market, openJobs } from './market.ts';
import { blockedWorkers, claimLease } from './leases.ts';
import { commit } from './notices.ts';
import { closeIfDone } from './quiet.ts';
import { blockedKeys, judgedSinceMs, verifiedKeys } from './records.ts';
import type { Session } from './sessions.ts';
import { checks, jobs, leases, type CheckRow, type JobRow, type LeaseRow } from './store/schema.ts';
import { checkMessage, grantMessage } from './work-messages.ts';

const CHECKS_PER_ROUND_MAX = 256;
/** Who was paid for this job before has its scene: drawn this many times likelier, so that not everyone fetches it. */
const PROVEN_WEIGHT = 4;

type DueLease = Pick<LeaseRow, 'id' | 'worker' | 'job'>;

interface Load {
  granted: number;
  committed: number;
}

export class Scheduler {
  readonly #core: Core;
  /** Leases not to be drawn again before a time, after a check that came to nothing. */
  readonly checkPausedUntilMs = new Map<string, number>();
  readonly capabilities: Capabilities;
  readonly market: Market;
  #firstJob = 0;

  constructor(core: Core) {
    this.#core = core;
    this.capabilities = new Capabilities(core);
    this.market = new Market(core);
  }

  async round(): Promise<void> {
    await this.#grantAll();
    await this.#drawAll();
  }

  async #grantAll(): Promise<void> {
    const core = this.#core;
    const barred = await blockedKeys(core.store.db, core.rules);
    const asking = core.sessions.with('worker').filter((session) => session.leasesWanted > 0 && !barred.has(session.key));
    if (asking.length === 0) return;
    const open = (await openJobs(core)).filter((job) => core.sessions.creatorOf(job) && !capFallsShort(job));
    if (open.length === 0) return;
    await this.market.refresh(
      open,
      core.sessions.with('worker').filter((session) => session.stands && !barred.has(session.key)),
    );
    const loads = await this.#loads();
    const blocked = await blockedWorkers(
      core.store.db,
      open.map(({ id }) => id),
    );
    const over = new Set<string>();
    while (open.length > over.size) {
      const pairs = this.#pair(
        open.filter((job) => !over.has(job.id)),
        asking,
        loads,
        blocked,
      );
      if (pairs.length === 0) return;
      const granted = await Promise.all(pairs.map(([job, worker]) => this.#grantOrRestore(job, worker)));
      granted.forEach((done, i) => {
        if (!done) over.add(pairs[i]![0].id);
      });
    }
  }

  /** At most one lease per asking worker and turn, jobs in rotation. */
  #pair(
    open: readonly JobRow[],
    asking: readonly Session[],
    loads: Map<string, Load>,
    blocked: ReadonlyMap<string, ReadonlySet<string>>,
  ): [JobRow, Session][] {
    const pairs: [JobRow, Session][] = [];
    const nowMs = this.#core.clock.nowMs();
    for (const worker of asking) {
      const load = loads.get(worker.peer) ?? { granted: 0, committed: 0 };
      if (worker.leasesWanted <= 0 || load.granted >= LEASES_PER_WORKER_MAX || load.committed >= FILMS_HELD_PER_WORKER_MAX) continue;
      const fits = (job: JobRow): boolean =>
        this.#meets(job, worker) !== null &&
        !blocked.get(job.id)?.has(worker.key) &&
        suits(worker, orderOf(job)) &&
        !this.#core.sessions.paused(worker.key, job.id, nowMs);
      const turn = this.#firstJob++;
      const turned = open.map((_, i) => open[(turn + i) % open.length]!).filter(fits);
      // Own work before anything else; then who pays more than the price, before who pays just that.
      const rank = (one: JobRow): number => ['own', 'first', 'last'].indexOf(this.#meets(one, worker)!);
      const job = turned.sort((a, b) => rank(a) - rank(b))[0];
      if (!job) continue;
      loads.set(worker.peer, { ...load, granted: load.granted + 1 });
      worker.leasesWanted--;
      pairs.push([job, worker]);
    }
    return pairs;
  }

  /** May they trade at the price of the job's market? A worker of the job's own creator needs none. */
  #meets(job: JobRow, worker: Session): 'own' | 'first' | 'last' | null {
    if (worker.key === job.creator) return 'own';
    const order = orderOf(job);
    if (order.proven && !worker.provenWorker) return null;
    const price = this.market.price(tierOf(order));
    return price && this.market.sells(worker, price) ? this.market.buys(job, price) : null;
  }

  /** An ask that came to nothing stands. */
  async #grantOrRestore(job: JobRow, worker: Session): Promise<boolean> {
    let granted = false;
    try {
      return (granted = await this.#grant(job, worker));
    } finally {
      if (!granted) worker.leasesWanted++;
    }
  }

  /** @returns false when the job had no slot left. */
  async #grant(job: JobRow, worker: Session): Promise<boolean> {
    const capability = await this.capabilities.of(job.id, worker.key);
    const price = worker.key === job.creator ? undefined : this.market.price(tierOf(orderOf(job)));
    if (price === null) return false;
    const lease = await commit(
      this.#core,
      async (tx, notices) => {
        const claimed = await claimLease(this.#core, tx, job, { key: worker.key, peer: worker.peer, price });
        // What was left may be of quiet tiles alone.
        if (!claimed) await closeIfDone(this.#core, tx, notices, job.id);
        if (claimed) {
          notices.toPeer(worker.peer, grantMessage(this.#core, claimed, job, capability));
          notices.job(job.id);
        }
        return claimed;
      },
      { key: worker.key },
    );
    return lease !== null;
  }

  async #drawAll(): Promise<void> {
    const core = this.#core;
    const ready = core.sessions.with('checker').filter((session) => session.checksWanted > 0);
    if (ready.length === 0) return;
    const nowMs = core.clock.nowMs();
    // Columns are named one by one: rows of all of them took longer than the draws.
    const due = await core.store.db
      .select({ id: leases.id, worker: leases.worker, job: leases.job })
      .from(leases)
      .innerJoin(jobs, eq(jobs.id, leases.job))
      .leftJoin(checks, and(eq(checks.lease, leases.id), eq(checks.state, 'drawn')))
      .where(and(eq(leases.state, 'committed'), isNull(leases.verdict), isNull(checks.lease), ne(leases.worker, jobs.creator)))
      .orderBy(asc(leases.committedMs))
      .limit(CHECKS_PER_ROUND_MAX);
    if (due.length === 0) return;
    const running = await core.store.db
      .select({ peer: checks.checkerPeer, n: count() })
      .from(checks)
      .where(eq(checks.state, 'drawn'))
      .groupBy(checks.checkerPeer);
    const known = await verifiedKeys(core.store.db);
    const inFlight = new Map(running.map((row) => [row.peer, row.n]));
    const wanted = due.filter((lease) => (this.checkPausedUntilMs.get(lease.id) ?? 0) <= nowMs);
    const rows = core.store.committed();
    await rows.jobs.load(wanted.map(({ job }) => job));
    await rows.checks.loadGroups(wanted.map(({ id }) => id));
    const asked = wanted.map(async (lease) => {
      const job = (await rows.jobs.get(lease.job))!;
      await this.#draw(lease, job, await verdictsOf(rows, lease.id), ready, known, inFlight);
    });
    await Promise.all(asked);
  }

  /**
   * By lot among the keys that may (trust/lots). One that already spoke only where its word was
   * "unavailable", and after those that did not.
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
    const decided = new Set(opinions.map((row) => row.checker));
    const tried = new Set(spoke.map((row) => row.checker));
    const busy = (session: Session): number => inFlight.get(session.peer) ?? 0;
    const able = ready.filter(
      (session) => mayCheck(core, session, lease, job) && !decided.has(session.key) && busy(session) < session.checksWanted,
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
    const capability = await this.capabilities.of(job.id, checker.key);
    const wants = { lease: lease.id, key: checker.key, judgedSinceMs: judgedSinceMs(core) };
    const drawn = await commit(
      core,
      async (tx, notices) => {
        const result = await drawCheck(core, tx, lease.id, checker);
        if (result) notices.toPeer(checker.peer, checkMessage(core, result, capability));
        return result;
      },
      wants,
    );
    return drawn !== null;
  }

  async #loads(): Promise<Map<string, Load>> {
    const found = await this.#core.store.db
      .select({ peer: leases.workerPeer, state: leases.state, n: count() })
      .from(leases)
      .where(inArray(leases.state, ['granted', 'committed']))
      .groupBy(leases.workerPeer, leases.state);
    const loads = new Map<string, Load>();
    for (const { peer, state, n } of found) {
      const load = loads.get(peer) ?? { granted: 0, committed: 0 };
      if (state === 'granted') load.granted = n;
      else load.committed = n;
      loads.set(peer, load);
    }
    return loads;
  }

  /** The grant and check messages of work that a returning peer already holds. */
  async resend(session: Session): Promise<void> {
    const core = this.#core;
    const granted = await core.store.db
      .select({ lease: leases, job: jobs })
      .from(leases)
      .innerJoin(jobs, eq(jobs.id, leases.job))
      .where(and(eq(leases.workerPeer, session.peer), eq(leases.state, 'granted')));
    for (const { lease, job } of granted) session.send(grantMessage(core, lease, job, await this.capabilities.of(job.id, session.key)));
    const drawn = await core.store.db
      .select({ check: checks, lease: leases, job: jobs })
      .from(checks)
      .innerJoin(leases, eq(leases.id, checks.lease))
      .innerJoin(jobs, eq(jobs.id, leases.job))
      .where(and(eq(checks.checkerPeer, session.peer), eq(checks.state, 'drawn')));
    for (const row of drawn) session.send(checkMessage(core, row, await this.capabilities.of(row.job.id, session.key)));
  }
}

/** Numbers in (0, 1], drawn many at a time. */
function lots(core: Core, count: number): () => number {
  const bytes = core.random(6 * count);
  let at = 0;
  return () => (bytes.subarray(at, (at += 6)).reduce((sum, byte) => sum * 256 + byte, 0) + 1) / 2 ** 48;
}

/** Does the device hold the scene, and does the creator want anything of this key? */
const suits = ({ key, bytesMax, holds }: Session, { scene, environment, sceneNeeds, avoid }: JobOrder): boolean =>
  !avoid?.includes(key) &&
  scene.bytes + (environment?.bytes ?? 0) <= bytesMax &&
  sceneNeeds.bytes <= holds.bytes &&
  sceneNeeds.bindingBytes <= holds.bindingBytes;
