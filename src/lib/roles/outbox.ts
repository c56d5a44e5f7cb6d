/** Where signed envelopes wait until the coordinator has taken or refused them. */
import { envelopeHash, type Envelope } from '../protocol/envelope.ts';

/** A durable outbox lets a reloaded tab send what the last one could not. */
export interface Outbox {
  load(): Promise<readonly Envelope[]>;
  save(envelope: Envelope): Promise<void>;
  remove(envelope: Envelope): Promise<void>;
}

export class MemoryOutbox implements Outbox {
  readonly #envelopes = new Map<string, Envelope>();

  async load(): Promise<readonly Envelope[]> {
    return [...this.#envelopes.values()];
  }

  async save(envelope: Envelope): Promise<void> {
    this.#envelopes.set(envelopeHash(envelope), envelope);
  }

  async remove(envelope: Envelope): Promise<void> {
    this.#envelopes.delete(envelopeHash(envelope));
  }
}
