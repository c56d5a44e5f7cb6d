/**
 * OpenEXR scanline files (Technical Introduction to OpenEXR, 2.0 single part): half, float and
 * unsigned channels under any names, ZIP-compressed or plain. Refuses tiles and deep data.
 */
import { ascii, join, type Bytes } from './bytes.ts';
import { deflate } from './deflate.ts';

export interface ExrLayer {
  /** Full names, at most 31 characters each: R, G, B is the picture, albedo.R a channel of the layer albedo, Z depth. */
  readonly channels: readonly string[];
  /** width × height × channels values, rows from the top. Whole numbers are stored as unsigned 32-bit ones. */
  readonly values: Float32Array | Uint32Array;
  /** Instead of the file's. */
  readonly type?: 'half' | 'float';
}

export interface ExrOptions {
  /** float (32 bits) keeps a measurement exact; half is what compositing expects. */
  readonly type: 'half' | 'float';
  readonly compression: 'zip' | 'none';
  /** Text attributes by name, at most 31 characters each. */
  readonly notes?: Readonly<Record<string, string>>;
}

const ROWS_PER_ZIP_BLOCK = 16;
const PIXEL_TYPE = { uint: 0, half: 1, float: 2 } as const;
const COMPRESSION = { none: 0, zip: 3 } as const;
const VALUE_BYTES = { uint: 4, half: 2, float: 4 } as const;
const NAME_CHARS_MAX = 31;
/** Blocks that are compressed at a time. */
const BLOCKS_AT_ONCE = 4;
/** Of Rec. 709: red, green, blue, white, x and y each. */
const CHROMATICITIES = [0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329] as const;

interface Channel {
  readonly name: string;
  readonly type: keyof typeof PIXEL_TYPE;
  readonly values: Float32Array | Uint32Array;
  /** Where its first value lies, and how far apart they are. */
  readonly first: number;
  readonly stride: number;
}

export async function encodeExr(layers: readonly ExrLayer[], width: number, height: number, options: ExrOptions): Promise<Bytes> {
  for (const layer of layers) {
    const { channels, values } = layer;
    if (values.length !== width * height * channels.length)
      throw new RangeError(`layer ${channels.join()} is not ${width} × ${height} × ${channels.length}`);
  }
  const names = [...layers.flatMap((layer) => layer.channels), ...Object.keys(options.notes ?? {})];
  const long = names.find((name) => name.length > NAME_CHARS_MAX);
  if (long !== undefined) throw new RangeError(`the name '${long}' is longer than ${NAME_CHARS_MAX} characters`);
  // Channels are stored in alphabetical order of their full names.
  const channels = layers.flatMap((layer) => channelsOf(layer, options.type)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const rows = options.compression === 'zip' ? ROWS_PER_ZIP_BLOCK : 1;
  const head = header(channels, width, height, options);
  const tops = Array.from({ length: Math.ceil(height / rows) }, (_, i) => i * rows);
  const blocks: Bytes[] = [];
  while (blocks.length < tops.length) {
    const some = tops.slice(blocks.length, blocks.length + BLOCKS_AT_ONCE);
    blocks.push(...(await Promise.all(some.map((y) => packedBlock(channels, width, y, Math.min(y + rows, height), options)))));
  }
  const offsets = new DataView(new ArrayBuffer(blocks.length * 8));
  let at = head.length + offsets.byteLength;
  for (const [i, block] of blocks.entries()) {
    offsets.setBigUint64(i * 8, BigInt(at), true);
    at += block.length;
  }
  return join(head, new Uint8Array(offsets.buffer), ...blocks);
}

async function packedBlock(channels: readonly Channel[], width: number, top: number, end: number, options: ExrOptions): Promise<Bytes> {
  const raw = blockOf(channels, width, top, end);
  const packed = options.compression === 'zip' ? await deflate(predicted(raw)) : raw;
  // A block that does not shrink is stored as it is; readers tell by its size.
  const data = packed.length < raw.length ? packed : raw;
  return join(int32(top, data.length), data);
}

function channelsOf(layer: ExrLayer, fallback: 'half' | 'float'): Channel[] {
  const { values, channels } = layer;
  const type = values instanceof Uint32Array ? 'uint' : (layer.type ?? fallback);
  return channels.map((name, first) => ({ name, type, values, first, stride: channels.length }));
}

function header(channels: readonly Channel[], width: number, height: number, options: ExrOptions): Bytes {
  const channelList = channels.map(({ name, type }) => join(text(name), int32(PIXEL_TYPE[type], 0, 1, 1)));
  const box = int32(0, 0, width - 1, height - 1);
  return join(
    int32(20_000_630, 2),
    attribute('channels', 'chlist', join(...channelList, new Uint8Array(1))),
    attribute('chromaticities', 'chromaticities', float32(...CHROMATICITIES)),
    attribute('compression', 'compression', new Uint8Array([COMPRESSION[options.compression]])),
    attribute('dataWindow', 'box2i', box),
    attribute('displayWindow', 'box2i', box),
    attribute('lineOrder', 'lineOrder', new Uint8Array(1)),
    attribute('pixelAspectRatio', 'float', float32(1)),
    attribute('screenWindowCenter', 'v2f', float32(0, 0)),
    attribute('screenWindowWidth', 'float', float32(1)),
    ...Object.entries(options.notes ?? {}).map(([name, value]) => attribute(name, 'string', new TextEncoder().encode(value))),
    new Uint8Array(1),
  );
}

const attribute = (name: string, type: string, value: Uint8Array): Bytes => join(text(name), text(type), int32(value.length), value);
const text = (value: string): Bytes => ascii(`${value}\0`);

function int32(...values: number[]): Bytes {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, i) => view.setInt32(i * 4, value, true));
  return new Uint8Array(view.buffer);
}

