/**
 * One job on its creator's side: which films are promised, which are in, and the picture of them.
 * Everything that touches the store happens one after the other, so that a film and its voiding
 * can't overtake each other.
 */
import { FILM_BYTES_PER_PIXEL, filmIsFinite } from '../job/film.ts';
import { TileAccumulator } from '../job/accumulator.ts';
import { emptyLayers, placeLayers, type Layers } from '../job/layers.ts';
import { leaseCount, passes, tileCount, tileRect, type Rect } from '../job/plan.ts';
import type { Bytes } from '../protocol/bytes.ts';
import type { FilmReceiptBody, JobQuietBody } from '../protocol/bodies.ts';
import type { JobView } from '../protocol/control.ts';
import type { JobOrder } from '../protocol/order.ts';
import type { PeerRequest } from '../protocol/peer.ts';
import { rootOfDelivery } from '../trust/commitment.ts';
import type { PeerAnswer } from '../p2p/peer-net.ts';
import type { JobStore, StoredFilm, StoredJob } from './job-store.ts';
import { Picture } from './picture.ts';
import { isQuiet, meanLuminance } from './quiet-tiles.ts';
import { keyOfPeer } from './shared.ts';
import type { ControlEvent, CreatorJob } from './types.ts';

type Committed = Extract<ControlEvent, { type: 'committed' }>;
type Delivery = Extract<PeerRequest, { type: 'film.deliver' }>;

export interface JobParts {
  readonly store: JobStore;
  /** Own key. */
  readonly creator: string;
  /** Bytes of blobs served for a job so far. */
  readonly served: (job: string) => number;
  readonly changed: (job: string) => void;
  readonly receipt: (body: FilmReceiptBody) => void;
  readonly quiet: (body: JobQuietBody) => void;
}

export class JobWork {
  readonly #parts: JobParts;
  readonly #stored: Omit<StoredJob, 'view'>;
  readonly #picture: Picture;
  /** Films that workers committed to, by lease. */
  readonly #promised = new Map<string, Committed>();
  /** Leases whose film is in the store. */
  readonly #received = new Map<string, string>();
  readonly #voided = new Set<string>();
  /** Tiles that were said to need no more. */
  readonly #quiet = new Set<number>();
  #view: JobView;
  #bytesIn = 0;
  #tail: Promise<unknown> = Promise.resolve();

  private constructor(parts: JobParts, job: StoredJob) {
    this.#parts = parts;
    this.#stored = { job: job.job, place: job.place, order: job.order, createdMs: job.createdMs };
    this.#view = job.view;
    this.#picture = new Picture(job.order);
  }

  /** A job that is about to be submitted; durable on return. */
  static async create(parts: JobParts, job: Omit<StoredJob, 'view'>): Promise<JobWork> {
    const stored = { ...job, view: firstView(job.job, job.order, parts.creator) };
    await parts.store.putJob(stored);
    return new JobWork(parts, stored);
  }

  /** A job of an earlier page, with its pixels. */
  static async load(parts: JobParts, job: StoredJob): Promise<JobWork> {
    const work = new JobWork(parts, job);
    for (const film of await parts.store.films(job.job)) work.#accept(film);
    return work;
  }

  get ended(): boolean {
    return this.#view.state !== 'open';
  }

  snapshot(): CreatorJob {
    const { job, place = null, order } = this.#stored;
    const { image, coverage, tileSamples } = this.#picture;
    const traffic = { bytesIn: this.#bytesIn, bytesOut: this.#parts.served(job) };
    return { job, place, order, view: this.#view, image, coverage, tileSamples, ...traffic };
  }

  /** Albedo, normals and the rest of what is in, put together from the store: only a download wants them. */
  layers(): Promise<Layers> {
    return this.#inTurn(async () => {
      const { job, order } = this.#stored;
      const frame = emptyLayers(order.width * order.height);
      for (let tile = 0; tile < tileCount(order); tile++) {
        const rect = tileRect(order, tile);
        const sums = new TileAccumulator(rect.width * rect.height, true);
        for (const film of await this.#parts.store.films(job, tile)) {
          const pass = passes(order)[film.lease.pass];
          if (pass) sums.add(pass, film.light);
        }
        const layers = sums.layers();
        if (layers) placeLayers(frame, order.width, rect, layers);
      }
      return frame;
    });
  }

  async update(view: JobView): Promise<void> {
    const ended = this.#view.state !== view.state;
    this.#view = view;
    this.#parts.changed(view.job);
    if (ended) await this.#parts.store.putJob({ ...this.#stored, view });
  }

