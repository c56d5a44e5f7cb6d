/**
 * A worker: asks for leases, traces them one after the other, commits to each film, and delivers it
 * while the next one is traced. Nothing starts by itself. Refuses to commit to a film that is not
 * finite or a scene that differs; a lost device is retried here and costs nobody anything.
 */
import type { DeviceReport } from '../gpu/engine.ts';
import { filmSegments } from '../job/film.ts';
import { tileRect } from '../job/plan.ts';
import { LEASES_PER_WORKER_MAX } from '../protocol/limits.ts';
import { commit } from '../trust/commitment.ts';
import { leafClasses, packClasses } from '../trust/weights.ts';
import { commitTo, HonestFilms } from './drill-run.ts';
import { FilmShelf, type ShelfBounds } from './film-shelf.ts';
import { JobMeter } from './job-meter.ts';
import { LeaseRun, type LeaseResult } from './lease-run.ts';
import { Emitter, Observable } from './observable.ts';
import { sharedOf, type Shared } from './shared.ts';
import type { ControlEvent, FilmEvent, RoleContext, WorkerState, WorkerStatus } from './types.ts';
import { lossSentence, OFF, readySentence, RECOVERY, tallied } from './worker-words.ts';

type Grant = Extract<ControlEvent, { type: 'grant' }>;

const VOIDED_KEPT_MAX = 20;
/** Most bytes of blobs a worker says it can take for one job. */
const SCENE_BYTES_MAX = 1024 * 1024 * 1024;
const RECOVERY_MS = 2_000;

export class WorkerRole {
  readonly #context: RoleContext;
  readonly #shared: Shared;
  readonly #shelf: FilmShelf;
  readonly #status = new Observable<WorkerStatus>(OFF);
  readonly #films = new Emitter<FilmEvent>();
  readonly #memory = { kept: new HonestFilms(), meter: new JobMeter() };
  #queue: Grant[] = [];
  #current: LeaseRun | null = null;
  #device: Extract<DeviceReport, { ok: true }> | null = null;
  /** Bytes of scenes that this device is known to hold; less after one was too large. */
  #holdsBytes = Number.MAX_SAFE_INTEGER;
  /** Why the coordinator has no lease for this key; empty while it may have one. */
  #barred = '';
  /** What the person wants; `status` says what is. */
  #wish: 'off' | 'work' | 'finish' | 'paused' = 'off';
  #pauseReason = '';
  #looping = false;
  #finished: (() => void)[] = [];

