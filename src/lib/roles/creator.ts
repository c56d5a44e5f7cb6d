/**
 * A creator: puts a scene where workers can fetch it, signs the order, and takes in films that hash
 * to their committed roots. What it has is kept in the job store, so that a reloaded tab goes on.
 * Refuses pixels that nobody committed to, and never spends beyond the order's cap.
 */
import * as v from 'valibot';
import type { Layers } from '../job/layers.ts';
import { leaseCount } from '../job/plan.ts';
import type { Bytes } from '../protocol/bytes.ts';
import { envelopeHash } from '../protocol/envelope.ts';
import { JOB_LEASES_MAX } from '../protocol/limits.ts';
import { JobOrderSchema, type BlobRef } from '../protocol/order.ts';
import type { PeerRequest } from '../protocol/peer.ts';
import type { PeerAnswer } from '../p2p/peer-net.ts';
import { hashOfBlob } from '../p2p/blob.ts';
import { FilmWait } from './film-wait.ts';
import { ensureFunds } from './grant.ts';
import { costOf } from './meter.ts';
import { MemoryJobStore, type JobStore, type StoredJob } from './job-store.ts';
import { JobWork, type JobParts } from './job-work.ts';
import { Emitter } from './observable.ts';
import { meteredOf, orderOf } from './order.ts';
import { sharedOf, type Shared } from './shared.ts';
import type { ControlEvent, ControlOutcome, CreatorJob, JobChoice, RoleContext } from './types.ts';

export type SubmitOutcome = { readonly ok: true; readonly job: string } | { readonly ok: false; readonly text: string };

/** Screens redraw at most ten times a second. */
const TELL_MS = 100;
/** Ended jobs whose pixels are kept for a look back; the oldest go first. */
const ENDED_JOBS_KEPT_MAX = 8;

export class CreatorRole {
  readonly #context: RoleContext;
  readonly #shared: Shared;
  readonly #store: JobStore;
  readonly #jobs = new Map<string, JobWork>();
  readonly #told = new Emitter<CreatorJob>();
  readonly #telling = new Set<string>();
  /** Files of earlier orders: hashed once. */
  readonly #kept = new WeakMap<Bytes, BlobRef>();
  readonly #closing = new AbortController();
  readonly #films: FilmWait;

