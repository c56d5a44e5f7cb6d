/**
 * A creator's sequence: one job per frame, a few of them open at a time, each frame kept as soon as
 * its job is done. What was kept by an earlier page or command is not ordered again, and its open
 * jobs are gone on with. Refuses to go on by itself after a frame failed: that is for people to say.
 */
import { framesOf, type FrameRange } from '../job/frames.ts';
import { SEQUENCE_JOBS_OPEN_MAX } from '../protocol/limits.ts';
import type { SceneFiles, SceneSummary } from '../gpu/engine.ts';
import type { Camera } from '../protocol/order.ts';
import type { CreatorRole } from './creator.ts';
import type { FrameStore } from './frame-store.ts';
import { Emitter } from './observable.ts';
import type { CreatorJob, JobChoice } from './types.ts';

/** The scene at the moment of one frame; a sentence when it can't be compiled. */
export type MomentOutcome =
  | { readonly ok: true; readonly files: SceneFiles; readonly summary: SceneSummary; readonly camera: Camera }
  | { readonly ok: false; readonly text: string };

export interface SequenceWish {
  /** The creator's own id of it, 16 bytes, hex. */
  readonly sequence: string;
  readonly range: FrameRange;
  /** What all frames share; `capMicro` is of one frame. */
  readonly choice: Omit<JobChoice, 'files' | 'summary' | 'camera' | 'place'>;
  /** Called for one frame at a time. */
  moment(signal: AbortSignal, frame: number): Promise<MomentOutcome>;
}

export type SequenceEnd =
  | { readonly status: 'done' | 'stopped' }
  /** What is open stays open; running again orders what is missing. */
  | { readonly status: 'failed'; readonly frame: number; readonly text: string };

/** One frame, as it is now. */
export interface FrameNow {
  readonly frame: number;
  readonly state: 'waiting' | 'ordering' | 'open' | 'done';
  /** What is in so far of one that is open. */
  readonly job: CreatorJob | null;
}

export class SequenceRun {
  readonly #creator: CreatorRole;
  readonly #store: FrameStore;
  readonly #wish: SequenceWish;
  readonly #changed = new Emitter<number>();
  readonly #done = new Set<number>();
  /** Frame → job; the job is over when its frame moves to `#done`. */
  readonly #open = new Map<number, string>();
  #ordering: number | null = null;

  constructor(creator: CreatorRole, store: FrameStore, wish: SequenceWish) {
    this.#creator = creator;
    this.#store = store;
    this.#wish = wish;
  }

