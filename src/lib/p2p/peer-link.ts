/**
 * One channel to one peer: requests and replies as multiplexed streams in both directions, with a
 * deadline per message that moves with every frame, cancel, and back-pressure. A peer that breaks
 * the framing loses its channel; a peer that sends nonsense in a well-formed frame gets a fault.
 */
import * as v from 'valibot';
import { decodeCanonical, encodeCanonical } from '../protocol/canonical.ts';
import type { Bytes } from '../protocol/bytes.ts';
import {
  PEER_BUFFERED_BYTES_MAX,
  PEER_FRAME_BYTES_MAX,
  PEER_MESSAGE_TIMEOUT_MS,
  PEER_REQUESTS_IN_FLIGHT_MAX,
  PEER_REQUEST_TIMEOUT_MS,
} from '../protocol/limits.ts';
import { PeerReplySchema, PeerRequestSchema, type PeerFault, type PeerRequest } from '../protocol/peer.ts';
import type { Clock } from '../roles/types.ts';
import type { Channel } from './channel.ts';
import { Assemblies, type AssemblyBudget } from './assembly.ts';
import { FRAME_CANCEL, FRAME_REPLY, FRAME_REQUEST, framesOf, parseFrame, type Frame, type Message } from './framing.ts';
import type { PeerAnswer, PeerOutcome } from './peer-net.ts';

const NOTHING: Bytes = new Uint8Array();

interface Pending {
  readonly finish: (outcome: PeerOutcome) => void;
  touchedMs: number;
}

export interface LinkOptions {
  readonly channel: Channel;
  readonly clock: Clock;
  /** Shared by all links of the net. */
  readonly assembly: AssemblyBudget;
  /** Asked before a request's body is taken in. */
  readonly acceptsBody: (request: PeerRequest, bodyBytes: number) => PeerFault | null;
  readonly handle: (request: PeerRequest, body: Bytes) => Promise<PeerAnswer>;
  readonly closed: () => void;
}

export class PeerLink {
  bytesIn = 0;
  bytesOut = 0;
  lastUsedMs: number;
  readonly #options: LinkOptions;
  readonly #closing = new AbortController();
  readonly #pending = new Map<number, Pending>();
  readonly #serving = new Map<number, AbortController>();
  readonly #assembling: Assemblies;
  #sweeping = false;
  #waiters: (() => void)[] = [];
  #nextStream = 1;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#assembling = new Assemblies(options.assembly);
    this.lastUsedMs = options.clock.nowMs();
    options.channel.listen({ frame: (bytes) => this.#onFrame(bytes), drained: () => this.#wake(), closed: () => this.#onClosed() });
  }

  get open(): boolean {
    return !this.#closing.signal.aborted && this.#options.channel.open;
  }

  get idle(): boolean {
    return this.#pending.size === 0 && this.#serving.size === 0;
  }

  /** Waits for a free slot when PEER_REQUESTS_IN_FLIGHT_MAX are under way. Never throws. */
  async request(signal: AbortSignal, request: PeerRequest, body: Bytes = NOTHING): Promise<PeerOutcome> {
    const over = AbortSignal.any([signal, this.#closing.signal]);
    while (this.#pending.size >= PEER_REQUESTS_IN_FLIGHT_MAX && !over.aborted) await this.#turn(over);
    if (over.aborted) return { status: signal.aborted ? 'aborted' : 'disconnected' };
    const stream = this.#nextStream++ >>> 0;
    const done = new AbortController();
    const outcome = new Promise<PeerOutcome>((resolve) => {
      this.#pending.set(stream, { finish: resolve, touchedMs: this.#options.clock.nowMs() });
    });
    const onAbort = (): void => this.#finish(stream, { status: signal.aborted ? 'aborted' : 'disconnected' });
    over.addEventListener('abort', onAbort);
    void this.#watch(done.signal, stream);
    void this.#send(AbortSignal.any([over, done.signal]), { kind: FRAME_REQUEST, stream, head: encodeCanonical(request), body });
    const result = await outcome;
    done.abort();
    over.removeEventListener('abort', onAbort);
    // Also when it was refused: the peer need not wait for the rest of a body it does not want.
    if (result.status !== 'answered') this.#cancel(stream);
    this.#wake();
    return result;
  }

  close(): void {
    this.#options.channel.close();
    this.#onClosed();
  }

  #finish(stream: number, outcome: PeerOutcome): void {
    const pending = this.#pending.get(stream);
    this.#pending.delete(stream);
    this.#assembling.delete(FRAME_REPLY, stream);
    pending?.finish(outcome);
  }

  /** A request ends when nothing of it moved for PEER_REQUEST_TIMEOUT_MS, or after PEER_MESSAGE_TIMEOUT_MS in all. */
  async #watch(done: AbortSignal, stream: number): Promise<void> {
    const { clock } = this.#options;
    const endMs = clock.nowMs() + PEER_MESSAGE_TIMEOUT_MS;
    let waitMs = PEER_REQUEST_TIMEOUT_MS;
    while (!done.aborted) {
      await clock.sleep(done, waitMs);
      const pending = this.#pending.get(stream);
      if (!pending) return;
      const now = clock.nowMs();
      waitMs = Math.min(pending.touchedMs + PEER_REQUEST_TIMEOUT_MS, endMs) - now;
      if (waitMs <= 0) this.#finish(stream, { status: 'timeout' });
    }
  }

  async #send(signal: AbortSignal, message: Message): Promise<void> {
    const { channel, clock } = this.#options;
    for (const frame of framesOf(message)) {
      while (!signal.aborted && channel.bufferedBytes > PEER_BUFFERED_BYTES_MAX - PEER_FRAME_BYTES_MAX) await this.#turn(signal);
      if (signal.aborted || !channel.open) return;
      channel.send(frame);
      this.bytesOut += frame.length;
      this.lastUsedMs = clock.nowMs();
      const pending = message.kind === FRAME_REQUEST ? this.#pending.get(message.stream) : undefined;
      if (pending) pending.touchedMs = this.lastUsedMs;
    }
  }

  #cancel(stream: number): void {
    if (!this.open) return;
    for (const frame of framesOf({ kind: FRAME_CANCEL, stream, head: NOTHING, body: NOTHING })) this.#options.channel.send(frame);
  }

