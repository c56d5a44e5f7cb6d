/**
 * Canonical bytes: CBOR with sorted keys and shortest forms (RFC 8949 section 4.2). What is signed
 * or logged is these bytes; a decoder that accepted two spellings of one value would let a message
 * have two hashes, so this one takes nothing that `encodeCanonical` would have spelled differently. It
 * looks while it reads: encoding everything again to compare took longer than the signatures' hashes.
 */
import { encode } from 'cborg';
import { equalBytes, type Bytes } from './bytes.ts';

export const encodeCanonical = (value: unknown): Bytes => encode(value) as Bytes;

/** @returns the value, or undefined when `bytes` are not the canonical encoding of one value. */
export function decodeCanonical(bytes: Uint8Array): unknown {
  try {
    const reader = new Reader(bytes);
    const value = reader.value();
    return reader.at === bytes.length ? value : undefined;
  } catch {
    return undefined;
  }
}

const NOT_CANONICAL = new Error('not canonical');
const WORD = 2 ** 32;
/** Arguments below these fit into a shorter form than 1, 2, 4 and 8 bytes. */
const SHORTER_BELOW = [24, 2 ** 8, 2 ** 16, WORD] as const;

/** One code unit per byte; what is read of it is ASCII, on which all its dialects agree. */
const ascii = new TextDecoder('latin1');
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const BYTE_ORDER_MARK = '\ufeff';

/** Throws whatever is not canonical, and for nesting beyond the stack. */
class Reader {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #text: string;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#text = ascii.decode(bytes);
  }

  value(): unknown {
    const head = this.#view.getUint8(this.at++);
    const minor = head & 31;
    switch (head >> 5) {
      case 0:
        return this.#argument(minor);
      case 1: {
        const argument = this.#argument(minor);
        return typeof argument === 'number' && argument < Number.MAX_SAFE_INTEGER ? -1 - argument : -1n - BigInt(argument);
      }
      case 2: {
        const from = this.#skip(minor);
        // A copy, and plain bytes also of a Buffer, whose own slice is a view.
        return new Uint8Array(this.#bytes.subarray(from, this.at));
      }
      case 3:
        return this.#string(minor);
      case 4:
        return this.#array(minor);
      case 5:
        return this.#map(minor);
      case 7:
        return this.#simple(minor);
      default:
        throw NOT_CANONICAL;
    }
  }

  #argument(minor: number): number | bigint {
    if (minor < 24) return minor;
    const { at } = this;
    const size = minor - 24;
    let argument: number | bigint;
    if (size === 0) argument = this.#view.getUint8(at);
    else if (size === 1) argument = this.#view.getUint16(at);
    else if (size === 2) argument = this.#view.getUint32(at);
    else if (size === 3) {
      argument = this.#view.getUint32(at) * WORD + this.#view.getUint32(at + 4);
      if (argument > Number.MAX_SAFE_INTEGER) argument = this.#view.getBigUint64(at);
    } else throw NOT_CANONICAL;
    if (argument < SHORTER_BELOW[size]!) throw NOT_CANONICAL;
    this.at += 2 ** size;
    return argument;
  }

  /** Goes past as many bytes as the argument says. @returns where they begin. */
  #skip(minor: number): number {
    const length = this.#argument(minor);
    const from = this.at;
    if (length > this.#bytes.length - from) throw NOT_CANONICAL;
    this.at += Number(length);
    return from;
  }

  #string(minor: number): string {
    const from = this.#skip(minor);
    for (let i = from; i < this.at; i++) if (this.#bytes[i]! > 127) return this.#notAscii(from);
    return this.#text.slice(from, this.at);
  }

  #notAscii(from: number): string {
    const text = utf8.decode(this.#bytes.subarray(from, this.at));
    // Decoders of other implementations take it for a mark, and would spell the string without it.
    if (text.startsWith(BYTE_ORDER_MARK)) throw NOT_CANONICAL;
    return text;
  }

  #array(minor: number): unknown[] {
    const length = this.#argument(minor);
    const items: unknown[] = [];
    while (items.length < length) items.push(this.value());
    return items;
  }

  #map(minor: number): Record<string, unknown> {
    const size = this.#argument(minor);
    const map: Record<string, unknown> = {};
    let [before, beforeEnd] = [0, 0];
    for (let i = 0; i < size; i++) {
      const key = this.at;
      const head = this.#view.getUint8(this.at++);
      if (head >> 5 !== 3) throw NOT_CANONICAL;
      const name = this.#string(head & 31);
      if (i > 0 && !this.#ascends(before, beforeEnd, key, this.at)) throw NOT_CANONICAL;
      [before, beforeEnd] = [key, this.at];
      const value = this.value();
      // Assigned, it would be the object's prototype.
      if (name === '__proto__') Object.defineProperty(map, name, { value, configurable: true, enumerable: true, writable: true });
      else map[name] = value;
    }
    return map;
  }

  /** Does a key come before another one, by its encoded bytes? One that is there twice does not. */
  #ascends(a: number, aEnd: number, b: number, bEnd: number): boolean {
    const bytes = this.#bytes;
    // The encoded length comes first, so the shorter one is the lesser.
    if (aEnd - a !== bEnd - b) return aEnd - a < bEnd - b;
    for (let i = 0; i < aEnd - a; i++) if (bytes[a + i] !== bytes[b + i]) return bytes[a + i]! < bytes[b + i]!;
    return false;
  }

  #simple(minor: number): unknown {
    if (minor === 20) return false;
    if (minor === 21) return true;
    if (minor === 22) return null;
    const from = this.at - 1;
    const value = this.#float(minor);
    this.at += 2 ** (minor - 24);
    // Rare enough to be spelled again: which numbers are floats, and how wide, is known in one place.
    if (!equalBytes(encodeCanonical(value), this.#bytes.subarray(from, this.at))) throw NOT_CANONICAL;
    return value;
  }

  #float(minor: number): number {
    if (minor === 26) return this.#view.getFloat32(this.at);
    if (minor === 27) return this.#view.getFloat64(this.at);
    if (minor !== 25) throw NOT_CANONICAL;
    const half = this.#view.getUint16(this.at);
    const [exponent, fraction] = [(half >> 10) & 31, half & 1023];
    const size = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
    const value = exponent < 31 ? size : fraction === 0 ? Infinity : NaN;
    return half >> 15 ? -value : value;
  }
}
