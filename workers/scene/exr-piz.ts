/**
 * PIZ, the wavelet compression of OpenEXR: a Huffman code over 16-bit words, a two-dimensional Haar
 * wavelet in modulo arithmetic, and a table of the values that occur. Integers only. Damage ends in
 * null. After ImfPizCompressor, ImfHuf and ImfWav of the OpenEXR reference implementation.
 */
import type { Block } from './exr.ts';

const WORDS = 65_536;
const HUFFMAN_SYMBOLS = WORDS + 1;

/** @returns `size` bytes in rows of channels; null when damaged. */
export function unpackPiz(
  packed: Uint8Array<ArrayBuffer>,
  size: number,
  { channels, width, lines }: Block,
): Uint8Array<ArrayBuffer> | null {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  if (packed.length < 8) return null;
  const [least, most] = [view.getUint16(0, true), view.getUint16(2, true)];
  if (most >= WORDS / 8) return null;
  const bitmap = new Uint8Array(WORDS / 8);
  let at = 4;
  if (least <= most) {
    if (at + most - least + 5 > packed.length) return null;
    bitmap.set(packed.subarray(at, at + most - least + 1), least);
    at += most - least + 1;
  }
  const values = new Uint16Array(WORDS);
  let used = 0;
  for (let value = 0; value < WORDS; value++) {
    if (value === 0 || ((bitmap[value >> 3] as number) >> (value & 7)) & 1) values[used++] = value;
  }
  const length = at + 4 <= packed.length ? view.getUint32(at, true) : Infinity;
  if (length > packed.length - at - 4) return null;
  const words = unpackHuffman(packed.subarray(at + 4, at + 4 + length), size / 2);
  if (!words) return null;
  const planes: { readonly start: number; readonly wide: number }[] = [];
  let start = 0;
  for (const { bytes } of channels) {
    const step = bytes / 2;
    for (let part = 0; part < step; part++) unwave(words, start + part, width, step, lines, width * step, used - 1);
    planes.push({ start, wide: width * step });
    start += width * step * lines;
  }
  const out = new Uint16Array(size / 2);
  let to = 0;
  for (let line = 0; line < lines; line++) {
    for (const plane of planes) {
      for (let x = 0; x < plane.wide; x++) out[to++] = values[words[plane.start + line * plane.wide + x] as number] as number;
    }
  }
  return littleEndian(out);
}

function littleEndian(words: Uint16Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(words.length * 2);
  for (let i = 0; i < words.length; i++) {
    out[i * 2] = (words[i] as number) & 255;
    out[i * 2 + 1] = (words[i] as number) >> 8;
  }
  return out;
}

/** Most significant bit first. Behind the end lie zeros; whoever reads checks `at` against `end`. */
class Bits {
  at: number;

  constructor(
    private readonly bytes: Uint8Array,
    firstByte: number,
  ) {
    this.at = firstByte * 8;
  }

  /** Up to 16 bits, not yet taken. */
  peek(count: number): number {
    const byte = this.at >> 3;
    const word = ((this.bytes[byte] ?? 0) << 16) | ((this.bytes[byte + 1] ?? 0) << 8) | (this.bytes[byte + 2] ?? 0);
    return (word >> (24 - count - (this.at & 7))) & ((1 << count) - 1);
  }

  take(count: number): number {
    const value = this.peek(count);
    this.at += count;
    return value;
  }
}

const LENGTH_MAX = 58;
/** Longer codes than doubles hold exactly would take 2^52 words to arise. */
const LENGTH_USED_MAX = 52;
const FAST_BITS = 12;

interface Code {
  /** By code length: the smallest code, how many there are, and where their symbols begin. */
  readonly first: Float64Array;
  readonly count: Int32Array;
  readonly start: Int32Array;
  readonly symbols: Int32Array;
  /** By the next bits: symbol × 64 + length, or 0. */
  readonly fast: Int32Array;
}

/** Header: first and last symbol, bytes of the table, bits of the data, 4 bytes unused. */
function unpackHuffman(packed: Uint8Array<ArrayBuffer>, size: number): Uint16Array | null {
  if (packed.length < 20) return null;
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const [least, most, bitCount] = [view.getUint32(0, true), view.getUint32(4, true), view.getUint32(12, true)];
  if (least >= HUFFMAN_SYMBOLS || most >= HUFFMAN_SYMBOLS) return null;
  const bits = new Bits(packed, 20);
  const lengths = readLengths(bits, least, most, packed.length * 8);
  if (!lengths) return null;
  bits.at = Math.ceil(bits.at / 8) * 8;
  const end = bits.at + bitCount;
  const code = end <= packed.length * 8 ? canonical(lengths) : null;
  if (!code) return null;
  const out = new Uint16Array(size);
  let to = 0;
  while (to < size) {
    const symbol = next(bits, code);
    if (symbol < 0 || bits.at > end) return null;
    if (symbol !== most) {
      out[to++] = symbol;
      continue;
    }
    // The last symbol stands for a run of the word before it.
    const run = bits.take(8);
    if (to === 0 || to + run > size || bits.at > end) return null;
    out.fill(out[to - 1] as number, to, to + run);
    to += run;
  }
  return out;
}