  /** Resolves when room or a slot may have come free, or the signal aborts. */
  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiters.push(wake);
      signal.addEventListener('abort', wake);
    });
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  #onFrame(bytes: Bytes): void {
    this.bytesIn += bytes.length;
    this.lastUsedMs = this.#options.clock.nowMs();
    const frame = parseFrame(bytes);
    if (!frame) {
      this.close();
      return;
    }
    if (frame.kind === FRAME_CANCEL) {
      this.#serving.get(frame.stream)?.abort();
      this.#assembling.delete(FRAME_REQUEST, frame.stream);
      return;
    }
    const pending = this.#pending.get(frame.stream);
    // Late frames of a reply that is no longer wanted are no fault of the peer.
    if (frame.kind === FRAME_REPLY && !pending) return;
    if (pending && frame.kind === FRAME_REPLY) pending.touchedMs = this.lastUsedMs;
    this.#assemble(frame);
  }

  #assemble(frame: Frame): void {
    const fault = frame.kind === FRAME_REQUEST && frame.bodyBytes > 0 && !this.#assembling.has(frame) ? this.#faultOf(frame) : null;
    const assembly = this.#assembling.add(frame, this.lastUsedMs, fault !== null);
    if (assembly.status === 'broken') return this.close();
    if (fault) void this.#reply(frame.stream, refuse(fault), this.#closing.signal);
    if (assembly.status === 'more') void this.#sweep();
    if (assembly.status !== 'whole') return;
    if (frame.kind === FRAME_REQUEST) void this.#serve(assembly.message);
    else this.#onReply(assembly.message);
  }

  /** Why a request's body is not taken in. Its head must be whole in the first frame, which no head of ours exceeds. */
  #faultOf({ headBytes, bodyBytes, payload }: Frame): PeerFault | null {
    const parsed = headBytes <= payload.length ? parseRequest(payload.subarray(0, headBytes)) : null;
    return parsed ? this.#options.acceptsBody(parsed, bodyBytes) : 'malformed';
  }

  /** While anything is half here, looks now and then for what stopped coming. */
  async #sweep(): Promise<void> {
    if (this.#sweeping) return;
    this.#sweeping = true;
    const { clock } = this.#options;
    while (this.#assembling.size > 0 && !this.#closing.signal.aborted) {
      await clock.sleep(this.#closing.signal, PEER_REQUEST_TIMEOUT_MS / 2);
      this.#assembling.expire(clock.nowMs());
    }
    this.#sweeping = false;
  }

  #onReply(message: Message): void {
    const parsed = v.safeParse(PeerReplySchema, decodeCanonical(message.head));
    if (!parsed.success) return this.#finish(message.stream, { status: 'refused', fault: 'malformed' });
    const reply = parsed.output;
    this.#finish(message.stream, reply.ok ? { status: 'answered', body: message.body } : { status: 'refused', fault: reply.fault });
  }

  async #serve(message: Message): Promise<void> {
    const stop = new AbortController();
    const busy = this.#serving.size >= PEER_REQUESTS_IN_FLIGHT_MAX;
    if (!busy) this.#serving.set(message.stream, stop);
    const answer = busy ? refuse('busy') : await this.#answer(message);
    await this.#reply(message.stream, answer, AbortSignal.any([stop.signal, this.#closing.signal]));
    if (!busy) this.#serving.delete(message.stream);
  }

  #reply(stream: number, answer: PeerAnswer, signal: AbortSignal): Promise<void> {
    const head = encodeCanonical(answer.ok ? { ok: true } : { ok: false, fault: answer.fault });
    return this.#send(signal, { kind: FRAME_REPLY, stream, head, body: answer.ok ? answer.body : NOTHING });
  }

  async #answer(message: Message): Promise<PeerAnswer> {
    const request = parseRequest(message.head);
    if (!request) return refuse('malformed');
    try {
      return await this.#options.handle(request, message.body);
    } catch {
      // A defect of this side (storage failed, say) ends one request, not the link.
      return refuse('stopped');
    }
  }

  #onClosed(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#assembling.clear();
    this.#wake();
    this.#options.closed();
  }
}

function parseRequest(head: Bytes): PeerRequest | null {
  const parsed = v.safeParse(PeerRequestSchema, decodeCanonical(head));
  return parsed.success ? parsed.output : null;
}

const refuse = (fault: PeerFault): PeerAnswer => ({ ok: false, fault });
