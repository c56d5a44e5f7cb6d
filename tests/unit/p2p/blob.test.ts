import { describe, expect, test } from 'vitest';
import { hashOfBlob, hashOfManifest, manifestOf, MANIFEST_HEADER_BYTES, parseManifest } from '#lib/p2p/blob.ts';
import { BlobExchange, type BlobWant } from '#lib/p2p/blob-exchange.ts';
import { MemoryBlobStore } from '#lib/p2p/blob-store-memory.ts';
import type { PeerNet } from '#lib/p2p/peer-net.ts';
import { sha256, toHex } from '#lib/protocol/bytes.ts';
import { BLOB_CHUNK_BYTES } from '#lib/protocol/limits.ts';
import { A, C, pair, seededBytes, type Pair } from './support.ts';

const never = new AbortController().signal;
const JOB = '5'.repeat(32);
const BLOB = seededBytes(5 * BLOB_CHUNK_BYTES + 123, 9);

describe('manifest', () => {
  test.each([0, 1, BLOB_CHUNK_BYTES, BLOB_CHUNK_BYTES + 1, 3 * BLOB_CHUNK_BYTES - 1])('of %i bytes names every chunk', async (bytes) => {
    const blob = seededBytes(bytes);
    const manifest = await manifestOf(blob);
    const chunks = Math.ceil(bytes / BLOB_CHUNK_BYTES);
    expect(manifest.length).toBe(MANIFEST_HEADER_BYTES + 32 * chunks);
    const parsed = parseManifest(await hashOfBlob(blob), manifest);
    expect(parsed?.bytes).toBe(bytes);
    expect(parsed?.chunks.map(toHex)).toEqual(
      Array.from({ length: chunks }, (_, i) => toHex(sha256(blob.subarray(i * BLOB_CHUNK_BYTES, (i + 1) * BLOB_CHUNK_BYTES)))),
    );
  });

  test('is refused under another name, with a length its chunks do not have, or with bytes to spare', async () => {
    const manifest = await manifestOf(BLOB);
    expect(parseManifest('0'.repeat(64), manifest)).toBeNull();
    const longer = manifest.slice();
    new DataView(longer.buffer).setBigUint64(16, BigInt(BLOB.length + 2 * BLOB_CHUNK_BYTES), true);
    expect(parseManifest(hashOfManifest(longer), longer)).toBeNull();
    const spare = new Uint8Array([...manifest, 0]);
    expect(parseManifest(hashOfManifest(spare), spare)).toBeNull();
    expect(parseManifest(hashOfManifest(manifest), manifest)).not.toBeNull();
  });
});

async function seeded(net: PeerNet, { clock }: Pair, blob = BLOB): Promise<BlobExchange> {
  const blobs = new MemoryBlobStore();
  const hash = await hashOfBlob(blob);
  await blobs.put(hash, blob);
  const exchange = new BlobExchange({ net, blobs, clock, allows: async (_, job, capability) => job === JOB && capability === 'good' });
  exchange.attach(JOB, [hash]);
  serve(net, exchange);
  return exchange;
}

function serve(net: PeerNet, exchange: BlobExchange): void {
  net.serve(async (from, request) =>
    request.type === 'blob.manifest' || request.type === 'blob.chunk' ? exchange.answer(from, request) : { ok: false, fault: 'stopped' },
  );
}

const want = async (change: Partial<BlobWant> = {}): Promise<BlobWant> => ({
  hash: await hashOfBlob(BLOB),
  bytes: BLOB.length,
  job: JOB,
  capability: 'good',
  sources: [A],
  ...change,
});

function taker(net: PeerNet, { clock }: Pair): { exchange: BlobExchange; blobs: MemoryBlobStore } {
  const blobs = new MemoryBlobStore();
  return { blobs, exchange: new BlobExchange({ net, blobs, clock, allows: async () => false }) };
}

