/** The ledger page's rows and its yes or no, over a log served in memory: sound, cut short, rewritten, out of reach. */
import { describe, expect, it } from 'vitest';
import { signCheckpoint } from '#lib/ledger/checkpoint.ts';
import { encodeLeaf, type LogLeaf } from '#lib/ledger/leaf.ts';
import { fromHex, type Bytes } from '#lib/protocol/bytes.ts';
import { envelopeHash, identityFromSecret, seal, type Identity } from '#lib/protocol/envelope.ts';
import { LogReader } from '#lib/state/log-reader.ts';
import { hashLeaf, rootOf } from '#lib/ledger/merkle.ts';
import { formatTilePath, parseTilePath } from '#lib/ledger/tiles.ts';
import { judgeLog, postedTo, type Seen, type Verdict } from '#lib/state/log-verdict.ts';

const NETWORK = 'pictor-test';
const identity = await identityFromSecret(new Uint8Array(32).fill(7));
const [anna, bert, cleo] = await Promise.all([11, 12, 13].map((byte) => identityFromSecret(new Uint8Array(32).fill(byte))));
const account = (byte: string): string => byte.repeat(64);

type Entry = Extract<LogLeaf, { type: 'entry' }>;

const grant = (to: string, micro: string, request: string): Entry => ({
  type: 'entry',
  kind: 'grant',
  job: null,
  lease: null,
  request,
  signed: null,
  postings: [
    ['mint', `-${micro}`],
    [to, micro],
  ],
  atMs: 1000,
});

/** A grant that its key asked for, as replay wants it. */
async function asked(by: Identity, micro: string): Promise<Entry> {
  const signed = await seal(by, { network: NETWORK, purpose: 'grant', body: { work: '0'.repeat(16) }, atMs: 1000 });
  return { ...grant(by.key, micro, envelopeHash(signed)), signed };
}

const LOG: readonly LogLeaf[] = [
  { type: 'genesis', network: NETWORK, key: identity.key, atMs: 1 },
  await asked(anna!, '5000000'),
  await asked(bert!, '7000000'),
];

const bundle = (leaves: readonly Bytes[]): Bytes =>
  Uint8Array.from(leaves.flatMap((leaf) => [leaf.length >> 8, leaf.length & 255, ...leaf]));

/** A coordinator's read-only surface over these leaves; `signed` leaves are what its checkpoint is made of. */
async function serve(
  leaves: readonly LogLeaf[],
  signed: readonly LogLeaf[] = leaves,
  key = identity.key,
): Promise<(url: string) => Promise<Response>> {
  const root = rootOf(signed.map(encodeLeaf).map(hashLeaf));
  const note = await signCheckpoint(identity, fromHex(identity.key), { origin: NETWORK, size: signed.length, root });
  return async (url) => {
    const { pathname } = new URL(url, 'http://log.test');
    if (pathname === '/api/status') return Response.json({ key });
    if (pathname === '/log/checkpoint') return new Response(note);
    const tile = parseTilePath(pathname.replace('/log/tile/', ''));
    if (!tile || tile.level === 1) return new Response('', { status: 404 });
    expect(`/log/tile/${formatTilePath(tile)}`).toBe(pathname);
    const some = leaves.map(encodeLeaf).slice(256 * tile.index, 256 * tile.index + tile.width);
    return new Response(tile.level === 0 ? Uint8Array.from(some.flatMap((leaf) => [...hashLeaf(leaf)])) : bundle(some));
  };
}

const judge = async (fetch: (url: string) => Promise<Response>, seen: Seen | null = null, steps: string[] = []): Promise<Verdict> =>
  judgeLog(new AbortController().signal, { fetch, base: '', seen, own: anna!.key, onStep: (step) => steps.push(step) });

describe('the verdict on a log', () => {
  it('says yes to a sound log, adds up the own account and remembers the checkpoint', async () => {
    const steps: string[] = [];
    const verdict = await judge(await serve(LOG), null, steps);
    expect(verdict).toMatchObject({ state: 'yes', ownMicro: 5_000_000n, seen: { key: identity.key, size: 3 } });
    expect(steps.at(-1)).toBe('Replaying 3 leaves');
  });

  it('says yes to a log that extends the one seen before', async () => {
    const before = await judge(await serve(LOG.slice(0, 2)));
    if (before.state !== 'yes') throw new Error('expected yes');
    expect((await judge(await serve(LOG), before.seen)).state).toBe('yes');
  });

  it('names the step when history was rewritten', async () => {
    const before = await judge(await serve([LOG[0]!, await asked(cleo!, '1')]));
    if (before.state !== 'yes') throw new Error('expected yes');
    expect(await judge(await serve(LOG), before.seen)).toMatchObject({ state: 'no', step: 'the checkpoint seen before' });
  });

  it('names the leaf that makes money out of nothing', async () => {
    const forged: LogLeaf = { ...(await asked(cleo!, '1')), postings: [[cleo!.key, '1']] };
    expect(await judge(await serve([...LOG, forged]))).toMatchObject({ state: 'no', step: 'leaf 3' });
  });

  it('names the checkpoint when the leaves are not what it signs', async () => {
    const other = [LOG[0]!, LOG[1]!, await asked(bert!, '7000001')];
    expect(await judge(await serve(other, LOG))).toMatchObject({ state: 'no', step: 'the signed checkpoint' });
  });

  it('holds the coordinator to its key', async () => {
    const seen = { key: account('d'), size: 0, root: '' };
    expect(await judge(await serve(LOG), seen)).toMatchObject({ state: 'no', step: 'the coordinator’s key' });
  });

  it('does not call a log false that it could not fetch', async () => {
    expect((await judge(async () => new Response('', { status: 503 }))).state).toBe('unknown');
    expect((await judge(() => Promise.reject(new Error('offline')))).state).toBe('unknown');
  });
});

describe('rows of the log', () => {
  const signal = new AbortController().signal;
  const leaves = [...LOG, ...Array.from({ length: 1200 }, (_, i): LogLeaf => grant(account('e'), String(i + 1), account('4')))];
  const encoded = leaves.map(encodeLeaf);
  const reader = (asked: number[] = []): LogReader =>
    new LogReader(async (_, from, limit) => {
      asked.push(from);
      return bundle(encoded.slice(from, from + limit));
    });

  it('shows entries newest first and pages to the beginning', async () => {
    const first = await reader().page(signal, encoded.length, 5, '');
    expect(first.rows.map(({ index }) => index)).toEqual([1202, 1201, 1200, 1199, 1198]);
    const last = await reader().page(signal, 3, 5, '');
    expect(last.rows.map(({ index, kind }) => [index, kind])).toEqual([
      [2, 'grant'],
      [1, 'grant'],
    ]);
    expect(last.next).toBe(0);
  });

  it('finds an account across windows and asks for a full window once', async () => {
    const asked: number[] = [];
    const log = reader(asked);
    const found = await log.page(signal, encoded.length, 5, bert!.key);
    expect(found.rows.map(({ index }) => index)).toEqual([2]);
    await log.page(signal, encoded.length, 5, anna!.key);
    expect(asked).toEqual([1000, 0, 1000]);
  });

  it('fails loudly when the log holds fewer leaves than it claims', async () => {
    await expect(reader().page(signal, encoded.length + 5, 5, '')).rejects.toThrow(/did not give leaves/);
  });

  it('adds up one account', () => {
    expect(leaves.reduce((sum, leaf) => sum + postedTo(leaf, bert!.key), 0n)).toBe(7_000_000n);
    expect(leaves.reduce((sum, leaf) => sum + postedTo(leaf, account('f')), 0n)).toBe(0n);
  });
});
