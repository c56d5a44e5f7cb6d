/**
 * The desk of someone who looks at doubts: the queue, the case on the stage, what was traced again here, and
 * the word that is about to be signed. A word waits a moment before it is sent, so that it can be taken
 * back; what is in the log can't. Whose film it is, is asked for only after that.
 */
import { problem, type Problem } from './problem.ts';
import { recall } from './remember.ts';
import { ask, askQueue, askRecord, type CheckerFigures, type WorkerFigures } from './review-api.ts';
import { added, emptyPlate, plateOf, type Plate, type Spot } from './review-image.ts';
import { UNDO_SECONDS, type Word } from './review-words.ts';
import type { Connection } from './connection.svelte.ts';
import { leafRects, type Rect } from '../job/plan.ts';
import type { CheckRecord } from '../roles/types.ts';
import type { OpenedCase, ReviewerRole } from '../roles/reviewer.ts';
import { BoardSchema, ProvenanceSchema, type Board, type Provenance, type ReviewCase } from '../trust/review.ts';

const POLL_MS = 10_000;
/** The board changes slowly and is long to add up. */
const BOARD_POLLS = 6;
/** Side of what is traced again with more samples. */
const PATCH_PX = 24;

/** What stands on the stage. */
export interface Exhibit {
  readonly title: string;
  /** In frame coordinates. */
  readonly rect: Rect;
  readonly samples: number;
  readonly claimed: Plate;
  /** The same paths, traced here. */
  readonly traced: Plate | null;
  /** Other paths of the same picture, many more of them, in a patch. */
  readonly more: Plate | null;
}

/** A word on its way: taken back until it is sent. */
export interface Said {
  readonly lease: string;
  readonly word: Word;
  readonly reason: string;
  readonly state: 'waiting' | 'sending' | 'sent' | 'refused';
  readonly secondsLeft: number;
  /** What the coordinator answered, in a sentence. */
  readonly answer: string;
}

export interface Unveiled {
  readonly provenance: Provenance;
  readonly worker: WorkerFigures | null;
}

export class ReviewDesk {
  cases = $state.raw<readonly ReviewCase[]>([]);
  /** When the queue was heard last; null before. */
  asOfMs = $state<number | null>(null);
  trouble = $state.raw<Problem | null>(null);
  picked = $state<string | null>(null);
  exhibit = $state.raw<Exhibit | null>(null);
  /** What is being done for the case on the stage; empty when nothing is. */
  busy = $state('');
  /** Why the case can't be seen; empty while it can. */
  unseen = $state('');
  said = $state.raw<Said | null>(null);
  unveiled = $state.raw<Unveiled | null>(null);
  figures = $state.raw<CheckerFigures | null>(null);
  board = $state.raw<Board | null>(null);
  /** The case as it was when it was picked: a decided one leaves the queue, and stays on the stage. */
  case = $state.raw<ReviewCase | null>(null);
  readonly #connection: Connection;
  #role: ReviewerRole | null = null;
  #opened: OpenedCase | null = null;
  #showing = new AbortController();
  #polls = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Follows the queue while the page is looked at. @returns what undoes it. */
  mount(): () => void {
    const stop = new AbortController();
    const look = (): void => {
      if (document.visibilityState === 'visible') void this.refresh(stop.signal);
    };
    look();
    const timer = setInterval(look, POLL_MS);
    document.addEventListener('visibilitychange', look, { signal: stop.signal });
    return () => {
      stop.abort();
      clearInterval(timer);
      // A word that was given is a word: leaving the page does not take it back.
      if (this.said?.state === 'waiting') void this.#send();
      this.#showing.abort();
      this.busy = '';
    };
  }

