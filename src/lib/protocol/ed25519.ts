/**
 * Which Ed25519 signatures hold, so that every library says the same: RFC 8032 section 5.1.7 with the
 * cofactor, canonical encodings only, no public key of small order. Libraries that check without the
 * cofactor (WebCrypto, OpenSSL) accept some of these and nothing else once the encodings are looked at
 * here; what they refuse is put to the portable implementation, whose word is the rule.
 */
import { fromHex, toHex } from './bytes.ts';
import { verifySignature, type Verify } from './envelope.ts';

/** Group order of edwards25519, little endian: S must be below it, or a signature would have two forms. */
const ORDER = fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');
/** 2^255 - 19, little endian: y must be below it, or a key would have two forms. */
const PRIME = fromHex('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f');

/** Canonical y of the points of small order, little endian. Anyone can sign for such a key. */
const SMALL_ORDER = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`,
]);

function below(bytes: Uint8Array, bound: Uint8Array): boolean {
  for (let i = bound.length - 1; i >= 0; i--) if (bytes[i] !== bound[i]) return bytes[i]! < bound[i]!;
  return false;
}

/** Keys that were found well formed, by hex; the oldest goes first. */
const good = new Set<string>();
const GOOD_MAX = 10_000;

function isGoodKey(key: Uint8Array): boolean {
  if (key.length !== 32) return false;
  const name = toHex(key);
  if (good.has(name)) return true;
  const y = Uint8Array.from(key);
  y[31]! &= 0x7f;
  if (!below(y, PRIME) || SMALL_ORDER.has(toHex(y))) return false;
  if (good.size >= GOOD_MAX) good.delete(good.values().next().value!);
  good.add(name);
  return true;
}

/** What every implementation must refuse before it computes anything. */
export const isWellFormed = (sig: Uint8Array, key: Uint8Array): boolean =>
  sig.length === 64 && below(sig.subarray(32), ORDER) && isGoodKey(key);

/** `fast` by the rule: accepted at once where it accepts, else as the portable implementation says. */
export const byTheRule =
  (fast: Verify): Verify =>
  async (sig, bytes, key) =>
    (isWellFormed(sig, key) && (await fast(sig, bytes, key))) || verifySignature(sig, bytes, key);

/** WebCrypto's Ed25519 where this runtime has it, else the portable implementation alone. */
export async function webVerify(): Promise<Verify> {
  const { subtle } = globalThis.crypto;
  const keys = new Map<string, Promise<CryptoKey>>();
  const imported = (key: Uint8Array): Promise<CryptoKey> => {
    const name = toHex(key);
    const known = keys.get(name) ?? subtle.importKey('raw', key.slice(), 'Ed25519', false, ['verify']);
    if (keys.size >= GOOD_MAX) keys.clear();
    keys.set(name, known);
    return known;
  };
  try {
    // RFC 8032 section 7.1, the first test's key.
    await imported(fromHex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'));
  } catch {
    return verifySignature;
  }
  return byTheRule(async (sig, bytes, key) => {
    try {
      return await subtle.verify('Ed25519', await imported(key), sig.slice(), bytes.slice());
    } catch {
      return false;
    }
  });
}
