/**
 * What a Draco payload says it will unpack to, read from its first bytes before the decoder is
 * asked: a few hundred bytes can claim millions of triangles. Draco bitstream specification 2.2,
 * sections "Parse header", "Metadata" and "Connectivity data". Decodes nothing.
 */
export interface DracoClaim {
  readonly faces: number;
  readonly points: number;
}

const HEADER_BYTES = 11;
const MESH = 1;
const EDGEBREAKER = 1;
const METADATA_FLAG = 0x8000;
const METADATA_DEPTH_MAX = 16;

/** @returns null when the payload is no mesh of bitstream 2.2 or ends too early. */
export function dracoClaim(payload: Uint8Array): DracoClaim | null {
  const text = String.fromCharCode(...payload.subarray(0, 5));
  if (payload.length < HEADER_BYTES || text !== 'DRACO' || payload[5] !== 2 || payload[6] !== 2 || payload[7] !== MESH) return null;
  const cursor = new Cursor(payload, HEADER_BYTES);
  const flags = (payload[9] as number) | ((payload[10] as number) << 8);
  if (flags & METADATA_FLAG) skipMetadata(cursor);
  const first = payload[8] === EDGEBREAKER ? cursor.passOver(1).varint() : null;
  const faces = cursor.varint();
  const points = first ?? cursor.varint();
  return cursor.at <= payload.length ? { faces, points } : null;
}

/** Reads zeros behind the end; whoever uses it compares `at` with the length. */
class Cursor {
  constructor(
    readonly bytes: Uint8Array,
    public at: number,
  ) {}

  byte(): number {
    return this.bytes[this.at++] ?? 0;
  }

  passOver(count: number): this {
    this.at += count;
    return this;
  }

  /** LEB128 of at most 32 bits. */
  varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 35; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) break;
    }
    return value;
  }
}

function skipMetadata(cursor: Cursor): void {
  for (let attributes = cursor.varint(); attributes > 0 && cursor.at < cursor.bytes.length; attributes--) {
    cursor.varint();
    skipElement(cursor, 0);
  }
  skipElement(cursor, 0);
}

function skipElement(cursor: Cursor, depth: number): void {
  for (let entries = cursor.varint(); entries > 0 && cursor.at < cursor.bytes.length; entries--) {
    cursor.passOver(cursor.byte());
    cursor.passOver(cursor.varint());
  }
  for (let below = cursor.varint(); below > 0 && cursor.at < cursor.bytes.length; below--) {
    cursor.passOver(cursor.byte());
    if (depth < METADATA_DEPTH_MAX) skipElement(cursor, depth + 1);
    else cursor.at = Infinity;
  }
}
