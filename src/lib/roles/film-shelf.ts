/**
 * Films a worker has committed to, kept until the coordinator says settled or voided: delivered to
 * the creator with retries, and opened for checkers. A few that checks voided are kept longer, for people
 * to look at. Never drops a film before the coordinator has ended its lease: a check that finds none would
 * void honest work. When the films of the leases at hand might not fit as well, the worker asks for no more.
 */
import type { Film } from '../job/film.ts';
import { leafRects, type Rect } from '../job/plan.ts';
import type { Lease } from '../protocol/control.ts';
import { concat } from '../protocol/bytes.ts';
import {
  LEASES_PER_WORKER_MAX,
  FILMS_DISPUTED_MAX,
  FILMS_HELD_BYTES_MAX,
  FILMS_HELD_PER_WORKER_MAX,
  RECONNECT_BACKOFF_MS_MAX,
  RECONNECT_BACKOFF_MS_MIN,
} from '../protocol/limits.ts';
import type { PeerRequest } from '../protocol/peer.ts';
import type { Permit } from '../trust/capability.ts';
import { cutLeaf, type Commitment } from '../trust/commitment.ts';
import type { PeerAnswer } from '../p2p/peer-net.ts';
import { backoffMs } from '../p2p/backoff.ts';
import type { RoleContext } from './types.ts';

export interface ShelvedFilm {
  readonly lease: Lease;
  readonly rect: Rect;
  readonly film: Film;
  readonly commitment: Commitment;
}

export interface ShelfBounds {
  readonly films: number;
  readonly bytes: number;
}

const BOUNDS: ShelfBounds = { films: FILMS_HELD_PER_WORKER_MAX, bytes: FILMS_HELD_BYTES_MAX };

/** One that is kept: which leaves were opened for each draw. */
interface Kept extends ShelvedFilm {
  readonly opened: Map<string, ReadonlySet<number>>;
}

interface Entry extends Kept {
  /** Who is being told, and the end of the telling. */
  delivery: { readonly peer: string; readonly stop: AbortController } | null;
  delivered: boolean;
}

export class FilmShelf {
  readonly #context: Pick<RoleContext, 'net' | 'clock'>;
  readonly #changed: () => void;
  readonly #bounds: ShelfBounds;
  readonly #films = new Map<string, Entry>();
  /** Voided by checks, kept for those who may be asked about it; the oldest go first. */
  readonly #disputed = new Map<string, Kept>();

  constructor(context: Pick<RoleContext, 'net' | 'clock'>, changed: () => void, bounds: ShelfBounds = BOUNDS) {
    this.#context = context;
    this.#changed = changed;
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#films.size;
  }

  get delivering(): number {
    return [...this.#films.values()].filter((entry) => entry.delivery !== null).length;
  }

  /** Films nobody but this machine has yet: a closed tab loses them. */
  get undelivered(): number {
    return [...this.#films.values()].filter((entry) => !entry.delivered).length;
  }

  /** No more leases: room is kept for the films of those a worker may hold already. */
  get full(): boolean {
    const sizes = [...this.#films.values()].map(({ film }) => film.light.byteLength + film.signatures.byteLength);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const coming = LEASES_PER_WORKER_MAX * Math.max(0, ...sizes);
    return sizes.length + LEASES_PER_WORKER_MAX > this.#bounds.films || bytes + coming > this.#bounds.bytes;
  }

  put(film: ShelvedFilm): void {
    this.#films.set(film.lease.lease, { ...film, opened: new Map(), delivery: null, delivered: false });
    this.#changed();
  }

  get(lease: string): ShelvedFilm | null {
    return this.#films.get(lease) ?? null;
  }

  /** Settled, voided or refused: nobody will ask for it again. */
  drop(lease: string): void {
    this.#films.get(lease)?.delivery?.stop.abort();
    if (this.#films.delete(lease)) this.#changed();
  }

  /** Voided by checks: gone from delivery, but reviewers may still open it. */
  dispute(lease: string): void {
    const film = this.#films.get(lease);
    if (!film) return;
    this.#disputed.set(lease, film);
    for (const oldest of this.#disputed.keys()) {
      if (this.#disputed.size <= FILMS_DISPUTED_MAX) break;
      this.#disputed.delete(oldest);
    }
    this.drop(lease);
  }

  /** Whatever of this film can still be opened. */
  find(lease: string): Kept | null {
    return this.#films.get(lease) ?? this.#disputed.get(lease) ?? null;
  }

  /** Brings the film to the creator, again and again until it answers or somebody else is named. */
  async deliver(lease: string, peer: string): Promise<void> {
    const entry = this.#films.get(lease);
    if (!entry || entry.delivery?.peer === peer) return;
    entry.delivery?.stop.abort();
    const stop = new AbortController();
    entry.delivery = { peer, stop };
    entry.delivered = false;
    this.#changed();
    entry.delivered = await this.#bring(stop.signal, entry, peer);
    if (entry.delivery.stop === stop) entry.delivery = null;
    this.#changed();
  }

  stop(): void {
    for (const entry of this.#films.values()) entry.delivery?.stop.abort();
  }

  async #bring(signal: AbortSignal, entry: Entry, peer: string): Promise<boolean> {
    const { net, clock } = this.#context;
    const request = { type: 'film.deliver', lease: entry.lease.lease, root: entry.commitment.root } as const;
    const body = concat(entry.film.light, entry.commitment.signatureHashes);
    for (let attempt = 0; !signal.aborted; attempt++) {
      const outcome = await net.request(signal, peer, request, body);
      if (outcome.status === 'answered') return true;
      // The creator says these are not the committed pixels: bringing them again changes nothing.
      if (outcome.status === 'refused' && outcome.fault === 'corrupt') return false;
      await clock.sleep(signal, backoffMs(attempt, RECONNECT_BACKOFF_MS_MIN, RECONNECT_BACKOFF_MS_MAX));
    }
    return false;
  }

  /**
   * The whole light with its signature hashes, and for a checker the signatures of the leaves it drew.
   * @param permit what the asker may have opened, in all requests of one draw together (trust/capability).
   */
  open(request: Extract<PeerRequest, { type: 'film.open' }>, permit: Pick<Permit, 'draw' | 'leaves'> | null): PeerAnswer {
    const entry = this.find(request.lease);
    if (!entry || entry.commitment.root !== request.root) return { ok: false, fault: 'unknown-lease' };
    const leaves = leafRects(entry.rect);
    // Ascending, as they are drawn: each leaf at most once, however many a request may name.
    if (request.leaves.some((index, i) => index >= leaves.length || (i > 0 && index <= request.leaves[i - 1]!)))
      return { ok: false, fault: 'malformed' };
    if (request.leaves.length > 0) {
      const opened = new Set([...((permit && entry.opened.get(permit.draw)) ?? []), ...request.leaves]);
      if (!permit || opened.size > permit.leaves) return { ok: false, fault: 'not-yours' };
      entry.opened.set(permit.draw, opened);
    }
    const signatures = request.leaves.map((index) => cutLeaf(entry.film, entry.rect, leaves[index]!).signatures);
    return { ok: true, body: concat(entry.film.light, entry.commitment.signatureHashes, ...signatures) };
  }
}
