/**
 * Turns PNG, JPEG and WebP bytes into rgba8 texels with decoders that travel with the project, so
 * that every peer gets the same texels; the browser's own decoders differ from one another and are
 * never asked. Colour profiles, gamma chunks and EXIF orientation are ignored, as glTF says.
 */
import decodeJpeg, { init as initJpeg } from '@jsquash/jpeg/decode.js';
import decodeWebp, { init as initWebp } from '@jsquash/webp/decode.js';
import { convertIndexedToRgb, decode as decodePng, type DecodedPng } from 'fast-png';
import { IMAGE_SIDE_PX_MAX } from '#lib/protocol/limits.ts';
import { SceneError } from './compiled-scene.ts';
import { loadWasm, type WasmName } from './wasm-loader.ts';

export interface DecodedImage {
  readonly width: number;
  readonly height: number;
  /** rgba8, rows from the top. */
  readonly data: Uint8Array<ArrayBuffer>;
}

type Format = 'PNG' | 'JPEG' | 'WebP';

/** @throws SceneError naming `label` when the bytes are no image of a known kind or too large. */
export async function decodeImage(bytes: Uint8Array<ArrayBuffer>, label: string): Promise<DecodedImage> {
  const format = sniff(bytes);
  if (!format) throw new SceneError(`${label}: the image is neither PNG, JPEG nor WebP; convert it to one of these and export again.`);
  const size = declaredSize(bytes, format);
  if (!size || size[0] < 1 || size[1] < 1)
    throw new SceneError(`${label}: the ${format} has no readable size; replace the image and export again.`);
  if (size[0] > IMAGE_SIDE_PX_MAX || size[1] > IMAGE_SIDE_PX_MAX) {
    throw new SceneError(
      `${label}: the image is ${size[0]} × ${size[1]} px, at most ${IMAGE_SIDE_PX_MAX} px a side can be used; make it smaller.`,
    );
  }
  try {
    const image = format === 'PNG' ? fromPng(decodePng(bytes, { checkCrc: true })) : await decodeWithWasm(bytes, format);
    if (image.width === size[0] && image.height === size[1]) return image;
  } catch {
    // Decoders word their complaints for programmers; the sentence below serves everybody.
  }
  throw new SceneError(`${label}: the ${format} is damaged and cannot be decoded; replace the image and export again.`);
}

function sniff(b: Uint8Array): Format | null {
  const starts = (at: number, ...codes: number[]): boolean => codes.every((code, i) => b[at + i] === code);
  if (starts(0, 0x89, 0x50, 0x4e, 0x47)) return 'PNG';
  if (starts(0, 0xff, 0xd8, 0xff)) return 'JPEG';
  if (starts(0, 0x52, 0x49, 0x46, 0x46) && starts(8, 0x57, 0x45, 0x42, 0x50)) return 'WebP';
  return null;
}

/** Width and height from the header, read before any decoder allocates for them. */
function declaredSize(b: Uint8Array<ArrayBuffer>, format: Format): readonly [number, number] | null {
  const view = new DataView(b.buffer, b.byteOffset, b.byteLength);
  if (format === 'PNG') return b.length < 24 ? null : [view.getUint32(16), view.getUint32(20)];
  if (format === 'WebP') return webpSize(view);
  for (let at = 2; at + 9 < b.length;) {
    if (b[at] !== 0xff) return null;
    const marker = b[at + 1] as number;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    // SOF0 to SOF15 carry the size; C4, C8 and CC in that range are tables.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return [view.getUint16(at + 7), view.getUint16(at + 5)];
    at += 2 + view.getUint16(at + 2);
  }
  return null;
}

function webpSize(view: DataView): readonly [number, number] | null {
  if (view.byteLength < 30) return null;
  const kind = view.getUint8(15);
  if (kind === 0x20) return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
  if (kind === 0x4c) {
    const bits = view.getUint32(21, true);
    return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
  }
  const uint24 = (at: number): number => view.getUint16(at, true) + view.getUint8(at + 2) * 65536;
  return kind === 0x58 ? [uint24(24) + 1, uint24(27) + 1] : null;
}

const CODECS = {
  JPEG: { wasm: 'jpeg', init: initJpeg, decode: decodeJpeg },
  WebP: { wasm: 'webp', init: initWebp, decode: decodeWebp },
} as const;
const ready = new Map<WasmName, Promise<void>>();

async function decodeWithWasm(bytes: Uint8Array<ArrayBuffer>, format: 'JPEG' | 'WebP'): Promise<DecodedImage> {
  const codec = CODECS[format];
  const pending = ready.get(codec.wasm) ?? loadWasm(codec.wasm).then((wasmBinary) => codec.init({ wasmBinary }));
  ready.set(codec.wasm, pending);
  try {
    await pending;
    const { width, height, data } = await codec.decode(bytes.slice().buffer);
    return { width, height, data: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength) };
  } catch (error) {
    // A module that failed once may be left in any state: the next image gets a fresh one.
    ready.delete(codec.wasm);
    throw error;
  }
}

function fromPng(png: DecodedPng): DecodedImage {
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
