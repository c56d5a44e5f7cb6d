/**
 * OpenEXR to linear rgb: flat scanline files with half, float or integer channels, stored plain or
 * by RLE, ZIPS, ZIP or PIZ, which are the lossless ways. Tiled, deep and multi-part files and lossy
 * compressions are refused by name. Bytes are bounded by the header before anything is unpacked.
 * Layout: "OpenEXR File Layout" of the OpenEXR documentation.
 */
import { ENVIRONMENT_SIDE_PX_MAX, ENVIRONMENT_TEXELS_MAX } from '#lib/protocol/limits.ts';
import { DEFLATE_RATIO_MAX, inflate } from './inflate.ts';
import { unpackPiz } from './exr-piz.ts';

type Bytes = Uint8Array<ArrayBuffer>;
/** Ends the reading with what is wrong, as the end of a sentence that begins "The environment". */
export type Refuse = (what: string) => never;

export interface LinearImage {
  readonly width: number;
  readonly height: number;
  /** rgb rows from the top. */
  readonly data: Float32Array;
}

export interface Channel {
  readonly name: string;
  /** 0 uint, 1 half, 2 float. */
  readonly type: number;
  readonly bytes: number;
}

interface Header {
  readonly channels: readonly Channel[];
  readonly compression: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Where the table of chunk offsets begins. */
  readonly end: number;
}

const COMPRESSIONS = ['none', 'RLE', 'ZIPS', 'ZIP', 'PIZ', 'PXR24', 'B44', 'B44A', 'DWAA', 'DWAB'];
/** Scanlines of a chunk, by compression; only the lossless ones. */
const LINES = [1, 1, 1, 16, 32];
const FLAGS = { tiled: 0x200, deep: 0x800, multipart: 0x1000 } as const;

export const isExr = (file: Uint8Array): boolean => file[0] === 0x76 && file[1] === 0x2f && file[2] === 0x31 && file[3] === 0x01;

export function readExr(file: Bytes, refuse: Refuse): LinearImage {
  const opened = openExr(file, refuse, { sidePx: ENVIRONMENT_SIDE_PX_MAX, texels: ENVIRONMENT_TEXELS_MAX });
  const picks = ['R', 'G', 'B'].map((name) => pick(opened.channels, name));
  const grey = pick(opened.channels, 'Y');
  const names = picks.every((name) => name !== null) ? picks : grey !== null && opened.channels.length <= 2 ? [grey, grey, grey] : null;
  if (!names) return refuse('is an OpenEXR file without channels R, G and B');
  return { width: opened.width, height: opened.height, data: readExrChannels(opened, names, refuse) };
}

/** A file whose header is sound and within bounds; nothing is unpacked yet. */
export interface OpenedExr extends Header {
  readonly file: Bytes;
}

export interface ExrBounds {
  readonly sidePx: number;
  readonly texels: number;
}

export const openExr = (file: Bytes, refuse: Refuse, bounds: ExrBounds): OpenedExr => ({
  ...readHeader(file, new DataView(file.buffer, file.byteOffset, file.byteLength), refuse, bounds),
  file,
});

/** @param names of channels that the file has. @returns their values, interleaved in that order, rows from the top. */
export function readExrChannels({ file, ...header }: OpenedExr, names: readonly string[], refuse: Refuse): Float32Array<ArrayBuffer> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const { channels, compression, width, height, top } = header;
  const places = names.map((name) => placeOf(channels, name));
  const lines = LINES[compression] as number;
  const rowBytes = channels.reduce((sum, channel) => sum + channel.bytes * width, 0);
  if (rowBytes * height > file.length * DEFLATE_RATIO_MAX)
    return refuse(`is cut off: no ${file.length} bytes unpack to ${width} × ${height} px`);
  const data = new Float32Array(width * height * places.length);
  for (let first = 0; first < height; first += lines) {
    const count = Math.min(lines, height - first);
    const entry = header.end + (first / lines) * 8;
    const at = view.getUint32(entry, true) + view.getUint32(entry + 4, true) * 2 ** 32;
    const damaged = (): never => refuse(`is damaged or cut off in row ${first}`);
    if (at + 8 > file.length || view.getInt32(at, true) !== top + first) damaged();
    const length = view.getUint32(at + 4, true);
    if (length > rowBytes * count || at + 8 + length > file.length) damaged();
    const packed = file.subarray(at + 8, at + 8 + length);
    const raw = unpack(packed, compression, rowBytes * count, { channels, width, lines: count }) ?? damaged();
    const values = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    for (let line = 0; line < count; line++) {
      places.forEach(({ offset, type, bytes }, c) => {
        const start = line * rowBytes + offset * width;
        const row = (first + line) * width;
        for (let x = 0; x < width; x++) data[(row + x) * places.length + c] = readValue(values, start + x * bytes, type);
      });
    }
  }
  return data;
}

interface Place extends Channel {
  /** Bytes per texel of the channels before it. */
  readonly offset: number;
}

function placeOf(channels: readonly Channel[], name: string): Place {
  let offset = 0;
  for (const channel of channels) {
    if (channel.name === name) return { ...channel, offset };
    offset += channel.bytes;
  }
  throw new RangeError(`no channel ${name}`);
}

/** The name itself, else the only one of that name in a layer (as "ViewLayer.Combined.R"). */
function pick(channels: readonly Channel[], name: string): string | null {
  if (channels.some((channel) => channel.name === name)) return name;
  const layered = channels.filter((channel) => channel.name.endsWith(`.${name}`));
  return layered.length === 1 ? (layered[0] as Channel).name : null;
}

