/**
 * Real WebRTC: two agents meet through the real signalling endpoint of a real coordinator and move
 * a blob over libdatachannel. Speeds are printed, never asserted.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashOfBlob } from '#lib/p2p/blob.ts';
import { BlobExchange } from '#lib/p2p/blob-exchange.ts';
import { MemoryBlobStore } from '#lib/p2p/blob-store-memory.ts';
import { createNodeNet } from '#lib/p2p/node-net.ts';
import type { PeerNet } from '#lib/p2p/peer-net.ts';
import { randomBytes, toHex } from '#lib/protocol/bytes.ts';
import { identityFromSecret } from '#lib/protocol/envelope.ts';
import { signalToken } from '#lib/protocol/signal.ts';
import { systemClock } from '#lib/roles/clock.ts';
import { createCoordinator, type Coordinator } from '#lib/server/coordinator.ts';
import { seededBytes } from '../unit/p2p/support.ts';

const never = new AbortController().signal;
const JOB = '5'.repeat(32);
const BLOB_BYTES = 20 * 1024 * 1024;

let server: Server;
let coordinator: Coordinator;
let origin: string;
const nets: PeerNet[] = [];

beforeAll(async () => {
  coordinator = await createCoordinator();
  server = createServer();
  coordinator.attach(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await Promise.all(nets.map((net) => net.close()));
  await coordinator.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function agent(network = coordinator.network): Promise<PeerNet> {
  const identity = await identityFromSecret(randomBytes(32));
  const id = `${identity.key}-${toHex(randomBytes(4))}`;
  const token = (): Promise<string> => signalToken(identity, network, id, Date.now());
  const net = await createNodeNet({ id, origin, token, iceServers: () => [], clock: systemClock });
  nets.push(net);
  return net;
}

test('20 MB move between two agents, every chunk verified', async () => {
  const [giver, taker] = [await agent(), await agent()];
  const blob = seededBytes(BLOB_BYTES);
  const hash = await hashOfBlob(blob);
  const blobs = new MemoryBlobStore();
  await blobs.put(hash, blob);
  const allows = async (from: string): Promise<boolean> => from === taker.id;
  const serving = new BlobExchange({ net: giver, blobs, clock: systemClock, allows });
  serving.attach(JOB, [hash]);
  giver.serve(async (from, request) =>
    request.type === 'blob.manifest' || request.type === 'blob.chunk' ? serving.answer(from, request) : { ok: false, fault: 'stopped' },
  );
  const fetching = new BlobExchange({ net: taker, blobs: new MemoryBlobStore(), clock: systemClock, allows: async () => false });
  const atMs = performance.now();
  const outcome = await fetching.fetch(never, { hash, bytes: blob.length, job: JOB, capability: 'x', sources: [giver.id] });
  const seconds = (performance.now() - atMs) / 1000;
  console.info(
    `moved ${BLOB_BYTES / 1e6} MB between two agents in ${seconds.toFixed(2)} s, set-up included: ${(BLOB_BYTES / 1e6 / seconds).toFixed(0)} MB/s`,
  );
  expect(outcome.ok && Buffer.compare(outcome.blob, blob)).toBe(0);
  expect(taker.traffic.bytesIn).toBeGreaterThan(BLOB_BYTES);
});

test('many agents meet at once, and an agent that left is unreachable', async () => {
  const hub = await agent();
  hub.serve(
    async (_, __, body) => ({ ok: true, body }),
    () => null,
  );
  const others = await Promise.all(Array.from({ length: 12 }, () => agent()));
  const request = { type: 'film.deliver', lease: '0'.repeat(32), root: '0'.repeat(64) } as const;
  const outcomes = await Promise.all(
    others.map((net, i) => net.request(new AbortController().signal, hub.id, request, seededBytes(50_000, i))),
  );
  expect(outcomes.map((outcome) => outcome.status)).toEqual(others.map(() => 'answered'));
  outcomes.forEach((outcome, i) => {
    if (outcome.status === 'answered') expect(Buffer.compare(outcome.body, seededBytes(50_000, i))).toBe(0);
  });
  await hub.close();
  expect(await others[0]!.request(never, hub.id, request)).toMatchObject({ status: expect.stringMatching(/unreachable|disconnected/) });
});

test('a token for another network opens nothing', async () => {
  const stranger = await agent('elsewhere');
  const outcome = await stranger.request(AbortSignal.timeout(2_000), `${'0'.repeat(64)}-00000000`, {
    type: 'film.deliver',
    lease: '0'.repeat(32),
    root: '0'.repeat(64),
  });
  expect(outcome.status).toBe('aborted');
});