  async refresh(signal: AbortSignal): Promise<void> {
    try {
      this.cases = (await askQueue(signal)).cases.toSorted((a, b) => b.doubt - a.doubt);
      if (this.#polls++ % BOARD_POLLS === 0) this.board = await ask(signal, '/api/board', BoardSchema);
      this.asOfMs = Date.now();
      this.trouble = null;
      const key = this.#connection.key ?? recall('browser', 'key');
      this.figures = key === null ? null : (await askRecord(signal, key)).checker;
    } catch (cause) {
      if (signal.aborted) return;
      const kept = this.asOfMs === null ? 'Nothing was changed.' : 'What is shown is what was heard last.';
      this.trouble = problem('The queue could not be fetched.', kept, 'It is asked for again every few seconds.', cause);
    }
  }

  /** What a check of this tab found, as an exhibit. */
  showRecord(record: CheckRecord | null): void {
    if (this.picked !== null) return;
    const sample = record?.sample;
    if (!record || !sample) {
      this.exhibit = null;
      return;
    }
    const { rect, samples } = sample;
    const plate = (light: typeof sample.claimed): Plate => plateOf(light, rect.width, rect.height, samples);
    this.exhibit = { title: record.title, rect, samples, claimed: plate(sample.claimed), traced: plate(sample.traced), more: null };
  }

  /** Puts a case of the queue on the stage and traces it again; null goes back to this tab's own checks. */
  async pick(lease: string | null): Promise<void> {
    this.#showing.abort();
    this.#showing = new AbortController();
    const { signal } = this.#showing;
    if (this.said?.state === 'waiting') void this.#send();
    const picked = this.cases.find((one) => one.lease.lease === lease) ?? null;
    [this.picked, this.case, this.exhibit, this.unseen, this.unveiled, this.#opened] = [lease, picked, null, '', null, null];
    if (this.said?.lease !== lease) this.said = null;
    if (!picked) return;
    try {
      await this.#show(signal, picked);
    } catch (cause) {
      if (signal.aborted) return;
      this.unseen = 'This case could not be opened.';
      this.trouble = problem(this.unseen, 'Nothing was said of it.', 'Pick it again.', cause);
    }
    if (!signal.aborted) this.busy = '';
  }

  async #show(signal: AbortSignal, one: ReviewCase): Promise<void> {
    this.busy = 'Opening the film at its worker.';
    const role = await this.#open();
    const outcome = await role.open(signal, one.lease.lease);
    if (signal.aborted) return;
    if (!outcome.ok) {
      this.unseen = outcome.text;
      return;
    }
    const { opened } = outcome;
    const { tile, pass, claimed } = opened;
    this.#opened = opened;
    const plate = plateOf(claimed, tile.width, tile.height, pass.count);
    this.exhibit = { title: one.order.title, rect: tile, samples: pass.count, claimed: plate, traced: null, more: null };
    await this.#retrace(signal, opened, drawnOf(one));
  }

  /** The leaves that checkers drew come first, then all of the tile. */
  async #retrace(signal: AbortSignal, opened: OpenedCase, drawn: readonly number[]): Promise<void> {
    const { tile, pass } = opened;
    const leaves = leafRects(tile);
    let plate = emptyPlate(tile.width, tile.height);
    const few = drawn.length * 4 <= leaves.length ? drawn : [];
    for (const [i, index] of few.entries()) {
      const rect = leaves[index];
      if (!rect || signal.aborted) return;
      this.busy = `Tracing leaf ${i + 1} of ${few.length} that checkers drew.`;
      const light = await this.#role?.trace(signal, opened, rect, pass);
      if (light) plate = this.#expose('traced', added(plate, light, within(rect, tile), pass.count));
      else break;
    }
    this.busy = 'Tracing all of this film again.';
    const light = await this.#role?.trace(signal, opened, tile, pass);
    if (signal.aborted) return;
    if (light) this.#expose('traced', plateOf(light, tile.width, tile.height, pass.count));
    else this.unseen = 'This GPU can’t trace it again: its scene can’t be had, or it was stopped.';
  }

