/**
 * PNG to rgba8. The file is taken apart here first: only the chunks that make the picture go on to
 * the decoder, checked and unpacked under the size that the header allows, so that neither a
 * damaged colour profile spoils a sound picture nor a deflate bomb fills the memory.
 */
import { convertIndexedToRgb, decode, type DecodedPng } from 'fast-png';
import type { DecodedImage } from './image-decode.ts';
import { crc32, inflate } from './inflate.ts';

const SIGNATURE_BYTES = 8;
const [IHDR, PLTE, TRNS, IDAT, IEND] = [0x49484452, 0x504c5445, 0x74524e53, 0x49444154, 0x49454e44];
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** @returns null when damaged. @throws whatever the decoder does on damage that only it sees. */
export function decodePng(file: Uint8Array<ArrayBuffer>): DecodedImage | null {
  const essential = essentials(file);
  return essential && toRgba(decode(essential));
}

/** Signature, header, palette, transparency, unpacked picture data, end. */
function essentials(file: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | null {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const kept: Uint8Array[] = [file.subarray(0, SIGNATURE_BYTES)];
  const data: Uint8Array[] = [];
  let ended = false;
  for (let at = SIGNATURE_BYTES; at + 12 <= file.length && !ended;) {
    const [length, type] = [view.getUint32(at), view.getUint32(at + 4)];
    if (length > file.length - at - 12) return null;
    const chunk = file.subarray(at, at + 12 + length);
    if ([IHDR, PLTE, TRNS, IDAT].includes(type)) {
      if (crc32(chunk.subarray(4, 8 + length)) !== view.getUint32(at + 8 + length)) return null;
      if (type === IDAT) data.push(chunk.subarray(8, 8 + length));
      else kept.push(chunk);
    }
    ended = type === IEND;
    at += 12 + length;
  }
  if (!ended || data.length === 0 || kept.length < 2) return null;
  const size = rawBytes(view);
  const raw = size === null ? null : inflate(concat(data), size, 'zlib', false);
  if (!raw) return null;
  kept.push(asChunk('IDAT', asStored(raw)), asChunk('IEND', new Uint8Array(0)));
  return concat(kept);
}

/** Filter bytes and samples of all passes (PNG 3rd edition, 8.1 and 9.2). */
function rawBytes(view: DataView): number | null {
  const [width, height, depth] = [view.getUint32(16), view.getUint32(20), view.getUint8(24)];
  const channels = CHANNELS[view.getUint8(25)];
  const interlaced = view.getUint8(28);
  const sound = view.getUint32(8) === 13 && view.getUint32(12) === IHDR && [1, 2, 4, 8, 16].includes(depth);
  if (!sound || channels === undefined || interlaced > 1) return null;
  const pass = (w: number, h: number): number => (w === 0 || h === 0 ? 0 : h * (1 + Math.ceil((w * depth * channels) / 8)));
  if (interlaced === 0) return pass(width, height);
  let sum = 0;
  for (const [x0, y0, dx, dy] of ADAM7) sum += pass(Math.ceil((width - x0) / dx), Math.ceil((height - y0) / dy));
  return sum;
}

const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

const STORED_BYTES_MAX = 65_535;

/** A zlib stream of stored blocks, so that the decoder gets bytes that are unpacked already; it does not look at the checksum. */
function asStored(raw: Uint8Array): Uint8Array {
  const blocks = Math.max(1, Math.ceil(raw.length / STORED_BYTES_MAX));
  const out = new Uint8Array(2 + raw.length + blocks * 5 + 4);
  const view = new DataView(out.buffer);
  out.set([0x78, 0x01]);
  let at = 2;
  for (let block = 0; block < blocks; block++) {
    const part = raw.subarray(block * STORED_BYTES_MAX, (block + 1) * STORED_BYTES_MAX);
    out[at] = block === blocks - 1 ? 1 : 0;
    view.setUint16(at + 1, part.length, true);
    view.setUint16(at + 3, ~part.length & 0xffff, true);
    out.set(part, at + 5);
    at += 5 + part.length;
  }
  return out;
}

function asChunk(type: string, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) out[4 + i] = type.charCodeAt(i);
  out.set(data, 8);
  // The decoder is not asked to check what has just been checked.
  return out;
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function toRgba(png: DecodedPng): DecodedImage {
  const { width, height, depth } = png;
  const texels = width * height;
  const out = new Uint8Array(texels * 4).fill(255);
  if (png.palette) {
    const colors = convertIndexedToRgb(png);
    const stride = colors.length / texels;
    for (let i = 0; i < texels; i++) for (let c = 0; c < stride; c++) out[i * 4 + c] = colors[i * stride + c] as number;
    return { width, height, data: out };
  }
  const samples = depth < 8 ? unpack(png) : png.data;
  const max = (1 << depth) - 1;
  const to8 = (value: number): number => Math.floor((value * 255 + max / 2) / max);
  const [channels, key] = [png.channels, png.transparency];
  for (let i = 0; i < texels; i++) {
    const at = i * channels;
    const value = (c: number): number => samples[at + c] as number;
    for (let c = 0; c < 3; c++) out[i * 4 + c] = to8(value(channels < 3 ? 0 : c));
    if (channels % 2 === 0) out[i * 4 + 3] = to8(value(channels - 1));
    else if (key && value(0) === key[0] && (channels === 1 || (value(1) === key[1] && value(2) === key[2]))) out[i * 4 + 3] = 0;
  }
  return { width, height, data: out };
}

/** Grey samples of 1, 2 or 4 bits, packed by rows from the high bit, to one byte each. */
function unpack(png: DecodedPng): Uint8Array {
  const { width, height, depth } = png;
  const rowBytes = Math.ceil((width * depth) / 8);
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      const byte = png.data[y * rowBytes + (bit >> 3)] as number;
      out[y * width + x] = (byte >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
    }
  }
  return out;
}
