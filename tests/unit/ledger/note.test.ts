/** Signed notes, cosignatures and proofs as C2SP writes them: known texts, and the many that are not exactly so. */
import { describe, expect, test } from 'vitest';
import { openCheckpoint, parseCheckpoint, signCheckpoint, withSignatures } from '#lib/ledger/checkpoint.ts';
import { cosign, cosignaturesOn, openCosignature, witnessKey, witnessVerifier } from '#lib/ledger/cosignature.ts';
import { hashLeaf, inclusionProof, rootOf } from '#lib/ledger/merkle.ts';
import { formatNote, fromBase64, parseNote, parseVerifierKey, signaturesBy } from '#lib/ledger/note.ts';
import { formatProof, parseProof, proves } from '#lib/ledger/proof.ts';
import { fromHex, utf8 } from '#lib/protocol/bytes.ts';
import { identityFromSecret, verifySignature } from '#lib/protocol/envelope.ts';
import { checkProof, openNote, verifier } from '../../reference/tlog.ts';

const log = await identityFromSecret(new Uint8Array(32).fill(1));
const witness = await identityFromSecret(new Uint8Array(32).fill(2));
const leaves = Array.from({ length: 300 }, (_, i) => utf8(`leaf ${i}`));
const hashes = leaves.map(hashLeaf);
const note = await signCheckpoint(log, fromHex(log.key), { origin: 'example.com/log', size: 300, root: rootOf(hashes) });

/** The example of Go's package golang.org/x/mod/sumdb/note, where the format comes from. */
const KNOWN_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const KNOWN_NOTE =
  'If you think cryptography is the answer to your problem,\nthen you don’t know what your problem is.\n\n' +
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';

describe('a note', () => {
  test('of others is read, its signature verified, its text told from its signatures', async () => {
    const key = parseVerifierKey(KNOWN_KEY)!;
    const parsed = parseNote(KNOWN_NOTE.replace('’', "'"))!;
    const [signature] = signaturesBy(parsed, key);
    expect(await verifySignature(signature!, utf8(parsed.text), key.key)).toBe(true);
    expect(await verifySignature(signature!, utf8(`${parsed.text} `), key.key)).toBe(false);
    expect(formatNote(parsed)).toBe(KNOWN_NOTE.replace('’', "'"));
  });

  test('may hold empty lines: the last one ends its text', () => {
    expect(parseNote('a\n\nb\n\n— n AAAAAAA=\n')?.text).toBe('a\n\nb\n');
  });

  test.each([
    ['no newline at the end', note.slice(0, -1)],
    ['no signature', note.slice(0, note.indexOf('\n\n') + 2)],
    ['a carriage return', note.replace('\n', '\r\n')],
    ['a name with a plus', note.replace('— example.com/log', '— example.com+log')],
    ['a hyphen for the dash', note.replace('—', '-')],
    ['base64 without padding', note.replace(/=+\n$/, '\n')],
    ['half a character', note.replace('example', 'examp\ud800e')],
    ['a blank line at the end', `${note}\n`],
  ])('with %s is none', (_, text) => expect(parseNote(text)).toBeNull());

  test('verifier keys have one id and one spelling', () => {
    expect(parseVerifierKey(KNOWN_KEY.replace('c74f20a3', 'c74f20a4'))).toBeNull();
    expect(parseVerifierKey(witnessVerifier(witness.key))).toEqual(witnessKey(witness.key));
    expect(fromBase64('AAB=')).toBeNull();
  });
});

describe('a checkpoint', () => {
  test('is opened by its log’s key alone, and a second, false signature of that key spoils it', async () => {
    expect(await openCheckpoint(note, fromHex(log.key))).toMatchObject({ origin: 'example.com/log', size: 300 });
    expect(await openCheckpoint(note, fromHex(witness.key))).toBeNull();
    const [mine] = parseNote(note)!.signatures;
    const spoilt = { ...mine!, signature: mine!.signature.map((byte) => byte ^ 1) };
    expect(await openCheckpoint(withSignatures(note, [spoilt]), fromHex(log.key))).toBeNull();
    const stranger = { ...spoilt, keyId: mine!.keyId.map((byte) => byte ^ 1) };
    expect(await openCheckpoint(withSignatures(note, [stranger]), fromHex(log.key))).not.toBeNull();
  });

  test.each(['01', '-1', '9999999999999999', '0x1', ''])('has no size “%s”', (size) => {
    expect(parseCheckpoint(note.replace('\n300\n', `\n${size}\n`))).toBeNull();
  });
});

test('a cosignature is of one text, one time and one witness', async () => {
  const { text } = parseNote(note)!;
  const line = await cosign(witness, text, 1_700_000_000);
  expect(line.name).toBe(`pictor.witness/${witness.key}`);
  expect(await openCosignature(text, line.signature, witnessKey(witness.key))).toBe(1_700_000_000);
  expect(await openCosignature(text.replace('300', '301'), line.signature, witnessKey(witness.key))).toBeNull();
  const later = line.signature.slice();
  later[7]! ^= 1;
  expect(await openCosignature(text, later, witnessKey(witness.key))).toBeNull();
  const both = withSignatures(note, [line, line]);
  expect(await cosignaturesOn(both)).toEqual([{ key: witness.key, atS: 1_700_000_000 }]);
  expect(await cosignaturesOn(withSignatures(note, [{ ...line, signature: later }]))).toEqual([]);
  // The reader written from the texts finds the same.
  expect(openNote(both, verifier(witnessVerifier(witness.key)))).toEqual({ text, atS: 1_700_000_000n });
});

describe('a tlog-proof', () => {
  const proof = { index: 73, hashes: inclusionProof(hashes, 73), checkpoint: note, extra: leaves[73]! };
  const text = formatProof(proof);

  test('comes back as it was, and proves its leaf and no other', () => {
    expect(parseProof(text)).toEqual(proof);
    expect(proves(proof, leaves[73]!)).toBe(true);
    expect(proves(proof, leaves[74]!)).toBe(false);
    expect(proves({ ...proof, index: 74 }, leaves[73]!)).toBe(false);
    expect(proves({ ...proof, hashes: proof.hashes.slice(1) }, leaves[73]!)).toBe(false);
  });

  test('is what the reader written from the texts takes, with and without the extra line', () => {
    const key = {
      name: 'example.com/log',
      id: Buffer.from(parseNote(note)!.signatures[0]!.keyId),
      type: 1,
      key: Buffer.from(fromHex(log.key)),
    };
    expect(checkProof(text, leaves[73]!, key).size).toBe(300);
    expect(checkProof(formatProof({ ...proof, extra: null }), leaves[73]!, key).size).toBe(300);
    expect(() => checkProof(text, leaves[74]!, key)).toThrow('does not lead');
  });

  test.each([
    ['another header', text.replace('@v1', '@v2')],
    ['a leading zero', text.replace('index 73', 'index 073')],
    ['a short hash', text.replace(/\n[A-Za-z0-9+/]{43}=\n\n/, '\nAAAA\n\n')],
    ['no index', text.replace('index 73\n', '')],
  ])('with %s is none', (_, bad) => expect(parseProof(bad)).toBeNull());
});
