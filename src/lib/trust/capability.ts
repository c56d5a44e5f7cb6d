/**
 * What the coordinator's signed words let a key ask of other peers. A capability says that it works on or
 * checks a job: peers serve a job's blobs only to holders, so that scenes don't leak to whoever knows a hash.
 * A permit says how many leaves of a lease's film it may have opened: who is to trace first (retrace.ts)
 * gets none before that.
 */
import * as v from 'valibot';
import { concat, fromBase64Url, fromHex, toBase64Url, utf8, type Bytes } from '../protocol/bytes.ts';
import { decodeCanonical, encodeCanonical } from '../protocol/canonical.ts';
import { verifySignature, type Identity } from '../protocol/envelope.ts';
import { LEAVES_PER_TILE_MAX } from '../protocol/limits.ts';
import { count, hex32, id16 } from '../protocol/schema.ts';

/** A word of one kind can't be taken for one of the other. */
const CAPABILITY = utf8('pictor capability v1\n');
const PERMIT = utf8('pictor permit v1\n');
const SIGNATURE_BYTES = 64;

const CapabilitySchema = v.strictObject({
  network: v.string(),
  job: id16,
  /** The holder's public key. */
  key: hex32,
  /** Milliseconds since 1970 on the coordinator's clock. */
  untilMs: v.pipe(v.number(), v.safeInteger()),
});
export type Capability = v.InferOutput<typeof CapabilitySchema>;

const PermitSchema = v.strictObject({
  network: v.string(),
  lease: id16,
  /** The holder's public key, and the draw it is for, by its nonce's commitment: each draw is counted by itself. */
  key: hex32,
  draw: hex32,
  /** Different leaves of the film, at most. */
  leaves: count(LEAVES_PER_TILE_MAX),
});
export type Permit = v.InferOutput<typeof PermitSchema>;

/** base64url of canonical CBOR ‖ signature. */
async function issue(coordinator: Identity, domain: Bytes, word: Capability | Permit): Promise<string> {
  const bytes = encodeCanonical(word);
  return toBase64Url(concat(bytes, await coordinator.sign(concat(domain, bytes))));
}

export const issueCapability = (coordinator: Identity, capability: Capability): Promise<string> =>
  issue(coordinator, CAPABILITY, capability);
export const issuePermit = (coordinator: Identity, permit: Permit): Promise<string> => issue(coordinator, PERMIT, permit);

/** Who presents a word, and whose it has to be. */
interface Use {
  readonly coordinatorKey: string;
  readonly network: string;
  /** Key of the peer that presents it. */
  readonly key: string;
}
export interface CapabilityUse extends Use {
  readonly job: string;
  readonly nowMs: number;
}
export interface PermitUse extends Use {
  readonly lease: string;
}

export async function capabilityHolds(text: string, use: CapabilityUse): Promise<boolean> {
  const word = await read(text, CAPABILITY, CapabilitySchema, use);
  return word !== null && word.job === use.job && word.untilMs >= use.nowMs;
}

/** @returns null when it is no permit of this key for this lease. */
export async function permitIn(text: string, use: PermitUse): Promise<Permit | null> {
  const word = await read(text, PERMIT, PermitSchema, use);
  return word?.lease === use.lease ? word : null;
}

/** @returns null unless the coordinator said it of this key, on this network. */
async function read<T extends { readonly network: string; readonly key: string }>(
  text: string,
  domain: Bytes,
  schema: v.GenericSchema<unknown, T>,
  { coordinatorKey, network, key }: Use,
): Promise<T | null> {
  const bytes = fromBase64Url(text);
  if (!bytes || bytes.length <= SIGNATURE_BYTES) return null;
  const body = bytes.subarray(0, -SIGNATURE_BYTES);
  const parsed = v.safeParse(schema, decodeCanonical(body));
  if (!parsed.success || parsed.output.network !== network || parsed.output.key !== key) return null;
  const holds = await verifySignature(bytes.subarray(-SIGNATURE_BYTES), concat(domain, body), fromHex(coordinatorKey));
  return holds ? parsed.output : null;
}
