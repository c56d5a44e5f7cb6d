/**
 * Files behind the interfaces of the roles: keys, blobs, and envelopes that wait for the
 * coordinator. A file appears under its name only when it is whole and on the disk. Refuses names
 * that are not hashes.
 */
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fromHex, randomBytes, sha256, toHex, utf8, type Bytes } from '#lib/protocol/bytes.ts';
import { EnvelopeSchema, envelopeHash, identityFromSecret, type Envelope, type Identity } from '#lib/protocol/envelope.ts';
import { BLOB_STORE_BYTES_MAX } from '#lib/protocol/limits.ts';
import type { Outbox } from '#lib/roles/outbox.ts';
import type { BlobStore } from '#lib/roles/types.ts';
import { parseMemory, type WitnessMemory, type WitnessStore } from '#lib/roles/witness.ts';
import * as v from 'valibot';

const HASH = /^[0-9a-f]{64}$/;

/** Writes and syncs beside the target, then renames. */
export async function writeWhole(path: string, bytes: Uint8Array, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.${process.pid}.${toHex(randomBytes(4))}.part`;
  const file = await open(part, 'w', mode);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(part, path);
}

async function readIfThere(path: string): Promise<Bytes | null> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** The key in `path`, 64 hex digits; made on first use, readable by its owner only. */
export async function identityFromFile(path: string): Promise<Identity> {
  const known = await readIfThere(path);
  if (known) {
    const text = new TextDecoder().decode(known).trim();
    if (!HASH.test(text)) throw new Error(`${path} is not a key: expected 64 hex digits`);
    return identityFromSecret(fromHex(text));
  }
  const secret = randomBytes(32);
  await writeWhole(path, utf8(`${toHex(secret)}\n`), 0o600);
  await chmod(path, 0o600);
  return identityFromSecret(secret);
}

/** Blobs as files named by hash; least recently used first beyond the bound. */
export class FileBlobStore implements BlobStore {
  readonly #folder: string;
  readonly #bytesMax: number;

  constructor(folder: string, bytesMax = BLOB_STORE_BYTES_MAX) {
    this.#folder = folder;
    this.#bytesMax = bytesMax;
  }

  async get(hash: string): Promise<Bytes | null> {
    const bytes = await readIfThere(this.#path(hash));
    // The time of last use orders eviction; a store on a read-only disk still reads.
    if (bytes) await utimes(this.#path(hash), new Date(), new Date()).catch(() => undefined);
    return bytes;
  }

  async put(hash: string, bytes: Bytes): Promise<void> {
    await writeWhole(this.#path(hash), bytes);
    await this.#evict(hash);
  }

  async list(): Promise<readonly string[]> {
    const names = await readdir(this.#folder).catch(() => [] as string[]);
    return names.filter((name) => HASH.test(name));
  }

  async delete(hash: string): Promise<void> {
    await rm(this.#path(hash), { force: true });
  }

  #path(hash: string): string {
    if (!HASH.test(hash)) throw new RangeError(`not a blob hash: ${hash}`);
    return join(this.#folder, hash);
  }

  async #evict(keep: string): Promise<void> {
    const files = await Promise.all(
      (await this.list()).map(async (hash) => ({ hash, ...(await stat(this.#path(hash)).catch(() => ({ size: 0, mtimeMs: 0 }))) })),
    );
    let held = files.reduce((sum, file) => sum + file.size, 0);
    for (const file of files.toSorted((a, b) => a.mtimeMs - b.mtimeMs)) {
      if (held <= this.#bytesMax) return;
      if (file.hash === keep) continue;
      await this.delete(file.hash);
      held -= file.size;
    }
  }
}

/** What this key cosigned, a file per log; agents of one key on one machine should share it. */
export class FileWitnessStore implements WitnessStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async load(origin: string): Promise<WitnessMemory | null> {
    const bytes = await readIfThere(this.#path(origin));
    return bytes && parseMemory(bytes);
  }

  save(origin: string, memory: WitnessMemory): Promise<void> {
    return writeWhole(this.#path(origin), utf8(JSON.stringify(memory)));
  }

  #path(origin: string): string {
    return join(this.#folder, `${toHex(sha256(utf8(origin)))}.json`);
  }
}

/** Envelopes that must reach the coordinator even if this process does not live to send them. */
export class FileOutbox implements Outbox {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Oldest first; a file that is no envelope is left where it is. */
  async load(): Promise<readonly Envelope[]> {
    const names = (await readdir(this.#folder).catch(() => [] as string[])).filter((name) => HASH.test(name));
    const dated = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(this.#folder, name))).mtimeMs })));
    const out: Envelope[] = [];
    for (const { name } of dated.toSorted((a, b) => a.at - b.at)) {
      const bytes = await readIfThere(join(this.#folder, name));
      const parsed = bytes && v.safeParse(EnvelopeSchema, parseJson(bytes));
      if (parsed?.success && envelopeHash(parsed.output) === name) out.push(parsed.output);
    }
    return out;
  }

  async save(envelope: Envelope): Promise<void> {
    const path = join(this.#folder, envelopeHash(envelope));
    if (!(await readIfThere(path))) await writeWhole(path, utf8(JSON.stringify(envelope)), 0o600);
  }

  async remove(envelope: Envelope): Promise<void> {
    await rm(join(this.#folder, envelopeHash(envelope)), { force: true });
  }
}

function parseJson(bytes: Bytes): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