  #expose(which: 'traced' | 'more', plate: Plate): Plate {
    if (this.exhibit) this.exhibit = { ...this.exhibit, [which]: plate };
    return plate;
  }

  /** May more of the case on the stage be traced here? */
  get canTrace(): boolean {
    return this.#opened !== null;
  }

  /** Traces a patch around a pixel with other paths, `times` as many, and shows it as it grows. */
  async traceMore(spot: Spot, times: number): Promise<void> {
    const opened = this.#opened;
    if (!opened || this.busy !== '') return;
    const { signal } = this.#showing;
    const { tile, pass, order } = opened;
    const patch = patchAround(spot, tile);
    // Whole blocks of the sampler beyond those that the job has: nobody has traced these.
    const first = Math.ceil(order.samples / pass.count) * pass.count;
    let plate = emptyPlate(tile.width, tile.height);
    for (let i = 0; i < times && !signal.aborted; i++) {
      this.busy = `Tracing ${patch.width} × ${patch.height} pixels again, ${i + 1} of ${times} times as many samples.`;
      const light = await this.#role?.trace(signal, opened, patch, { first: first + i * pass.count, count: pass.count });
      if (!light) break;
      plate = this.#expose('more', added(plate, light, within(patch, tile), pass.count));
    }
    if (!signal.aborted) this.busy = '';
  }

  /** A word on the case on the stage; sent after a moment unless it is taken back. */
  say(word: Word, reason: string): void {
    const lease = this.case?.lease.lease;
    if (lease === undefined || (this.said && this.said.state !== 'refused')) return;
    this.said = { lease, word, reason, state: 'waiting', secondsLeft: UNDO_SECONDS, answer: '' };
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#count(), 1000);
  }

  undo(): void {
    if (this.said?.state !== 'waiting') return;
    clearInterval(this.#timer);
    this.said = null;
  }

  #count(): void {
    if (this.said?.state !== 'waiting') return clearInterval(this.#timer);
    const secondsLeft = this.said.secondsLeft - 1;
    this.said = { ...this.said, secondsLeft };
    if (secondsLeft <= 0) void this.#send();
  }

  async #send(): Promise<void> {
    clearInterval(this.#timer);
    const [said, one] = [this.said, this.case];
    if (said?.state !== 'waiting' || one?.lease.lease !== said.lease) return;
    const tell = (state: Said['state'], answer: string): void => {
      if (this.said?.lease === said.lease) this.said = { ...said, state, secondsLeft: 0, answer };
    };
    tell('sending', '');
    try {
      const { lease, word, reason } = said;
      const outcome = await (await this.#open()).say({ lease, root: one.root, word, reason });
      if (outcome.status === 'refused') return tell('refused', outcome.text);
      tell('sent', outcome.status === 'ok' ? '' : 'It is kept here and sent when the coordinator is back.');
      await this.#unveil(lease);
    } catch {
      tell('refused', 'It could not be sent; say it again.');
    }
  }

  /** Whose film it was: told once there is nothing left to bias. */
  async #unveil(lease: string): Promise<void> {
    const signal = AbortSignal.timeout(10_000);
    const provenance = await ask(signal, `/api/review/${lease}`, ProvenanceSchema).catch(() => null);
    if (!provenance || this.picked !== lease) return;
    const record = await askRecord(signal, provenance.worker).catch(() => null);
    this.unveiled = { provenance, worker: record?.worker ?? null };
  }

  async #open(): Promise<ReviewerRole> {
    const [context, { ReviewerRole: Role }] = await Promise.all([this.#connection.open(), import('../roles/reviewer.ts')]);
    this.#role ??= new Role(context);
    return this.#role;
  }
}

/** Leaves that those drew who found a fault, else those that anybody drew. */
function drawnOf({ opinions }: ReviewCase): number[] {
  const fails = opinions.filter(({ verdict }) => verdict === 'fail');
  return [...new Set((fails.length > 0 ? fails : opinions).flatMap(({ drawn }) => drawn))];
}

const within = (rect: Rect, tile: Rect): Rect => ({ ...rect, x: rect.x - tile.x, y: rect.y - tile.y });

/** Around a pixel of the tile, as far as the tile goes; in frame coordinates. */
function patchAround(spot: Spot, tile: Rect): Rect {
  const from = (at: number, size: number): number => Math.max(0, Math.min(at - PATCH_PX / 2, size - PATCH_PX));
  const [x, y] = [from(spot.x, tile.width), from(spot.y, tile.height)];
  return { x: tile.x + x, y: tile.y + y, width: Math.min(PATCH_PX, tile.width), height: Math.min(PATCH_PX, tile.height) };
}
