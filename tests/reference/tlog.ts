/**
 * A reader of transparency logs written from the published texts alone (RFC 6962 section 2.1 and C2SP
 * signed-note, tlog-checkpoint, tlog-tiles, tlog-cosignature, tlog-proof), over HTTP. It shares no line
 * with the product: where both agree, so will other people's tools. Slow on purpose: roots and paths are
 * computed by the recursive definitions.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

// ---- RFC 6962 section 2.1 ------------------------------------------------------------------

/** MTH of a list of entries. */
export const leafHash = (entry: Uint8Array): Buffer => sha256(Buffer.of(0), entry);
const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => sha256(Buffer.of(1), left, right);

function largestPowerBelow(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** MTH over leaf hashes d[from:to]. */
export function treeHash(d: readonly Buffer[], from = 0, to = d.length): Buffer {
  const n = to - from;
  if (n === 0) return sha256();
  if (n === 1) return d[from]!;
  const k = largestPowerBelow(n);
  return nodeHash(treeHash(d, from, from + k), treeHash(d, from + k, to));
}

/** PATH(m, D[n]). */
export function auditPath(m: number, d: readonly Buffer[], from = 0, to = d.length): Buffer[] {
  const n = to - from;
  if (n === 1) return [];
  const k = largestPowerBelow(n);
  return m < k
    ? [...auditPath(m, d, from, from + k), treeHash(d, from + k, to)]
    : [...auditPath(m - k, d, from + k, to), treeHash(d, from, from + k)];
}

/** PROOF(m, D[n]). */
export const consistency = (m: number, d: readonly Buffer[]): Buffer[] => subproof(m, d, 0, d.length, true);

function subproof(m: number, d: readonly Buffer[], from: number, to: number, b: boolean): Buffer[] {
  const n = to - from;
  if (m === n) return b ? [] : [treeHash(d, from, to)];
  const k = largestPowerBelow(n);
  return m <= k
    ? [...subproof(m, d, from, from + k, b), treeHash(d, from + k, to)]
    : [...subproof(m - k, d, from + k, to, false), treeHash(d, from, from + k)];
}

/** The root that a path of a leaf leads to, by the shape of the tree: the path is read from its end. */
export function rootOfPath(m: number, n: number, leaf: Buffer, path: readonly Buffer[]): Buffer {
  if (n === 1) {
    if (path.length > 0) throw new Error('the audit path is too long');
    return leaf;
  }
  if (path.length === 0) throw new Error('the audit path is too short');
  const [rest, last] = [path.slice(0, -1), path.at(-1)!];
  const k = largestPowerBelow(n);
  return m < k ? nodeHash(rootOfPath(m, k, leaf, rest), last) : nodeHash(last, rootOfPath(m - k, n - k, leaf, rest));
}

// ---- signed notes --------------------------------------------------------------------------

export interface Verifier {
  readonly name: string;
  readonly id: Buffer;
  readonly type: number;
  readonly key: Buffer;
}

export function verifier(text: string): Verifier {
  const [name, id, data] = text.split('+', 2).concat(text.split('+').slice(2).join('+'));
  const bytes = Buffer.from(data!, 'base64');
  const [type, key] = [bytes[0]!, bytes.subarray(1)];
  const expected = sha256(Buffer.from(name!), Buffer.from('\n'), Buffer.of(type), key).subarray(0, 4);
  if (expected.toString('hex') !== id) throw new Error(`the key id of ${name} is not that of its key`);
  return { name: name!, id: expected, type, key };
}

function ed25519(message: Buffer, signature: Buffer, key: Buffer): boolean {
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key]);
  return verify(null, message, createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature);
}

/** The text of a note that `by` signed. @returns with the time in seconds where the signature has one. */
export function openNote(note: string, by: Verifier): { readonly text: string; readonly atS: bigint | null } {
  const cut = note.lastIndexOf('\n\n');
  const text = note.slice(0, cut + 1);
  for (const line of note
    .slice(cut + 2)
    .split('\n')
    .slice(0, -1)) {
    if (!line.startsWith('— ')) throw new Error(`no signature line: ${line}`);
    const [name, data] = line.slice(2).split(' ');
    const bytes = Buffer.from(data!, 'base64');
    if (name !== by.name || !bytes.subarray(0, 4).equals(by.id)) continue;
    const signature = bytes.subarray(4);
    if (by.type === 0x01) {
      if (!ed25519(Buffer.from(text), signature, by.key)) throw new Error(`${name} did not sign this`);
      return { text, atS: null };
    }
    if (by.type !== 0x04 || signature.length !== 72) throw new Error(`a signature of another type by ${name}`);
    const atS = signature.readBigUInt64BE();
    const message = Buffer.from(`cosignature/v1\ntime ${atS}\n${text}`);
    if (!ed25519(message, signature.subarray(8), by.key)) throw new Error(`${name} did not cosign this`);
    return { text, atS };
  }
  throw new Error(`${by.name} has not signed this note`);
}