function readHeader(file: Bytes, view: DataView, refuse: Refuse, bounds: ExrBounds): Header {
  const short = (): never => refuse(`is an OpenEXR file that ends inside its header (byte ${file.length})`);
  if (file.length < 16) short();
  const flags = view.getUint32(4, true);
  if (flags & (FLAGS.tiled | FLAGS.deep | FLAGS.multipart))
    refuse('is a tiled, deep or multi-part OpenEXR file; save it as flat scanlines');
  let at = 8;
  const text = (): string => {
    const start = at;
    while (at < file.length && file[at] !== 0 && at - start < 256) at += 1;
    if (at >= file.length || file[at] !== 0) short();
    return String.fromCharCode(...file.subarray(start, at++));
  };
  const found = new Map<string, DataView>();
  for (let name = text(); name !== ''; name = text()) {
    text();
    if (at + 4 > file.length) short();
    const size = view.getUint32(at, true);
    if (size > file.length - at - 4) short();
    found.set(name, new DataView(file.buffer, file.byteOffset + at + 4, size));
    at += 4 + size;
  }
  const attribute = (name: string, bytes: number): DataView => {
    const value = found.get(name);
    return value && value.byteLength >= bytes ? value : refuse(`is an OpenEXR file without "${name}"`);
  };
  const compression = attribute('compression', 1).getUint8(0);
  if (LINES[compression] === undefined)
    refuse(`is an OpenEXR file compressed by ${COMPRESSIONS[compression] ?? `method ${compression}`}; save it with ZIP or PIZ`);
  const box = attribute('dataWindow', 16);
  const [left, top, right, bottom] = [0, 4, 8, 12].map((offset) => box.getInt32(offset, true)) as [number, number, number, number];
  const [width, height] = [right - left + 1, bottom - top + 1];
  if (!(width >= 1 && height >= 1 && Math.max(width, height) <= bounds.sidePx && width * height <= bounds.texels)) {
    refuse(`is ${width} × ${height} px, at most ${bounds.texels} texels of at most ${bounds.sidePx} a side can be used`);
  }
  if (at + Math.ceil(height / (LINES[compression] as number)) * 8 > file.length) short();
  return { channels: readChannels(attribute('channels', 1), refuse), compression, top, width, height, end: at };
}

const CHANNELS_MAX = 64;

function readChannels(list: DataView, refuse: Refuse): Channel[] {
  const channels: Channel[] = [];
  for (let at = 0; at < list.byteLength && list.getUint8(at) !== 0;) {
    let name = '';
    while (at < list.byteLength && list.getUint8(at) !== 0) name += String.fromCharCode(list.getUint8(at++));
    if (at + 17 > list.byteLength || channels.length >= CHANNELS_MAX) return refuse('is an OpenEXR file with a damaged list of channels');
    const type = list.getInt32(at + 1, true);
    const sampled = list.getInt32(at + 9, true) === 1 && list.getInt32(at + 13, true) === 1;
    if (type < 0 || type > 2 || !sampled)
      return refuse(`is an OpenEXR file whose channel ${channels.length} is of an unknown or reduced kind`);
    channels.push({ name, type, bytes: type === 1 ? 2 : 4 });
    at += 17;
  }
  return channels;
}

export interface Block {
  readonly channels: readonly Channel[];
  readonly width: number;
  readonly lines: number;
}

/** @returns rows of channels, little-endian; null when damaged. A block that compression made no smaller is stored plain. */
function unpack(packed: Bytes, compression: number, size: number, block: Block): Bytes | null {
  if (packed.length === size) return packed;
  if (compression === 1) return mended(unpackRuns(packed, size));
  if (compression === 2 || compression === 3) return mended(inflate(packed, size, 'zlib', true));
  return compression === 4 ? unpackPiz(packed, size, block) : null;
}

/** Undoes the predictor and joins the halves: even bytes lie in the first, odd ones in the second. */
function mended(bytes: Bytes | null): Bytes | null {
  if (!bytes) return null;
  for (let i = 1; i < bytes.length; i++) bytes[i] = (bytes[i - 1] as number) + (bytes[i] as number) - 128;
  const out = new Uint8Array(bytes.length);
  const half = Math.ceil(bytes.length / 2);
  for (let i = 0; i < bytes.length; i++) out[i] = bytes[(i & 1 ? half : 0) + (i >> 1)] as number;
  return out;
}

function unpackRuns(packed: Bytes, size: number): Bytes | null {
  const out = new Uint8Array(size);
  let [at, to] = [0, 0];
  while (at < packed.length) {
    const code = ((packed[at++] as number) << 24) >> 24;
    const count = code < 0 ? -code : code + 1;
    if (to + count > size || at + (code < 0 ? count : 1) > packed.length) return null;
    if (code < 0) out.set(packed.subarray(at, at + count), to);
    else out.fill(packed[at] as number, to, to + count);
    at += code < 0 ? count : 1;
    to += count;
  }
  return to === size ? out : null;
}

function readValue(view: DataView, at: number, type: number): number {
  if (type === 1) return halfToNumber(view.getUint16(at, true));
  return type === 2 ? view.getFloat32(at, true) : view.getUint32(at, true);
}

/** 2^(e - 25) for the exponents of a half, made by doubling, which is exact. */
const HALF_SCALE = Float64Array.from({ length: 32 }, (_, e) => {
  let scale = 1;
  for (let k = Math.max(1, e); k < 25; k++) scale /= 2;
  for (let k = 25; k < e; k++) scale *= 2;
  return scale;
});

export function halfToNumber(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction : fraction + 1024) * (HALF_SCALE[exponent] as number);
}
