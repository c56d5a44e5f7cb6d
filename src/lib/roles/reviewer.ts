/**
 * A person who looks at what machines disagree about: opens the whole film at the worker, as a checker
 * does, traces the same paths again, or more of them, and signs a word. Fetches and traces nothing until
 * a case is opened. Refuses to show a film that is not the one committed to.
 */
import { FILM_BYTES_PER_PIXEL } from '../job/film.ts';
import { leafRects, passes, tileRect, type Pass, type Rect } from '../job/plan.ts';
import type { Bytes } from '../protocol/bytes.ts';
import type { ReviewWordBody } from '../protocol/bodies.ts';
import { RECONNECT_BACKOFF_MS_MAX, RECONNECT_BACKOFF_MS_MIN, REQUEST_TIMEOUT_MS } from '../protocol/limits.ts';
import type { JobOrder } from '../protocol/order.ts';
import { rootOfDelivery } from '../trust/commitment.ts';
import { backoffMs } from '../p2p/backoff.ts';
import { sharedOf, type Shared } from './shared.ts';
import type { ControlEvent, ControlOutcome, RoleContext } from './types.ts';

type Case = Extract<ControlEvent, { type: 'case' }>;

/** A film as claimed, and the way to trace it again. */
export interface OpenedCase {
  readonly lease: string;
  readonly order: JobOrder;
  readonly root: string;
  readonly tile: Rect;
  readonly pass: Pass;
  /** Light of the whole tile, found to belong to the committed root. */
  readonly claimed: Bytes;
}

export type CaseOutcome =
  | { readonly ok: true; readonly opened: OpenedCase }
  /** One sentence. */
  | { readonly ok: false; readonly text: string };

const OPEN_TRIES_MAX = 4;
const TRACE_TRIES_MAX = 3;

export class ReviewerRole {
  readonly #context: RoleContext;
  readonly #shared: Shared;

  constructor(context: RoleContext) {
    this.#context = context;
    this.#shared = sharedOf(context);
  }

  /** Opens a case of the queue: its film at the worker, its scene at whoever has it. */
  async open(signal: AbortSignal, lease: string): Promise<CaseOutcome> {
    const asked = await this.#ask(signal, lease);
    if ('text' in asked) return { ok: false, text: asked.text };
    const { order, root } = asked;
    const tile = tileRect(order, asked.lease.tile);
    const pass = passes(order)[asked.lease.pass];
    if (!pass) return { ok: false, text: 'This case names a pass that its order does not have.' };
    const claimed = await this.#film(signal, asked, tile);
    if (!claimed) return { ok: false, text: 'The film can’t be opened: its worker is away, or has let go of it.' };
    return { ok: true, opened: { lease, order, root, tile, pass, claimed } };
  }

  /**
   * Traces a part of the tile again: the same paths, or others of the same picture.
   * @param rect in frame coordinates. @returns the light; null when the scene can't be had, the device not trace it, or the signal aborts.
   */
  async trace(signal: AbortSignal, { lease, order }: OpenedCase, rect: Rect, pass: Pass): Promise<Bytes | null> {
    const { engine } = this.#context;
    if (!(await engine.probe()).ok) return null;
    for (let attempt = 0; attempt < TRACE_TRIES_MAX && !signal.aborted; attempt++) {
      if (!(await this.#scene(signal, lease, order))) return null;
      const traced = await engine.trace(signal, { sceneRoot: order.sceneRoot, frame: order, rect, pass });
      if (traced.ok) return traced.film.light;
      if (traced.reason === 'node-cap' || traced.reason === 'aborted') return null;
      // Lost device, dropped scene: compile again.
      this.#shared.scenes.forget(order.sceneRoot);
    }
    return null;
  }

  /** Fetches and compiles the scene unless it is at hand. */
  async #scene(signal: AbortSignal, lease: string, order: JobOrder): Promise<boolean> {
    if (this.#shared.scenes.has(order.sceneRoot)) return true;
    const asked = await this.#ask(signal, lease);
    if ('text' in asked) return false;
    const { capability, sources } = asked;
    return (await this.#shared.scenes.ensure(signal, { job: asked.lease.job, order, capability, sources })).ok;
  }

  /** A person's verdict, signed and kept until the coordinator has it. */
  say(word: ReviewWordBody): Promise<ControlOutcome> {
    return this.#context.control.submit('review.word', word);
  }

  /** Asks for the rights to see a case; they are short-lived, so they are asked for each time. */
  async #ask(signal: AbortSignal, lease: string): Promise<Case | { readonly text: string }> {
    const { control, clock } = this.#context;
    const over = new AbortController();
    const come = new Promise<Case>((resolve) => {
      const off = control.on((event) => {
        if (event.type === 'case' && event.lease.lease === lease) resolve(event);
      });
      over.signal.addEventListener('abort', off);
    });
    try {
      // A tab just opened is about to be connected.
      const patience = AbortSignal.any([signal, over.signal]);
      await Promise.race([control.whenConnected(), clock.sleep(patience, REQUEST_TIMEOUT_MS)]);
      const outcome = await control.request({ type: 'look', lease });
      if (outcome.status === 'refused') return { text: outcome.text };
      if (outcome.status === 'disconnected') return { text: 'The coordinator does not answer right now.' };
      const late = clock.sleep(patience, REQUEST_TIMEOUT_MS).then(() => null);
      return (await Promise.race([come, late])) ?? { text: 'The coordinator did not say where this film is.' };
    } finally {
      over.abort();
    }
  }

  async #film(signal: AbortSignal, { lease, root, capability, workerPeer }: Case, tile: Rect): Promise<Bytes | null> {
    const request = { type: 'film.open', lease: lease.lease, root, job: lease.job, capability, permit: null } as const;
    for (let attempt = 0; attempt < OPEN_TRIES_MAX && !signal.aborted; attempt++) {
      const outcome = await this.#context.net.request(signal, workerPeer, { ...request, leaves: [] });
      if (outcome.status === 'answered') return lightOf(outcome.body, tile, root);
      await this.#context.clock.sleep(signal, backoffMs(attempt, RECONNECT_BACKOFF_MS_MIN, RECONNECT_BACKOFF_MS_MAX));
    }
    return null;
  }
}

/** @returns null unless light and signature hashes lead to the committed root. */
function lightOf(body: Bytes, tile: Rect, root: string): Bytes | null {
  const bytes = tile.width * tile.height * FILM_BYTES_PER_PIXEL;
  if (body.length !== bytes + leafRects(tile).length * 32) return null;
  const light = body.slice(0, bytes);
  return rootOfDelivery(light, body.slice(bytes), tile) === root ? light : null;
}
