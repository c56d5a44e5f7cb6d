/**
 * Signalling: PeerJS's small protocol, with identities that are proven. A peer's id begins with its
 * key, its token is signed by that key, and the `src` of what it sends is always its own id. It
 * carries session descriptions and candidates only; an attacker who controls it can keep peers apart
 * or learn who talks to whom, not read or alter what they send each other.
 */
import * as v from 'valibot';
import { fromHex } from '../protocol/bytes.ts';
import {
  CONTROL_BUFFERED_BYTES_MAX,
  CONTROL_CONNECTIONS_MAX,
  CONTROL_MESSAGES_PER_SECOND_MAX,
  SIGNAL_MESSAGE_BYTES_MAX,
  SIGNAL_QUEUE_MS_MAX,
  SIGNAL_QUEUE_PER_PEER_MAX,
  SIGNAL_TOKEN_AGE_MS_MAX,
} from '../protocol/limits.ts';
import { peerId } from '../protocol/schema.ts';
import { parseSignalToken, signalBytes } from '../protocol/signal.ts';
import type { Core } from './core.ts';
import { nodeVerify } from './keys.ts';
import { barred } from './lists.ts';

export interface SignalLink {
  send(text: string): void;
  onMessage(listener: (text: string) => void): void;
  onClose(listener: () => void): void;
  close(): void;
  /** Of the other side, where there is one. */
  readonly address?: string;
  /** Bytes sent and not yet taken by the network; absent where nothing buffers. */
  bufferedBytes?(): number;
}

const MessageSchema = v.variant('type', [
  v.object({ type: v.literal('HEARTBEAT') }),
  v.object({ type: v.picklist(['OFFER', 'ANSWER', 'CANDIDATE', 'LEAVE', 'EXPIRE']), dst: peerId, payload: v.optional(v.unknown()) }),
]);
type Message = v.InferOutput<typeof MessageSchema>;

interface Waiting {
  readonly text: string;
  readonly src: string;
  readonly untilMs: number;
}

interface Box {
  readonly link: SignalLink;
  tokens: number;
  tokensAtMs: number;
}

export class Signalling {
  readonly #core: Core;
  readonly #boxes = new Map<string, Box>();
  /** Every open connection, admitted or not. */
  readonly #links = new Set<SignalLink>();
  /** For peers that are not here yet: an offer may overtake its receiver's own connection. */
  readonly #waiting = new Map<string, Waiting[]>();

  /** Passes a message on to another instance. @returns false when no other has this peer. */
  elsewhere: (peer: string, text: string) => boolean = () => false;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Peers whose connection is here. */
  peers(): Iterable<string> {
    return this.#boxes.keys();
  }

  /** What came from another instance for a peer that is, or is about to be, here. */
  deliver(peer: string, text: string): void {
    const to = this.#boxes.get(peer);
    if (to) this.#write(to.link, text);
  }

