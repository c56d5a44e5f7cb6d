/** Two implementations of Ed25519 judge the same signatures: what the coordinator accepts must verify wherever its log is read. */
import { webcrypto } from 'node:crypto';
import { expect, test } from 'vitest';
import { concat, fromHex, randomBytes } from '#lib/protocol/bytes.ts';
import { identityFromSecret, verifySignature } from '#lib/protocol/envelope.ts';
import { nodeVerify } from '#lib/server/keys.ts';

test('a good signature is good, an altered one is not, for both', async () => {
  const { key, sign } = await identityFromSecret(randomBytes(32));
  const message = randomBytes(50);
  const sig = await sign(message);
  for (const verify of [nodeVerify, verifySignature]) {
    expect(await verify(sig, message, fromHex(key))).toBe(true);
    expect(await verify(sig, message.slice(1), fromHex(key))).toBe(false);
  }
});

test('a key of small order, for which anyone can sign, is refused by both', async () => {
  // R = S = 0·B: verifies under the neutral element whatever the message.
  const neutral = concat(Uint8Array.of(1), new Uint8Array(31));
  const sig = concat(neutral, new Uint8Array(32));
  const imported = await webcrypto.subtle.importKey('raw', neutral, 'Ed25519', false, ['verify']);
  expect(await webcrypto.subtle.verify('Ed25519', imported, sig, randomBytes(8))).toBe(true);
  for (const verify of [nodeVerify, verifySignature]) expect(await verify(sig, randomBytes(8), neutral)).toBe(false);
  const signed = Uint8Array.from(neutral);
  signed[31] = 0x80;
  expect(await nodeVerify(sig, randomBytes(8), signed)).toBe(false);
});
