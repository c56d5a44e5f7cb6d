/**
 * Envelopes on their way to the coordinator: kept in the outbox, sent after every connection, until
 * one answer ends them. The same envelope twice is one submission.
 */
import { envelopeHash, type Envelope } from '../protocol/envelope.ts';
import type { Outbox } from './outbox.ts';
import type { ControlOutcome } from './types.ts';

interface Entry {
  readonly envelope: Envelope;
  readonly resolvers: ((outcome: ControlOutcome) => void)[];
}

export class EnvelopeQueue {
  readonly #outbox: Outbox;
  readonly #send: (envelope: Envelope) => Promise<ControlOutcome>;
  /** By hash, in order of submission. */
  readonly #entries = new Map<string, Entry>();
  #closed = false;

  /** @param send answers `disconnected` when there was no answer. */
  constructor(outbox: Outbox, send: (envelope: Envelope) => Promise<ControlOutcome>) {
    this.#outbox = outbox;
    this.#send = send;
  }

  /** Takes up what an earlier page could not deliver. */
  async load(): Promise<void> {
    for (const envelope of await this.#outbox.load()) void this.add(envelope);
  }

  /** In the outbox before anything is sent; resolves with the coordinator's answer, however late. */
  async add(envelope: Envelope): Promise<ControlOutcome> {
    await this.#outbox.save(envelope);
    if (this.#closed) return { status: 'disconnected' };
    const hash = envelopeHash(envelope);
    const outcome = new Promise<ControlOutcome>((resolve) => {
      const known = this.#entries.get(hash);
      if (known) known.resolvers.push(resolve);
      else this.#entries.set(hash, { envelope, resolvers: [resolve] });
    });
    void this.#deliver(hash);
    return outcome;
  }

  /** After a connection was made. */
  resend(): void {
    for (const hash of this.#entries.keys()) void this.#deliver(hash);
  }

  close(): void {
    this.#closed = true;
    for (const { resolvers } of this.#entries.values()) for (const resolve of resolvers) resolve({ status: 'disconnected' });
    this.#entries.clear();
  }

  async #deliver(hash: string): Promise<void> {
    const entry = this.#entries.get(hash);
    if (!entry) return;
    const outcome = await this.#send(entry.envelope);
    // Without an answer it stays, and goes again after the next welcome.
    if (outcome.status === 'disconnected' || this.#entries.get(hash) !== entry) return;
    this.#entries.delete(hash);
    await this.#outbox.remove(entry.envelope);
    for (const resolve of entry.resolvers) resolve(outcome);
  }
}
