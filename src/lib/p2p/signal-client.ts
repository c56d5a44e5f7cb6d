/**
 * PeerJS's signalling protocol, spoken by agents that have no PeerJS: OPEN, OFFER, ANSWER,
 * CANDIDATE, LEAVE, EXPIRE and HEARTBEAT as JSON over one WebSocket, kept for ever with back-off.
 * What does not parse is dropped.
 */
import * as v from 'valibot';
import { RECONNECT_BACKOFF_MS_MAX, RECONNECT_BACKOFF_MS_MIN, SIGNAL_MESSAGE_BYTES_MAX } from '../protocol/limits.ts';
import { peerId } from '../protocol/schema.ts';
import type { Clock } from '../roles/types.ts';
import { backoffMs } from './backoff.ts';

const HEARTBEAT_MS = 5_000;
/** The dialect: PeerJS clients say their version, servers ignore it. */
const PEERJS_VERSION = '1.5.5';

const connectionId = v.pipe(v.string(), v.maxLength(64));
const DescriptionSchema = v.object({ sdp: v.object({ type: v.picklist(['offer', 'answer']), sdp: v.string() }), connectionId });
const CandidateSchema = v.object({ candidate: v.object({ candidate: v.string(), sdpMid: v.nullish(v.string()) }), connectionId });

const SignalSchema = v.variant('type', [
  v.object({ type: v.literal('OPEN') }),
  v.object({ type: v.picklist(['OFFER', 'ANSWER']), src: peerId, payload: DescriptionSchema }),
  v.object({ type: v.literal('CANDIDATE'), src: peerId, payload: CandidateSchema }),
  v.object({ type: v.picklist(['LEAVE', 'EXPIRE']), src: peerId }),
]);
export type Signal = Exclude<v.InferOutput<typeof SignalSchema>, { type: 'OPEN' }>;

export interface OutgoingSignal {
  readonly type: 'OFFER' | 'ANSWER' | 'CANDIDATE';
  readonly dst: string;
  readonly payload: unknown;
}

/** The part of a WebSocket that is used; `ws` and browsers both have it. */
export interface SocketLike {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  onerror: ((event: unknown) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface SignalOptions {
  readonly id: string;
  readonly origin: string;
  readonly token: () => Promise<string>;
  readonly open: (url: string) => SocketLike;
  readonly clock: Clock;
  readonly onSignal: (signal: Signal) => void;
}

export class SignalClient {
  readonly #options: SignalOptions;
  readonly #closing = new AbortController();
  #socket: SocketLike | null = null;
  #standing = false;
  #waiting: ((stands: boolean) => void)[] = [];

  constructor(options: SignalOptions) {
    this.#options = options;
    void this.#run();
  }

  /** Resolves true when the socket stands, false when the signal aborts first. */
  ready(signal: AbortSignal): Promise<boolean> {
    if (this.#standing || signal.aborted) return Promise.resolve(this.#standing && !signal.aborted);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      signal.addEventListener('abort', () => resolve(false), { once: true });
    });
  }

  /** Dropped while the socket is down: a dial that misses it times out and is made again. */
  send(signal: OutgoingSignal): void {
    if (this.#standing) this.#socket?.send(JSON.stringify(signal));
  }

  close(): void {
    this.#closing.abort();
    this.#socket?.close();
  }

  async #run(): Promise<void> {
    const { clock, token } = this.#options;
    for (let attempt = 0; !this.#closing.signal.aborted; attempt++) {
      const fresh = await token();
      if (this.#closing.signal.aborted) return;
      if (await this.#life(fresh)) attempt = 0;
      await clock.sleep(this.#closing.signal, backoffMs(attempt, RECONNECT_BACKOFF_MS_MIN, RECONNECT_BACKOFF_MS_MAX));
    }
  }

  /** One socket from first to last; true when it had stood. */
  async #life(token: string): Promise<boolean> {
    const { id, origin, open, clock } = this.#options;
    const query = new URLSearchParams({ key: 'peerjs', id, token, version: PEERJS_VERSION });
    const socket = open(`${origin.replace(/^http/, 'ws')}/peerjs/peerjs?${query}`);
    this.#socket = socket;
    const over = new AbortController();
    let stood = false;
    socket.onmessage = ({ data }) => {
      if (typeof data === 'string' && this.#receive(data)) stood = true;
    };
    socket.onclose = () => over.abort();
    // A close always follows; without a listener `ws` would throw.
    socket.onerror = () => {};
    while (!over.signal.aborted) {
      await clock.sleep(over.signal, HEARTBEAT_MS);
      if (this.#standing && !over.signal.aborted) socket.send(JSON.stringify({ type: 'HEARTBEAT' }));
    }
    this.#standing = false;
    return stood;
  }

  /** @returns true for OPEN. */
  #receive(text: string): boolean {
    if (text.length > SIGNAL_MESSAGE_BYTES_MAX) return false;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return false;
    }
    const parsed = v.safeParse(SignalSchema, value);
    if (!parsed.success) return false;
    if (parsed.output.type !== 'OPEN') {
      this.#options.onSignal(parsed.output);
      return false;
    }
    this.#standing = true;
    for (const tell of this.#waiting.splice(0)) tell(true);
    return true;
  }
}
