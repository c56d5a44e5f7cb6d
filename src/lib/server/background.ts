/**
 * What the coordinator does by itself: matching rounds when something changed, the reaper's rounds,
 * and telling watchers what changed, at most a few times a second. One round at a time; a failing
 * round is logged and tried again, and never stops the others.
 */
import { and, count } from 'drizzle-orm';
import {
  CHECKPOINT_INTERVAL_MS,
  MARKET_ROUND_MS,
  NETWORK_VIEW_INTERVAL_MS,
  REAPER_INTERVAL_MS,
  VIEW_INTERVAL_MS,
} from '../protocol/limits.ts';
import { heldOf } from '../ledger/leaf.ts';
import type { NetworkView } from '../protocol/control.ts';
import type { Core, Wake } from './core.ts';
import { viewJobs } from './jobs.ts';
import { Reaper } from './reaper.ts';
import type { Scheduler } from './scheduler.ts';
import { sharesOf } from './pay.ts';
import { jobs, leases } from './store/schema.ts';
import { inState, oneOf } from './store/table.ts';

/** Marks are set at once; the loops below act on them. */
export class Marks implements Wake {
  readonly jobs = new Set<string>();
  readonly balances = new Set<string>();
  readonly resends = new Set<string>();
  networkChanged = false;
  onMatch: () => void = () => {};
  /** Other instances may want to know. */
  onChange: () => void = () => {};

  match(): void {
    this.onMatch();
    this.onChange();
  }

  job(job: string): void {
    this.jobs.add(job);
    this.networkChanged = true;
  }

  balance(key: string): void {
    this.balances.add(key);
  }

  resend(peer: string): void {
    this.resends.add(peer);
    this.onMatch();
  }

  network(): void {
    this.networkChanged = true;
  }
}

/** What could not be told because the database was away is marked again: somebody waits to hear it. */
async function taking(marks: Set<string>, tell: (marked: readonly string[]) => Promise<void>): Promise<void> {
  const marked = [...marks];
  marks.clear();
  try {
    await tell(marked);
  } catch (error) {
    for (const one of marked) marks.add(one);
    throw error;
  }
}

export class Background {
  readonly #core: Core;
  readonly #marks: Marks;
  readonly #scheduler: Scheduler;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #rounds = new Set<Promise<void>>();
  #matching: Promise<void> | null = null;
  #matchAgain = false;
  #networkAtMs = 0;

  constructor(core: Core, marks: Marks, scheduler: Scheduler) {
    this.#core = core;
    this.#marks = marks;
    this.#scheduler = scheduler;
    marks.onMatch = () => this.#match();
  }

  start(): void {
    const reaper = new Reaper(this.#core, this.#scheduler);
    this.#loop(REAPER_INTERVAL_MS, () => reaper.round());
    this.#loop(VIEW_INTERVAL_MS, () => this.tell());
    this.#loop(CHECKPOINT_INTERVAL_MS, () => (this.#core.leads() ? this.#core.witnesses.round() : Promise.resolve()));
    // A round's price is over by itself, and whoever it kept apart may meet now.
    this.#loop(MARKET_ROUND_MS, () => Promise.resolve(this.#match()));
    this.#match();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    while (this.#matching) await this.#matching;
    await Promise.all(this.#running);
  }

  /** Resolves when no round is running. */
  async idle(): Promise<void> {
    while (this.#matching || this.#rounds.size > 0) await Promise.all([this.#matching, ...this.#rounds]);
  }

  #match(): void {
    this.#matchAgain = true;
    this.#matching ??= this.#matchLoop();
  }

  async #matchLoop(): Promise<void> {
    while (this.#matchAgain && !this.#stop.signal.aborted) {
      this.#matchAgain = false;
      await this.#guard('telling again', () => this.#resend());
      if (this.#core.leads()) await this.#guard('matching', () => this.#scheduler.round());
    }
    this.#matching = null;
  }

  async #resend(): Promise<void> {
    await taking(this.#marks.resends, async (peers) => {
      for (const peer of peers) {
        const session = this.#core.sessions.peer(peer);
        if (session) await this.#scheduler.resend(session);
      }
    });
  }

  #loop(intervalMs: number, round: () => Promise<void>): void {
    const run = async (): Promise<void> => {
      while (!this.#stop.signal.aborted) {
        await this.#core.clock.sleep(this.#stop.signal, intervalMs);
        if (this.#stop.signal.aborted) return;
        const work = this.#guard('a background round', round);
        this.#rounds.add(work);
        await work;
        this.#rounds.delete(work);
      }
    };
    this.#running.add(run());
  }

  async #guard(what: string, round: () => Promise<void>): Promise<void> {
    try {
      await round();
    } catch (error) {
      this.#core.counters.count('background-failed');
      this.#core.logger(`${what} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Sends marked job views and balances, and the network's view, to whom they concern. */
  async tell(): Promise<void> {
    const core = this.#core;
    await taking(this.#marks.jobs, async (changed) => {
      const watched = changed.filter((id) => core.sessions.all().some((session) => session.watching.has(id)));
      const views = watched.length > 0 ? await viewJobs(core, watched) : [];
      for (const view of views)
        for (const session of core.sessions.all()) if (session.watching.has(view.job)) session.send({ type: 'job', view });
    });
    await taking(this.#marks.balances, (keys) => this.#tellBalances(keys.filter((key) => core.sessions.ofKey(key).length > 0)));
    if (!this.#marks.networkChanged || core.clock.nowMs() - this.#networkAtMs < NETWORK_VIEW_INTERVAL_MS) return;
    this.#marks.networkChanged = false;
    this.#networkAtMs = core.clock.nowMs();
    const view = await networkView(core);
    for (const session of core.sessions.all()) session.send({ type: 'network', view });
  }

  async #tellBalances(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    const { balances } = this.#core.store.committed();
    await balances.load(keys);
    const pending = await pendingOf(this.#core, keys);
    for (const key of keys) {
      const [balanceMicro, pendingMicro] = [String(await balances.get(key)), String(pending.get(key))];
      for (const session of this.#core.sessions.ofKey(key)) session.send({ type: 'balance', balanceMicro, pendingMicro });
    }
  }
}

export async function networkView(core: Core): Promise<NetworkView> {
  const [open] = await core.store.db.select({ n: count() }).from(jobs).where(inState(jobs.state, 'open'));
  const [running] = await core.store.db.select({ n: count() }).from(leases).where(inState(leases.state, 'granted'));
  return core.sessions.view(open?.n ?? 0, running?.n ?? 0);
}

/** What each worker's committed leases will pay if they settle, and what is held back. */
export async function pendingOf(core: Core, keys: readonly string[]): Promise<Map<string, bigint>> {
  const { job, slot, segments, worker, buyMicro, sellMicro } = leases;
  const waiting = await core.store.db
    .select({ job, slot, segments, worker, buyMicro, sellMicro })
    .from(leases)
    .where(and(oneOf(leases.worker, keys), inState(leases.state, 'committed')));
  const { balances, jobs: orders } = core.store.committed();
  await orders.load(waiting.map((lease) => lease.job));
  await balances.load(keys.map(heldOf));
  const pending = new Map<string, bigint>();
  for (const key of keys) pending.set(key, await balances.get(heldOf(key)));
  for (const lease of waiting) {
    const { workerMicro } = sharesOf((await orders.get(lease.job))!, lease);
    pending.set(lease.worker, pending.get(lease.worker)! + workerMicro);
  }
  return pending;
}
