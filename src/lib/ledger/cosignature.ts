/**
 * C2SP tlog-cosignature, the Ed25519 kind: a witness's word that, as of a time, a checkpoint was the
 * largest consistent tree head that it had seen. A witness of this network is named after its key, so
 * that a cosignature says who could have made it; whether that witness is to be trusted it can't say.
 */
import { concat, fromHex, utf8, type Bytes } from '../protocol/bytes.ts';
import { verifySignature, type Identity, type Verify } from '../protocol/envelope.ts';
import { formatVerifierKey, NOTE_COSIGNATURE, noteKeyId, parseNote, signaturesBy, type NoteKey, type NoteSignature } from './note.ts';

const TIME_BYTES = 8;

export interface Cosignature {
  /** The witness's public key, hex. */
  readonly key: string;
  readonly atS: number;
}

export const witnessName = (key: string): string => `pictor.witness/${key}`;

/** @returns the key that a witness of this network is named after, hex, or null for another's name. */
export const keyOfWitness = (name: string): string | null => /^pictor\.witness\/([0-9a-f]{64})$/.exec(name)?.[1] ?? null;

export const witnessKey = (key: string): NoteKey => ({ name: witnessName(key), type: NOTE_COSIGNATURE, key: fromHex(key) });

/** A witness's verifier key, as note tools take it. @param key hex. */
export const witnessVerifier = (key: string): string => formatVerifierKey(witnessKey(key));

const message = (text: string, atS: number): Bytes => utf8(`cosignature/v1\ntime ${atS}\n${text}`);

/** @param text of the checkpoint, with its last newline. @param atS seconds since 1970. */
export async function cosign(identity: Identity, text: string, atS: number): Promise<NoteSignature> {
  const key = witnessKey(identity.key);
  const time = new Uint8Array(TIME_BYTES);
  new DataView(time.buffer).setBigUint64(0, BigInt(atS));
  return { name: key.name, keyId: noteKeyId(key), signature: concat(time, await identity.sign(message(text, atS))) };
}

/** @returns when `key` cosigned this text, in seconds since 1970, or null when these bytes are no such signature. */
export async function openCosignature(
  text: string,
  signature: Uint8Array,
  key: NoteKey,
  verify: Verify = verifySignature,
): Promise<number | null> {
  if (signature.length !== TIME_BYTES + 64) return null;
  const atS = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
  if (atS > BigInt(Number.MAX_SAFE_INTEGER)) return null;
  const good = await verify(signature.slice(TIME_BYTES), message(text, Number(atS)), key.key);
  return good ? Number(atS) : null;
}

/** Whose cosignatures a note carries: one per witness of this network, each verified; others are passed over. */
export async function cosignaturesOn(note: string, verify: Verify = verifySignature): Promise<Cosignature[]> {
  const parsed = parseNote(note);
  const names = new Set(parsed?.signatures.map(({ name }) => name));
  const found: Cosignature[] = [];
  for (const name of names) {
    const key = keyOfWitness(name);
    if (!parsed || key === null) continue;
    for (const signature of signaturesBy(parsed, witnessKey(key))) {
      const atS = await openCosignature(parsed.text, signature, witnessKey(key), verify);
      if (atS === null) continue;
      found.push({ key, atS });
      break;
    }
  }
  return found;
}
