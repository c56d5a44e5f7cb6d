/** One rule for signatures, whoever computes it: what libraries disagree about is decided as RFC 8032 has it. */
import * as ed from '@noble/ed25519';
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { concat, fromHex, toHex, utf8, type Bytes } from '#lib/protocol/bytes.ts';
import { byTheRule, isWellFormed, webVerify } from '#lib/protocol/ed25519.ts';
import { identityFromSecret, verifySignature, type Verify } from '#lib/protocol/envelope.ts';
import { nodeVerify, replayVerify } from '#lib/server/keys.ts';

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const message = utf8('what was said');
const identity = await identityFromSecret(new Uint8Array(32).fill(7));
const key = fromHex(identity.key);
const sig = await identity.sign(message);

const little = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(Uint8Array.from(bytes).toReversed())}`);
const bytesOf = (n: bigint): Bytes => Uint8Array.from(fromHex(n.toString(16).padStart(64, '0')).toReversed()) as Bytes;

/** Signed by somebody who knows the secret and adds a point of order 8 to R: the equation holds only times the cofactor. */
function mixed(): Bytes {
  const secret = createHash('sha512').update(new Uint8Array(32).fill(7)).digest().subarray(0, 32);
  secret[0]! &= 248;
  secret[31] = (secret[31]! & 63) | 64;
  const r = 12_345n;
  const torsion = ed.Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
  const R = ed.Point.BASE.multiply(r).add(torsion).toBytes();
  const k = little(createHash('sha512').update(R).update(key).update(message).digest()) % ORDER;
  return concat(R, bytesOf((r + k * (little(secret) % ORDER)) % ORDER));
}

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
