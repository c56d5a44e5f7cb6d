/**
 * PeerNet in an agent: libdatachannel (npm `node-datachannel`) below, PeerJS's signalling above, so
 * that tabs and agents reach each other. Candidates travel apart from the description: libdatachannel
 * loses connections when many are set up at once with candidates inside the SDP.
 */
import type { DataChannel, IceServer as NativeIceServer, PeerConnection } from 'node-datachannel';
import { WebSocket } from 'ws';
import { randomBytes, toHex, type Bytes } from '../protocol/bytes.ts';
import { PEER_BUFFERED_BYTES_MAX, SIGNAL_QUEUE_PER_PEER_MAX } from '../protocol/limits.ts';
import type { Clock } from '../roles/types.ts';
import type { Channel, ChannelEvents, Dialer } from './channel.ts';
import { LinkNet } from './link-net.ts';
import { SignalClient, type Signal, type SocketLike } from './signal-client.ts';

export interface IceServer {
  readonly urls: string;
  readonly username?: string | undefined;
  readonly credential?: string | undefined;
}

export interface NodeNetOptions {
  readonly id: string;
  /** Where the coordinator is, for example `https://pictor.example`. */
  readonly origin: string;
  readonly token: () => Promise<string>;
  readonly iceServers: () => readonly IceServer[];
  readonly clock: Clock;
}

type Native = typeof import('node-datachannel');

/** @throws Error with one sentence when this platform has no `node-datachannel` binary. */
export async function createNodeNet(options: NodeNetOptions): Promise<LinkNet> {
  let native: Native;
  try {
    native = await import('node-datachannel');
  } catch (cause) {
    throw new Error('This machine has no WebRTC: the optional package node-datachannel could not be loaded.', { cause });
  }
  return new LinkNet(new NodeDialer(native, options), options.clock);
}

const CANDIDATE_TRIES_MAX = 40;
const CANDIDATE_RETRY_MS = 25;

interface Candidate {
  readonly candidate: string;
  readonly mid: string;
}

interface Connection {
  readonly peer: string;
  readonly pc: PeerConnection;
  /** Ends a dial that has not succeeded yet. */
  readonly fail: () => void;
  /** Candidates that came before the description they belong to. */
  readonly early: Candidate[];
  readonly over: AbortController;
  described: boolean;
}

class NodeDialer implements Dialer {
  readonly id: string;
  readonly #native: Native;
  readonly #options: NodeNetOptions;
  readonly #signal: SignalClient;
  readonly #connections = new Map<string, Connection>();
  /** Candidates of connections whose offer is still on the way. */
  readonly #orphans = new Map<string, Candidate[]>();
  #accept: (peer: string, channel: Channel) => void = () => {};

  constructor(native: Native, options: NodeNetOptions) {
    this.id = options.id;
    this.#native = native;
    this.#options = options;
    const open = (url: string): SocketLike => new WebSocket(url, { perMessageDeflate: false }) as unknown as SocketLike;
    this.#signal = new SignalClient({ ...options, open, onSignal: (signal) => this.#onSignal(signal) });
  }

