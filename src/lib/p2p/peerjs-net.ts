/**
 * PeerNet in a tab: PeerJS for signalling and connection set-up, raw data channels for everything
 * else. PeerJS's own packing and its polling buffer are bypassed: frames go straight to the
 * RTCDataChannel. The page may lose its signalling socket; channels that stand go on.
 */
import { Peer, type DataConnection, type PeerOptions } from 'peerjs';
import type { Bytes } from '../protocol/bytes.ts';
import { PEER_BUFFERED_BYTES_MAX, RECONNECT_BACKOFF_MS_MAX, RECONNECT_BACKOFF_MS_MIN } from '../protocol/limits.ts';
import { backoffMs } from './backoff.ts';
import type { Clock } from '../roles/types.ts';
import type { Channel, ChannelEvents, Dialer } from './channel.ts';
import { LinkNet } from './link-net.ts';

export interface PeerJsOptions {
  /** Own peer id, `<key hex>-<session>`. */
  readonly id: string;
  /** Where the coordinator is, for example `https://pictor.example`. */
  readonly origin: string;
  /** A fresh signalling token (protocol/signal); called for every connection to the endpoint. */
  readonly token: () => Promise<string>;
  /** Asked for at the first connection: the coordinator hands them out. */
  readonly iceServers: () => Promise<readonly RTCIceServer[]>;
  readonly clock: Clock;
}

export const createPeerJsNet = (options: PeerJsOptions): LinkNet => new LinkNet(new PeerJsDialer(options), options.clock);

class PeerJsDialer implements Dialer {
  readonly id: string;
  readonly #options: PeerJsOptions;
  readonly #closing = new AbortController();
  #accept: (peer: string, channel: Channel) => void = () => {};
  #peer: Peer | null = null;
  /** Those who wait for the signalling socket to stand. */
  #opened: ((peer: Peer) => void)[] = [];

  constructor(options: PeerJsOptions) {
    this.id = options.id;
    this.#options = options;
    void this.#run();
  }

  async dial(signal: AbortSignal, peer: string): Promise<Channel | null> {
    const signalling = await this.#signalling(signal);
    if (!signalling) return null;
    const connection = signalling.connect(peer, { serialization: 'raw', reliable: true, label: 'pictor' });
    // Undefined when the socket was lost this very moment; the types say otherwise.
    if (!(connection as DataConnection | undefined)) return null;
    return new Promise((resolve) => {
      const finish = (channel: Channel | null): void => {
        signal.removeEventListener('abort', onAbort);
        signalling.off('error', onError);
        if (!channel) connection.close();
        resolve(channel);
      };
      const onAbort = (): void => finish(null);
      // PeerJS tells of an unknown peer on the Peer, naming it only in the text.
      const onError = (error: Error): void => {
        if (error.message.includes(peer)) finish(null);
      };
      signal.addEventListener('abort', onAbort);
      signalling.on('error', onError);
      connection.on('error', onAbort);
      connection.on('close', onAbort);
      connection.on('open', () => finish(new RtcChannel(connection.dataChannel, () => connection.close())));
    });
  }

  accept(listener: (peer: string, channel: Channel) => void): void {
    this.#accept = listener;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#peer?.destroy();
  }

  /** Keeps a signalling socket for ever: PeerJS gives up at the first trouble. */
  async #run(): Promise<void> {
    const { clock, token, iceServers } = this.#options;
    for (let attempt = 0; !this.#closing.signal.aborted; attempt++) {
      const fresh = await token();
      if (!this.#peer || this.#peer.destroyed) this.#peer = this.#create(fresh, await iceServers());
      else {
        // A token has an age limit; PeerJS would show the first one again.
        (this.#peer.options as PeerOptions).token = fresh;
        this.#peer.reconnect();
      }
      if (await this.#life(this.#peer)) attempt = 0;
      await clock.sleep(this.#closing.signal, backoffMs(attempt, RECONNECT_BACKOFF_MS_MIN, RECONNECT_BACKOFF_MS_MAX));
    }
  }

  #create(token: string, iceServers: readonly RTCIceServer[]): Peer {
    const { hostname, port, protocol } = new URL(this.#options.origin);
    const secure = protocol === 'https:';
    const peer = new Peer(this.id, {
      host: hostname,
      port: port === '' ? (secure ? 443 : 80) : Number(port),
      // PeerJS adds another `peerjs` by itself.
      path: '/peerjs',
      secure,
      token,
      debug: 0,
      config: { iceServers: [...iceServers] },
    });
    peer.on('connection', (connection) => {
      if (connection.serialization !== 'raw' && connection.serialization !== 'none') return connection.close();
      connection.on('open', () => this.#accept(connection.peer, new RtcChannel(connection.dataChannel, () => connection.close())));
    });
    peer.on('open', () => {
      for (const tell of this.#opened.splice(0)) tell(peer);
    });
    return peer;
  }

  /** Resolves when the signalling socket is lost; true when it had stood. */
  #life(peer: Peer): Promise<boolean> {
    let stood = false;
    return new Promise((resolve) => {
      const onOpen = (): void => void (stood = true);
      const onEnd = (): void => {
        peer.off('open', onOpen);
        peer.off('disconnected', onEnd);
        peer.off('close', onEnd);
        peer.off('error', onError);
        resolve(stood);
      };
      // Most errors concern one connection; a destroyed or disconnected peer concerns all.
      const onError = (): void => {
        if (peer.destroyed || peer.disconnected) onEnd();
      };
      peer.on('open', onOpen);
      peer.on('disconnected', onEnd);
      peer.on('close', onEnd);
      peer.on('error', onError);
      if (peer.destroyed) onEnd();
    });
  }

  #signalling(signal: AbortSignal): Promise<Peer | null> {
    const peer = this.#peer;
    if (peer?.open && !peer.disconnected) return Promise.resolve(peer);
    return new Promise((resolve) => {
      this.#opened.push(resolve);
      signal.addEventListener('abort', () => resolve(null), { once: true });
    });
  }
}

/** An RTCDataChannel that is open. */
class RtcChannel implements Channel {
  readonly #channel: RTCDataChannel;
  readonly #dispose: () => void;

  constructor(channel: RTCDataChannel, dispose: () => void) {
    this.#channel = channel;
    this.#dispose = dispose;
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = PEER_BUFFERED_BYTES_MAX / 4;
  }

  get open(): boolean {
    return this.#channel.readyState === 'open';
  }

  get bufferedBytes(): number {
    return this.#channel.bufferedAmount;
  }

  send(frame: Bytes): void {
    try {
      if (this.open) this.#channel.send(frame);
    } catch {
      // Full or closing: both end as a lost channel, and requests are made again.
      this.close();
    }
  }

  listen(events: ChannelEvents): void {
    // Replaces PeerJS's own handlers: this channel is ours now.
    this.#channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (data instanceof ArrayBuffer) events.frame(new Uint8Array(data));
      else this.close();
    };
    this.#channel.onbufferedamountlow = () => events.drained();
    this.#channel.onclose = () => {
      this.#dispose();
      events.closed();
    };
  }

  close(): void {
    this.#channel.close();
    this.#dispose();
  }
}
