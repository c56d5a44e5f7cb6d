/** The log as others read it: tiles, proofs, checkpoint and replay; and every lie in it named by its line. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCheckpoint, parseCheckpoint, signCheckpoint } from '#lib/ledger/checkpoint.ts';
import { fetchLog } from '#lib/ledger/client.ts';
import { decodeLeaf, encodeLeaf, type LogLeaf } from '#lib/ledger/leaf.ts';
import { hashLeaf, rootFromInclusion, rootOf } from '#lib/ledger/merkle.ts';
import { formatTileIndex, parseBundle, parseTilePath } from '#lib/ledger/tiles.ts';
import { verifyLog } from '#lib/ledger/verify.ts';
import { fromHex, randomBytes, toHex, type Bytes } from '#lib/protocol/bytes.ts';
import { identityFromSecret, type Identity } from '#lib/protocol/envelope.ts';
import { systemClock } from '#lib/server/clock.ts';
import { LogService } from '#lib/server/log.ts';
import { openMemory } from '#lib/server/store/open.ts';
import type { Store } from '#lib/server/store/store.ts';
import { oneLease, road, world, type World } from './harness.ts';

let w: World;
let store: Store;
let leaves: Bytes[];
let forger: Identity;
const http = async (path: string): Promise<Response> => (await w.coordinator.http(new Request(`http://c${path}`)))!;

beforeAll(async () => {
  store = await openMemory();
  w = await world({ store });
  const { creator, worker, checker, job } = await road(w);
  for (let i = 0; i < 3; i++) await oneLease(creator, worker, checker);
  await worker.ask(1);
  await worker.commit(worker.last('grant')!);
  await checker.verdict(checker.last('check')!, 'fail');
  await creator.submit('job.cancel', { job });
  w.clock.advance(2_000);
  const log = await fetchLog(AbortSignal.timeout(60_000), 'http://c', (url) => http(new URL(url).pathname + new URL(url).search));
  if (!log.ok) throw new Error(log.reason);
  leaves = log.leaves;
  forger = await identityFromSecret(randomBytes(32));
}, 120_000);
afterAll(() => w.coordinator.close());

describe('the served log', () => {
  test('verifies, and sums up what happened', async () => {
    const checkpoint = await (await http('/log/checkpoint')).text();
    expect(await verifyLog(checkpoint, w.coordinator.key, leaves)).toMatchObject({
      ok: true,
      summary: {
        origin: 'test',
        leaves: leaves.length,
        jobs: 1,
        commitments: 4,
        draws: 4,
        verdicts: 4,
        settled: 3,
        voided: 1,
        mintedMicro: '100000000',
      },
    });
  });

  test('is not believed under another key, or cut short', async () => {
    const checkpoint = await (await http('/log/checkpoint')).text();
    expect(await verifyLog(checkpoint, forger.key, leaves)).toMatchObject({ ok: false, line: null });
    expect(await verifyLog(checkpoint, w.coordinator.key, leaves.slice(1))).toMatchObject({ ok: false, line: leaves.length - 1 });
    expect(await verifyLog(checkpoint.replace('test\n', 'tost\n'), w.coordinator.key, leaves)).toMatchObject({ ok: false, line: null });
    expect(await verifyLog('nonsense', w.coordinator.key, leaves)).toMatchObject({ ok: false, line: null });
  });

  test('proves each of its leaves', async () => {
    for (let leaf = 0; leaf < leaves.length; leaf++) {
      const { checkpoint, proof } = (await (await http(`/api/proof?leaf=${leaf}`)).json()) as { checkpoint: string; proof: string[] };
      const { size, root } = (await openCheckpoint(checkpoint, fromHex(w.coordinator.key)))!;
      expect(rootFromInclusion(hashLeaf(leaves[leaf]!), leaf, size, proof.map(fromHex))).toEqual(root);
    }
    expect((await http(`/api/proof?leaf=${leaves.length}`)).status).toBe(400);
  });

  test('is served as tiles and entry bundles', async () => {
    const width = leaves.length;
    const hashes = new Uint8Array(await (await http(`/log/tile/0/000.p/${width}`)).arrayBuffer());
    expect(toHex(hashes)).toBe(leaves.map((leaf) => toHex(hashLeaf(leaf))).join(''));
    const bundle = parseBundle(new Uint8Array(await (await http(`/log/tile/entries/000.p/${width}`)).arrayBuffer()));
    expect(bundle).toEqual(leaves);
    expect((await http('/log/tile/0/000')).status).toBe(404);
    expect((await http('/log/tile/0/0')).status).toBe(400);
  });

  test('lists entries newest first, and finds them by account, job and kind', async () => {
    const page = async (query: string) =>
      (await (await http(`/api/entries?${query}`)).json()) as {
        total: number;
        entries: { index: number; kind: string; postings: [string, string][] }[];
      };
    const all = await page('limit=100');
    expect(all.total).toBe(6);
    expect(all.entries.map((entry) => entry.kind)).toEqual(['refund', 'settle', 'settle', 'settle', 'escrow', 'grant']);
    for (const entry of all.entries) expect(entry.postings.reduce((sum, [, micro]) => sum + BigInt(micro), 0n)).toBe(0n);
    expect((await page('q=settle&limit=2&offset=1')).entries).toHaveLength(2);
    expect((await page('q=escrow:')).total).toBe(5);
    expect((await page('q=%25')).total).toBe(0);
    expect((await http('/api/entries?limit=-1')).status).toBe(400);
  });
});

describe('a lie', () => {
  /** Signs a log that the coordinator itself would have forged: only replay can tell. */
  async function verdictOn(change: (log: LogLeaf[]) => LogLeaf[]): Promise<Awaited<ReturnType<typeof verifyLog>>> {
    const forged = change(leaves.map((bytes) => structuredClone(decodeLeaf(bytes)!))).map((leaf) =>
      leaf.type === 'genesis' ? { ...leaf, key: forger.key } : leaf,
    );
    const bytes = forged.map(encodeLeaf);
    const checkpoint = await signCheckpoint(forger, fromHex(forger.key), {
      origin: 'test',
      size: bytes.length,
      root: rootOf(bytes.map(hashLeaf)),
    });
    return verifyLog(checkpoint, forger.key, bytes);
  }
  const line = (type: LogLeaf['type'], nth = 0, kind?: string): number => {
    const at = leaves.flatMap((bytes, i) => {
      const leaf = decodeLeaf(bytes)!;
      return leaf.type === type && (kind === undefined || (leaf.type === 'entry' && leaf.kind === kind)) ? [i] : [];
    });
    return at[nth]!;
  };
  const edit =
    <T extends LogLeaf['type']>(at: number, change: (leaf: Extract<LogLeaf, { type: T }>) => void) =>
    (log: LogLeaf[]): LogLeaf[] => {
      change(log[at] as Extract<LogLeaf, { type: T }>);
      return log;
    };
  const twice = (at: number) => (log: LogLeaf[]) => [...log.slice(0, at + 1), log[at]!, ...log.slice(at + 1)];
  const without = (at: number) => (log: LogLeaf[]) => log.filter((_, i) => i !== at);

  test('is not found where there is none (control)', async () => {
    expect(await verdictOn((log) => log)).toMatchObject({ ok: true });
  });

  test('money from nowhere', async () => {
    const at = line('entry', 0, 'grant');
    expect(await verdictOn(edit<'entry'>(at, (leaf) => (leaf.postings[1]![1] = '100000001')))).toEqual({
      ok: false,
      line: at,
      reason: 'The postings of a grant sum to 1, not to zero.',
    });
  });

  test('an account below zero', async () => {
    const at = line('entry', 0, 'escrow');
    expect(await verdictOn(without(line('entry', 0, 'grant')))).toMatchObject({
      ok: false,
      line: at - 1,
      reason: expect.stringContaining('below zero') as string,
    });
  });

  test('first tokens twice', async () => {
    const at = line('entry', 0, 'grant');
    expect(await verdictOn(twice(at))).toMatchObject({ ok: false, line: at + 1, reason: 'A key is granted its first tokens twice.' });
  });

  test('a lease paid twice', async () => {
    const at = line('entry', 0, 'settle');
    expect(await verdictOn(twice(at))).toMatchObject({ ok: false, line: at + 1, reason: 'A lease is settled twice.' });
  });

  test('a lease paid to somebody else', async () => {
    const at = line('entry', 1, 'settle');
    const change = edit<'entry'>(at, (leaf) => (leaf.postings[1]![0] = forger.key));
    expect(await verdictOn(change)).toMatchObject({ ok: false, line: at, reason: expect.stringContaining('to others') as string });
  });

  test('a lease paid without a verdict', async () => {
    const at = line('verdict', 0);
    const settle = line('entry', 0, 'settle') - 1;
    expect(await verdictOn(without(at))).toMatchObject({
      ok: false,
      line: settle,
      reason: 'A lease is settled before a checker passed it.',
    });
  });

  test('a failing verdict turned', async () => {
    const at = line('verdict', 3);
    const turn = edit<'verdict'>(at, (leaf) => (leaf.verdict = 'pass'));
    expect(await verdictOn(turn)).toEqual({ ok: false, line: at, reason: 'The leaf says something else than its signed request.' });
  });

  test('a draw before the commitment', async () => {
    const [commitment, draw] = [line('commitment', 0), line('draw', 0)];
    const swap = (log: LogLeaf[]): LogLeaf[] => {
      [log[commitment], log[draw]] = [log[draw]!, log[commitment]!];
      return log;
    };
    expect(await verdictOn(swap)).toMatchObject({ ok: false, line: commitment, reason: 'A check is drawn before the lease is committed.' });
  });

  test('a steered draw: another beacon, another nonce, other leaves', async () => {
    const draw = line('draw', 1);
    expect(await verdictOn(edit<'draw'>(draw, (leaf) => (leaf.beacon = '0'.repeat(64))))).toMatchObject({
      ok: false,
      line: draw,
      reason: expect.stringContaining('beacon') as string,
    });
    expect(await verdictOn(edit<'draw'>(draw, (leaf) => (leaf.nonceCommitment = '0'.repeat(64))))).toMatchObject({
      ok: false,
      line: draw,
      reason: expect.stringContaining('nonce') as string,
    });
    const verdict = line('verdict', 1);
    expect(await verdictOn(edit<'verdict'>(verdict, (leaf) => (leaf.drawn = [0, 1, 2, 3])))).toMatchObject({ ok: false, line: verdict });
    expect(await verdictOn(without(line('nonces')))).toMatchObject({ ok: false, line: line('draw') - 1 });
  });

  test('an escrow or a refund of another size', async () => {
    const escrow = line('entry', 0, 'escrow');
    const more = edit<'entry'>(
      escrow,
      (leaf) => (leaf.postings = leaf.postings.map(([name, micro]) => [name, String(2n * BigInt(micro))])),
    );
    expect(await verdictOn(more)).toEqual({ ok: false, line: escrow, reason: 'An escrow is not the cap of its job.' });
    const refund = line('entry', 0, 'refund');
    const less = edit<'entry'>(
      refund,
      (leaf) =>
        (leaf.postings = leaf.postings.map(([name, micro]) => [
          name,
          String(BigInt(micro) < 0n ? BigInt(micro) + 1n : BigInt(micro) - 1n),
        ])),
    );
    expect(await verdictOn(less)).toMatchObject({
      ok: false,
      line: refund,
      reason: expect.stringContaining('all of the escrow') as string,
    });
  });

  test('a lease voided before it is paid, a log without its founding, a leaf of no kind', async () => {
    const at = line('entry', 0, 'settle');
    const lease = (decodeLeaf(leaves[at]!) as Extract<LogLeaf, { type: 'entry' }>).lease!;
    const voided = (log: LogLeaf[]): LogLeaf[] => [...log.slice(0, at), { type: 'void', lease, reason: 'x', atMs: 0 }, ...log.slice(at)];
    expect(await verdictOn(voided)).toMatchObject({
      ...{ ok: false, line: at },
      reason: 'A lease that was passed and received is not settled at once.',
    });
    expect(await verdictOn(without(0))).toMatchObject({ ok: false, line: 0 });
  });
});