  constructor(context: RoleContext) {
    this.#context = context;
    this.#shared = sharedOf(context);
    this.#store = context.jobs ?? new MemoryJobStore();
    this.#films = new FilmWait(this.#closing.signal, context);
    this.#shared.router.on(
      'film.deliver',
      (from, request, body) => this.#onFilm(from, request, body),
      (_, request) => (this.#expecting(request.lease) ? null : 'unknown-lease'),
    );
    context.control.on((event) => this.#onEvent(event));
  }

  /** Newest last. */
  get jobs(): readonly CreatorJob[] {
    return [...this.#jobs.values()].map((work) => work.snapshot());
  }

  job(job: string): CreatorJob | null {
    return this.#jobs.get(job)?.snapshot() ?? null;
  }

  /** What the films of a job tell beside light; null for a job that is not here. */
  async layers(job: string): Promise<Layers | null> {
    return (await this.#jobs.get(job)?.layers()) ?? null;
  }

  /** Told when pixels or the state of a job change, at most ten times a second per job. */
  onJob(listener: (job: CreatorJob) => void): () => void {
    return this.#told.on(listener);
  }

  /** Puts a file where workers can fetch it from. */
  async keep(file: Bytes): Promise<BlobRef> {
    const { blobs } = this.#context;
    const ref = this.#kept.get(file) ?? { hash: await hashOfBlob(file), bytes: file.length };
    this.#kept.set(file, ref);
    if (!(await blobs.list()).includes(ref.hash)) await blobs.put(ref.hash, file);
    return ref;
  }

  /** Waits until the coordinator has taken or refused the order; a newcomer's grant is earned on the way. */
  async submit(signal: AbortSignal, choice: JobChoice): Promise<SubmitOutcome> {
    const { scene, environment } = choice.files;
    const costPerMille = choice.terms?.costPerMille ?? (await costOf(signal, this.#context.engine, meteredOf(choice)));
    const terms = { ...choice.terms, ...(costPerMille === null ? {} : { costPerMille }) };
    const order = orderOf(
      { ...choice, terms },
      { scene: await this.keep(scene), environment: environment && (await this.keep(environment.file)) },
    );
    const parsed = v.safeParse(JobOrderSchema, order);
    if (!parsed.success)
      return { ok: false, text: `The order is out of bounds: ${v.getDotPath(parsed.issues[0]) ?? 'order'}, ${parsed.issues[0].message}.` };
    if (leaseCount(order) > JOB_LEASES_MAX)
      return {
        ok: false,
        text: `This picture needs ${leaseCount(order)} leases; a job may have ${JOB_LEASES_MAX}. Choose fewer samples or fewer pixels.`,
      };
    this.#shared.play('creator');
    const funds = await ensureFunds(signal, this.#context, choice.capMicro);
    if (!funds.ok) return funds;
    if (signal.aborted) return { ok: false, text: 'The order was not sent.' };
    const { control, clock } = this.#context;
    const envelope = await control.seal('job.submit', { order });
    const job = envelopeHash(envelope).slice(0, 32);
    // Kept before it is sent: a tab that dies now finds its job again.
    await this.#open({ job, place: choice.place, order, createdMs: clock.nowMs() });
    const outcome = await control.submitSealed(envelope);
    if (outcome.status === 'ok') {
      this.#watch(job);
      return { ok: true, job };
    }
    await this.drop(job);
    return { ok: false, text: outcome.status === 'refused' ? outcome.text : 'The connection was closed before the order was taken.' };
  }

  /** What is finished stays paid; the rest of the escrow comes back. */
  cancel(job: string): Promise<ControlOutcome> {
    return this.#context.control.submit('job.cancel', { job });
  }

  /** Forgets a job that is over, with its films. */
  async drop(job: string): Promise<void> {
    this.#jobs.delete(job);
    this.#shared.unserve(job);
    await this.#store.deleteJob(job);
  }

  /** Takes up the jobs of an earlier page: their pixels are back before this resolves. */
  async resume(signal: AbortSignal): Promise<readonly CreatorJob[]> {
    const stored = (await this.#store.jobs()).toSorted((a, b) => a.createdMs - b.createdMs);
    // Those of a sequence are its own to clear away.
    const ended = stored.filter(({ view, place }) => view.state !== 'open' && !place);
    for (const { job } of ended.slice(0, -ENDED_JOBS_KEPT_MAX)) await this.#store.deleteJob(job);
    for (const job of stored.filter((one) => !ended.slice(0, -ENDED_JOBS_KEPT_MAX).includes(one))) {
      if (signal.aborted || this.#jobs.has(job.job)) continue;
      const work = await JobWork.load(this.#parts(), job);
      this.#jobs.set(job.job, work);
      if (work.ended) continue;
      this.#shared.play('creator');
      this.#shared.serve(job.job, job.order);
      this.#watch(job.job);
    }
    return this.jobs;
  }

  /** Stops telling; jobs stay open at the coordinator and in the store. */
  close(): void {
    this.#closing.abort();
  }

  async #open(stored: Omit<StoredJob, 'view'>): Promise<void> {
    const work = await JobWork.create(this.#parts(), stored);
    this.#jobs.set(stored.job, work);
    this.#shared.serve(stored.job, stored.order);
  }

  #parts(): JobParts {
    return {
      store: this.#store,
      creator: this.#context.identity.key,
      served: (job) => this.#shared.exchange.bytesServed(job),
      changed: (job) => void this.#tell(job),
      receipt: (body) => void this.#context.control.submit('film.receipt', body),
      quiet: (body) => void this.#context.control.submit('job.quiet', body),
    };
  }

  #onEvent(event: ControlEvent): void {
    switch (event.type) {
      case 'welcome':
        for (const [job, work] of this.#jobs) if (!work.ended) this.#watch(job);
        return;
      case 'job': {
        const work = this.#jobs.get(event.view.job);
        void work?.update(event.view);
        if (work && event.view.state !== 'open') this.#shared.unserve(event.view.job);
        return;
      }
      case 'committed': {
        const work = this.#jobs.get(event.lease.job);
        work?.expect(event);
        if (work) void this.#films.watch(event, () => work.lacks(event.lease.lease));
        return;
      }
      case 'voided':
        for (const work of this.#jobs.values()) void work.withdraw(event.lease);
        return;
    }
  }

  async #onFilm(from: string, request: Extract<PeerRequest, { type: 'film.deliver' }>, body: Bytes): Promise<PeerAnswer> {
    const work = this.#expecting(request.lease);
    return work ? work.take(from, request, body) : { ok: false, fault: 'unknown-lease' };
  }

  #expecting(lease: string): JobWork | undefined {
    return [...this.#jobs.values()].find((one) => one.expects(lease));
  }

  #watch(job: string): void {
    void this.#context.control.request({ type: 'watch', job });
  }

  async #tell(job: string): Promise<void> {
    if (this.#telling.has(job)) return;
    this.#telling.add(job);
    await this.#context.clock.sleep(this.#closing.signal, TELL_MS);
    this.#telling.delete(job);
    const work = this.#jobs.get(job);
    if (work && !this.#closing.signal.aborted) this.#told.emit(work.snapshot());
  }
}
