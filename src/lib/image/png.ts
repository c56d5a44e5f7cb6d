/**
 * PNG (third edition) for looking at: 8 or 16 bits of sRGB, said in every way that readers look for
 * it, and texts. Raw radiance goes to EXR or PFM instead. Rows are asked for in bands, so that a
 * large picture is never in memory twice.
 */
import { ascii, join, type Bytes } from './bytes.ts';
import { crc32, deflate, deflatePieces } from './deflate.ts';
import { toneMap, type ToneOptions } from './tonemap.ts';

export interface PngShape {
  readonly width: number;
  readonly height: number;
  readonly bits: 8 | 16;
  /** Keep A; else it is dropped. */
  readonly alpha: boolean;
}

/** Texts of a file by keyword (1 to 79 Latin-1 characters); values are any Unicode. */
export type Notes = Readonly<Record<string, string>>;

/** R, G, B, A of rows [top, end), straight alpha; full scale 255, or 65,535 for 16 bits. */
export type RowsOf = (top: number, end: number) => Uint8ClampedArray | Uint16Array;

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const BAND_BYTES = 1 << 20;
/** Longer texts are compressed. */
const TEXT_PLAIN_CHARS_MAX = 1024;

export async function writePng(shape: PngShape, rowsOf: RowsOf, notes: Notes = {}): Promise<Bytes> {
  const { width, height, bits, alpha } = shape;
  const head = new DataView(new ArrayBuffer(13));
  head.setUint32(0, width);
  head.setUint32(4, height);
  head.setUint8(8, bits);
  head.setUint8(9, alpha ? 6 : 2);
  const parts: Bytes[] = [SIGNATURE, chunk('IHDR', new Uint8Array(head.buffer)), ...colourChunks()];
  for (const [keyword, text] of Object.entries(notes)) parts.push(chunk('iTXt', await internationalText(keyword, text)));
  for await (const piece of deflatePieces(filteredBands(shape, rowsOf))) parts.push(chunk('IDAT', piece));
  return join(...parts, chunk('IEND', new Uint8Array(0)));
}

/**
 * @param rgb width × height × 3 linear values, rows from the top.
 * @param coverage alpha per pixel, 0 to 1, that `rgb` is multiplied with; PNG keeps colours unmultiplied. Null: opaque.
 */
export function encodePng(
  rgb: Float32Array,
  coverage: Float32Array | null,
  shape: Omit<PngShape, 'alpha'>,
  tone: ToneOptions,
  notes?: Notes,
): Promise<Bytes> {
  const { width, bits } = shape;
  const rowsOf: RowsOf = (top, end) => {
    const values = (end - top) * width * 4;
    const out = bits === 16 ? new Uint16Array(values) : new Uint8ClampedArray(values);
    toneMap(rgb.subarray(top * width * 3, end * width * 3), out, tone, coverage?.subarray(top * width, end * width));
    return out;
  };
  return writePng({ ...shape, alpha: coverage !== null }, rowsOf, notes);
}

function chunk(type: string, data: Uint8Array): Bytes {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  out.set(ascii(type), 4);
  out.set(data, 8);
  view.setUint32(8 + data.length, crc32(out.subarray(4, 8 + data.length)));
  return out;
}

/**
 * sRGB by code points (H.273: primaries 1, transfer 13, no matrix, full range), by name (perceptual
 * intent), and as gamma and primaries for readers that know neither.
 */
function colourChunks(): Bytes[] {
  const chromaticities = new DataView(new ArrayBuffer(32));
  [31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000].forEach((value, i) => chromaticities.setUint32(i * 4, value));
  return [
    chunk('cICP', Uint8Array.of(1, 13, 0, 1)),
    chunk('sRGB', Uint8Array.of(0)),
    chunk('gAMA', Uint8Array.of(0, 0, 0xb1, 0x8f)),
    chunk('cHRM', new Uint8Array(chromaticities.buffer)),
  ];
}

