/**
 * Peers as the roles see them: ask one peer, answer the others. Behind it stand PeerJS in a tab,
 * node-datachannel in an agent, and an in-memory network in tests. An attacker at the other end can
 * send any bytes: every reply is parsed, every body bounded, and nothing here is believed.
 */
import type { Bytes } from '../protocol/bytes.ts';
import type { PeerFault, PeerRequest } from '../protocol/peer.ts';

/** Why no answer came; a value, not an exception. */
export type PeerOutcome =
  | { readonly status: 'answered'; readonly body: Bytes }
  | { readonly status: 'refused'; readonly fault: PeerFault }
  | { readonly status: 'timeout' | 'disconnected' | 'unreachable' | 'aborted' };

export type PeerAnswer = { readonly ok: true; readonly body: Bytes } | { readonly ok: false; readonly fault: PeerFault };

export type PeerHandler = (from: string, request: PeerRequest, body: Bytes) => Promise<PeerAnswer>;

/** Asked when a request's head is here and its body is not: null takes the body in, a fault refuses it unread. */
export type BodyRule = (from: string, request: PeerRequest, bodyBytes: number) => PeerFault | null;

export interface PeerTraffic {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly peers: number;
}

export interface PeerNet {
  /** This side's peer id: `<key hex>-<session>`. Signalling vouches for the key part of every peer's id. */
  readonly id: string;
  /** Connects if need be. Never throws; concurrent calls to one peer share a channel. */
  request(signal: AbortSignal, peer: string, request: PeerRequest, body?: Bytes): Promise<PeerOutcome>;
  /**
   * One handler per net; called concurrently up to PEER_REQUESTS_IN_FLIGHT_MAX per peer.
   * @param bodies decides about every request that announces a body; left out, all of them are refused.
   */
  serve(handler: PeerHandler, bodies?: BodyRule): void;
  readonly traffic: PeerTraffic;
  close(): Promise<void>;
}
