/** A witness cosigns one history: what extends it, and nothing that a log shows beside it. */
import { beforeEach, describe, expect, test } from 'vitest';
import { checkpointText, signCheckpoint } from '#lib/ledger/checkpoint.ts';
import { openCosignature, witnessKey } from '#lib/ledger/cosignature.ts';
import { consistencyProof, hashLeaf, rootOf } from '#lib/ledger/merkle.ts';
import { parseSignatureLine } from '#lib/ledger/note.ts';
import { formatAddCheckpoint, parseAddCheckpoint } from '#lib/ledger/witnessing.ts';
import { fromHex, utf8, type Bytes } from '#lib/protocol/bytes.ts';
import { identityFromSecret, type Identity } from '#lib/protocol/envelope.ts';
import { MemoryWitnessStore, Witness, type WitnessAnswer, type WitnessStore } from '#lib/roles/witness.ts';

const ORIGIN = 'test';
const log = await identityFromSecret(new Uint8Array(32).fill(1));
const forger = await identityFromSecret(new Uint8Array(32).fill(3));
const me = await identityFromSecret(new Uint8Array(32).fill(2));
const history = (word: string, same: number, count: number): Bytes[] =>
  Array.from({ length: count }, (_, i) => hashLeaf(utf8(i < same ? `same ${i}` : `${word} ${i}`)));
const honest = history('honest', 10, 40);
const other = history('other', 10, 40);

const noteOf = (leaves: readonly Bytes[], size: number, by: Identity = log, origin = ORIGIN): Promise<string> =>
  signCheckpoint(by, fromHex(by.key), { origin, size, root: rootOf(leaves.slice(0, size)) });

let store: WitnessStore;
let witness: Witness;
const clock = { nowMs: () => 5_000 };

/** What a coordinator with these leaves shows. */
async function show(leaves: readonly Bytes[], old: number, size: number): Promise<WitnessAnswer> {
  const proof = old === 0 ? [] : consistencyProof(leaves.slice(0, size), old);
  return witness.add({ origin: ORIGIN, key: log.key }, formatAddCheckpoint({ old, proof, note: await noteOf(leaves, size) }));
}

beforeEach(() => {
  store = new MemoryWitnessStore();
  witness = new Witness({ identity: me, store, clock });
});

test('cosigns the first checkpoint that it sees, and every one that extends the last', async () => {
  for (const [old, size] of [
    [0, 7],
    [7, 8],
    [8, 31],
    [31, 31],
  ] as const) {
    const answer = await show(honest, old, size);
    expect(answer.status).toBe(200);
    const { signature } = parseSignatureLine(answer.body.trimEnd())!;
    const text = checkpointText({ origin: ORIGIN, size, root: rootOf(honest.slice(0, size)) });
    expect(await openCosignature(text, signature, witnessKey(me.key))).toBe(5);
  }
  expect(witness).toMatchObject({ size: 31, cosigned: 4, split: null, doubts: [] });
});

describe('two histories', () => {
  test('of one size are proof by themselves: kept, and nothing is cosigned any more', async () => {
    await show(honest, 0, 20);
    expect(await show(other, 20, 20)).toEqual({ status: 422, body: '' });
    expect(witness.split).toEqual({ seen: await noteOf(honest, 20), shown: await noteOf(other, 20) });
    expect((await show(honest, 20, 30)).status).toBe(422);
    // Not even by a witness that starts again with what this one remembers.
    witness = new Witness({ identity: me, store, clock });
    expect((await show(honest, 20, 30)).status).toBe(422);
    expect(witness.split).not.toBeNull();
  });

  test('are caught whatever old size the second one claims', async () => {
    await show(honest, 0, 20);
    expect((await show(other, 0, 20)).status).toBe(422);
    expect(witness.split).not.toBeNull();
  });

  test('of different sizes have no proof between them: not cosigned, and kept as a doubt', async () => {
    await show(honest, 0, 20);
    expect(await show(other, 20, 25)).toEqual({ status: 422, body: '' });
    expect(witness).toMatchObject({ size: 20, split: null, doubts: [{ seen: await noteOf(honest, 20), shown: await noteOf(other, 25) }] });
    // A proof is not signed, so a broken one does not end the witnessing of an honest log.
    expect((await show(honest, 20, 24)).status).toBe(200);
    // But when the log's other word is shown at the doubted size, the two words are proof.
    expect((await show(honest, 24, 25)).status).toBe(422);
    expect(witness.split).toEqual({ seen: await noteOf(other, 25), shown: await noteOf(honest, 25) });
  });

  test('with a common beginning, shown turn by turn: only one of them is cosigned', async () => {
    await show(honest, 0, 10);
    const answers = [await show(honest, 10, 20), await show(other, 10, 20), await show(other, 20, 30)];
    expect(answers.map(({ status }) => status)).toEqual([200, 422, 422]);
  });

  test('a rollback is told where the witness is, and is not cosigned', async () => {
    await show(honest, 0, 20);
    expect(await show(honest, 0, 15)).toEqual({ status: 409, body: '20\n' });
    expect(witness).toMatchObject({ size: 20, cosigned: 1, split: null });
  });
});

describe('is not fooled by', () => {
  const shown = async (note: string, key = log.key): Promise<number> =>
    (await witness.add({ origin: ORIGIN, key }, formatAddCheckpoint({ old: 0, proof: [], note }))).status;

  test('a checkpoint that another key signed', async () => expect(await shown(await noteOf(honest, 5, forger))).toBe(403));
  test('a log of another name', async () => expect(await shown(await noteOf(honest, 5, log, 'elsewhere'))).toBe(404));
  test('a key that takes over a log’s name', async () => {
    await show(honest, 0, 5);
    expect(await shown(await noteOf(other, 12, forger), forger.key)).toBe(403);
    expect(witness.doubts).toEqual([]);
  });
  test('what is no request', async () => {
    const at = { origin: ORIGIN, key: log.key };
    for (const body of ['', 'old 0', 'old 01\n\n', `old 0\nAAAA\n\n${await noteOf(honest, 5)}`, `old 6\n\n${await noteOf(honest, 5)}`])
      expect((await witness.add(at, body)).status).toBe(400);
    expect(parseAddCheckpoint(`old 0\n\n${await noteOf(honest, 5)}`)?.old).toBe(0);
  });
});

test('a cosignature whose memory could not be kept is not given', async () => {
  const full: WitnessStore = { load: () => Promise.resolve(null), save: () => Promise.reject(new Error('disk full')) };
  witness = new Witness({ identity: me, store: full, clock });
  await expect(show(honest, 0, 5)).rejects.toThrow('disk full');
});

test('of requests at once one after the other is judged', async () => {
  const answers = await Promise.all([show(honest, 0, 20), show(other, 0, 20), show(honest, 0, 21)]);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
});