/** Keyword, whether compressed, method, no language, no translated keyword, text. */
async function internationalText(keyword: string, text: string): Promise<Bytes> {
  const packed = text.length > TEXT_PLAIN_CHARS_MAX;
  const bytes = new TextEncoder().encode(text);
  return join(ascii(keyword), Uint8Array.of(0, packed ? 1 : 0, 0, 0, 0), packed ? await deflate(bytes) : bytes);
}

function* filteredBands(shape: PngShape, rowsOf: RowsOf): Generator<Bytes> {
  const pixelBytes = (shape.alpha ? 4 : 3) * (shape.bits / 8);
  const rowBytes = shape.width * pixelBytes;
  const bandRows = Math.max(1, Math.floor(BAND_BYTES / rowBytes));
  let above: Uint8Array = new Uint8Array(rowBytes);
  for (let top = 0; top < shape.height; top += bandRows) {
    const end = Math.min(shape.height, top + bandRows);
    const samples = samplesOf(rowsOf(top, end), shape);
    const out = new Uint8Array((end - top) * (rowBytes + 1));
    for (let y = 0; y < end - top; y++) {
      const row = samples.subarray(y * rowBytes, (y + 1) * rowBytes);
      filterRow(row, above, pixelBytes, out.subarray(y * (rowBytes + 1), (y + 1) * (rowBytes + 1)));
      above = row;
    }
    yield out;
  }
}

/** Samples as PNG stores them: most significant byte first, alpha only when kept. */
function samplesOf(rgba: Uint8ClampedArray | Uint16Array, { alpha }: PngShape): Uint8Array {
  const pixels = rgba.length / 4;
  const channels = alpha ? 4 : 3;
  const wide = rgba instanceof Uint16Array;
  const out = new Uint8Array(pixels * channels * (wide ? 2 : 1));
  let at = 0;
  for (let p = 0; p < pixels; p++) {
    for (let c = 0; c < channels; c++) {
      const value = rgba[p * 4 + c]!;
      if (wide) out[at++] = value >> 8;
      out[at++] = value & 255;
    }
  }
  return out;
}

/** PNG's filters by number: 1 the sample to the left, 2 the one above, 4 the likeliest of three. */
const FILTERS = [1, 2, 4] as const;

/** Writes filter type and row by the filter with the smallest sum of absolute differences (PNG, 12.7). */
function filterRow(row: Uint8Array, above: Uint8Array, pixelBytes: number, out: Uint8Array): void {
  let least = Infinity;
  const trial = new Uint8Array(row.length);
  for (const filter of FILTERS) {
    const cost =
      filter === 1 ? bySub(row, pixelBytes, trial) : filter === 2 ? byUp(row, above, trial) : byPaeth(row, above, pixelBytes, trial);
    if (cost >= least) continue;
    least = cost;
    out[0] = filter;
    out.set(trial, 1);
  }
}

const magnitude = (byte: number): number => (byte < 128 ? byte : 256 - byte);

function bySub(row: Uint8Array, pixelBytes: number, out: Uint8Array): number {
  let cost = 0;
  for (let i = 0; i < row.length; i++) {
    const value = (row[i]! - (i < pixelBytes ? 0 : row[i - pixelBytes]!)) & 255;
    out[i] = value;
    cost += magnitude(value);
  }
  return cost;
}

function byUp(row: Uint8Array, above: Uint8Array, out: Uint8Array): number {
  let cost = 0;
  for (let i = 0; i < row.length; i++) {
    const value = (row[i]! - above[i]!) & 255;
    out[i] = value;
    cost += magnitude(value);
  }
  return cost;
}

function byPaeth(row: Uint8Array, above: Uint8Array, pixelBytes: number, out: Uint8Array): number {
  let cost = 0;
  for (let i = 0; i < row.length; i++) {
    const [left, up] = i < pixelBytes ? [0, above[i]!] : [row[i - pixelBytes]!, above[i]!];
    const corner = i < pixelBytes ? 0 : above[i - pixelBytes]!;
    const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
    const value = (row[i]! - (a <= b && a <= c ? left : b <= c ? up : corner)) & 255;
    out[i] = value;
    cost += magnitude(value);
  }
  return cost;
}
