/** Signatures verified together: what holds alone holds together, and nothing else does */
import { expect, test } from 'vitest';
import { fromHex, randomBytes, utf8, type Bytes } from '#lib/protocol/bytes.ts';
import { verifySignature } from '#lib/protocol/envelope.ts';
import { together } from '#lib/server/ed25519/batch.ts';
import { nodeIdentity } from '#lib/server/keys.ts';
import { mixedSignature } from '../protocol/mixed-signature.ts';

type Signed = readonly [sig: Uint8Array, bytes: Uint8Array, key: Uint8Array];

const identities = Array.from({ length: 9 }, () => nodeIdentity(randomBytes(32)));

async function honest(i: number): Promise<Signed> {
  const identity = identities[i % identities.length]!;
  const bytes = randomBytes(1 + (i % 300));
  return [await identity.sign(bytes), bytes, fromHex(identity.key)];
}

/** What is said of a batch by the kernel alone: what does not hold together is refused. */
async function said(batch: readonly Signed[]): Promise<'together' | 'alone'> {
  const asked: Signed[] = [];
  const verify = together((...one) => {
    asked.push(one);
    return Promise.resolve(false);
  });
  const good = await Promise.all(batch.map((one) => verify(...one)));
  if (good.every(Boolean)) return 'together';
  expect(good.some(Boolean)).toBe(false);
  expect(asked).toEqual(batch);
  return 'alone';
}

const bent = (bytes: Uint8Array, at: number): Bytes => {
  const out = Uint8Array.from(bytes);
  out[at]! ^= 1;
  return out;
};

test.each([8, 9, 33, 100, 300, 512])('%i honest signatures hold together (control), and not with a false one among them', async (count) => {
  const batch = await Promise.all(Array.from({ length: count }, (_, i) => honest(i)));
  expect(await said(batch)).toBe('together');
  const at = Math.floor(count / 3);
  const [sig, bytes, key] = batch[at]!;
  for (const one of [
    [bent(sig, 0), bytes, key],
    [bent(sig, 40), bytes, key],
    [sig, bent(bytes, 0), key],
    [sig, bytes, fromHex(identities[(at + 1) % identities.length]!.key)],
  ] as const)
    expect(await said(batch.with(at, one))).toBe('alone');
});

test('few are verified alone, and more than a batch in several', async () => {
  expect(await said([await honest(0), await honest(1)])).toBe('alone');
  const many = await Promise.all(Array.from({ length: 1_100 }, (_, i) => honest(i)));
  expect(await said(many)).toBe('together');
});

test('more keys than are kept take turns', async () => {
  const verify = together(() => Promise.resolve(false));
  for (let round = 0; round < 20; round++) {
    const fresh = Array.from({ length: 256 }, () => nodeIdentity(randomBytes(32)));
    const good = await Promise.all(fresh.map(async (one) => verify(await one.sign(utf8('turn')), utf8('turn'), fromHex(one.key))));
    expect(good.every(Boolean)).toBe(true);
  }
});

test('a signature with a component of small order in R holds, as it does alone', async () => {
  const batch = await Promise.all(Array.from({ length: 20 }, (_, i) => honest(i)));
  const mixed = mixedSignature(utf8('what was said'));
  expect(await verifySignature(...mixed)).toBe(true);
  expect(await said(batch.with(7, mixed))).toBe('together');
});

test('what is no canonical point or number is not taken into a batch', async () => {
  const batch = await Promise.all(Array.from({ length: 20 }, (_, i) => honest(i)));
  const [sig, bytes, key] = batch[5]!;
  const withR = (hex: string): Signed => [Uint8Array.from([...fromHex(hex), ...sig.slice(32)]), bytes, key];
  const odd: readonly Signed[] = [
    // y = p + 1 for the neutral point, x = 0 with a sign, y = 2, which is on no point, a short signature.
    withR(`ee${'ff'.repeat(30)}7f`),
    withR(`01${'00'.repeat(30)}80`),
    withR(`02${'00'.repeat(31)}`),
    [sig.slice(1), bytes, key],
    [sig, bytes, fromHex(`01${'00'.repeat(31)}`)],
    [sig, bytes, fromHex(`02${'00'.repeat(31)}`)],
  ];
  for (const one of odd) {
    expect(await verifySignature(...one)).toBe(false);
    expect(await said(batch.with(5, one))).toBe('alone');
  }
});
