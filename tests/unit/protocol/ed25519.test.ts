/** One rule for signatures, whoever computes it: what libraries disagree about is decided as RFC 8032 has it. */
import { describe, expect, test } from 'vitest';
import { concat, fromHex, utf8, type Bytes } from '#lib/protocol/bytes.ts';
import { byTheRule, isWellFormed, webVerify } from '#lib/protocol/ed25519.ts';
import { identityFromSecret, verifySignature, type Verify } from '#lib/protocol/envelope.ts';
import { nodeVerify, replayVerify } from '#lib/server/keys.ts';
import { bytesOf, little, mixedSignature, ORDER } from './mixed-signature.ts';

const message = utf8('what was said');
const identity = await identityFromSecret(new Uint8Array(32).fill(7));
const key = fromHex(identity.key);
const sig = await identity.sign(message);

const mixed = (): Bytes => mixedSignature(message)[0];

const web = await webVerify();
const implementations: [string, Verify][] = [
  ['the portable implementation', verifySignature],
  ['WebCrypto', web],
  ['node:crypto', replayVerify],
];

describe.each(implementations)('%s', (_, verify) => {
  test.each<[string, boolean, () => [Uint8Array, Uint8Array]]>([
    ['an honest signature', true, () => [sig, key]],
    ['a signature with a component of small order in R', true, () => [mixed(), key]],
    ['another message’s', false, () => [sig.map((byte, i) => (i === 3 ? byte ^ 1 : byte)), key]],
    ['S beyond the order', false, () => [concat(sig.slice(0, 32), bytesOf(little(sig.slice(32)) + ORDER)), key]],
    ['a key of small order', false, () => [sig, fromHex(`01${'00'.repeat(31)}`)]],
    ['a key written a second way', false, () => [sig, bytesOf(2n ** 255n - 19n + 3n)]],
    ['too short', false, () => [sig.slice(1), key]],
  ])('on %s says %s', async (_, expected, make) => {
    const [s, k] = make();
    expect(await verify(s, message, k)).toBe(expected);
  });
});

test('a library without the cofactor refuses what the rule accepts, which is why its no is looked at again (control)', async () => {
  expect(isWellFormed(mixed(), key)).toBe(true);
  expect(await nodeVerify(mixed(), message, key)).toBe(false);
});

test('a fast yes is final only for well formed signatures', async () => {
  const credulous = byTheRule(() => Promise.resolve(true));
  expect(await credulous(sig, message, key)).toBe(true);
  expect(await credulous(sig.slice(1), message, key)).toBe(false);
  expect(await credulous(sig, message, fromHex('00'.repeat(32)))).toBe(false);
});
