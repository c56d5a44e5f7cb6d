/**
 * Ed25519 with node:crypto, many times faster than the portable implementation; by whose rule is said
 * in protocol/ed25519. Refuses nothing by itself: a bad key or signature is simply not verified.
 */
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { concat, fromHex, toHex, type Bytes } from '../protocol/bytes.ts';
import { byTheRule, isWellFormed } from '../protocol/ed25519.ts';
import type { Identity, Verify } from '../protocol/envelope.ts';

const PKCS8 = fromHex('302e020100300506032b657004220420');
const SPKI = fromHex('302a300506032b6570032100');
/** Parsed public keys, by hex; the oldest goes first. */
const KEYS_CACHED_MAX = 10_000;
const parsed = new Map<string, KeyObject>();

function publicKey(key: Uint8Array): KeyObject {
  const name = toHex(key);
  const known = parsed.get(name);
  if (known) return known;
  const made = createPublicKey({ key: Buffer.from(concat(SPKI, key)), format: 'der', type: 'spki' });
  if (parsed.size >= KEYS_CACHED_MAX) parsed.delete(parsed.keys().next().value!);
  parsed.set(name, made);
  return made;
}

/**
 * Without the cofactor: a part of what the rule accepts (protocol/ed25519), all of what honest signers make.
 * For what comes in; a replay, which must agree with everybody, takes `replayVerify`.
 */
export const nodeVerify: Verify = async (sig, bytes, key) => {
  if (!isWellFormed(sig, key)) return false;
  try {
    return verify(null, bytes, publicKey(key), sig);
  } catch {
    return false;
  }
};

export const replayVerify: Verify = byTheRule(nodeVerify);

/** @param secret 32 bytes. */
export function nodeIdentity(secret: Uint8Array): Identity {
  const privateKey = createPrivateKey({ key: Buffer.from(concat(PKCS8, secret)), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return { key: toHex(spki.subarray(-32)), sign: async (bytes) => new Uint8Array(sign(null, bytes, privateKey)) as Bytes };
}
