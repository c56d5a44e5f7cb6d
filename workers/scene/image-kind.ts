/**
 * What kind of image the bytes claim to be, and how large: read from the header, before any decoder
 * allocates for it. The MIME type of the file is not asked, because exporters get it wrong.
 */
export type ImageKind = 'PNG' | 'JPEG' | 'WebP' | 'AVIF' | 'KTX2';

export interface ImageClaim {
  readonly width: number;
  readonly height: number;
}

export function sniff(b: Uint8Array): ImageKind | null {
  const starts = (at: number, ...codes: number[]): boolean => codes.every((code, i) => b[at + i] === code);
  if (starts(0, 0x89, 0x50, 0x4e, 0x47)) return 'PNG';
  if (starts(0, 0xff, 0xd8, 0xff)) return 'JPEG';
  if (starts(0, 0x52, 0x49, 0x46, 0x46) && starts(8, 0x57, 0x45, 0x42, 0x50)) return 'WebP';
  if (starts(0, 0xab, 0x4b, 0x54, 0x58, 0x20, 0x32, 0x30, 0xbb, 0x0d, 0x0a, 0x1a, 0x0a)) return 'KTX2';
  if (starts(4, 0x66, 0x74, 0x79, 0x70)) return isAvif(b) ? 'AVIF' : null;
  return null;
}

/** Brand `avif` among the major and the compatible ones (ISO 14496-12, 4.3); `avis` is a film. */
function isAvif(b: Uint8Array): boolean {
  const view = new DataView(b.buffer, b.byteOffset, b.byteLength);
  const end = Math.min(view.byteLength < 4 ? 0 : view.getUint32(0), b.length, 256);
  for (let at = 8; at + 4 <= end; at += 4) if (view.getUint32(at) === 0x61766966) return true;
  return false;
}

/** @returns null when the header names no size. */
export function claimedSize(b: Uint8Array<ArrayBuffer>, kind: ImageKind): ImageClaim | null {
  const view = new DataView(b.buffer, b.byteOffset, b.byteLength);
  if (kind === 'PNG') return b.length < 33 ? null : { width: view.getUint32(16), height: view.getUint32(20) };
  if (kind === 'WebP') return webpSize(view);
  if (kind === 'AVIF') return avifSize(b, view);
  if (kind === 'KTX2') return b.length < 80 ? null : { width: view.getUint32(20, true), height: Math.max(1, view.getUint32(24, true)) };
  const frame = jpegFrame(b);
  return frame === null ? null : { width: view.getUint16(frame + 5), height: view.getUint16(frame + 3) };
}

/** Colour channels of a JPEG; 4 is CMYK or YCCK. */
export function jpegChannels(b: Uint8Array<ArrayBuffer>): number {
  const frame = jpegFrame(b);
  return frame === null ? 0 : (b[frame + 7] ?? 0);
}

/** Offset of the frame header's length field (ISO 10918-1, B.2.2). */
function jpegFrame(b: Uint8Array): number | null {
  for (let at = 2; at + 9 < b.length;) {
    if (b[at] !== 0xff) return null;
    const marker = b[at + 1] as number;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    // SOF0 to SOF15 carry the size; C4, C8 and CC in that range are tables.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return at + 2;
    // TEM and RST stand alone.
    const alone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
    at += alone ? 2 : 2 + (((b[at + 2] as number) << 8) | (b[at + 3] as number));
  }
  return null;
}

function webpSize(view: DataView): ImageClaim | null {
  if (view.byteLength < 30) return null;
  const kind = view.getUint8(15);
  if (kind === 0x20) return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  if (kind === 0x4c) {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  const uint24 = (at: number): number => view.getUint16(at, true) + view.getUint8(at + 2) * 65536;
  return kind === 0x58 ? { width: uint24(24) + 1, height: uint24(27) + 1 } : null;
}

/** Boxes are looked for in so many bytes from the start; encoders put `meta` first. */
const AVIF_META_BYTES_MAX = 256 * 1024;

/** The largest `ispe` property (ISO 23008-12, 6.5.3): the picture itself, or a part where there are thumbnails. */
function avifSize(b: Uint8Array, view: DataView): ImageClaim | null {
  let best: ImageClaim | null = null;
  const end = Math.min(b.length - 16, AVIF_META_BYTES_MAX);
  for (let at = 0; at <= end; at++) {
    if (b[at] !== 0x69 || view.getUint32(at) !== 0x69737065) continue;
    const [width, height] = [view.getUint32(at + 8), view.getUint32(at + 12)];
    if (!best || width * height > best.width * best.height) best = { width, height };
  }
  return best;
}
