/**
 * Checkpoints of the log: C2SP tlog-checkpoint bodies (origin, size, root) in C2SP signed notes with
 * one Ed25519 signature. Refuses extension lines and other signature types: this log writes none.
 */
import { concat, equalBytes, sha256, utf8, type Bytes } from '../protocol/bytes.ts';
import { verifySignature, type Identity, type Verify } from '../protocol/envelope.ts';

const ED25519_TYPE = 1;
const KEY_ID_BYTES = 4;

export interface Checkpoint {
  /** The log's name; also the name of its signing key. */
  readonly origin: string;
  /** Leaves. */
  readonly size: number;
  readonly root: Bytes;
}

export const toBase64 = (bytes: Uint8Array): string => {
  let binary = '';
  for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(binary);
};

export function fromBase64(text: string): Bytes | null {
  try {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)) as Bytes;
    return toBase64(bytes) === text ? bytes : null;
  } catch {
    return null;
  }
}

/** C2SP signed-note: SHA-256(name ‖ "\n" ‖ type ‖ key), first 4 bytes. */
const keyId = (name: string, key: Uint8Array): Bytes =>
  sha256(concat(utf8(`${name}\n`), Uint8Array.of(ED25519_TYPE), key)).slice(0, KEY_ID_BYTES);

const body = ({ origin, size, root }: Checkpoint): string => `${origin}\n${size}\n${toBase64(root)}\n`;

export async function signCheckpoint(identity: Identity, key: Uint8Array, checkpoint: Checkpoint): Promise<string> {
  const text = body(checkpoint);
  const sig = await identity.sign(utf8(text));
  return `${text}\n— ${checkpoint.origin} ${toBase64(concat(keyId(checkpoint.origin, key), sig))}\n`;
}

/** A verifier key in the note format: `<name>+<key id hex>+<base64 of type ‖ key>`. */
export function verifierKey(name: string, key: Uint8Array): string {
  const id = [...keyId(name, key)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${name}+${id}+${toBase64(concat(Uint8Array.of(ED25519_TYPE), key))}`;
}

/** @returns the parsed body, or null when the note is malformed; signatures are not looked at. */
export function parseCheckpoint(note: string): Checkpoint | null {
  const match = /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/=]+)\n\n(?:— [^\n]+\n)+$/.exec(note);
  const root = match && fromBase64(match[3]!);
  if (!match || root?.length !== 32) return null;
  return { origin: match[1]!, size: Number(match[2]), root };
}

/** @returns the checkpoint when `key` signed it under its origin's name, else null. */
export async function openCheckpoint(note: string, key: Uint8Array, verify: Verify = verifySignature): Promise<Checkpoint | null> {
  const checkpoint = parseCheckpoint(note);
  if (!checkpoint) return null;
  const id = keyId(checkpoint.origin, key);
  for (const line of note.slice(note.indexOf('\n\n') + 2).split('\n')) {
    const prefix = `— ${checkpoint.origin} `;
    const bytes = line.startsWith(prefix) ? fromBase64(line.slice(prefix.length)) : null;
    if (bytes?.length !== KEY_ID_BYTES + 64 || !equalBytes(bytes.subarray(0, KEY_ID_BYTES), id)) continue;
    if (await verify(bytes.subarray(KEY_ID_BYTES), utf8(body(checkpoint)), key)) return checkpoint;
  }
  return null;
}