  expect(committed: Committed): void {
    const { lease, root } = committed;
    this.#promised.set(lease.lease, committed);
    // The receipt may have been lost with an earlier page; envelopes are idempotent.
    if (this.#received.get(lease.lease) === root) this.#parts.receipt({ lease: lease.lease, root, verdict: 'received' });
  }

  expects(lease: string): boolean {
    return this.#promised.has(lease);
  }

  /** Promised, not in, and still of use. */
  lacks(lease: string): boolean {
    return !this.ended && this.#promised.has(lease) && !this.#received.has(lease);
  }

  take(from: string, request: Delivery, body: Bytes): Promise<PeerAnswer> {
    return this.#inTurn(() => this.#take(from, request, body));
  }

  /** The lease is void: its pixels go, and those of another attempt, if any are here, take their place. */
  withdraw(lease: string): Promise<void> {
    return this.#inTurn(async () => {
      this.#voided.add(lease);
      const promised = this.#promised.get(lease);
      this.#promised.delete(lease);
      if (!this.#received.delete(lease)) return;
      const tile = promised?.lease.tile ?? (await this.#tileOf(lease));
      await this.#parts.store.deleteFilm(lease);
      if (tile !== null) this.#picture.rebuild(tile, await this.#parts.store.films(this.#stored.job, tile));
      this.#parts.changed(this.#stored.job);
    });
  }

  async #tileOf(lease: string): Promise<number | null> {
    const films = await this.#parts.store.films(this.#stored.job);
    return films.find((film) => film.lease.lease === lease)?.lease.tile ?? null;
  }

  async #take(from: string, request: Delivery, body: Bytes): Promise<PeerAnswer> {
    const promised = this.#promised.get(request.lease);
    if (!promised || this.#voided.has(request.lease)) return { ok: false, fault: 'unknown-lease' };
    if (keyOfPeer(from) !== keyOfPeer(promised.workerPeer)) return { ok: false, fault: 'not-yours' };
    if (this.#received.has(request.lease)) return { ok: true, body: new Uint8Array() };
    const rect = tileRect(this.#stored.order, promised.lease.tile);
    const light = lightOf(body, rect, promised.root);
    const receipt = { lease: request.lease, root: promised.root } as const;
    if (!light) {
      this.#parts.receipt({ ...receipt, verdict: 'corrupt' });
      return { ok: false, fault: 'corrupt' };
    }
    this.#bytesIn += body.length;
    const film: StoredFilm = { lease: promised.lease, root: promised.root, light };
    await this.#parts.store.putFilm(film);
    this.#accept(film);
    this.#parts.receipt({ ...receipt, verdict: 'received' });
    this.#parts.changed(this.#stored.job);
    await this.#listen(film.lease.tile);
    return { ok: true, body: new Uint8Array() };
  }

  /** Says once of a tile that it needs no more. */
  async #listen(tile: number): Promise<void> {
    const { job, order } = this.#stored;
    if (order.noisePpm === undefined || this.#quiet.has(tile)) return;
    if (!isQuiet(order, await this.#parts.store.films(job, tile), meanLuminance(this.#picture.image))) return;
    this.#quiet.add(tile);
    this.#parts.quiet({ job, tiles: [tile] });
  }

  #accept(film: StoredFilm): void {
    this.#received.set(film.lease.lease, film.root);
    // A second attempt at a pass that is in already waits in the store, in case the first is voided.
    this.#picture.add(film.lease, film.light);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(work, work);
    this.#tail = turn;
    return turn;
  }
}

/** The light of a delivery, or null when it isn't what was committed to, or is no light at all. */
function lightOf(body: Bytes, rect: Rect, root: string): Bytes | null {
  const lightBytes = rect.width * rect.height * FILM_BYTES_PER_PIXEL;
  if (body.length < lightBytes) return null;
  const light = body.slice(0, lightBytes);
  if (rootOfDelivery(light, body.slice(lightBytes), rect) !== root) return null;
  return filmIsFinite(light) ? light : null;
}

function firstView(job: string, order: JobOrder, creator: string): JobView {
  const none = { settled: 0, committed: 0, leased: 0, redone: 0, workers: 0, checks: 0, segments: 0 };
  const leases = leaseCount(order);
  return { job, title: order.title, creator, state: 'open', reason: '', leases, ...none, capMicro: order.capMicro, spentMicro: '0' };
}