  /** @param shelf how much this machine holds; the usual bounds when left out. */
  constructor(context: RoleContext, shelf?: ShelfBounds) {
    this.#context = context;
    this.#shared = sharedOf(context);
    this.#shelf = new FilmShelf(context, () => this.#tell(), shelf);
    this.#shared.router.on('film.open', async (from, request) => {
      const known = this.#shelf.find(request.lease);
      if (known?.lease.job !== request.job) return { ok: false, fault: 'unknown-lease' };
      if (!(await this.#shared.allows(from, request.job, request.capability))) return { ok: false, fault: 'not-yours' };
      return this.#shelf.open(request, await this.#shared.permitted(from, request.lease, request.permit));
    });
    context.control.on((event) => this.#onEvent(event));
    context.control.onChange(() => this.#tell());
  }

  get status(): WorkerStatus {
    return this.#status.value;
  }

  onStatus(listener: (status: WorkerStatus) => void): () => void {
    return this.#status.on(listener);
  }

  /** Finished light, as it is committed. */
  onFilm(listener: (event: FilmEvent) => void): () => void {
    return this.#films.on(listener);
  }

  /** Probes the device and asks for work. @returns the device's report; `ok: false` leaves the role off. */
  async start(): Promise<DeviceReport> {
    this.#wish = 'work';
    this.#set('connecting', 'Starting the GPU.');
    const report = await this.#context.engine.probe();
    if (!report.ok) {
      this.#wish = 'off';
      this.#set('off', report.text);
      return report;
    }
    this.#device = report;
    if (this.#wish !== 'work') return report;
    this.#shared.play('worker', report.adapter);
    this.#ask();
    this.#tell();
    return report;
  }

  /** Takes no more leases; resolves when those it has are traced and delivered, and it rests. */
  finish(): Promise<void> {
    if (this.#wish === 'off') return Promise.resolve();
    this.#wish = 'finish';
    this.#ask();
    const done = new Promise<void>((resolve) => this.#finished.push(resolve));
    this.#tell();
    return done;
  }

  /** Ends tracing at once and gives leases back, also when called as the page goes. Finished films are still delivered while this page stays open. */
  async stop(): Promise<void> {
    if (this.#wish === 'off') return;
    this.#wish = 'off';
    this.#ask();
    // Said before anything is waited for: a page that is being closed gets no further.
    const held = [...this.#queue.splice(0).map((grant) => grant.lease.lease), ...(this.#current ? [this.#current.lease] : [])];
    const yielded = held.map((lease) => this.#context.control.request({ type: 'yield', lease, reason: 'stopped' }));
    await this.#current?.stop();
    await Promise.all(yielded);
    this.#shared.rest('worker');
    this.#tell();
  }

  /** Finishes the lease at hand and takes no more until `resume`; `reason` is one sentence for people. */
  pause(reason: string): void {
    if (this.#wish !== 'work') return;
    this.#wish = 'paused';
    this.#pauseReason = reason;
    this.#ask();
    this.#tell();
  }

  /** Asks again, after the price that `RoleContext.ask` names has changed. */
  reprice(): void {
    if (this.#wish !== 'off') this.#ask();
  }

  resume(): void {
    if (this.#wish !== 'paused') return;
    this.#wish = 'work';
    this.#ask();
    this.#tell();
  }

  #onEvent(event: ControlEvent): void {
    switch (event.type) {
      case 'welcome':
        return this.#ask();
      case 'grant':
        return this.#onGrant(event);
      case 'recalled':
        this.#queue = this.#queue.filter((grant) => grant.lease.lease !== event.lease);
        if (this.#current?.lease === event.lease) void this.#current.stop();
        this.#shelf.drop(event.lease);
        return this.#ask();
      case 'deliver':
        void this.#shelf.deliver(event.lease, event.creatorPeer);
        return;
      case 'settled':
        return this.#close(event.lease, { leasesSettled: this.status.leasesSettled + 1 });
      case 'voided': {
        if (event.reason === 'drill' || event.reason === 'twin-passed') return this.#close(event.lease, {});
        const voided = [{ lease: event.lease, reason: event.reason }, ...this.status.voided].slice(0, VOIDED_KEPT_MAX);
        return this.#close(event.lease, { leasesVoided: this.status.leasesVoided + 1, voided }, event.reason.startsWith('check-'));
      }
    }
  }

  /** Both the creator and the worker of a lease are told how it ended; one tab may be both. */
  #close(lease: string, change: Partial<WorkerStatus>, disputed = false): void {
    if (!this.#shelf.get(lease)) return;
    this.#status.set({ ...this.status, ...change });
    if (disputed) this.#shelf.dispute(lease);
    else this.#shelf.drop(lease);
    this.#ask();
  }

  #onGrant(grant: Grant): void {
    const { lease } = grant.lease;
    // Told again after a reconnect: a film on the shelf has its commitment on the way.
    if (this.#queue.some((other) => other.lease.lease === lease) || this.#current?.lease === lease || this.#shelf.get(lease)) return;
    if (this.#wish === 'off') return void this.#context.control.request({ type: 'yield', lease, reason: 'stopped' });
    this.#queue.push(grant);
    void this.#loop();
  }

  /** Keeps the next lease at hand while one is traced. */
  #ask(): void {
    if (!this.#device) return;
    const held = this.#queue.length + (this.#current ? 1 : 0);
    const leases = this.#wish === 'work' && !this.#shelf.full ? Math.max(0, LEASES_PER_WORKER_MAX - held) : 0;
    const { bytes, bindingBytes } = this.#device.holds;
    const holds = { bytes: Math.min(bytes, this.#holdsBytes), bindingBytes };
    const price = this.#context.ask?.(this.status.workUnitsPerSecond);
    void this.#context.control.request({ type: 'ask', leases, bytesMax: SCENE_BYTES_MAX, holds, ...price }).then((outcome) => {
      this.#barred = outcome.status === 'refused' ? outcome.text : '';
      this.#tell();
    });
  }

  async #loop(): Promise<void> {
    if (this.#looping) return;
    this.#looping = true;
    for (let grant = this.#queue.shift(); grant; grant = this.#queue.shift()) {
      const run: LeaseRun = new LeaseRun(this.#context, this.#shared, grant, this.#memory, (state, reason) =>
        this.#show(run, grant, state, reason),
      );
      this.#current = run;
      try {
        const result = await run.run();
        this.#current = null;
        this.#finishLease(grant, result);
      } catch {
        await this.#recover(run, grant);
      }
      this.#ask();
    }
    this.#looping = false;
    this.#tell();
  }

  /** Something failed that should not: the lease goes back, and after a moment the next one is taken. */
  async #recover(run: LeaseRun, grant: Grant): Promise<void> {
    this.#current = run;
    this.#show(run, grant, 'restarting', RECOVERY);
    this.#shared.scenes.forget(grant.order.sceneRoot);
    const { control, clock } = this.#context;
    const { lease } = grant.lease;
    if (!run.signal.aborted && !this.#shelf.get(lease)) void control.request({ type: 'yield', lease, reason: 'device-lost' });
    await clock.sleep(run.signal, RECOVERY_MS);
    this.#current = null;
  }

  #finishLease(grant: Grant, result: LeaseResult): void {
    const { control } = this.#context;
    const { lease } = grant.lease;
    if (!result.ok) {
      if (result.lacksBytes) this.#holdsBytes = Math.min(this.#holdsBytes, result.lacksBytes - 1);
      if (result.reason !== 'aborted') void control.request({ type: 'yield', lease, reason: result.reason });
      return;
    }
    const { traceSeconds, spoilt } = result;
    const film = spoilt?.film ?? result.film;
    const rect = tileRect(grant.order, grant.lease.tile);
    const commitment = commit(film, rect);
    const segments = filmSegments(film.light);
    this.#shelf.put({ lease: grant.lease, rect, film, commitment });
    if (!spoilt) this.#status.set(tallied(this.status, { segments, traceSeconds, order: grant.order }));
    const body = {
      lease,
      root: commitment.root,
      segments,
      sceneRoot: grant.order.sceneRoot,
      shader: this.#context.engine.shader,
      adapterClass: this.#device?.adapter.class ?? '',
      traceMs: Math.round(traceSeconds * 1000),
      weights: packClasses(leafClasses(film.light, rect, film.samples)),
    };
    void commitTo(control, body, spoilt).then((outcome) => {
      // Too late, recalled or unknown: nobody will ever ask for this film.
      if (outcome.status === 'refused') this.#shelf.drop(lease);
    });
    this.#films.emit({ lease: grant.lease, order: grant.order, rect, light: result.film.light });
  }

  #show(run: LeaseRun, grant: Grant, state: WorkerState, reason: string): void {
    if (this.#current !== run) return;
    const rect = tileRect(grant.order, grant.lease.tile);
    this.#status.set({ ...this.status, lease: { lease: grant.lease, order: grant.order, rect, done: run.done } });
    this.#set(this.#wish === 'finish' && state === 'rendering' ? 'finishing' : state, reason);
  }

  /** The one word and its sentence, from what is true now. */
  #tell(): void {
    if (this.#current) return;
    const { undelivered, delivering } = this.#shelf;
    const busy = this.#looping || this.#queue.length > 0;
    this.#status.set({ ...this.status, lease: null });
    if (this.#wish === 'finish' && !busy && undelivered === 0) this.#rest();
    if (this.#wish === 'off') return this.#set('off', undelivered > 0 ? lossSentence(undelivered) : OFF.reason);
    if (!this.#context.control.connected) return this.#set('connecting', 'Looking for the coordinator.');
    if (this.#wish === 'finish')
      return this.#set('finishing', `Delivering ${undelivered} finished ${undelivered === 1 ? 'lease' : 'leases'}, then resting.`);
    if (this.#wish === 'paused') return this.#set('paused', this.#pauseReason);
    if (delivering > 0) return this.#set('delivering', 'Bringing finished pixels to their creator.');
    if (this.#shelf.full) return this.#set('waiting', 'Waiting for checks of what is done: no more finished films fit here.');
    this.#set('waiting', this.#barred || readySentence(this.#holdsBytes, this.#memory.meter.left));
  }

  #rest(): void {
    this.#wish = 'off';
    this.#shared.rest('worker');
    for (const resolve of this.#finished.splice(0)) resolve();
  }

  #set(state: WorkerState, reason: string): void {
    this.#status.set({ ...this.status, state, reason, leasesPending: this.#shelf.size });
  }
}
