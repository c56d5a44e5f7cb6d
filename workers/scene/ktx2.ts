/**
 * KTX 2.0 textures to rgba8: Basis Universal (ETC1S and UASTC, with the supercompressions glTF
 * allows) through the transcoder that three ships, and plain 8-bit formats by hand. Only the largest
 * mip level is read. Arrays, cubes, volumes and block formats of one kind of GPU are refused.
 * Layout: KTX File Format Specification 2.0, section 3.
 */
import { SceneError } from './compiled-scene.ts';
import type { DecodedImage } from './image-decode.ts';
import { inflate } from './inflate.ts';
import { loadWasm } from './wasm-loader.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** The part of the transcoder that is used. */
interface BasisFile {
  isValid(): boolean;
  getWidth(): number;
  getHeight(): number;
  startTranscoding(): boolean;
  getImageTranscodedSizeInBytes(level: number, layer: number, face: number, format: number): number;
  transcodeImage(
    out: Uint8Array,
    level: number,
    layer: number,
    face: number,
    format: number,
    alpha: number,
    c0: number,
    c1: number,
  ): boolean;
  close(): void;
  delete(): void;
}
interface Basis {
  initializeBasis(): void;
  readonly KTX2File: new (file: Uint8Array) => BasisFile;
}
type BasisFactory = (options: { readonly wasmBinary: Uint8Array }) => Promise<Basis>;

const RGBA32 = 13;
const HEADER_BYTES = 80;
const LEVEL_BYTES = 24;
const LEVELS_MAX = 16;
/** VkFormat numbers of plain 8-bit texels, and their channels. */
const PLAIN: Readonly<Record<number, number>> = { 9: 1, 15: 1, 16: 2, 22: 2, 23: 3, 29: 3, 37: 4, 43: 4 };
const UNDEFINED_FORMAT = 0;
const SCHEMES = { none: 0, basisLz: 1, zstd: 2, zlib: 3 } as const;

interface Layout {
  readonly format: number;
  readonly width: number;
  readonly height: number;
  readonly scheme: number;
  /** Of level 0. */
  readonly offset: number;
  readonly length: number;
  readonly unpacked: number;
}

/** @throws SceneError naming `label` for kinds that cannot be read; null when damaged. */
export async function decodeKtx2(file: Bytes, label: string): Promise<DecodedImage | null> {
  const layout = readLayout(file, label);
  if (!layout) return null;
  const channels = PLAIN[layout.format];
  if (layout.format === UNDEFINED_FORMAT) return transcode(file, layout);
  if (channels !== undefined && layout.scheme !== SCHEMES.zstd) return plain(file, layout, channels);
  throw new SceneError(
    `${label}: the KTX2 has texels of VkFormat ${layout.format} and supercompression ${layout.scheme}, only Basis Universal and plain 8-bit ones can be read; convert it and export again.`,
  );
}

/** @returns null when what the header says does not fit the file. */
function readLayout(file: Bytes, label: string): Layout | null {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const u32 = (at: number): number => view.getUint32(at, true);
  const u64 = (at: number): number => u32(at) + u32(at + 4) * 2 ** 32;
  const [format, width, height, depth] = [u32(12), u32(20), u32(24), u32(28)];
  const [layers, faces, levels, scheme] = [u32(32), u32(36), u32(40), u32(44)];
  if (depth > 0 || layers > 1 || faces !== 1 || height === 0) {
    throw new SceneError(`${label}: the KTX2 is no flat image but an array, a cube or a volume; replace the image and export again.`);
  }
  if (levels > LEVELS_MAX || file.length < HEADER_BYTES + LEVEL_BYTES * Math.max(1, levels)) return null;
  for (let level = 0; level < Math.max(1, levels); level++) {
    const at = HEADER_BYTES + LEVEL_BYTES * level;
    if (u64(at) + u64(at + 8) > file.length) return null;
    // Sixteen bytes hold a block of 4 × 4 texels in UASTC; BasisLZ states no size; plain texels have at most 4 bytes.
    const texels = 16 * Math.ceil(width / 4) * Math.ceil(height / 4);
    if (scheme !== SCHEMES.basisLz && u64(at + 16) > texels * 4) return null;
  }
  return { format, width, height, scheme, offset: u64(HEADER_BYTES), length: u64(HEADER_BYTES + 8), unpacked: u64(HEADER_BYTES + 16) };
}

function plain(file: Bytes, { width, height, scheme, offset, length }: Layout, channels: number): DecodedImage | null {
  const stored = file.subarray(offset, offset + length);
  const size = width * height * channels;
  const texels = scheme === SCHEMES.zlib ? inflate(stored, size, 'zlib', true) : stored;
  if (!texels || texels.length < size || (scheme !== SCHEMES.none && scheme !== SCHEMES.zlib)) return null;
  const data = new Uint8Array(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 4; c++) {
      if (c < channels) data[i * 4 + c] = texels[i * channels + c] as number;
      else if (c < 3) data[i * 4 + c] = 0;
    }
  }
  return { width, height, data };
}

let pending: Promise<Basis> | null = null;

async function transcode(file: Bytes, { width, height }: Layout): Promise<DecodedImage | null> {
  const basis = await (pending ??= loadBasis());
  let opened: BasisFile | null = null;
  try {
    opened = new basis.KTX2File(file);
    if (!opened.isValid() || opened.getWidth() !== width || opened.getHeight() !== height || !opened.startTranscoding()) return null;
    if (opened.getImageTranscodedSizeInBytes(0, 0, 0, RGBA32) !== width * height * 4) return null;
    const data = new Uint8Array(width * height * 4);
    return opened.transcodeImage(data, 0, 0, 0, RGBA32, 0, -1, -1) ? { width, height, data } : null;
  } catch (error) {
    // A module that trapped may be left in any state: the next image gets a fresh one.
    pending = null;
    throw error;
  } finally {
    if (opened && pending) {
      opened.close();
      opened.delete();
    }
  }
}

const FOLDER = '__dirname';
const BORROWED = ['define', 'require', FOLDER];

/**
 * The transcoder is written as a script: it gives itself to an AMD loader, and believes that a
 * Node in sight brings `require`. Both are there for the moment in which it looks.
 */
async function loadBasis(): Promise<Basis> {
  const scope = globalThis as Record<string, unknown>;
  let factory: BasisFactory | null = null;
  const before = Object.fromEntries(BORROWED.map((name) => [name, scope[name]]));
  const define = Object.assign((_: unknown, make: () => BasisFactory) => void (factory = make()), { amd: {} });
  const wasmBinary = await loadWasm('basis');
  try {
    Object.assign(scope, { define });
    const script = await import('three/examples/jsm/libs/basis/basis_transcoder.js');
    // A bundler may have made a module of it, with the factory as its default.
    factory ??= loaded ?? script.default ?? null;
    if (!factory) throw new Error('The Basis transcoder gave no module.');
    loaded = factory;
    scope['require'] ??= () => ({});
    scope[FOLDER] ??= '';
    const started = loaded({ wasmBinary });
    restore(scope, before);
    const basis = await started;
    basis.initializeBasis();
    return basis;
  } finally {
    restore(scope, before);
  }
}

/** A module runs once, however often it is imported. */
let loaded: BasisFactory | null = null;

function restore(scope: Record<string, unknown>, before: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(before)) {
    if (value === undefined) delete scope[key];
    else scope[key] = value;
  }
}
