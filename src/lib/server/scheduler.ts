/**
 * Matches what is wanted with who offers: slots of open jobs to workers with a standing ask; checkers
 * are drawn by drawing.ts. One round runs at a time, so that no worker is promised twice; the claims
 * themselves are guarded in the store. It grants nothing while a job's creator is away.
 */
import { and, count, eq, inArray } from 'drizzle-orm';
import { capFallsShort } from '../market/price.ts';
import { tierOf } from '../market/tiers.ts';
import type { JobOrder } from '../protocol/order.ts';
import { FILMS_HELD_PER_WORKER_MAX, LEASES_PER_WORKER_MAX } from '../protocol/limits.ts';
import { Capabilities } from './capabilities.ts';
import { Drawing } from './drawing.ts';
import type { Core } from './core.ts';
import { orderOf } from './jobs.ts';
import { Market, openJobs } from './market.ts';
import { blockedWorkers, claimLease } from './leases.ts';
import { commit } from './notices.ts';
import { closeIfDone } from './quiet.ts';
import { blockedKeys, knowProven } from './records.ts';
import type { Session } from './sessions.ts';
import { checks, jobs, leases, type JobRow } from './store/schema.ts';
import { checkMessage, grantMessage } from './work-messages.ts';

interface Load {
  granted: number;
  committed: number;
}

export class Scheduler {
  readonly #core: Core;
  readonly drawing: Drawing;
  readonly capabilities: Capabilities;
  readonly market: Market;
  #firstJob = 0;

  constructor(core: Core) {
    this.#core = core;
    this.capabilities = new Capabilities(core);
    this.drawing = new Drawing(core, this.capabilities);
    this.market = new Market(core);
  }

  async round(): Promise<void> {
    await this.#grantAll();
    await this.drawing.round();
  }

  async #grantAll(): Promise<void> {
    const core = this.#core;
    const barred = await blockedKeys(core.store.db, core.rules);
    const asking = core.sessions.with('worker').filter((session) => session.leasesWanted > 0 && !barred.has(session.key));
    if (asking.length === 0) return;
    const open = (await openJobs(core)).filter((job) => core.sessions.creatorOf(job) && !capFallsShort(job));
    if (open.length === 0) return;
    await knowProven(core, core.store.committed(), asking);
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

/** Does the device hold the scene, and does the creator want anything of this key? */
const suits = ({ key, bytesMax, holds }: Session, { scene, environment, sceneNeeds, avoid }: JobOrder): boolean =>
  !avoid?.includes(key) &&
  scene.bytes + (environment?.bytes ?? 0) <= bytesMax &&
  sceneNeeds.bytes <= holds.bytes &&
  sceneNeeds.bindingBytes <= holds.bindingBytes;