/** Six bits a length; 59 to 62 are short runs of zeros, 63 a long one. */
function readLengths(bits: Bits, least: number, most: number, end: number): Uint8Array | null {
  const lengths = new Uint8Array(HUFFMAN_SYMBOLS);
  for (let symbol = least; symbol <= most; symbol++) {
    if (bits.at > end) return null;
    const length = bits.take(6);
    if (length < 59) {
      lengths[symbol] = length;
      continue;
    }
    const run = length === 63 ? bits.take(8) + 6 : length - 59 + 2;
    if (symbol + run > most + 1) return null;
    symbol += run - 1;
  }
  return lengths;
}

/** Among canonical codes the longest are the smallest numbers. */
function canonical(lengths: Uint8Array): Code | null {
  const count = new Int32Array(LENGTH_MAX + 1);
  for (const length of lengths) if (length > 0) count[length] = (count[length] as number) + 1;
  for (let length = LENGTH_USED_MAX + 1; length <= LENGTH_MAX; length++) if (count[length] !== 0) return null;
  const first = new Float64Array(LENGTH_MAX + 1);
  const start = new Int32Array(LENGTH_MAX + 1);
  let code = 0;
  for (let length = LENGTH_MAX; length > 0; length--) {
    first[length] = code;
    code = Math.floor((code + (count[length] as number)) / 2);
  }
  for (let length = 1; length <= LENGTH_MAX; length++) start[length] = (start[length - 1] as number) + (count[length - 1] as number);
  const symbols = new Int32Array(HUFFMAN_SYMBOLS);
  const fast = new Int32Array(1 << FAST_BITS);
  const placed = new Int32Array(LENGTH_MAX + 1);
  lengths.forEach((length, symbol) => {
    if (length === 0) return;
    const rank = placed[length] as number;
    placed[length] = rank + 1;
    symbols[(start[length] as number) + rank] = symbol;
    if (length > FAST_BITS) return;
    const from = ((first[length] as number) + rank) * 2 ** (FAST_BITS - length);
    fast.fill(symbol * 64 + length, from, from + 2 ** (FAST_BITS - length));
  });
  return { first, count, start, symbols, fast };
}

/** @returns -1 when no code fits. */
function next(bits: Bits, { first, count, start, symbols, fast }: Code): number {
  const hit = fast[bits.peek(FAST_BITS)] as number;
  if (hit !== 0) {
    bits.at += hit & 63;
    return hit >> 6;
  }
  let code = bits.take(FAST_BITS);
  for (let length = FAST_BITS + 1; length <= LENGTH_USED_MAX; length++) {
    code = code * 2 + bits.take(1);
    const rank = code - (first[length] as number);
    if (rank >= 0 && rank < (count[length] as number)) return symbols[(start[length] as number) + rank] as number;
  }
  return -1;
}

/** In place; `most` is the largest word, which decides the arithmetic (14 bits keep signs apart). */
function unwave(words: Uint16Array, at: number, nx: number, ox: number, ny: number, oy: number, most: number): void {
  const pair = most < 1 << 14 ? pair14 : pair16;
  let p2 = 1;
  while (p2 * 2 <= Math.min(nx, ny)) p2 *= 2;
  for (let p = p2 >> 1; p >= 1; p2 = p, p >>= 1) {
    let y = 0;
    for (; y <= ny - p2; y += p2) {
      let x = 0;
      for (; x <= nx - p2; x += p2) {
        const a = at + y * oy + x * ox;
        pair(words, a, a + p * oy);
        pair(words, a + p * ox, a + p * ox + p * oy);
        pair(words, a, a + p * ox);
        pair(words, a + p * oy, a + p * oy + p * ox);
      }
      if (nx & p) pair(words, at + y * oy + x * ox, at + y * oy + x * ox + p * oy);
    }
    if (!(ny & p)) continue;
    for (let x = 0; x <= nx - p2; x += p2) pair(words, at + y * oy + x * ox, at + y * oy + (x + p) * ox);
  }
}

/** Mean and difference to the two values they came from. */
function pair14(words: Uint16Array, i: number, j: number): void {
  const low = ((words[i] as number) << 16) >> 16;
  const high = ((words[j] as number) << 16) >> 16;
  const a = low + (high & 1) + (high >> 1);
  words[i] = a;
  words[j] = a - high;
}

function pair16(words: Uint16Array, i: number, j: number): void {
  const [mean, difference] = [words[i] as number, words[j] as number];
  const b = (mean - (difference >> 1)) & 0xffff;
  words[i] = difference + b - 0x8000;
  words[j] = b;
}