function float32(...values: number[]): Bytes {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, i) => view.setFloat32(i * 4, value, true));
  return new Uint8Array(view.buffer);
}

/** Rows [top, end): row by row, in each row channel by channel. */
function blockOf(channels: readonly Channel[], width: number, top: number, end: number): Bytes {
  const pixelBytes = channels.reduce((sum, { type }) => sum + VALUE_BYTES[type], 0);
  const view = new DataView(new ArrayBuffer((end - top) * width * pixelBytes));
  let at = 0;
  for (let y = top; y < end; y++) {
    for (const { values, type, first, stride } of channels) {
      for (let x = 0; x < width; x++) {
        const value = values[(y * width + x) * stride + first]!;
        if (type === 'half') view.setUint16(at, toHalf(value), true);
        else if (type === 'uint') view.setUint32(at, value, true);
        else view.setFloat32(at, value, true);
        at += VALUE_BYTES[type];
      }
    }
  }
  return new Uint8Array(view.buffer);
}

/** What OpenEXR's ZIP compresses: even bytes before odd ones, each as its difference to the one before. */
function predicted(raw: Bytes): Bytes {
  const split = new Uint8Array(raw.length);
  const half = (raw.length + 1) >> 1;
  for (let i = 0; i < raw.length; i++) split[(i & 1 ? half : 0) + (i >> 1)] = raw[i]!;
  for (let i = split.length - 1; i > 0; i--) split[i] = split[i]! - split[i - 1]! + 128;
  return split;
}

const floatBits = new Float32Array(1);
const intBits = new Uint32Array(floatBits.buffer);

/** IEEE 754 binary16, rounded to nearest even; too large becomes the largest finite half. */
export function toHalf(value: number): number {
  floatBits[0] = value;
  const bits = intBits[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 and above would round to infinity, which compositing programs dislike.
  if (magnitude >= 0x477ff000) return sign | 0x7bff;
  if (magnitude < 0x38800000) {
    // Subnormal: count units of 2^-24, where Math.round's ties need care.
    const units = Math.abs(floatBits[0]!) * 2 ** 24;
    const floor = Math.floor(units);
    const rest = units - floor;
    return sign | (floor + (rest > 0.5 || (rest === 0.5 && (floor & 1) === 1) ? 1 : 0));
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}
