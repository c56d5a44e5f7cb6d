/**
 * Matches what is wanted with who offers: slots of open jobs to workers with a standing ask, and at a job's
 * end some slots twice (tails.ts); checkers are drawn by drawing.ts. One round runs at a time, so that no worker is promised twice; the claims
 * themselves are guarded in the store. It grants nothing while a job's creator is away.
 */
import { and, count, eq } from 'drizzle-orm';
import { stopAt } from '../market/tail.ts';
import { tierOf } from '../market/tiers.ts';
import type { JobOrder } from '../protocol/order.ts';
import { FILMS_HELD_PER_WORKER_MAX, LEASES_PER_SCENE_RUN_MAX, LEASES_PER_WORKER_MAX } from '../protocol/limits.ts';
import { Capabilities } from './capabilities.ts';
import { Drawing } from './drawing.ts';
import type { Core } from './core.ts';
import { orderOf } from './jobs.ts';
import { Market, openJobs, type TierPrice } from './market.ts';
import { blockedWorkers, claimLease } from './leases.ts';
import { commit, type Notices } from './notices.ts';
import { shared } from './shared.ts';
import { closeIfOver } from './quiet.ts';
import { blockedKeys, knowProven } from './records.ts';
import { firstPermit, retracedMessage } from './retraces.ts';
import type { Session } from './sessions.ts';
import { inState } from './store/table.ts';
import { checks, jobs, leases, type JobRow, type LeaseRow } from './store/schema.ts';
import type { Tx } from './store/store.ts';
import { claimTwin, pairTails, tailsOf, type Tail } from './tails.ts';
import { checkMessage, grantMessage } from './work-messages.ts';

interface Load {
  granted: number;
  committed: number;
}
const loadOf = (loads: ReadonlyMap<string, Load>, worker: Session): Load => loads.get(worker.peer) ?? { granted: 0, committed: 0 };

interface Offer {
  readonly price: TierPrice | null;
  readonly buys: 'first' | 'last' | null;
}

/** Of each job, the workers (keys) that are not given it any more. */
type Blocked = ReadonlyMap<string, ReadonlySet<string>>;

export class Scheduler {
  readonly #core: Core;
  readonly drawing: Drawing;
  readonly capabilities: Capabilities;
  readonly market: Market;
  /** Workers that get no lease from anybody: one answer for all that ask at once. */
  readonly barred: () => Promise<ReadonlySet<string>>;
  #firstJob = 0;

  constructor(core: Core) {
    this.#core = core;
    this.capabilities = new Capabilities(core);
    this.drawing = new Drawing(core, this.capabilities);
    this.market = new Market(core);
    this.barred = shared(() => blockedKeys(core.store.db, core.rules));
  }

  async round(): Promise<void> {
    await this.#grantAll();
    await this.drawing.round();
  }

