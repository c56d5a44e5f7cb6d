/**
 * What a write has to tell once it is durable. Collected during the transaction, sent after it: a
 * message never speaks of a state that could still be undone.
 */
import type { ServerMessage } from '../protocol/control.ts';
import type { Core } from './core.ts';
import type { Wants } from './store/rows.ts';
import type { Tx } from './store/store.ts';

export class Notices {
  readonly #messages: (readonly [peer: string, message: ServerMessage])[] = [];
  readonly #jobs = new Set<string>();
  readonly #balances = new Set<string>();
  readonly #resends = new Set<string>();

  toPeer(peer: string | undefined, message: ServerMessage): void {
    if (peer !== undefined) this.#messages.push([peer, message]);
  }

  /** This peer was given something by the by: it is told all that it holds. */
  resend(peer: string): void {
    this.#resends.add(peer);
  }

  /** The job's view changed, and so may what can be matched. */
  job(job: string): void {
    this.#jobs.add(job);
  }

  balance(key: string): void {
    this.#balances.add(key);
  }

  send(core: Core): void {
    for (const [peer, message] of this.#messages) core.sessions.peer(peer)?.send(message);
    for (const peer of this.#resends) core.wake.resend(peer);
    for (const job of this.#jobs) core.wake.job(job);
    for (const key of this.#balances) core.wake.balance(key);
    if (this.#jobs.size > 0) core.wake.match();
  }
}

/** Runs one write and sends its notices after it is durable. `before` runs between the two: an answer goes out first. */
export async function commit<T>(
  core: Core,
  work: (tx: Tx, notices: Notices) => Promise<T>,
  wants: Wants = {},
  before?: (result: T) => void,
): Promise<T> {
  const { result, notices } = await core.store.write(async (tx) => {
    const fresh = new Notices();
    return { result: await work(tx, fresh), notices: fresh };
  }, wants);
  before?.(result);
  notices.send(core);
  return result;
}
