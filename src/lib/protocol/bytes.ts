/** Byte strings and their text forms. Hashes and keys travel as lower-case hex, payloads as base64url. */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes, randomBytes as nobleRandomBytes } from '@noble/hashes/utils.js';

export type Bytes = Uint8Array<ArrayBuffer>;

export const toHex = (bytes: Uint8Array): string => bytesToHex(bytes);

/** @throws Error when `text` is not an even number of hex digits. */
export const fromHex = (text: string): Bytes => hexToBytes(text) as Bytes;

export const sha256 = (bytes: Uint8Array): Bytes => nobleSha256(bytes) as Bytes;

export const randomBytes = (count: number): Bytes => nobleRandomBytes(count) as Bytes;

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export const utf8 = (text: string): Bytes => new TextEncoder().encode(text) as Bytes;

/** Base64 with the URL alphabet and no padding (RFC 4648 section 5). */
export function toBase64Url(bytes: Uint8Array): string {
  let binary = '';
  for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** @returns null unless `text` is canonical base64url: decoding and encoding again gives `text`. */
export function fromBase64Url(text: string): Bytes | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return null;
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const out = Uint8Array.from(binary, (c) => c.charCodeAt(0)) as Bytes;
  return toBase64Url(out) === text ? out : null;
}
