/**
 * C2SP signed notes (c2sp.org/signed-note): a text, and lines that sign it. Splits and joins them and
 * names keys; whether a signature holds is for who knows the keys. Refuses what is not exactly a note:
 * control characters, a name with a space or a plus, base64 of a second spelling.
 */
import { concat, equalBytes, sha256, toHex, utf8, type Bytes } from '../protocol/bytes.ts';
import { NOTE_CHARS_MAX, NOTE_SIGNATURES_MAX } from '../protocol/limits.ts';

/** Signature types as the note specification assigns them. */
export const NOTE_ED25519 = 0x01;
export const NOTE_COSIGNATURE = 0x04;

const KEY_ID_BYTES = 4;
const NAME = /^[^\s+]+$/u;
/** ASCII control characters but newlines, and halves of characters, which have no UTF-8. */
const isForbidden = (char: string): boolean => (char < ' ' && char !== '\n') || /\p{Cs}/u.test(char);

export interface NoteSignature {
  readonly name: string;
  /** 4 bytes. */
  readonly keyId: Bytes;
  readonly signature: Bytes;
}

export interface Note {
  /** With its last newline, without the empty line that follows. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface NoteKey {
  readonly name: string;
  readonly type: number;
  /** 32 bytes for both types known here. */
  readonly key: Bytes;
}

export const toBase64 = (bytes: Uint8Array): string => {
  let binary = '';
  for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(binary);
};

/** @returns null unless `text` is the one standard spelling with padding (RFC 4648 section 4). */
export function fromBase64(text: string): Bytes | null {
  try {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)) as Bytes;
    return toBase64(bytes) === text ? bytes : null;
  } catch {
    return null;
  }
}

/** First 4 bytes of SHA-256(name ‖ "\n" ‖ type ‖ key). */
export const noteKeyId = ({ name, type, key }: NoteKey): Bytes =>
  sha256(concat(utf8(`${name}\n`), Uint8Array.of(type), key)).slice(0, KEY_ID_BYTES);

/** A line with its newline. */
export const signatureLine = ({ name, keyId, signature }: NoteSignature): string => `— ${name} ${toBase64(concat(keyId, signature))}\n`;

/** @param line without its newline. */
export function parseSignatureLine(line: string): NoteSignature | null {
  const match = /^— (\S+) ([A-Za-z0-9+/=]+)$/u.exec(line);
  const bytes = match && fromBase64(match[2]!);
  if (!match || !NAME.test(match[1]!) || !bytes || bytes.length <= KEY_ID_BYTES) return null;
  return { name: match[1]!, keyId: bytes.slice(0, KEY_ID_BYTES), signature: bytes.slice(KEY_ID_BYTES) };
}

/** @returns null for what is no note, or one with more signatures than anybody needs. */
export function parseNote(note: string): Note | null {
  if (note.length > NOTE_CHARS_MAX || [...note].some(isForbidden)) return null;
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) return null;
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > NOTE_SIGNATURES_MAX) return null;
  const signatures = lines.map(parseSignatureLine);
  return signatures.every((one) => one !== null) ? { text: note.slice(0, end + 1), signatures } : null;
}

export const formatNote = ({ text, signatures }: Note): string => `${text}\n${signatures.map(signatureLine).join('')}`;

/** The signatures that claim to be by this key: same name and same id. */
export function signaturesBy(note: Note, key: NoteKey): Bytes[] {
  const id = noteKeyId(key);
  return note.signatures.filter(({ name, keyId }) => name === key.name && equalBytes(keyId, id)).map(({ signature }) => signature);
}

/** A verifier key in the note format: `<name>+<key id, hex>+<base64 of type ‖ key>`. */
export const formatVerifierKey = (key: NoteKey): string =>
  `${key.name}+${toHex(noteKeyId(key))}+${toBase64(concat(Uint8Array.of(key.type), key.key))}`;

/** @returns null unless `text` is a verifier key of an Ed25519 type whose id is right. */
export function parseVerifierKey(text: string): NoteKey | null {
  const match = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(text);
  const bytes = match && fromBase64(match[3]!);
  if (!match || bytes?.length !== 33) return null;
  const key = { name: match[1]!, type: bytes[0]!, key: bytes.slice(1) };
  const known = key.type === NOTE_ED25519 || key.type === NOTE_COSIGNATURE;
  return known && toHex(noteKeyId(key)) === match[2] ? key : null;
}
