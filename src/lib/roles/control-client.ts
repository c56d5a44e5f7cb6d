/**
 * The control socket as roles see it: proves the key, keeps the heart beating, is re-made with
 * back-off and jitter for ever, and sends signed envelopes again until they are acknowledged or
 * refused. Messages that don't parse are dropped and counted. Refuses to believe two coordinators:
 * the key seen first is the key of this network for as long as this client lives.
 */
import {
  helloBytes,
  parseServerMessage,
  PROTOCOL_VERSION,
  type Adapter,
  type ClientMessage,
  type NetworkView,
  type Policy,
  type Role,
  type ServerMessage,
} from '../protocol/control.ts';
import { toHex } from '../protocol/bytes.ts';
import { seal, type Envelope, type Identity, type Purpose } from '../protocol/envelope.ts';
import {
  CONTROL_HEARTBEAT_MS,
  CONTROL_SILENCE_MS_MAX,
  RECONNECT_BACKOFF_MS_MAX,
  RECONNECT_BACKOFF_MS_MIN,
  REQUEST_TIMEOUT_MS,
} from '../protocol/limits.ts';
import { otherVersion, versionSentence } from '../protocol/version.ts';
import { backoffMs } from '../p2p/backoff.ts';
import type { ControlSocket, ControlSocketFactory } from './control-socket.ts';
import { EnvelopeQueue } from './envelope-queue.ts';
import { Emitter } from './observable.ts';
import { MemoryOutbox, type Outbox } from './outbox.ts';
import type { Clock, Control, ControlEvent, ControlOutcome, ControlRequest } from './types.ts';

export interface ControlOptions {
  readonly connect: ControlSocketFactory;
  readonly identity: Identity;
  /** Own peer id, told to the coordinator. */
  readonly peer: string;
  readonly clock: Clock;
  readonly roles?: readonly Role[];
  readonly adapter?: Adapter | null;
  readonly outbox?: Outbox;
  readonly random?: () => number;
}

type Balance = Control['balance'];
type Challenge = Extract<ServerMessage, { type: 'challenge' }>;

export class ControlClient implements Control {
  /** Messages that did not parse. */
  dropped = 0;
  fault: string | null = null;
  network = '';
  coordinatorKey = '';
  policy: Policy | null = null;
  balance: Balance = { balanceMicro: 0n, pendingMicro: 0n };
  networkView: NetworkView | null = null;
  /** From the last welcome; for the peers' connections. */
  iceServers: Extract<ServerMessage, { type: 'welcome' }>['iceServers'] = [];
  readonly #options: ControlOptions;
  readonly #events = new Emitter<ControlEvent>();
  readonly #changes = new Emitter<void>();
  readonly #closing = new AbortController();
  /** Requests without an answer yet. */
  readonly #waiting = new Map<number, (outcome: ControlOutcome) => void>();
  readonly #envelopes: EnvelopeQueue;
  #roles: readonly Role[];
  #adapter: Adapter | null;
  #socket: ControlSocket | null = null;
  #challenge: Challenge | null = null;
  #welcomed = false;
  #heardMs = 0;
  #nextId = 1;

  constructor(options: ControlOptions) {
    this.#options = options;
    this.#envelopes = new EnvelopeQueue(options.outbox ?? new MemoryOutbox(), (envelope) => this.request({ type: 'submit', envelope }));
    this.#roles = options.roles ?? [];
    this.#adapter = options.adapter ?? null;
    void this.#run();
  }

  get connected(): boolean {
    return this.#welcomed;
  }

  request(request: ControlRequest): Promise<ControlOutcome> {
    return this.#welcomed ? this.#ask({ ...request, id: this.#id() } as ClientMessage) : Promise.resolve({ status: 'disconnected' });
  }

  async submit(purpose: Purpose, body: unknown): Promise<ControlOutcome> {
    return this.submitSealed(await this.seal(purpose, body));
  }

  /** Sends an envelope sealed before; the same envelope twice is one submission. */
  submitSealed(envelope: Envelope): Promise<ControlOutcome> {
    return this.#envelopes.add(envelope);
  }

