/** Files of an agent: whole or absent, bounded, private where they hold secrets. */
import { mkdtempSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FileBlobStore, FileOutbox, identityFromFile } from '#cli/stores.ts';
import { sha256, toHex, utf8, type Bytes } from '#lib/protocol/bytes.ts';
import { seal } from '#lib/protocol/envelope.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pictor-stores-'));
});

const named = (text: string): { hash: string; bytes: Bytes } => ({ hash: toHex(sha256(utf8(text))), bytes: utf8(text) });

test('a key is made once, stays, and only its owner can read it', async () => {
  const path = join(folder, 'keys/worker.key');
  const first = await identityFromFile(path);
  expect((await identityFromFile(path)).key).toBe(first.key);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  writeFileSync(path, 'not a key');
  await expect(identityFromFile(path)).rejects.toThrow(/expected 64 hex digits/);
});

test('blobs come back, and nothing half-written is listed', async () => {
  const store = new FileBlobStore(join(folder, 'blobs'));
  const { hash, bytes } = named('scene');
  expect(await store.get(hash)).toBeNull();
  expect(await store.list()).toEqual([]);
  await store.put(hash, bytes);
  writeFileSync(join(folder, 'blobs', `${'0'.repeat(64)}.1.part`), 'half');
  expect(await store.get(hash)).toEqual(bytes);
  expect(await store.list()).toEqual([hash]);
  await store.delete(hash);
  expect(await store.list()).toEqual([]);
});

test('beyond its bound the store drops what was not used longest, never what it just took', async () => {
  const store = new FileBlobStore(join(folder, 'blobs'), 10);
  const [a, b, c] = ['aaaa', 'bbbb', 'cccc'].map(named) as [ReturnType<typeof named>, ReturnType<typeof named>, ReturnType<typeof named>];
  await store.put(a.hash, a.bytes);
  await store.put(b.hash, b.bytes);
  utimesSync(join(folder, 'blobs', a.hash), 100, 100);
  utimesSync(join(folder, 'blobs', b.hash), 50, 50);
  await store.get(b.hash);
  await store.put(c.hash, c.bytes);
  expect([...(await store.list())].toSorted()).toEqual([b.hash, c.hash].toSorted());
  const big = named('x'.repeat(50));
  await store.put(big.hash, big.bytes);
  expect(await store.list()).toEqual([big.hash]);
});

test('names that are not hashes are refused', async () => {
  await expect(new FileBlobStore(folder).get('../../etc/passwd')).rejects.toThrow(RangeError);
});

test('an envelope survives its process until it is removed; damaged files are passed over', async () => {
  const identity = await identityFromFile(join(folder, 'key'));
  const envelope = await seal(identity, { network: 'n', purpose: 'grant', body: { work: '0'.repeat(16) }, atMs: 1 });
  await new FileOutbox(join(folder, 'outbox')).save(envelope);
  writeFileSync(join(folder, 'outbox', 'f'.repeat(64)), '{');
  const outbox = new FileOutbox(join(folder, 'outbox'));
  expect(await outbox.load()).toEqual([envelope]);
  await outbox.remove(envelope);
  expect(await outbox.load()).toEqual([]);
  expect(readdirSync(join(folder, 'outbox'))).toEqual(['f'.repeat(64)]);
});