describe('exchange', () => {
  test('a blob comes whole, is kept, and is then had without asking', async () => {
    const peers = pair();
    const giver = await seeded(peers.a, peers);
    const { exchange, blobs } = taker(peers.b, peers);
    const outcome = await peers.wait(exchange.fetch(never, await want()));
    expect(outcome.ok && Buffer.compare(outcome.blob, BLOB)).toBe(0);
    expect(await blobs.list()).toEqual([await hashOfBlob(BLOB)]);
    const served = giver.bytesServed(JOB);
    expect((await peers.wait(exchange.fetch(never, await want({ sources: [] })))).ok).toBe(true);
    expect(giver.bytesServed(JOB)).toBe(served);
    expect(served).toBeLessThan(BLOB.length * 1.01);
  });

  test('two sources share the work', async () => {
    const peers = pair();
    const c = peers.network.join(C);
    const givers = [await seeded(peers.a, peers), await seeded(c, peers)];
    const { exchange } = taker(peers.b, peers);
    expect((await peers.wait(exchange.fetch(never, await want({ sources: [A, C] })))).ok).toBe(true);
    for (const giver of givers) expect(giver.bytesServed(JOB)).toBeGreaterThan(BLOB_CHUNK_BYTES);
  });

  test('a source that sends wrong bytes is found out chunk by chunk and the other gives all', async () => {
    const peers = pair();
    const c = peers.network.join(C);
    await seeded(peers.a, peers);
    const honest = await seeded(c, peers);
    const rotten = new BlobExchange({ net: peers.a, clock: peers.clock, allows: async () => true, blobs: await rottenStore() });
    rotten.attach(JOB, [await hashOfBlob(BLOB)]);
    peers.a.serve(async (from, request) => {
      if (request.type === 'blob.manifest') return { ok: true, body: await manifestOf(BLOB) };
      return request.type === 'blob.chunk' ? rotten.answer(from, request) : { ok: false, fault: 'stopped' };
    });
    const { exchange } = taker(peers.b, peers);
    const outcome = await peers.wait(exchange.fetch(never, await want({ sources: [A, C] })));
    expect(outcome.ok && Buffer.compare(outcome.blob, BLOB)).toBe(0);
    expect(honest.bytesServed(JOB)).toBeGreaterThanOrEqual(BLOB.length);
  });

  test('a source that is not there keeps nothing from one that is, however few the chunks', async () => {
    const peers = pair();
    const blob = seededBytes(1000, 4);
    const giver = await seeded(peers.a, peers, blob);
    const { exchange } = taker(peers.b, peers);
    const asked = { hash: await hashOfBlob(blob), bytes: 1000 };
    for (const sources of [
      [A, C],
      [C, A],
    ]) {
      const { exchange: fresh } = taker(peers.b, peers);
      expect((await peers.wait(fresh.fetch(never, await want({ ...asked, sources })))).ok).toBe(true);
    }
    expect((await peers.wait(exchange.fetch(never, await want({ ...asked, sources: [C] })))).ok).toBe(false);
    expect(giver.bytesServed(JOB)).toBeLessThan(2_500);
  });

  test('what has arrived survives a lost connection', async () => {
    const peers = pair();
    const giver = await seeded(peers.a, peers);
    const { exchange } = taker(peers.b, peers);
    let arrived = 0;
    const fetching = exchange.fetch(never, await want(), (bytes) => {
      arrived += bytes;
      if (arrived === bytes || arrived === 3 * bytes) peers.network.drop(A);
    });
    const outcome = await peers.wait(fetching);
    expect(outcome.ok && Buffer.compare(outcome.blob, BLOB)).toBe(0);
    expect(arrived).toBe(BLOB.length);
    expect(giver.bytesServed(JOB)).toBeLessThan(4 * BLOB.length);
  });

  test('a store that fails costs nothing but the next fetch: the blob is used and served from memory', async () => {
    const peers = pair();
    const giver = await seeded(peers.a, peers);
    const broken = new MemoryBlobStore();
    broken.get = () => Promise.reject(new Error('closed'));
    broken.put = () => Promise.reject(new Error('no room'));
    const c = peers.network.join(C);
    const exchange = new BlobExchange({ net: c, blobs: broken, clock: peers.clock, allows: async () => true });
    expect((await peers.wait(exchange.fetch(never, await want()))).ok).toBe(true);
    exchange.attach(JOB, [await hashOfBlob(BLOB)]);
    serve(c, exchange);
    const served = giver.bytesServed(JOB);
    const { exchange: third } = taker(peers.b, peers);
    expect((await peers.wait(third.fetch(never, await want({ sources: [C] })))).ok).toBe(true);
    expect(giver.bytesServed(JOB)).toBe(served);
  });

  test('nothing is served without a capability, of another job, or of a blob the job does not have', async () => {
    const peers = pair();
    const giver = await seeded(peers.a, peers);
    const { exchange } = taker(peers.b, peers);
    for (const change of [{ capability: 'bad' }, { job: '6'.repeat(32) }, { hash: '7'.repeat(64) }]) {
      expect(await peers.wait(exchange.fetch(never, await want(change)))).toEqual({ ok: false, reason: 'unavailable' });
    }
    expect(giver.bytesServed(JOB)).toBe(0);
  });

  test('a blob of another length than the order promises is refused before its chunks are fetched', async () => {
    const peers = pair();
    const giver = await seeded(peers.a, peers);
    const { exchange } = taker(peers.b, peers);
    expect(await peers.wait(exchange.fetch(never, await want({ bytes: BLOB.length - 1 })))).toEqual({ ok: false, reason: 'mismatch' });
    expect(giver.bytesServed(JOB)).toBeLessThan(1_000);
    expect((await peers.wait(exchange.fetch(AbortSignal.abort(), await want()))).ok).toBe(false);
  });
});

test('the memory store forgets the least recently used first', async () => {
  const store = new MemoryBlobStore(250);
  for (const name of ['x', 'y']) await store.put(name, new Uint8Array(100));
  await store.get('x');
  await store.put('z', new Uint8Array(100));
  expect(await store.list()).toEqual(['x', 'z']);
  await store.put('w', new Uint8Array(900));
  expect(await store.list()).toEqual(['w']);
});

async function rottenStore(): Promise<MemoryBlobStore> {
  const store = new MemoryBlobStore();
  await store.put(
    await hashOfBlob(BLOB),
    BLOB.map((byte, i) => (i % BLOB_CHUNK_BYTES === 7 ? byte ^ 1 : byte)),
  );
  return store;
}
