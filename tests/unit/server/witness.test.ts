/**
 * The log as its witnesses and other people's tools see it: checkers cosign what the coordinator
 * shows them, and a reader that was written from the specifications alone reads it over real HTTP.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { witnessVerifier } from '#lib/ledger/cosignature.ts';
import { parseProof } from '#lib/ledger/proof.ts';
import { httpTiles } from '#lib/ledger/client.ts';
import { TileTree } from '#lib/ledger/tile-tree.ts';
import { toHex } from '#lib/protocol/bytes.ts';
import { MemoryWitnessStore, Witness } from '#lib/roles/witness.ts';
import { systemClock } from '#lib/roles/clock.ts';
import { openMemory } from '#lib/server/store/open.ts';
import type { Store } from '#lib/server/store/store.ts';
import { auditPath, checkProof, consistency, head, openNote, readLog, verifier } from '../../reference/tlog.ts';
import { oneLease, road, world, type Client, type World } from './harness.ts';

let w: World;
let store: Store;
let server: Server;
let origin: string;
let checker: Client;

const text = async (path: string): Promise<string> => (await fetch(`${origin}${path}`)).text();
const logKey = async () => verifier(((await (await fetch(`${origin}/api/status`)).json()) as { verifier: string }).verifier);

beforeAll(async () => {
  store = await openMemory();
  w = await world({ store });
  const all = await road(w);
  checker = all.checker;
  for (let i = 0; i < 2; i++) await oneLease(all.creator, all.worker, checker);
  server = createServer((request, response) => {
    void w.coordinator.http(new Request(`http://c${request.url}`)).then(async (answer) => {
      response.writeHead(answer!.status, Object.fromEntries(answer!.headers));
      response.end(Buffer.from(await answer!.arrayBuffer()));
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}, 120_000);
afterAll(async () => {
  server.close();
  await w.coordinator.close();
});

/** Answers as a checker's witness does. @returns the status it gave, or null when it was asked nothing. */
async function witnessed(client: Client, witness: Witness): Promise<number | null> {
  const before = client.all('checkpoint').length;
  await w.pass(1_500);
  const asked = client.all('checkpoint').slice(before).at(-1);
  if (!asked) return null;
  const answer = await witness.add({ origin: 'test', key: w.coordinator.key }, asked.body);
  await client.request({ type: 'cosigned', ...answer });
  return answer.status;
}

const fill = (count: number): Promise<unknown> =>
  store.write(async (tx) => {
    for (let i = 0; i < count; i++) tx.append({ type: 'void', lease: '0'.repeat(32), reason: `filler ${i}`, atMs: 0 });
  });

test('a checker’s cosignature is served with the checkpoint, and a reader of the specifications takes it', async () => {
  const witness = new Witness({ identity: checker.identity, store: new MemoryWitnessStore(), clock: systemClock });
  expect(await text('/log/cosigned')).toContain('No witness');
  expect(await witnessed(checker, witness)).toBe(200);
  const log = await logKey();
  for (const path of ['/log/checkpoint', '/log/cosigned']) {
    const note = await text(path);
    const by = openNote(note, verifier(witnessVerifier(checker.key)));
    expect(by.text).toBe(openNote(note, log).text);
    expect(head(by.text).size).toBe(witness.size);
  }
  // Nothing new, nothing asked; something new, and the proof starts where this witness is.
  expect(await witnessed(checker, witness)).toBeNull();
  await fill(700);
  expect(await witnessed(checker, witness)).toBe(200);
  expect(head(openNote(await text('/log/cosigned'), log).text).size).toBe(witness.size);
});

test('a witness that has forgotten is asked from the beginning, one that is ahead is not cosigning a shorter log', async () => {
  const forgetful = new Witness({ identity: checker.identity, store: new MemoryWitnessStore(), clock: systemClock });
  await fill(1);
  expect(await witnessed(checker, forgetful)).toBe(409);
  expect(await witnessed(checker, forgetful)).toBe(200);
});

test('a false cosignature is not kept', async () => {
  await fill(1);
  const before = await text('/log/cosigned');
  await w.pass(1_500);
  const lie = openNote(before, await logKey()).text;
  const line = before.split('\n').find((one) => one.startsWith('— pictor.witness/'))!;
  expect(lie).not.toBe('');
  await checker.request({ type: 'cosigned', status: 200, body: `${line}\n` });
  expect(await text('/log/cosigned')).toBe(before);
});

test('tiles, entries, roots and proofs of a log of three tiles are those of RFC 6962', async () => {
  const log = await logKey();
  await w.pass(1_500);
  const read = await readLog(`${origin}/log`, log);
  expect(read.head).toMatchObject({ origin: 'test' });
  expect(read.head.size).toBeGreaterThan(700);
  const { size } = read.head;
  const tree = new TileTree(size, httpTiles(AbortSignal.timeout(30_000), origin, fetch));
  expect(toHex(await tree.root())).toBe(read.head.root.toString('hex'));
  for (const index of [0, 1, 255, 256, 511, 512, size - 1]) {
    expect((await tree.inclusion(index)).map(toHex)).toEqual(auditPath(index, read.leafHashes).map((hash) => hash.toString('hex')));
    const proof = await text(`/log/proof/${index}`);
    expect(parseProof(proof)?.extra).toEqual(new Uint8Array(read.entries[index]!));
    checkProof(proof, read.entries[index]!, log);
    expect(() => checkProof(proof, read.entries[index === 0 ? 1 : 0]!, log)).toThrow('does not lead');
  }
  for (const old of [1, 2, 3, 255, 256, 257, 512, size - 1, size])
    expect((await tree.consistency(old)).map(toHex)).toEqual(consistency(old, read.leafHashes).map((hash) => hash.toString('hex')));
});

test('a proof in a bundle carries the cosignatures of its checkpoint', async () => {
  const log = await logKey();
  const proof = await text('/log/proof/3');
  checkProof(proof, parseProof(proof)!.extra!, log, [verifier(witnessVerifier(checker.key))]);
});
