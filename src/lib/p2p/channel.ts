/**
 * What framing needs of a data channel: ordered, reliable messages of bytes with a fill level. A
 * browser's RTCDataChannel, libdatachannel in Node and the in-memory network all fit behind it.
 */
import type { Bytes } from '../protocol/bytes.ts';

export interface ChannelEvents {
  frame(bytes: Bytes): void;
  /** The fill level fell below a quarter of PEER_BUFFERED_BYTES_MAX. */
  drained(): void;
  /** Told once, whichever side closed. */
  closed(): void;
}

export interface Channel {
  readonly open: boolean;
  /** Bytes accepted by `send` and not yet handed to the network. */
  readonly bufferedBytes: number;
  /** Dropped when the channel is closed; never throws. */
  send(frame: Bytes): void;
  /** Called once, right after the channel opened. */
  listen(events: ChannelEvents): void;
  close(): void;
}

/** Makes channels: dials a peer by id, and hands over those that others dialled. */
export interface Dialer {
  /** This side's peer id. */
  readonly id: string;
  /** @returns null when the peer can't be reached or the signal aborts. */
  dial(signal: AbortSignal, peer: string): Promise<Channel | null>;
  /** One listener. Signalling vouches for the key part of `peer`. */
  accept(listener: (peer: string, channel: Channel) => void): void;
  close(): Promise<void>;
}
