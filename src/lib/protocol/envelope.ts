/**
 * Signed envelopes: the only way to change durable state. An envelope is canonical CBOR of
 * {network, purpose, nonce, at, body}, signed with Ed25519. It is bound to one network and one
 * purpose, and it is idempotent by its hash: sending it twice changes nothing. It refuses to say
 * who a key belongs to.
 */
import * as ed from '@noble/ed25519';
import * as v from 'valibot';
import { concat, fromBase64Url, fromHex, randomBytes, sha256Hex, toBase64Url, toHex, utf8, type Bytes } from './bytes.ts';
import { decodeCanonical, encodeCanonical } from './canonical.ts';
import { hex32, hex64 } from './schema.ts';

/** Signatures of this project can't be replayed as signatures of anything else. */
const DOMAIN = utf8('pictor envelope v1\n');

export const PURPOSES = [
  'grant',
  'job.submit',
  'job.cancel',
  'job.quiet',
  'lease.commit',
  'film.receipt',
  'check.retrace',
  'check.verdict',
  'drill.seal',
  'lease.appeal',
  'review.word',
] as const;
export type Purpose = (typeof PURPOSES)[number];

export const EnvelopeSchema = v.strictObject({
  /** base64url of the canonical CBOR payload. */
  payload: v.pipe(v.string(), v.maxLength(60_000)),
  /** Ed25519 public key, hex. */
  key: hex32,
  /** Ed25519 signature over DOMAIN ‖ payload, hex. */
  sig: hex64,
});
export type Envelope = v.InferOutput<typeof EnvelopeSchema>;

const PayloadSchema = v.strictObject({
  network: v.pipe(v.string(), v.maxLength(64)),
  purpose: v.picklist(PURPOSES),
  nonce: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  /** Milliseconds since 1970 at the signer. */
  at: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  body: v.unknown(),
});
export type Payload = v.InferOutput<typeof PayloadSchema>;

export interface Identity {
  /** Public key, hex. */
  readonly key: string;
  sign(bytes: Uint8Array): Promise<Bytes>;
}

/** An identity whose secret (32 bytes) is held in memory. */
export async function identityFromSecret(secret: Uint8Array): Promise<Identity> {
  const key = toHex(await ed.getPublicKeyAsync(secret));
  return { key, sign: async (bytes) => (await ed.signAsync(bytes, secret)) as Bytes };
}

/** RFC 8032 verification: `zip215: false`, so that every library accepts the same signatures. */
export async function verifySignature(sig: Uint8Array, bytes: Uint8Array, key: Uint8Array): Promise<boolean> {
  try {
    return await ed.verifyAsync(sig, bytes, key, { zip215: false });
  } catch {
    return false;
  }
}

export interface SealOptions {
  readonly network: string;
  readonly purpose: Purpose;
  readonly body: unknown;
  readonly atMs: number;
  /** Fixed only by tests; otherwise 16 random bytes as hex. */
  readonly nonce?: string;
}

export async function seal(identity: Identity, options: SealOptions): Promise<Envelope> {
  const payload = encodeCanonical({
    network: options.network,
    purpose: options.purpose,
    nonce: options.nonce ?? toHex(randomBytes(16)),
    at: options.atMs,
    body: options.body,
  });
  const sig = await identity.sign(concat(DOMAIN, payload));
  return { payload: toBase64Url(payload), key: identity.key, sig: toHex(sig) };
}

/** The idempotency key of an envelope: SHA-256 over key ‖ payload. The signature is left out: Ed25519 allows only one here. */
export function envelopeHash(envelope: Envelope): string {
  return hashOf(fromHex(envelope.key), fromBase64Url(envelope.payload) ?? new Uint8Array());
}
const hashOf = (key: Uint8Array, payload: Uint8Array): string => sha256Hex(concat(key, payload));

export type Opened =
  | { readonly ok: true; readonly payload: Payload; /** As `envelopeHash` has it. */ readonly hash: string }
  | { readonly ok: false; readonly reason: EnvelopeFault };
export type EnvelopeFault = 'envelope-malformed' | 'envelope-network' | 'envelope-purpose' | 'envelope-signature';

export type Verify = (sig: Uint8Array, bytes: Uint8Array, key: Uint8Array) => Promise<boolean>;

/**
 * Checks form, network, purpose and signature, in that order; `body` is still unparsed. `verify` may be a faster one of the same rules.
 * @param expected without a purpose: whichever it says it is for.
 */
export async function open(
  envelope: Envelope,
  expected: { network: string; purpose?: Purpose },
  verify: Verify = verifySignature,
): Promise<Opened> {
  const bytes = fromBase64Url(envelope.payload);
  const parsed = bytes && v.safeParse(PayloadSchema, decodeCanonical(bytes));
  if (!bytes || !parsed?.success) return { ok: false, reason: 'envelope-malformed' };
  if (parsed.output.network !== expected.network) return { ok: false, reason: 'envelope-network' };
  if (parsed.output.purpose !== (expected.purpose ?? parsed.output.purpose)) return { ok: false, reason: 'envelope-purpose' };
  const key = fromHex(envelope.key);
  const good = await verify(fromHex(envelope.sig), concat(DOMAIN, bytes), key);
  return good ? { ok: true, payload: parsed.output, hash: hashOf(key, bytes) } : { ok: false, reason: 'envelope-signature' };
}