  /** Messages that arrive before the token is verified wait; a refused link is told why and closed. */
  connect(link: SignalLink, query: URLSearchParams): void {
    const id = query.get('id') ?? '';
    const early: string[] = [];
    let take = (text: string): void => void (early.length < SIGNAL_QUEUE_PER_PEER_MAX && early.push(text));
    link.onMessage((text) => {
      this.#core.counters.in('signal', Buffer.byteLength(text));
      take(text);
    });
    link.onClose(() => {
      this.#links.delete(link);
      if (this.#boxes.get(id)?.link === link) this.#boxes.delete(id);
      take = () => {};
    });
    if (this.#links.size >= CONTROL_CONNECTIONS_MAX) return this.#refuse(link, 'Too many peers are connected.');
    this.#links.add(link);
    const admitted = (fault: string | null): void => {
      // Gone while its token was looked at: a box of it would take messages for nobody.
      if (!this.#links.has(link)) return;
      if (fault) return this.#refuse(link, fault);
      const box = { link, tokens: CONTROL_MESSAGES_PER_SECOND_MAX, tokensAtMs: this.#core.clock.nowMs() };
      const older = this.#boxes.get(id);
      this.#boxes.set(id, box);
      older?.link.close();
      this.#send(link, { type: 'OPEN' });
      this.#deliverWaiting(id, link);
      take = (text) => this.#receive(id, box, text);
      for (const text of early) take(text);
    };
    this.#admit(id, query.get('token') ?? '', link.address)
      .then(admitted)
      .catch((error: unknown) => {
        this.#core.counters.count('internal');
        this.#core.logger(`a signalling connection failed: ${error instanceof Error ? error.message : String(error)}`);
        link.close();
      });
  }

  #refuse(link: SignalLink, fault: string): void {
    this.#core.counters.count('signal-refused');
    this.#send(link, { type: 'ERROR', payload: { msg: fault } });
    link.close();
  }

  /** @returns why not, as a sentence; null when the token proves the id's key. */
  async #admit(id: string, token: string, address?: string): Promise<string | null> {
    if (!v.is(peerId, id)) return 'The id is not a key and a session.';
    const bar = barred(this.#core.lists, id.slice(0, 64), address);
    if (bar) return bar.text;
    const parsed = parseSignalToken(token);
    if (!parsed || Math.abs(this.#core.clock.nowMs() - parsed.timeMs) > SIGNAL_TOKEN_AGE_MS_MAX)
      return 'The token is malformed or too old.';
    const good = await nodeVerify(parsed.sig, signalBytes(this.#core.network, id, parsed.timeMs), fromHex(id.slice(0, 64)));
    return good ? null : 'The token does not prove the id.';
  }

  #send(link: SignalLink, message: unknown): void {
    this.#write(link, JSON.stringify(message));
  }

  /** A link that does not take what it is sent is closed, as on the control socket. */
  #write(link: SignalLink, text: string): void {
    if ((link.bufferedBytes?.() ?? 0) > CONTROL_BUFFERED_BYTES_MAX) {
      this.#core.counters.count('slow-consumer');
      return link.close();
    }
    this.#core.counters.out('signal', Buffer.byteLength(text));
    link.send(text);
  }

  #receive(src: string, box: Box, text: string): void {
    const message = Buffer.byteLength(text) > SIGNAL_MESSAGE_BYTES_MAX ? null : parse(text);
    if (!message || !this.#takeToken(box)) return this.#core.counters.count('signal-dropped');
    if (message.type === 'HEARTBEAT') return;
    const forwarded = JSON.stringify({ type: message.type, src, dst: message.dst, payload: message.payload });
    const to = this.#boxes.get(message.dst);
    if (to) return this.#write(to.link, forwarded);
    if (this.elsewhere(message.dst, forwarded)) return;
    if (message.type !== 'LEAVE' && message.type !== 'EXPIRE') this.#keep(message.dst, src, forwarded);
  }

  #takeToken(box: Box): boolean {
    const nowMs = this.#core.clock.nowMs();
    box.tokens = Math.min(
      box.tokens + ((nowMs - box.tokensAtMs) * CONTROL_MESSAGES_PER_SECOND_MAX) / 1_000,
      CONTROL_MESSAGES_PER_SECOND_MAX,
    );
    box.tokensAtMs = nowMs;
    if (box.tokens < 1) return false;
    box.tokens--;
    return true;
  }

  #keep(dst: string, src: string, text: string): void {
    const queue = this.#waiting.get(dst) ?? [];
    if (queue.length >= SIGNAL_QUEUE_PER_PEER_MAX || (queue.length === 0 && this.#waiting.size >= CONTROL_CONNECTIONS_MAX))
      return this.#core.counters.count('signal-queue');
    queue.push({ text, src, untilMs: this.#core.clock.nowMs() + SIGNAL_QUEUE_MS_MAX });
    this.#waiting.set(dst, queue);
    if (queue.length > 1) return;
    void this.#core.clock.sleep(this.#core.closing, SIGNAL_QUEUE_MS_MAX).then(() => this.#expire(dst));
  }

  /** PeerJS's client turns EXPIRE into "peer unavailable" at once, instead of waiting for its own timeout. */
  #expire(dst: string): void {
    const queue = this.#waiting.get(dst) ?? [];
    this.#waiting.delete(dst);
    for (const src of new Set(queue.map((waiting) => waiting.src))) {
      const box = this.#boxes.get(src);
      if (box) this.#send(box.link, { type: 'EXPIRE', src: dst, dst: src });
    }
  }

  #deliverWaiting(id: string, link: SignalLink): void {
    const nowMs = this.#core.clock.nowMs();
    for (const { text, untilMs } of this.#waiting.get(id) ?? []) if (untilMs > nowMs) this.#write(link, text);
    this.#waiting.delete(id);
  }
}

function parse(text: string): Message | null {
  try {
    const result = v.safeParse(MessageSchema, JSON.parse(text));
    return result.success ? result.output : null;
  } catch {
    return null;
  }
}
