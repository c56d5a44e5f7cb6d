/**
 * PeerNet over any Dialer: one link per peer, dialled on first use and shared, the least recently
 * used idle one closed when there are too many. Refuses to queue for ever: a peer that can't be
 * dialled is `unreachable`, and trying again is the caller's choice.
 */
import type { Bytes } from '../protocol/bytes.ts';
import { PEERS_PER_CLIENT_MAX, PEER_CONNECT_TIMEOUT_MS, RECONNECT_BACKOFF_MS_MAX, RECONNECT_BACKOFF_MS_MIN } from '../protocol/limits.ts';
import type { PeerRequest } from '../protocol/peer.ts';
import type { Clock } from '../roles/types.ts';
import { backoffMs } from './backoff.ts';
import type { Channel, Dialer } from './channel.ts';
import { PeerLink } from './peer-link.ts';
import type { BodyRule, PeerHandler, PeerNet, PeerOutcome, PeerTraffic } from './peer-net.ts';

const DIALS_MAX = 3;
const QUICK_MS = 3_000;
const NO_BODIES: BodyRule = () => 'malformed';

export class LinkNet implements PeerNet {
  readonly #dialer: Dialer;
  readonly #clock: Clock;
  readonly #links = new Map<string, Set<PeerLink>>();
  readonly #dialling = new Map<string, Promise<PeerLink | null>>();
  readonly #closing = new AbortController();
  #handler: PeerHandler = async () => ({ ok: false, fault: 'stopped' });
  #bodies: BodyRule = NO_BODIES;
  /** Of half-arrived messages, over all links. */
  readonly #assembly = { bytes: 0 };
  #closedBytes = { in: 0, out: 0 };

  constructor(dialer: Dialer, clock: Clock) {
    this.#dialer = dialer;
    this.#clock = clock;
    dialer.accept((peer, channel) => {
      this.#makeRoom();
      if (this.#count >= PEERS_PER_CLIENT_MAX) channel.close();
      else this.#adopt(peer, channel);
    });
  }

  get id(): string {
    return this.#dialer.id;
  }

  get traffic(): PeerTraffic {
    let { in: bytesIn, out: bytesOut } = this.#closedBytes;
    for (const link of this.#all()) {
      bytesIn += link.bytesIn;
      bytesOut += link.bytesOut;
    }
    return { bytesIn, bytesOut, peers: this.#links.size };
  }

  async request(signal: AbortSignal, peer: string, request: PeerRequest, body?: Bytes): Promise<PeerOutcome> {
    if (signal.aborted) return { status: 'aborted' };
    const link = this.#openLink(peer) ?? (await abortable(signal, this.#dial(peer)));
    if (signal.aborted) return { status: 'aborted' };
    return link ? link.request(signal, request, body) : { status: 'unreachable' };
  }

  serve(handler: PeerHandler, bodies: BodyRule = NO_BODIES): void {
    this.#handler = handler;
    this.#bodies = bodies;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const link of this.#all()) link.close();
    await this.#dialer.close();
  }

  get #count(): number {
    return [...this.#links.values()].reduce((sum, links) => sum + links.size, 0);
  }

  #all(): PeerLink[] {
    return [...this.#links.values()].flatMap((links) => [...links]);
  }

  #openLink(peer: string): PeerLink | undefined {
    return [...(this.#links.get(peer) ?? [])].find((link) => link.open);
  }

  #dial(peer: string): Promise<PeerLink | null> {
    const running = this.#dialling.get(peer);
    if (running) return running;
    const dialled = this.#dialOnce(peer).finally(() => this.#dialling.delete(peer));
    this.#dialling.set(peer, dialled);
    return dialled;
  }

  async #dialOnce(peer: string): Promise<PeerLink | null> {
    const deadline = new AbortController();
    const done = new AbortController();
    void this.#clock.sleep(done.signal, PEER_CONNECT_TIMEOUT_MS).then(() => {
      if (!done.signal.aborted) deadline.abort();
    });
    this.#makeRoom();
    const channel = await this.#tryDial(AbortSignal.any([this.#closing.signal, deadline.signal]), peer);
    done.abort();
    // The peer may have dialled us meanwhile; either link serves.
    if (!channel) return this.#openLink(peer) ?? null;
    return this.#adopt(peer, channel);
  }

  /** WebRTC stacks fail now and then while many connections are set up: a quick failure is tried again. */
  async #tryDial(signal: AbortSignal, peer: string): Promise<Channel | null> {
    for (let attempt = 0; attempt < DIALS_MAX && !signal.aborted; attempt++) {
      const startMs = this.#clock.nowMs();
      const channel = await this.#dialer.dial(signal, peer);
      if (channel) return channel;
      // Signalling says after a few seconds that nobody is there: that is an answer, not a failure.
      if (this.#openLink(peer) || this.#clock.nowMs() - startMs > QUICK_MS) return null;
      await this.#clock.sleep(signal, backoffMs(attempt, RECONNECT_BACKOFF_MS_MIN, RECONNECT_BACKOFF_MS_MAX));
    }
    return null;
  }

  #adopt(peer: string, channel: Channel): PeerLink {
    const link: PeerLink = new PeerLink({
      channel,
      clock: this.#clock,
      assembly: this.#assembly,
      acceptsBody: (request, bodyBytes) => this.#bodies(peer, request, bodyBytes),
      handle: (request, body) => this.#handler(peer, request, body),
      closed: () => this.#forget(peer, link),
    });
    const links = this.#links.get(peer) ?? new Set();
    links.add(link);
    this.#links.set(peer, links);
    return link;
  }

  #forget(peer: string, link: PeerLink): void {
    const links = this.#links.get(peer);
    if (!links?.delete(link)) return;
    if (links.size === 0) this.#links.delete(peer);
    this.#closedBytes = { in: this.#closedBytes.in + link.bytesIn, out: this.#closedBytes.out + link.bytesOut };
  }

  #makeRoom(): void {
    if (this.#count < PEERS_PER_CLIENT_MAX) return;
    const idle = this.#all().filter((link) => link.idle);
    idle.toSorted((a, b) => a.lastUsedMs - b.lastUsedMs)[0]?.close();
  }
}

/** The promise, or null as soon as the signal aborts; the work behind it goes on for whoever shares it. */
function abortable<T>(signal: AbortSignal, promise: Promise<T | null>): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve(null);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
