/** Findings of the autotuner as one small file in the cache folder. Concurrent writers lose a finding at worst, never the file. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TuneStore } from '#workers/render/autotune.ts';

/** Adapters and kernel sources; the oldest go. */
const ENTRIES_MAX = 64;

export class FileTuneStore implements TuneStore {
  readonly #path: string;

  constructor(folder: string) {
    this.#path = join(folder, 'tuned.json');
  }

  async get(key: string): Promise<string | null> {
    return (await this.#read()).get(key) ?? null;
  }

  async set(key: string, value: string): Promise<void> {
    const entries = await this.#read();
    entries.delete(key);
    entries.set(key, value);
    await mkdir(dirname(this.#path), { recursive: true });
    const draft = `${this.#path}.${process.pid}`;
    await writeFile(draft, JSON.stringify([...entries].slice(-ENTRIES_MAX)));
    await rename(draft, this.#path);
  }

  /** A file that is missing or was spoilt holds nothing. */
  async #read(): Promise<Map<string, string>> {
    try {
      const entries: unknown = JSON.parse(await readFile(this.#path, 'utf8'));
      const pairs = Array.isArray(entries) ? entries : [];
      return new Map(
        pairs.filter((pair): pair is [string, string] => Array.isArray(pair) && pair.every((part) => typeof part === 'string')),
      );
    } catch {
      return new Map();
    }
  }
}
