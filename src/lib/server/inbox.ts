/**
 * The messages of one connection, in the order in which they came and no more of them than it may send.
 * Signed words need not wait until the one before is on the disk, only until it has its place among the
 * writes; everything else waits for all that came before. Refuses to look at what a message says.
 */
import { CONTROL_MESSAGES_PER_SECOND_MAX, CONTROL_QUEUE_MESSAGES_MAX } from '../protocol/limits.ts';
import type { Clock } from './clock.ts';

/** @param enter called when what comes next may begin, if that is before this message is done. */
export type Handle<M> = (message: M, enter: () => void) => Promise<void>;

export class Inbox<M extends { readonly type: string }> {
  readonly #clock: Clock;
  readonly #handle: Handle<M>;
  #queued = 0;
  #tokens = CONTROL_MESSAGES_PER_SECOND_MAX;
  #tokensAtMs: number;
  /** The next message may begin. */
  #entered: Promise<void> = Promise.resolve();
  /** All messages so far are done. */
  #done: Promise<void> = Promise.resolve();

  constructor(clock: Clock, handle: Handle<M>) {
    this.#clock = clock;
    this.#handle = handle;
    this.#tokensAtMs = clock.nowMs();
  }

  /** Counts one more message, before it is parsed. @returns why it is one too many; null when it is not. */
  overfull(): 'message-rate' | 'message-queue' | null {
    if (!this.#takeToken()) return 'message-rate';
    return this.#queued >= CONTROL_QUEUE_MESSAGES_MAX ? 'message-queue' : null;
  }

  /** Resolves when the message was handled. */
  push(message: M): Promise<void> {
    this.#queued++;
    const signed = message.type === 'submit';
    let enter = (): void => {};
    const entered = new Promise<void>((resolve) => (enter = resolve));
    const before = this.#done;
    const turn = signed ? this.#entered : this.#entered.then(() => before);
    const done = turn
      .then(() => this.#handle(message, enter))
      .finally(() => {
        this.#queued--;
        enter();
      });
    this.#entered = signed ? entered : done;
    this.#done = before.then(() => done);
    return done;
  }

  #takeToken(): boolean {
    const nowMs = this.#clock.nowMs();
    const refill = ((nowMs - this.#tokensAtMs) * CONTROL_MESSAGES_PER_SECOND_MAX) / 1_000;
    this.#tokens = Math.min(this.#tokens + refill, CONTROL_MESSAGES_PER_SECOND_MAX);
    this.#tokensAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