  /** In order. */
  get frames(): readonly FrameNow[] {
    return framesOf(this.#wish.range).map((frame) => this.frame(frame));
  }

  frame(frame: number): FrameNow {
    if (this.#done.has(frame)) return { frame, state: 'done', job: null };
    const job = this.#creator.job(this.#open.get(frame) ?? '');
    if (job) return { frame, state: 'open', job };
    return { frame, state: this.#ordering === frame ? 'ordering' : 'waiting', job: null };
  }

  /** Told of a frame that changed, at most ten times a second each. */
  onChange(listener: (frame: number) => void): () => void {
    return this.#changed.on(listener);
  }

  /** Takes in what is kept and the jobs that are open; the creator has resumed before. */
  async load(): Promise<void> {
    const { sequence, range } = this.#wish;
    const wanted = new Set(framesOf(range));
    this.#open.clear();
    for (const frame of await this.#store.frames(sequence)) if (wanted.has(frame)) this.#done.add(frame);
    for (const { job, place, view } of this.#creator.jobs) {
      if (place?.sequence !== sequence) continue;
      const twice = this.#done.has(place.frame) || this.#open.has(place.frame);
      if (view.state === 'cancelled' || view.state === 'failed') await this.#creator.drop(job);
      else if (!twice) this.#open.set(place.frame, job);
    }
  }

  /** Orders what is missing until every frame is kept. Aborting only stops the ordering: `cancel` ends what is open. */
  async run(signal: AbortSignal): Promise<SequenceEnd> {
    await this.load();
    const bell = new Bell();
    const off = this.#creator.onJob((job) => {
      if (job.place?.sequence !== this.#wish.sequence || this.#open.get(job.place.frame) !== job.job) return;
      this.#changed.emit(job.place.frame);
      if (job.view.state !== 'open') bell.ring();
    });
    const ring = (): void => bell.ring();
    signal.addEventListener('abort', ring);
    try {
      return await this.#work(signal, bell);
    } finally {
      off();
      signal.removeEventListener('abort', ring);
    }
  }

  /** Cancels what is open; finished frames stay. @returns the first refusal, in a sentence. */
  async cancel(): Promise<string | null> {
    const outcomes = await Promise.all([...this.#open.values()].map((job) => this.#creator.cancel(job)));
    const refused = outcomes.find((outcome) => outcome.status === 'refused' && outcome.reason !== 'job-over');
    if (refused?.status === 'refused') return refused.text;
    return outcomes.some(({ status }) => status === 'disconnected') ? 'The connection was closed before everything was cancelled.' : null;
  }

  /** Forgets frames and jobs; whatever is open was cancelled before. */
  async clear(): Promise<void> {
    const { sequence } = this.#wish;
    for (const { job, place } of this.#creator.jobs) if (place?.sequence === sequence) await this.#creator.drop(job);
    await this.#store.deleteFrames(sequence);
  }

  async #work(signal: AbortSignal, bell: Bell): Promise<SequenceEnd> {
    const missing = framesOf(this.#wish.range).filter((frame) => !this.#done.has(frame) && !this.#open.has(frame));
    while (!signal.aborted) {
      const failed = await this.#collect();
      if (failed) return failed;
      const next = missing[0];
      if (next === undefined && this.#open.size === 0) return { status: 'done' };
      if (next === undefined || this.#open.size >= SEQUENCE_JOBS_OPEN_MAX) {
        await bell.rung();
        continue;
      }
      const trouble = await this.#order(signal, next);
      if (trouble === null) missing.shift();
      else if (signal.aborted) break;
      // What others still hold in escrow may come back and pay for it.
      else if (this.#open.size > 0) await bell.rung();
      else return { status: 'failed', frame: next, text: trouble };
    }
    return { status: 'stopped' };
  }

  /** Keeps frames whose jobs are done. @returns why one of them never will be. */
  async #collect(): Promise<SequenceEnd | null> {
    for (const [frame, id] of this.#open) {
      const job = this.#creator.job(id);
      if (job?.view.state === 'open') continue;
      this.#open.delete(frame);
      if (job?.view.state !== 'done') {
        this.#changed.emit(frame);
        return { status: 'failed', frame, text: job?.view.reason || `its job ended as ${job?.view.state ?? 'unknown'}` };
      }
      const layers = (await this.#creator.layers(id))!;
      const { order, view, image } = job;
      await this.#store.putFrame({ sequence: this.#wish.sequence, frame, job: id, order, view, light: image, layers });
      this.#done.add(frame);
      await this.#creator.drop(id);
      this.#changed.emit(frame);
    }
    return null;
  }

  /** @returns a sentence when it was not taken. */
  async #order(signal: AbortSignal, frame: number): Promise<string | null> {
    this.#ordering = frame;
    this.#changed.emit(frame);
    const { choice, sequence } = this.#wish;
    const moment = await this.#wish.moment(signal, frame);
    let text = moment.ok ? null : moment.text;
    if (moment.ok && !signal.aborted) {
      const { files, summary, camera } = moment;
      const outcome = await this.#creator.submit(signal, { ...choice, files, summary, camera, place: { sequence, frame } });
      if (outcome.ok) this.#open.set(frame, outcome.job);
      else text = outcome.text;
    } else text ??= 'The order was not sent.';
    this.#ordering = null;
    this.#changed.emit(frame);
    return text;
  }
}

/** A promise that is kept whenever it rings; a ring that nobody waits for is not lost. */
class Bell {
  #ringing = false;
  #wake: (() => void) | null = null;

  ring(): void {
    this.#ringing = true;
    this.#wake?.();
  }

  async rung(): Promise<void> {
    if (!this.#ringing) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#ringing = false;
    this.#wake = null;
  }
}
