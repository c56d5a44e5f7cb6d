/**
 * A bundle of named files: a zip, or what was dropped together. A zip is read by its central
 * directory (APPNOTE.TXT 6.3, sections 4.3 and 4.4) and an entry is unpacked when it is asked for,
 * under a budget. Encrypted, zip64, split and doubly named archives, paths that lead outside, and
 * claims that deflate can't keep are refused, each in one sentence.
 */
import { SCENE_ARCHIVE_BYTES_MAX, SCENE_ARCHIVE_ENTRIES_MAX } from '#lib/protocol/limits.ts';
import { SceneError } from './compiled-scene.ts';
import { crc32, DEFLATE_RATIO_MAX, inflate } from './inflate.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface NamedFile {
  /** With `/` between folders. */
  readonly path: string;
  readonly bytes: Bytes;
}

export interface Archive {
  /** Sorted by code unit, which is the same everywhere. */
  readonly paths: readonly string[];
  /** @throws SceneError when the entry is damaged or the budget is spent. */
  read(path: string): Bytes;
}

/** What systems leave in archives and nobody means. */
const LITTER = /(^|\/)(__MACOSX\/|\.DS_Store$|Thumbs\.db$|\._)/;

export const quoted = (name: string): string => JSON.stringify(name.length > 60 ? `…${name.slice(-60)}` : name);

/** Several files dropped or found together. @throws SceneError when they are too many or share a name. */
export function bundle(files: readonly NamedFile[]): Archive {
  const entries = new Map<string, Bytes>();
  for (const { path, bytes } of files) {
    const clean = cleanPath(path, `The file ${quoted(path)}`);
    if (LITTER.test(clean)) continue;
    if (entries.has(clean)) throw new SceneError(`Two files are named ${quoted(clean)}; leave out one of them.`);
    entries.set(clean, bytes);
  }
  checkCount(entries.size);
  return { paths: [...entries.keys()].sort(), read: (path) => entries.get(path) ?? missing(path) };
}

interface Entry {
  /** Of its local header. */
  readonly at: number;
  readonly packed: number;
  readonly size: number;
  readonly method: number;
  readonly crc: number;
}

export const isZip = (file: Uint8Array): boolean =>
  file[0] === 0x50 && file[1] === 0x4b && ((file[2] === 3 && file[3] === 4) || (file[2] === 5 && file[3] === 6));

/** @throws SceneError naming the byte of the first defect. */
export function openZip(file: Bytes): Archive {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const entries = readDirectory(file, view);
  const unpacked = new Map<string, Bytes>();
  let spent = 0;
  const read = (path: string): Bytes => {
    const entry = entries.get(path) ?? missing(path);
    const known = unpacked.get(path);
    if (known) return known;
    spent += entry.size;
    if (spent > SCENE_ARCHIVE_BYTES_MAX) {
      throw new SceneError(
        `Byte ${entry.at}: the archive unpacks to more than ${SCENE_ARCHIVE_BYTES_MAX} bytes at ${quoted(path)}; make it smaller.`,
      );
    }
    const bytes = unpack(file, view, path, entry);
    unpacked.set(path, bytes);
    return bytes;
  };
  return { paths: [...entries.keys()].sort(), read };
}

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;
const COMMENT_BYTES_MAX = 65_535;

function findEnd(view: DataView): number {
  const first = Math.max(0, view.byteLength - END_BYTES - COMMENT_BYTES_MAX);
  for (let at = view.byteLength - END_BYTES; at >= first; at--) if (view.getUint32(at, true) === END) return at;
  throw new SceneError(`Byte ${view.byteLength}: the archive ends without its directory; it was cut off, fetch it again.`);
}