// ---- checkpoints and proofs ----------------------------------------------------------------

export interface Head {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

export function head(text: string): Head {
  const [origin, size, root, end] = text.split('\n');
  if (end !== '' || !/^(0|[1-9][0-9]*)$/.test(size!)) throw new Error('no checkpoint');
  return { origin: origin!, size: Number(size), root: Buffer.from(root!, 'base64') };
}

/** Verifies a tlog-proof of an entry offline. @throws Error with what is wrong. */
export function checkProof(proof: string, entry: Uint8Array, log: Verifier, witnesses: readonly Verifier[] = []): Head {
  const [front, ...rest] = proof.split('\n\n');
  const note = rest.join('\n\n');
  const lines = front!.split('\n');
  if (lines.shift() !== 'c2sp.org/tlog-proof@v1') throw new Error('no tlog-proof');
  if (lines[0]?.startsWith('extra ')) lines.shift();
  const index = /^index (0|[1-9][0-9]*)$/.exec(lines.shift()!)?.[1];
  if (index === undefined) throw new Error('a proof without an index');
  const { text } = openNote(note, log);
  for (const witness of witnesses) openNote(note, witness);
  const at = head(text);
  const path = lines.map((line) => Buffer.from(line, 'base64'));
  if (!rootOfPath(Number(index), at.size, leafHash(entry), path).equals(at.root)) throw new Error('the path does not lead to the root');
  return at;
}

// ---- tiles over HTTP -----------------------------------------------------------------------

/** 1234067 → x001/x234/067. */
export function tilePath(n: number): string {
  const digits = String(n);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const parts = padded.match(/.{3}/g)!;
  return parts.map((part, i) => (i < parts.length - 1 ? `x${part}` : part)).join('/');
}

export interface StaticLog {
  readonly note: string;
  readonly head: Head;
  /** Level 0. */
  readonly leafHashes: readonly Buffer[];
  readonly entries: readonly Buffer[];
}

async function get(url: string, type: string, immutable: boolean): Promise<Buffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  if (response.headers.get('content-type') !== type) throw new Error(`${url}: ${response.headers.get('content-type')}`);
  const cache = response.headers.get('cache-control') ?? '';
  if (immutable !== cache.includes('immutable')) throw new Error(`${url}: cached as “${cache}”`);
  return Buffer.from(await response.arrayBuffer());
}

/** Reads a whole log and holds every tile of every level, and every entry, against the signed root. */
export async function readLog(prefix: string, log: Verifier): Promise<StaticLog> {
  const note = (await get(`${prefix}/checkpoint`, 'text/plain; charset=utf-8', false)).toString();
  const at = head(openNote(note, log).text);
  const binary = 'application/octet-stream';
  let below: Buffer[] = [];
  const entries: Buffer[] = [];
  for (let level = 0, count = at.size; count > 0; level++, count = Math.floor(count / 256)) {
    const hashes: Buffer[] = [];
    for (let n = 0; n * 256 < count; n++) {
      const width = Math.min(256, count - n * 256);
      const name = `${tilePath(n)}${width === 256 ? '' : `.p/${width}`}`;
      const tile = await get(`${prefix}/tile/${level}/${name}`, binary, true);
      if (tile.length !== 32 * width) throw new Error(`tile ${level}/${name} has ${tile.length} bytes`);
      for (let i = 0; i < width; i++) hashes.push(tile.subarray(32 * i, 32 * i + 32));
      if (level === 0) entries.push(...bundle(await get(`${prefix}/tile/entries/${name}`, binary, true)));
    }
    hashes.forEach((hash, i) => {
      const expected = level === 0 ? leafHash(entries[i]!) : treeHash(below.slice(i * 256, i * 256 + 256));
      if (!hash.equals(expected)) throw new Error(`hash ${i} of level ${level} is not what is below it`);
    });
    if (level === 0 && !treeHash(hashes).equals(at.root)) throw new Error('the tiles do not hash to the signed root');
    below = hashes;
  }
  return { note, head: at, entries, leafHashes: entries.map(leafHash) };
}

function bundle(bytes: Buffer): Buffer[] {
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt16BE(at);
    out.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return out;
}
