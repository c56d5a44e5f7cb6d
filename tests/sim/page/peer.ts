/** A tab's side of the peer tests: the product's own net and blob exchange, put where the test can call them. */
import { hashOfBlob } from '#lib/p2p/blob.ts';
import { BlobExchange } from '#lib/p2p/blob-exchange.ts';
import { MemoryBlobStore } from '#lib/p2p/blob-store-memory.ts';
import { createPeerJsNet } from '#lib/p2p/peerjs-net.ts';
import type { PeerNet } from '#lib/p2p/peer-net.ts';
import { randomBytes, toHex, type Bytes } from '#lib/protocol/bytes.ts';
import { identityFromSecret } from '#lib/protocol/envelope.ts';
import { signalToken } from '#lib/protocol/signal.ts';
import { systemClock } from '#lib/roles/clock.ts';

const JOB = '5'.repeat(32);
const never = new AbortController().signal;
let net: PeerNet;

/** The same bytes on both sides: word i is a multiple of i. */
const filled = (bytes: number): Bytes => new Uint8Array(Uint32Array.from({ length: bytes / 4 }, (_, i) => Math.imul(i, 2654435761)).buffer);

const page = {
  async join(network: string): Promise<string> {
    const identity = await identityFromSecret(randomBytes(32));
    const id = `${identity.key}-${toHex(randomBytes(4))}`;
    const token = (): Promise<string> => signalToken(identity, network, id, Date.now());
    net = createPeerJsNet({ id, origin: location.origin, token, iceServers: async () => [], clock: systemClock });
    return id;
  },
  /** Serves a blob of so many bytes to anyone. @returns its hash. */
  async serve(bytes: number): Promise<string> {
    const blobs = new MemoryBlobStore();
    const blob = filled(bytes);
    const hash = await hashOfBlob(blob);
    await blobs.put(hash, blob);
    const exchange = new BlobExchange({ net, blobs, clock: systemClock, allows: async () => true });
    exchange.attach(JOB, [hash]);
    net.serve(async (from, request) =>
      request.type === 'blob.manifest' || request.type === 'blob.chunk' ? exchange.answer(from, request) : { ok: false, fault: 'stopped' },
    );
    return hash;
  },
  /** @returns seconds it took, or null when it could not be had. */
  async fetch(hash: string, bytes: number, source: string): Promise<number | null> {
    const exchange = new BlobExchange({ net, blobs: new MemoryBlobStore(), clock: systemClock, allows: async () => false });
    const atMs = performance.now();
    const outcome = await exchange.fetch(never, { hash, bytes, job: JOB, capability: 'x', sources: [source] });
    return outcome.ok ? (performance.now() - atMs) / 1000 : null;
  },
};
export type PeerPage = typeof page;

Object.assign(globalThis, { pictorPeer: page });
