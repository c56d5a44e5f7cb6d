/**
 * Checkpoints of the log: C2SP tlog-checkpoint bodies (origin, size, root) in signed notes with one
 * Ed25519 signature of the log, and cosignatures of witnesses after it. Refuses extension lines: this
 * log writes none, and nobody audits them.
 */
import { toHex, utf8, type Bytes } from '../protocol/bytes.ts';
import { verifySignature, type Identity, type Verify } from '../protocol/envelope.ts';
import {
  formatNote,
  formatVerifierKey,
  fromBase64,
  NOTE_ED25519,
  noteKeyId,
  parseNote,
  signaturesBy,
  toBase64,
  type NoteSignature,
} from './note.ts';

export interface Checkpoint {
  /** The log's name; also the name of its signing key. */
  readonly origin: string;
  /** Leaves. */
  readonly size: number;
  readonly root: Bytes;
}

export const checkpointText = ({ origin, size, root }: Checkpoint): string => `${origin}\n${size}\n${toBase64(root)}\n`;

const logKey = (name: string, key: Uint8Array) => ({ name, type: NOTE_ED25519, key: key.slice() as Bytes });

export async function signCheckpoint(identity: Identity, key: Uint8Array, checkpoint: Checkpoint): Promise<string> {
  const text = checkpointText(checkpoint);
  const signature = await identity.sign(utf8(text));
  return formatNote({ text, signatures: [{ name: checkpoint.origin, keyId: noteKeyId(logKey(checkpoint.origin, key)), signature }] });
}

/** The log's verifier key, as note tools take it. */
export const verifierKey = (name: string, key: Uint8Array): string => formatVerifierKey(logKey(name, key));

/** @returns the parsed body of a note, or null when it is malformed; signatures are not looked at. */
export function parseCheckpoint(note: string): Checkpoint | null {
  const parsed = parseNote(note);
  return parsed && parseCheckpointText(parsed.text);
}

export function parseCheckpointText(text: string): Checkpoint | null {
  const match = /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/=]+)\n$/.exec(text);
  const root = match && fromBase64(match[3]!);
  if (!match || root?.length !== 32) return null;
  const size = Number(match[2]);
  return Number.isSafeInteger(size) ? { origin: match[1]!, size, root } : null;
}

/** @returns the checkpoint when `key` signed it under its origin's name and signed nothing of it wrongly, else null. */
export async function openCheckpoint(note: string, key: Uint8Array, verify: Verify = verifySignature): Promise<Checkpoint | null> {
  const parsed = parseNote(note);
  const checkpoint = parsed && parseCheckpointText(parsed.text);
  if (!parsed || !checkpoint) return null;
  const signatures = signaturesBy(parsed, logKey(checkpoint.origin, key));
  if (signatures.length === 0) return null;
  for (const signature of signatures) if (signature.length !== 64 || !(await verify(signature, utf8(parsed.text), key))) return null;
  return checkpoint;
}

/** The same note with these lines after what it has. */
export function withSignatures(note: string, more: readonly NoteSignature[]): string {
  const parsed = parseNote(note);
  if (!parsed) throw new RangeError('no note to be signed further');
  return formatNote({ text: parsed.text, signatures: [...parsed.signatures, ...more] });
}

/** Do two notes of one log show two histories? Same size, other root; whether sizes that differ agree takes a proof. */
export const contradicts = (a: Checkpoint, b: Checkpoint): boolean =>
  a.origin === b.origin && a.size === b.size && toHex(a.root) !== toHex(b.root);