  async dial(signal: AbortSignal, peer: string): Promise<Channel | null> {
    if (!(await this.#signal.ready(signal))) return null;
    const id = `dc_${toHex(randomBytes(8))}`;
    return new Promise((resolve) => {
      const fail = (): void => {
        this.#close(id);
        resolve(null);
      };
      signal.addEventListener('abort', fail, { once: true });
      const { pc } = this.#connect(id, peer, fail);
      const channel = pc.createDataChannel('pictor');
      channel.onOpen(() => {
        signal.removeEventListener('abort', fail);
        resolve(new NativeChannel(channel, () => this.#close(id)));
      });
    });
  }

  accept(listener: (peer: string, channel: Channel) => void): void {
    this.#accept = listener;
  }

  async close(): Promise<void> {
    this.#signal.close();
    for (const id of [...this.#connections.keys()]) this.#close(id);
  }

  #connect(id: string, peer: string, fail: () => void): Connection {
    const pc = new this.#native.PeerConnection(this.id.slice(0, 8), { iceServers: this.#options.iceServers().flatMap(nativeIceServer) });
    const connection: Connection = { peer, pc, fail, early: this.#orphans.get(id) ?? [], over: new AbortController(), described: false };
    this.#orphans.delete(id);
    this.#connections.set(id, connection);
    pc.onLocalDescription((sdp, type) => {
      const common = { sdp: { type, sdp: withoutCandidates(sdp).sdp }, type: 'data', connectionId: id };
      const payload = type === 'offer' ? { ...common, label: 'pictor', reliable: true, serialization: 'raw' } : common;
      this.#signal.send({ type: type === 'offer' ? 'OFFER' : 'ANSWER', dst: peer, payload });
    });
    pc.onLocalCandidate((candidate, mid) => {
      const line = candidate.replace(/^a=/, '');
      this.#signal.send({
        type: 'CANDIDATE',
        dst: peer,
        payload: { candidate: { candidate: line, sdpMid: mid, sdpMLineIndex: 0 }, type: 'data', connectionId: id },
      });
    });
    pc.onStateChange((state) => {
      if (state === 'failed' || state === 'closed') connection.fail();
    });
    return connection;
  }

  #onSignal(signal: Signal): void {
    switch (signal.type) {
      case 'OFFER':
        return this.#onOffer(signal.src, signal.payload);
      case 'ANSWER': {
        const connection = this.#connections.get(signal.payload.connectionId);
        if (connection?.peer === signal.src) this.#describe(connection, signal.payload.sdp);
        return;
      }
      case 'CANDIDATE':
        return this.#onCandidate(signal.src, signal.payload);
      case 'EXPIRE':
      case 'LEAVE':
        // Standing channels outlive their signalling; only dials in progress are over.
        for (const connection of [...this.#connections.values()])
          if (connection.peer === signal.src && !connection.described) connection.fail();
    }
  }

  #onOffer(peer: string, payload: Extract<Signal, { type: 'OFFER' | 'ANSWER' }>['payload']): void {
    const id = payload.connectionId;
    if (this.#connections.has(id)) return;
    const connection = this.#connect(id, peer, () => this.#close(id));
    connection.pc.onDataChannel((channel) => this.#accept(peer, new NativeChannel(channel, () => this.#close(id))));
    this.#describe(connection, payload.sdp);
  }

  #describe(connection: Connection, description: { type: 'offer' | 'answer'; sdp: string }): void {
    const { sdp, candidates } = withoutCandidates(description.sdp);
    try {
      connection.pc.setRemoteDescription(sdp, description.type);
    } catch {
      // Not a description: whoever sent it gets no connection.
      return connection.fail();
    }
    connection.described = true;
    for (const candidate of [...candidates, ...connection.early.splice(0)]) void this.#addCandidate(connection, candidate);
  }

  #onCandidate(peer: string, payload: Extract<Signal, { type: 'CANDIDATE' }>['payload']): void {
    const entry = { candidate: payload.candidate.candidate, mid: payload.candidate.sdpMid ?? '0' };
    if (entry.candidate === '') return;
    const connection = this.#connections.get(payload.connectionId);
    if (connection?.described && connection.peer === peer) return void this.#addCandidate(connection, entry);
    const queue = connection?.early ?? this.#orphans.get(payload.connectionId) ?? [];
    if (queue.length < SIGNAL_QUEUE_PER_PEER_MAX) queue.push(entry);
    if (connection || this.#orphans.has(payload.connectionId)) return;
    this.#orphans.set(payload.connectionId, queue);
    const [oldest] = this.#orphans.keys();
    if (this.#orphans.size > SIGNAL_QUEUE_PER_PEER_MAX && oldest !== undefined) this.#orphans.delete(oldest);
  }

  /**
   * libdatachannel makes its ICE transport on a thread of its own after a description is set, and
   * refuses candidates until then. A candidate that is refused for good leaves the others their chance.
   */
  async #addCandidate({ pc, over }: Connection, { candidate, mid }: Candidate): Promise<void> {
    for (let attempt = 0; attempt < CANDIDATE_TRIES_MAX && !over.signal.aborted; attempt++) {
      try {
        return pc.addRemoteCandidate(candidate, mid);
      } catch {
        await this.#options.clock.sleep(over.signal, CANDIDATE_RETRY_MS);
      }
    }
  }

  #close(id: string): void {
    const connection = this.#connections.get(id);
    if (!this.#connections.delete(id)) return;
    connection?.over.abort();
    connection?.fail();
    connection?.pc.close();
  }
}

/** The description without `a=candidate` lines, and the candidates of its one section. */
function withoutCandidates(sdp: string): { sdp: string; candidates: Candidate[] } {
  const mid = /^a=mid:(.*)$/m.exec(sdp)?.[1]?.trim() ?? '0';
  const lines = sdp.split(/\r?\n/);
  const isCandidate = (line: string): boolean => line.startsWith('a=candidate:') || line.startsWith('a=end-of-candidates');
  const candidates = lines.filter((line) => line.startsWith('a=candidate:')).map((line) => ({ candidate: line.slice(2), mid }));
  return { sdp: lines.filter((line) => !isCandidate(line)).join('\r\n'), candidates };
}

/** libdatachannel takes STUN as a URL and TURN as fields. */
function nativeIceServer(server: IceServer): (string | NativeIceServer)[] {
  const match = /^(stun|turns?):([^:?]+)(?::(\d+))?(?:\?transport=(udp|tcp))?$/.exec(server.urls);
  if (!match) return [];
  const [, scheme, hostname, port, transport] = match as unknown as [string, string, string, string | undefined, string | undefined];
  if (scheme === 'stun') return [`stun:${hostname}:${port ?? '3478'}`];
  const relayType = scheme === 'turns' ? 'TurnTls' : transport === 'tcp' ? 'TurnTcp' : 'TurnUdp';
  const number = Number(port ?? (scheme === 'turns' ? 5349 : 3478));
  return [{ hostname, port: number, username: server.username ?? '', password: server.credential ?? '', relayType }];
}

class NativeChannel implements Channel {
  readonly #channel: DataChannel;
  readonly #dispose: () => void;
  #events: ChannelEvents | null = null;
  #over = false;

  constructor(channel: DataChannel, dispose: () => void) {
    this.#channel = channel;
    this.#dispose = dispose;
    channel.setBufferedAmountLowThreshold(PEER_BUFFERED_BYTES_MAX / 4);
  }

  get open(): boolean {
    return !this.#over && this.#channel.isOpen();
  }

  get bufferedBytes(): number {
    return this.#over ? 0 : this.#channel.bufferedAmount();
  }

  send(frame: Bytes): void {
    try {
      // False only says that it was buffered.
      if (this.open) this.#channel.sendMessageBinary(frame);
    } catch {
      this.close();
    }
  }

  listen(events: ChannelEvents): void {
    this.#events = events;
    this.#channel.onBufferedAmountLow(() => events.drained());
    this.#channel.onClosed(() => this.#end());
    this.#channel.onError(() => this.#end());
    this.#channel.onMessage((data) => {
      if (typeof data === 'string') return this.close();
      events.frame(
        data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.length),
      );
    });
  }

  close(): void {
    if (!this.#over) this.#channel.close();
    this.#end();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#dispose();
    this.#events?.closed();
  }
}
