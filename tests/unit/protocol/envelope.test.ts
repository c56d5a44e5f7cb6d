/** Envelopes: what a signature binds, and that nothing else passes. Each refusal has its control case. */
import { beforeAll, describe, expect, it } from 'vitest';
import { fromBase64Url, fromHex, toBase64Url } from '#lib/protocol/bytes.ts';
import { decodeCanonical, encodeCanonical } from '#lib/protocol/canonical.ts';
import { envelopeHash, identityFromSecret, open, seal, type Envelope, type Identity } from '#lib/protocol/envelope.ts';

const NETWORK = 'test';
let alice: Identity;
let envelope: Envelope;

beforeAll(async () => {
  alice = await identityFromSecret(new Uint8Array(32).fill(7));
  envelope = await seal(alice, { network: NETWORK, purpose: 'job.cancel', body: { job: 'ab' }, atMs: 1_000, nonce: '00'.repeat(16) });
});

describe('an envelope', () => {
  it('opens for its network and purpose and gives back its body (control)', async () => {
    const opened = await open(envelope, { network: NETWORK, purpose: 'job.cancel' });
    expect(opened).toMatchObject({ ok: true, payload: { body: { job: 'ab' }, at: 1_000 } });
  });

  it('is refused on another network', async () => {
    expect(await open(envelope, { network: 'other', purpose: 'job.cancel' })).toEqual({ ok: false, reason: 'envelope-network' });
  });

  it('is refused for another purpose', async () => {
    expect(await open(envelope, { network: NETWORK, purpose: 'grant' })).toEqual({ ok: false, reason: 'envelope-purpose' });
  });

  it('is refused under another key', async () => {
    const mallory = await identityFromSecret(new Uint8Array(32).fill(8));
    const forged = { ...envelope, key: mallory.key };
    expect(await open(forged, { network: NETWORK, purpose: 'job.cancel' })).toEqual({ ok: false, reason: 'envelope-signature' });
  });

  it('is refused when any byte of payload or signature changes', async () => {
    const payload = fromBase64Url(envelope.payload)!;
    for (const at of [0, Math.floor(payload.length / 2), payload.length - 1]) {
      const bent = payload.slice();
      bent[at]! ^= 1;
      const opened = await open({ ...envelope, payload: toBase64Url(bent) }, { network: NETWORK, purpose: 'job.cancel' });
      expect(opened.ok).toBe(false);
    }
    const sig = `${envelope.sig[0] === '0' ? '1' : '0'}${envelope.sig.slice(1)}`;
    expect(await open({ ...envelope, sig }, { network: NETWORK, purpose: 'job.cancel' })).toEqual({
      ok: false,
      reason: 'envelope-signature',
    });
  });

  it('has one hash per content, whatever the signature bytes say', () => {
    expect(envelopeHash({ ...envelope, sig: '0'.repeat(128) })).toBe(envelopeHash(envelope));
  });
});

describe('canonical bytes', () => {
  it('do not depend on the order in which keys were written', () => {
    expect(encodeCanonical({ b: 1, a: 2 })).toEqual(encodeCanonical({ a: 2, b: 1 }));
  });

  it('decode to the value that was encoded (control)', () => {
    expect(decodeCanonical(encodeCanonical({ a: [1, 'x', null, 2n ** 60n] }))).toEqual({ a: [1, 'x', null, 2n ** 60n] });
  });

  it.each([
    ['keys out of order', 'a2616201616102'],
    ['an integer in a longer form', '1801'],
    ['a duplicate key', 'a2616101616102'],
    ['an indefinite array', '9f01ff'],
    ['bytes after the value', '0101'],
  ])('refuse %s', (_what, hex) => {
    expect(decodeCanonical(fromHex(hex))).toBeUndefined();
  });
});

describe('base64url', () => {
  it('round-trips every length (control)', () => {
    for (let n = 0; n < 9; n++) {
      const bytes = Uint8Array.from({ length: n }, (_, i) => 250 - i * 7);
      expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes);
    }
  });

  it.each(['a', 'AB', 'AA==', 'A A', 'A+/A'])('refuses %j, which is not the canonical spelling of any bytes', (text) => {
    expect(fromBase64Url(text)).toBeNull();
  });
});
