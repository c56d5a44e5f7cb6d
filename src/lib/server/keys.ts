/**
 * Ed25519 with node:crypto: the same RFC 8032 rules as the pure implementation, many times faster.
 * Refuses nothing by itself: a bad key or signature is simply not verified.
 */
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { concat, fromHex, toHex, type Bytes } from '../protocol/bytes.ts';
import type { Identity, Verify } from '../protocol/envelope.ts';

const PKCS8 = fromHex('302e020100300506032b657004220420');
const SPKI = fromHex('302a300506032b6570032100');
/** Parsed public keys, by hex; the oldest goes first. */
const KEYS_CACHED_MAX = 10_000;
const parsed = new Map<string, KeyObject>();

/** Group order of edwards25519, little endian: S must be below it, or a signature would have two forms. */
const ORDER = fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');

/**
 * y of the points of small order, little endian, as libsodium lists them. Anyone can sign for such a
 * key; the portable implementation refuses them, and a log must verify alike everywhere.
 */
const SMALL_ORDER = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  ...['ec', 'ed', 'ee'].map((low) => `${low}${'ff'.repeat(30)}7f`),
]);

function hasSmallOrder(key: Uint8Array): boolean {
  const y = Uint8Array.from(key);
  y[31]! &= 0x7f;
  return SMALL_ORDER.has(toHex(y));
}

function publicKey(key: Uint8Array): KeyObject {
  const name = toHex(key);
  const known = parsed.get(name);
  if (known) return known;
  const made = createPublicKey({ key: Buffer.from(concat(SPKI, key)), format: 'der', type: 'spki' });
  if (parsed.size >= KEYS_CACHED_MAX) parsed.delete(parsed.keys().next().value!);
  parsed.set(name, made);
  return made;
}

function scalarIsReduced(sig: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const s = sig[32 + i]!;
    if (s !== ORDER[i]!) return s < ORDER[i]!;
  }
  return false;
}

export const nodeVerify: Verify = async (sig, bytes, key) => {
  if (sig.length !== 64 || key.length !== 32 || !scalarIsReduced(sig) || hasSmallOrder(key)) return false;
  try {
    return verify(null, bytes, publicKey(key), sig);
  } catch {
    return false;
  }
};

/** @param secret 32 bytes. */
export function nodeIdentity(secret: Uint8Array): Identity {
  const privateKey = createPrivateKey({ key: Buffer.from(concat(PKCS8, secret)), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return { key: toHex(spki.subarray(-32)), sign: async (bytes) => new Uint8Array(sign(null, bytes, privateKey)) as Bytes };
}
