/**
 * The RoleContext of a tab: identity and stores in IndexedDB, the control socket at /control,
 * PeerJS at /peerjs, the engine in its Web Worker. Nothing runs by itself but the two sockets.
 */
import { createEngine } from '../gpu/bridge.ts';
import type { Engine } from '../gpu/engine.ts';
import { IdbBlobStore } from '../p2p/blob-store-idb.ts';
import { createPeerJsNet } from '../p2p/peerjs-net.ts';
import { randomBytes, toHex } from '../protocol/bytes.ts';
import { signalToken } from '../protocol/signal.ts';
import { IdbSequenceStore } from './browser-sequences.ts';
import { browserIdentity, IdbJobStore, IdbOutbox, IdbWitnessStore, openBrowserDatabase } from './browser-stores.ts';
import { browserClock } from './browser-clock.ts';
import { ControlClient } from './control-client.ts';
import type { ControlSocketFactory } from './control-socket.ts';
import type { RoleContext } from './types.ts';

export interface BrowserOptions {
  /** Where the coordinator is; this page's own origin when left out. */
  readonly origin?: string;
  /** An engine that exists already; a new Web Worker when left out. */
  readonly engine?: Engine;
}

export async function createBrowserContext(options: BrowserOptions = {}): Promise<RoleContext> {
  const origin = options.origin ?? location.origin;
  const db = await openBrowserDatabase();
  const identity = await browserIdentity(db);
  // A session of its own per page: two tabs of one key are two peers.
  const peer = `${identity.key}-${toHex(randomBytes(4))}`;
  const clock = browserClock();
  const connect = webSocketFactory(`${origin.replace(/^http/, 'ws')}/control`);
  const control = new ControlClient({ connect, identity, peer, clock, outbox: new IdbOutbox(db) });
  const net = createPeerJsNet({
    id: peer,
    origin,
    clock,
    token: async () => signalToken(identity, await control.whenKnown(), peer, clock.nowMs()),
    iceServers: async () => {
      await control.whenConnected();
      return control.iceServers.map(iceServerOf);
    },
  });
  const jobs = { jobs: new IdbJobStore(db), sequences: new IdbSequenceStore(db) };
  const stores = { ...jobs, blobs: new IdbBlobStore(), witness: new IdbWitnessStore(db) };
  return { identity, control, net, engine: options.engine ?? createEngine(), ...stores, clock };
}

type IceServer = ControlClient['iceServers'][number];

/** Optional fields that are absent must be absent, not undefined. */
const iceServerOf = ({ urls, username, credential }: IceServer): RTCIceServer => ({
  urls,
  ...(username === undefined ? {} : { username }),
  ...(credential === undefined ? {} : { credential }),
});

/** Control sockets over the WebSocket of this global scope. */
export function webSocketFactory(url: string): ControlSocketFactory {
  return (events) => {
    const socket = new WebSocket(url);
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (typeof data === 'string') events.message(data);
    };
    // An error is always followed by a close.
    socket.onclose = () => events.closed();
    return {
      send: (text) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(text);
      },
      close: () => socket.close(),
    };
  };
}
