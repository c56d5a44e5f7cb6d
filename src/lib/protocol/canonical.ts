/**
 * Canonical bytes: CBOR with sorted keys and shortest forms (RFC 8949 section 4.2). What is signed
 * or logged is these bytes; a decoder that accepted two spellings of one value would let a message
 * have two hashes, so decoding re-encodes and compares.
 */
import { decode, encode } from 'cborg';
import { equalBytes, type Bytes } from './bytes.ts';

export const encodeCanonical = (value: unknown): Bytes => encode(value) as Bytes;

/** @returns the value, or undefined when `bytes` are not the canonical encoding of one value. */
export function decodeCanonical(bytes: Uint8Array): unknown {
  try {
    const value: unknown = decode(bytes, { strict: true, allowUndefined: false, allowIndefinite: false, rejectDuplicateMapKeys: true });
    return equalBytes(encodeCanonical(value), bytes) ? value : undefined;
  } catch {
    return undefined;
  }
}
