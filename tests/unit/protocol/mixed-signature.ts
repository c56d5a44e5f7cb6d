/** A signature that libraries disagree about: its equation holds only times the cofactor. */
import * as ed from '@noble/ed25519';
import { createHash } from 'node:crypto';
import { concat, toHex, type Bytes } from '#lib/protocol/bytes.ts';

export const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
export const little = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(Uint8Array.from(bytes).toReversed())}`);
export const bytesOf = (n: bigint): Bytes => Uint8Array.from(Buffer.from(n.toString(16).padStart(64, '0'), 'hex').toReversed()) as Bytes;

const SECRET = new Uint8Array(32).fill(7);

/** Signed by somebody who knows the secret and adds a point of order 8 to R. */
export function mixedSignature(message: Uint8Array): readonly [sig: Bytes, bytes: Uint8Array, key: Bytes] {
  const secret = createHash('sha512').update(SECRET).digest().subarray(0, 32);
  secret[0]! &= 248;
  secret[31] = (secret[31]! & 63) | 64;
  const r = 12_345n;
  const torsion = ed.Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
  const R = ed.Point.BASE.multiply(r).add(torsion).toBytes();
  const key = ed.Point.BASE.multiply(little(secret) % ORDER).toBytes() as Bytes;
  const k = little(createHash('sha512').update(R).update(key).update(message).digest()) % ORDER;
  return [concat(R, bytesOf((r + k * (little(secret) % ORDER)) % ORDER)), message, key];
}