  async #grantAll(): Promise<void> {
    const core = this.#core;
    const barred = await this.barred();
    const asking = core.sessions.with('worker').filter((session) => session.leasesWanted > 0 && !barred.has(session.key));
    if (asking.length === 0) return;
    const goesOn = (job: JobRow): boolean => core.sessions.creatorOf(job) !== undefined && stopAt(orderOf(job), job) === 'lease';
    const open = (await openJobs(core)).filter(goesOn);
    const loads = await this.#loads();
    const idle = asking.some((worker) => loadOf(loads, worker).granted === 0);
    const tails = idle ? (await tailsOf(core.store.db)).filter(({ job }) => goesOn(job)) : [];
    const wanting = [...open, ...tails.map(({ job }) => job)];
    if (wanting.length === 0) return;
    await knowProven(core, core.store.committed(), asking);
    await this.market.refresh(
      open,
      core.sessions.with('worker').filter((session) => session.stands && !barred.has(session.key)),
    );
    const blocked = await blockedWorkers(
      core.store.db,
      wanting.map(({ id }) => id),
    );
    await this.#grantOpen(open, asking, loads, blocked);
    await this.#doubleTails(tails, asking, loads, blocked);
  }

  async #grantOpen(open: readonly JobRow[], asking: readonly Session[], loads: Map<string, Load>, blocked: Blocked): Promise<void> {
    const over = new Set<string>();
    while (open.length > over.size) {
      const pairs = this.#pair(
        open.filter((job) => !over.has(job.id)),
        asking,
        loads,
        blocked,
      );
      if (pairs.length === 0) return;
      const granted = await Promise.all(pairs.map(([job, worker]) => this.#grantNext(job, worker)));
      granted.forEach((done, i) => {
        if (!done) over.add(pairs[i]![0].id);
      });
    }
  }

  /** At most one lease per asking worker and turn, jobs in rotation. */
  #pair(open: readonly JobRow[], asking: readonly Session[], loads: Map<string, Load>, blocked: Blocked): [JobRow, Session][] {
    const pairs: [JobRow, Session][] = [];
    const offers = new Map(open.map((job) => [job, this.#offer(job)]));
    for (const worker of asking) {
      const load = loadOf(loads, worker);
      if (!hasRoom(worker, load)) continue;
      const turn = this.#firstJob++;
      let best: { readonly job: JobRow; readonly rank: number } | null = null;
      for (let i = 0; i < open.length; i++) {
        const one = open[(turn + i) % open.length]!;
        const meets = this.#meets(one, worker, offers.get(one)!);
        if (meets === null || !this.#may(one, worker, blocked)) continue;
        // Own work before anything else; then who pays more than the price, before who pays just that; then the scene at hand.
        const rank = 2 * ['own', 'first', 'last'].indexOf(meets) + Number(!keepsOn(worker, one));
        if (rank < (best?.rank ?? Infinity)) best = { job: one, rank };
      }
      if (!best) continue;
      const { job } = best;
      loads.set(worker.peer, { ...load, granted: load.granted + 1 });
      worker.leasesWanted--;
      pairs.push([job, worker]);
    }
    return pairs;
  }

  /** Whatever the price: may this worker do this job? */
  #may(job: JobRow, worker: Session, blocked: Blocked): boolean {
    return (
      !blocked.get(job.id)?.has(worker.key) &&
      suits(worker, orderOf(job)) &&
      !this.#core.sessions.paused(worker.key, job.id, this.#core.clock.nowMs())
    );
  }

  /** The price of the job's market now, and whether it buys at that: the same for all workers. */
  #offer(job: JobRow): Offer {
    const price = this.market.price(tierOf(orderOf(job)));
    return { price, buys: price && this.market.buys(job, price) };
  }

  /** May they trade at the price of the job's market? A worker of the job's own creator needs none. */
  #meets(job: JobRow, worker: Session, { price, buys }: Offer): 'own' | 'first' | 'last' | null {
    if (worker.key === job.creator) return 'own';
    if (orderOf(job).proven && !worker.provenWorker) return null;
    return price && this.market.sells(worker, price) ? buys : null;
  }

  /** Whoever holds nothing once nothing waits takes what somebody slower holds at the end of a job. */
  async #doubleTails(tails: readonly Tail[], asking: readonly Session[], loads: Map<string, Load>, blocked: Blocked): Promise<void> {
    const idle = asking.filter((worker) => hasRoom(worker, loadOf(loads, worker)) && loadOf(loads, worker).granted === 0);
    const pairs = await pairTails(this.#core, tails, idle, (job, worker, { buyMicro, sellMicro }) => {
      const price = { buyMicro: buyMicro ?? job.priceMicro, sellMicro: sellMicro ?? job.priceMicro };
      return this.#may(job, worker, blocked) && (!orderOf(job).proven || worker.provenWorker) && this.market.sells(worker, price);
    });
    await Promise.all(
      pairs.map(({ job, worker, lease }) => {
        worker.leasesWanted--;
        return this.#grant(job, worker, (tx) => claimTwin(this.#core, tx, lease.lease, worker));
      }),
    );
  }

  /** @returns false when the job had no slot left. */
  async #grantNext(job: JobRow, worker: Session): Promise<boolean> {
    return this.#grant(job, worker, async (tx, notices) => {
      const price = worker.key === job.creator ? undefined : this.market.price(tierOf(orderOf(job)));
      if (price === null) return null;
      const claimed = await claimLease(this.#core, tx, job, { key: worker.key, peer: worker.peer, price });
      // What was left may be of quiet tiles alone.
      if (!claimed) await closeIfOver(this.#core, tx, notices, job.id);
      return claimed;
    });
  }

  /** Claims and tells. An ask that came to nothing stands. */
  async #grant(job: JobRow, worker: Session, claim: (tx: Tx, notices: Notices) => Promise<LeaseRow | null>): Promise<boolean> {
    let granted = false;
    try {
      const capability = await this.capabilities.of(job.id, worker.key);
      granted = await commit(
        this.#core,
        async (tx, notices) => {
          const claimed = await claim(tx, notices);
          if (claimed) {
            notices.toPeer(worker.peer, grantMessage(this.#core, claimed, job, capability));
            notices.job(job.id);
          }
          return claimed !== null;
        },
        { key: worker.key },
      );
      if (granted) worker.takes(orderOf(job).sceneRoot);
      return granted;
    } finally {
      if (!granted) worker.leasesWanted++;
    }
  }

  async #loads(): Promise<Map<string, Load>> {
    const found = await this.#core.store.db
      .select({ peer: leases.workerPeer, state: leases.state, n: count() })
      .from(leases)
      .where(inState(leases.state, 'granted', 'committed'))
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
    for (const { lease, job } of granted) {
      session.scene ??= { root: orderOf(job).sceneRoot, leases: 1 };
      session.send(grantMessage(core, lease, job, await this.capabilities.of(job.id, session.key)));
    }
    const drawn = await core.store.db
      .select({ check: checks, lease: leases, job: jobs })
      .from(checks)
      .innerJoin(leases, eq(leases.id, checks.lease))
      .innerJoin(jobs, eq(jobs.id, leases.job))
      .where(and(eq(checks.checkerPeer, session.peer), eq(checks.state, 'drawn')));
    const rows = core.store.committed();
    for (const row of drawn) {
      const { check, lease, job } = row;
      const capability = await this.capabilities.of(job.id, session.key);
      session.send(checkMessage(core, row, { capability, ...(await firstPermit(core, rows, check, lease, job)) }));
      const retraced = await retracedMessage(core, check, lease, job);
      if (retraced) session.send(retraced);
    }
  }
}

/** May a worker hold one more lease, and does it want one? */
const hasRoom = (worker: Session, { granted, committed }: Load): boolean =>
  worker.leasesWanted > 0 && granted < LEASES_PER_WORKER_MAX && committed < FILMS_HELD_PER_WORKER_MAX;

/** Changing scenes costs a worker a download and a compilation: it stays with the one at hand, until it had a run of it and others wait. */
const keepsOn = ({ scene }: Session, job: JobRow): boolean =>
  scene === null || (orderOf(job).sceneRoot === scene.root) === scene.leases < LEASES_PER_SCENE_RUN_MAX;

/** Does the device hold the scene, and does the creator want anything of this key? */
const suits = ({ key, bytesMax, holds }: Session, { scene, environment, sceneNeeds, avoid }: JobOrder): boolean =>
  !avoid?.includes(key) &&
  scene.bytes + (environment?.bytes ?? 0) <= bytesMax &&
  sceneNeeds.bytes <= holds.bytes &&
  sceneNeeds.bindingBytes <= holds.bindingBytes;