  /** Waits for the first connection, because an envelope is bound to its network. */
  async seal(purpose: Purpose, body: unknown): Promise<Envelope> {
    await this.whenKnown();
    return seal(this.#options.identity, { network: this.network, purpose, body, atMs: this.#options.clock.nowMs() });
  }

  on(listener: (event: ControlEvent) => void): () => void {
    return this.#events.on(listener);
  }

  onChange(listener: () => void): () => void {
    return this.#changes.on(listener);
  }

  /** Told in a new hello on the connection that stands. */
  setRoles(roles: readonly Role[], adapter: Adapter | null = this.#adapter): void {
    const same =
      roles.length === this.#roles.length && roles.every((role) => this.#roles.includes(role)) && adapter?.class === this.#adapter?.class;
    this.#roles = roles;
    this.#adapter = adapter;
    if (!same && this.#socket && this.#challenge) void this.#hello(this.#socket, this.#challenge);
  }

  /** The network's name, told before the first hello is answered. */
  async whenKnown(): Promise<string> {
    await this.#until(() => this.network !== '');
    return this.network;
  }

  /** Resolves at once while connected, else at the next welcome. */
  whenConnected(): Promise<void> {
    return this.#until(() => this.#welcomed);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#socket?.close();
    this.#lost();
    this.#envelopes.close();
  }

  #until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => {
      const off = this.onChange(() => {
        if (!holds()) return;
        off();
        resolve();
      });
    });
  }

  #id(): number {
    this.#nextId = (this.#nextId % 0x7fffffff) + 1;
    return this.#nextId;
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    await this.#envelopes.load();
    for (let attempt = 0; !this.#closing.signal.aborted; attempt++) {
      if (await this.#connection()) attempt = 0;
      await clock.sleep(this.#closing.signal, backoffMs(attempt, RECONNECT_BACKOFF_MS_MIN, RECONNECT_BACKOFF_MS_MAX, random));
    }
  }

  /** One connection, from first to last; true when it got as far as a welcome. */
  async #connection(): Promise<boolean> {
    const over = new AbortController();
    this.#heardMs = this.#options.clock.nowMs();
    let welcomed = false;
    const socket = this.#options.connect({
      message: (text) => {
        if (over.signal.aborted) return;
        void this.#receive(socket, text).then(() => (welcomed ||= this.#welcomed));
      },
      closed: () => over.abort(),
    });
    this.#socket = socket;
    await this.#beat(AbortSignal.any([over.signal, this.#closing.signal]), socket);
    over.abort();
    socket.close();
    this.#lost();
    return welcomed;
  }

  /** Returns when the connection is over: closed, or silent for too long. */
  async #beat(over: AbortSignal, socket: ControlSocket): Promise<void> {
    const { clock } = this.#options;
    while (!over.aborted) {
      await clock.sleep(over, CONTROL_HEARTBEAT_MS);
      if (over.aborted) return;
      // Twice the bound: a throttled tab must not mistake its own sleep for the coordinator's.
      if (clock.nowMs() - this.#heardMs > 2 * CONTROL_SILENCE_MS_MAX) return;
      if (this.#welcomed) socket.send(JSON.stringify({ type: 'ping', id: this.#id() } satisfies ClientMessage));
    }
  }

  async #receive(socket: ControlSocket, text: string): Promise<void> {
    this.#heardMs = this.#options.clock.nowMs();
    const message = parseServerMessage(text);
    if (!message) {
      this.dropped++;
      const other = otherVersion(text, 'challenge');
      if (other) this.#setFault(versionSentence(other.version, PROTOCOL_VERSION));
      return;
    }
    switch (message.type) {
      case 'challenge':
        this.#setFault(null);
        this.#challenge = message;
        return this.#hello(socket, message);
      case 'ack':
        return this.#settle(message.id, { status: 'ok', ref: message.ref ?? null });
      case 'refused':
        return this.#settle(message.id, { status: 'refused', reason: message.reason, text: message.text });
      case 'welcome':
        if (!this.#welcome(message)) return socket.close();
        break;
      case 'balance':
        this.balance = { balanceMicro: BigInt(message.balanceMicro), pendingMicro: BigInt(message.pendingMicro) };
        break;
      case 'network':
        this.networkView = message.view;
        break;
    }
    if (message.type === 'welcome' || message.type === 'balance' || message.type === 'network') this.#changes.emit();
    this.#events.emit(message);
  }

  #setFault(fault: string | null): void {
    if (fault === this.fault) return;
    this.fault = fault;
    this.#changes.emit();
  }

  async #hello(socket: ControlSocket, challenge: Challenge): Promise<void> {
    if (this.network !== '' && this.network !== challenge.network) return socket.close();
    const { identity, peer } = this.#options;
    const proof = toHex(await identity.sign(helloBytes(challenge.network, challenge.challenge, peer)));
    const hello: ClientMessage = {
      type: 'hello',
      id: this.#id(),
      version: PROTOCOL_VERSION,
      key: identity.key,
      peer,
      proof,
      roles: [...this.#roles],
      adapter: this.#adapter,
    };
    this.network = challenge.network;
    this.#changes.emit();
    socket.send(JSON.stringify(hello));
  }

  #welcome(welcome: Extract<ServerMessage, { type: 'welcome' }>): boolean {
    if (this.coordinatorKey !== '' && this.coordinatorKey !== welcome.coordinatorKey) return false;
    this.coordinatorKey = welcome.coordinatorKey;
    this.policy = welcome.policy;
    this.iceServers = welcome.iceServers;
    this.#welcomed = true;
    this.#envelopes.resend();
    return true;
  }

  async #ask(message: ClientMessage): Promise<ControlOutcome> {
    const socket = this.#socket;
    if (!socket) return { status: 'disconnected' };
    const done = new AbortController();
    const outcome = new Promise<ControlOutcome>((resolve) => this.#waiting.set(message.id, resolve));
    socket.send(JSON.stringify(message));
    void this.#options.clock.sleep(done.signal, REQUEST_TIMEOUT_MS).then(() => {
      // A coordinator that beats but doesn't answer is as good as gone: start afresh.
      if (!done.signal.aborted && this.#waiting.has(message.id)) socket.close();
    });
    const result = await outcome;
    done.abort();
    return result;
  }

  #settle(id: number, outcome: ControlOutcome): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.(outcome);
  }

  #lost(): void {
    this.#socket = null;
    this.#challenge = null;
    const was = this.#welcomed;
    this.#welcomed = false;
    for (const id of [...this.#waiting.keys()]) this.#settle(id, { status: 'disconnected' });
    if (was) this.#changes.emit();
  }
}