test('a tree of several tiles has the roots and proofs of RFC 6962', async () => {
  const many = await openMemory();
  const identity = await identityFromSecret(randomBytes(32));
  const log = new LogService({ store: many, identity, origin: 'big', clock: systemClock });
  const hashes: Bytes[] = [];
  const grow = async (count: number): Promise<void> => {
    await many.write(async (tx) => {
      for (let i = 0; i < count; i++) {
        const leaf: LogLeaf = { type: 'void', lease: '0'.repeat(32), reason: String(hashes.length), atMs: 0 };
        tx.append(leaf);
        hashes.push(hashLeaf(encodeLeaf(leaf)));
      }
    });
  };
  for (const count of [1, 254, 1, 1, 255, 400]) {
    await grow(count);
    const { note, size } = await log.sign();
    expect(size).toBe(hashes.length);
    expect(parseCheckpoint(note)!.root).toEqual(rootOf(hashes));
    const indices = [0, 1, 255, 256, 511, 512, size - 1].filter((index) => index < size);
    const proofs = await log.inclusions(indices, size);
    indices.forEach((index, i) => expect(rootFromInclusion(hashes[index]!, index, size, proofs[i]!)).toEqual(rootOf(hashes)));
  }
  expect(await log.tile(1, 0, 3)).toHaveLength(96);
  expect(await log.tile(1, 0, 4)).toBeNull();
  await many.close();
}, 60_000);

test('tile names have one spelling', () => {
  expect(formatTileIndex(0)).toBe('000');
  expect(formatTileIndex(1_234_067)).toBe('x001/x234/067');
  expect(parseTilePath('0/x001/x234/067.p/8')).toEqual({ level: 0, index: 1_234_067, width: 8 });
  expect(parseTilePath('entries/000')).toEqual({ level: 'entries', index: 0, width: 256 });
  for (const bad of ['0/0', '0/x000/000', '00/000', '64/000', '0/000.p/0', '0/000.p/257', '0/000.p/256', '0/../000'])
    expect(parseTilePath(bad)).toBeNull();
});
