/**
 * A network of peers in one process, for tests and the simulator: seeded delays, dropped
 * connections, partitions, and a hook that may change frames on their way. Ordered and reliable like
 * a data channel as long as a connection lives.
 */
import type { Bytes } from '../protocol/bytes.ts';
import { PEER_BUFFERED_BYTES_MAX } from '../protocol/limits.ts';
import type { Clock } from '../roles/types.ts';
import type { Channel, ChannelEvents, Dialer } from './channel.ts';
import { LinkNet } from './link-net.ts';
import type { PeerNet } from './peer-net.ts';

export interface MemoryNetworkOptions {
  readonly clock: Clock;
  /** Uniform numbers in [0, 1); seed it to replay a run. */
  readonly random: () => number;
  /** One-way delay of a frame, uniform between the two, milliseconds. */
  readonly delayMs: readonly [number, number];
}

export class MemoryNetwork {
  readonly options: MemoryNetworkOptions;
  /** Sees every frame on its way; what it returns arrives instead. */
  corrupt: ((from: string, to: string, frame: Bytes) => Bytes) | null = null;
  readonly #dialers = new Map<string, MemoryDialer>();
  readonly #channels = new Set<MemoryChannel>();
  #reachable: (a: string, b: string) => boolean = () => true;

  constructor(options: MemoryNetworkOptions) {
    this.options = options;
  }

  join(id: string): PeerNet {
    const dialer = new MemoryDialer(id, this);
    this.#dialers.set(id, dialer);
    return new LinkNet(dialer, this.options.clock);
  }

  /** Cuts and refuses every connection for which `reachable` is false, until the next call. */
  partition(reachable: (a: string, b: string) => boolean): void {
    this.#reachable = reachable;
    for (const channel of [...this.#channels]) if (!reachable(channel.from, channel.to)) channel.close();
  }

  heal(): void {
    this.#reachable = () => true;
  }

  /** Drops the connections of one peer, which may dial again. */
  drop(id: string): void {
    for (const channel of [...this.#channels]) if (channel.from === id || channel.to === id) channel.close();
  }

  leave(id: string): void {
    this.#dialers.delete(id);
    this.drop(id);
  }

  /** Of the fullest channel. */
  get bufferedBytes(): number {
    return Math.max(0, ...[...this.#channels].map((channel) => channel.bufferedBytes));
  }

  delay(): number {
    const [least, most] = this.options.delayMs;
    return least + this.options.random() * (most - least);
  }

  connect(from: string, to: string): MemoryChannel | null {
    const target = this.#dialers.get(to);
    if (!target || !this.#dialers.has(from) || !this.#reachable(from, to)) return null;
    const here = new MemoryChannel(this, from, to);
    const there = new MemoryChannel(this, to, from);
    here.peer = there;
    there.peer = here;
    for (const channel of [here, there]) {
      this.#channels.add(channel);
      channel.onGone = () => this.#channels.delete(channel);
    }
    target.incoming(from, there);
    return here;
  }
}

class MemoryDialer implements Dialer {
  readonly id: string;
  readonly #network: MemoryNetwork;
  #accept: (peer: string, channel: Channel) => void = () => {};

  constructor(id: string, network: MemoryNetwork) {
    this.id = id;
    this.#network = network;
  }

  async dial(signal: AbortSignal, peer: string): Promise<Channel | null> {
    await this.#network.options.clock.sleep(signal, this.#network.delay());
    return signal.aborted ? null : this.#network.connect(this.id, peer);
  }

  accept(listener: (peer: string, channel: Channel) => void): void {
    this.#accept = listener;
  }

  incoming(peer: string, channel: Channel): void {
    this.#accept(peer, channel);
  }

  async close(): Promise<void> {
    this.#network.leave(this.id);
  }
}

class MemoryChannel implements Channel {
  readonly from: string;
  readonly to: string;
  peer: MemoryChannel | null = null;
  onGone: () => void = () => {};
  bufferedBytes = 0;
  readonly #network: MemoryNetwork;
  readonly #closing = new AbortController();
  #events: ChannelEvents | null = null;
  #early: Bytes[] = [];
  #lastArrival: Promise<void> = Promise.resolve();

  constructor(network: MemoryNetwork, from: string, to: string) {
    this.#network = network;
    this.from = from;
    this.to = to;
  }

  get open(): boolean {
    return !this.#closing.signal.aborted;
  }

  send(frame: Bytes): void {
    if (!this.open) return;
    this.bufferedBytes += frame.length;
    const { clock } = this.#network.options;
    const flight = clock.sleep(this.#closing.signal, this.#network.delay());
    const earlier = this.#lastArrival;
    this.#lastArrival = flight.then(() => earlier).then(() => this.#arrive(frame));
  }

  listen(events: ChannelEvents): void {
    this.#events = events;
    for (const frame of this.#early.splice(0)) events.frame(frame);
  }

  close(): void {
    if (!this.open) return;
    this.#closing.abort();
    this.onGone();
    this.#events?.closed();
    this.peer?.close();
  }

  #arrive(frame: Bytes): void {
    const before = this.bufferedBytes;
    this.bufferedBytes -= frame.length;
    const mark = PEER_BUFFERED_BYTES_MAX / 4;
    if (!this.open || !this.peer?.open) return;
    const { corrupt } = this.#network;
    this.peer.#receive(corrupt ? corrupt(this.from, this.to, frame) : frame);
    if (before > mark && this.bufferedBytes <= mark) this.#events?.drained();
  }

  #receive(frame: Bytes): void {
    if (this.#events) this.#events.frame(frame);
    else this.#early.push(frame);
  }
}
