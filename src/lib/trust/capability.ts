/**
 * A lease capability: the coordinator's signed word that a key works on or checks a job. Peers serve
 * a job's blobs only to holders, so that scenes don't leak to whoever knows a hash.
 */
import * as v from 'valibot';
import { concat, fromBase64Url, fromHex, toBase64Url, utf8 } from '../protocol/bytes.ts';
import { decodeCanonical, encodeCanonical } from '../protocol/canonical.ts';
import { verifySignature, type Identity } from '../protocol/envelope.ts';
import { hex32, id16 } from '../protocol/schema.ts';

const DOMAIN = utf8('pictor capability v1\n');
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

/** base64url of canonical CBOR ‖ signature. */
export async function issueCapability(coordinator: Identity, capability: Capability): Promise<string> {
  const bytes = encodeCanonical(capability);
  return toBase64Url(concat(bytes, await coordinator.sign(concat(DOMAIN, bytes))));
}

export interface CapabilityUse {
  readonly coordinatorKey: string;
  readonly network: string;
  readonly job: string;
  /** Key of the peer that presents it. */
  readonly key: string;
  readonly nowMs: number;
}

export async function capabilityHolds(text: string, use: CapabilityUse): Promise<boolean> {
  const bytes = fromBase64Url(text);
  if (!bytes || bytes.length <= SIGNATURE_BYTES) return false;
  const body = bytes.subarray(0, -SIGNATURE_BYTES);
  const parsed = v.safeParse(CapabilitySchema, decodeCanonical(body));
  if (!parsed.success) return false;
  const { network, job, key, untilMs } = parsed.output;
  if (network !== use.network || job !== use.job || key !== use.key || untilMs < use.nowMs) return false;
  return verifySignature(bytes.subarray(-SIGNATURE_BYTES), concat(DOMAIN, body), fromHex(use.coordinatorKey));
}