function readDirectory(file: Bytes, view: DataView): Map<string, Entry> {
  const end = findEnd(view);
  const [disk, disks] = [view.getUint16(end + 4, true), view.getUint16(end + 6, true)];
  const [count, length, start] = [view.getUint16(end + 10, true), view.getUint32(end + 12, true), view.getUint32(end + 16, true)];
  if (count === 0xffff || length === 0xffffffff || start === 0xffffffff) {
    throw new SceneError(`Byte ${end}: the archive has the zip64 form, which is for larger files than a scene; pack it as a plain zip.`);
  }
  if (disk !== 0 || disks !== 0) throw new SceneError(`Byte ${end + 4}: the archive is one part of several; pack it as one zip.`);
  checkCount(count);
  const entries = new Map<string, Entry>();
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > end || view.getUint32(at, true) !== CENTRAL) {
      throw new SceneError(`Byte ${Math.min(at, end)}: the directory of the archive is damaged at entry ${i}; pack it again.`);
    }
    const u16 = (offset: number): number => view.getUint16(at + offset, true);
    const u32 = (offset: number): number => view.getUint32(at + offset, true);
    const next = at + CENTRAL_BYTES + u16(28) + u16(30) + u16(32);
    if (next > end) throw new SceneError(`Byte ${at}: the directory of the archive is damaged at entry ${i}; pack it again.`);
    const name = entryName(file.subarray(at + CENTRAL_BYTES, at + CENTRAL_BYTES + u16(28)));
    const path = cleanPath(name, `Byte ${at}: the entry ${quoted(name)} of the archive`);
    if (u16(8) & 1) throw new SceneError(`Byte ${at}: ${quoted(path)} in the archive is encrypted; pack it without a password.`);
    if (!path.endsWith('/') && !LITTER.test(path)) {
      if (entries.has(path)) throw new SceneError(`Byte ${at}: the archive has two entries named ${quoted(path)}; pack it again.`);
      const entry = { at: u32(42), packed: u32(20), size: u32(24), method: u16(10), crc: u32(16) };
      if ([entry.at, entry.packed, entry.size].includes(0xffffffff))
        throw new SceneError(`Byte ${at}: ${quoted(path)} in the archive has the zip64 form; pack it as a plain zip.`);
      if (entry.size > entry.packed * DEFLATE_RATIO_MAX + LOCAL_BYTES) {
        throw new SceneError(
          `Byte ${at}: ${quoted(path)} in the archive claims to unpack ${entry.packed} bytes to ${entry.size}, which is impossible; pack it again.`,
        );
      }
      entries.set(path, entry);
    }
    at = next;
  }
  return entries;
}

/** UTF-8 where it is that, else byte for byte: names outside ASCII then compare equal to nothing, which is safe. */
function entryName(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return String.fromCharCode(...bytes);
  }
}

/** `/` between folders, no `./`, nothing that leads outside. */
function cleanPath(path: string, what: string): string {
  const slashed = path.replaceAll('\\', '/');
  const parts = slashed.split('/').filter((part, i, all) => part !== '.' && (part !== '' || i === all.length - 1));
  if (slashed.startsWith('/') || /^[a-z]:/i.test(slashed) || parts.includes('..') || slashed.includes('\0')) {
    throw new SceneError(`${what} leads outside its folder; pack it again without such paths.`);
  }
  return parts.join('/');
}

function unpack(file: Bytes, view: DataView, path: string, { at, packed, size, method, crc }: Entry): Bytes {
  const damaged = (what: string): never => {
    throw new SceneError(`Byte ${at}: ${quoted(path)} in the archive ${what}; pack it again.`);
  };
  if (at + LOCAL_BYTES > file.length || view.getUint32(at, true) !== LOCAL) damaged('has no header there');
  const start = at + LOCAL_BYTES + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
  if (start + packed > file.length) damaged(`claims ${packed} bytes but ${Math.max(0, file.length - start)} follow`);
  const data = file.subarray(start, start + packed);
  if (method !== 0 && method !== 8) damaged(`is compressed by method ${method}, only deflate can be read`);
  if (method === 0 && packed !== size) damaged(`is stored in ${packed} bytes but claims ${size}`);
  const bytes = (method === 0 ? data : inflate(data, size, 'raw', true)) ?? damaged('does not unpack to the bytes it claims');
  if (crc32(bytes) !== crc) damaged('does not match its checksum');
  return bytes;
}

function checkCount(count: number): void {
  if (count <= SCENE_ARCHIVE_ENTRIES_MAX) return;
  throw new SceneError(
    `The archive has ${count} entries, more than the ${SCENE_ARCHIVE_ENTRIES_MAX} there may be; leave out what the scene does not use.`,
  );
}

/** Only this module's callers name paths, and only from `paths`. */
function missing(path: string): never {
  throw new Error(`The archive has no ${path}.`);
}
