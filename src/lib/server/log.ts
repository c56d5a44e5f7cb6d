/**
 * The transparency log as it is served: C2SP tlog-tiles, a signed checkpoint at most once a second,
 * proofs of inclusion and consistency. Leaves are appended by the store's writes; this file only reads
 * them and rolls full tiles up, so that a root or a proof costs a few hundred hashes at any size.
 * Whoever controls this can withhold the log, not change it unseen.
 */
import { and, asc, eq, gte, lt, sql } from 'drizzle-orm';
import { signCheckpoint } from '../ledger/checkpoint.ts';
import { rootOf } from '../ledger/merkle.ts';
import { TileTree } from '../ledger/tile-tree.ts';
import { parseTile } from '../ledger/tiles.ts';
import { concat, fromHex, type Bytes } from '../protocol/bytes.ts';
import type { Identity } from '../protocol/envelope.ts';
import { CHECKPOINT_INTERVAL_MS, LOG_TILE_HASHES, LOG_TILES_CACHED_MAX } from '../protocol/limits.ts';
import type { Clock } from './clock.ts';
import { logHead, logLeaves, logTiles } from './store/schema.ts';
import type { Store } from './store/store.ts';

const HASH_BYTES = 32;

export interface SignedCheckpoint {
  readonly size: number;
  readonly note: string;
  readonly atMs: number;
}

export class LogService {
  readonly #store: Store;
  readonly #identity: Identity;
  readonly #origin: string;
  readonly #clock: Clock;
  #last: SignedCheckpoint | null = null;
  #fresh: Promise<SignedCheckpoint> | null = null;
  /** What rolls up or signs runs one after the other: a root is of tiles that nobody is writing. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Tiles as far as they were read: they grow and never change. The least recently used goes first. */
  readonly #tiles = new Map<string, readonly Bytes[]>();

  constructor(options: { store: Store; identity: Identity; origin: string; clock: Clock }) {
    this.#store = options.store;
    this.#identity = options.identity;
    this.#origin = options.origin;
    this.#clock = options.clock;
  }

  /** The newest checkpoint: at most CHECKPOINT_INTERVAL_MS old whenever the log has grown since. */
  async checkpoint(): Promise<SignedCheckpoint> {
    if (this.#last && this.#clock.nowMs() - this.#last.atMs < CHECKPOINT_INTERVAL_MS) return this.#last;
    this.#fresh ??= this.sign().finally(() => (this.#fresh = null));
    return this.#fresh;
  }

  /** Signs a checkpoint of everything that is durable now. Checkpoints never shrink, in whatever order they were asked for. */
  sign(): Promise<SignedCheckpoint> {
    return this.#inTurn(() => this.#sign());
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    // Whoever failed is told; the next one starts all the same.
    this.#turn = done.catch(() => {});
    return done;
  }

  async #sign(): Promise<SignedCheckpoint> {
    const size = await this.size();
    const atMs = this.#clock.nowMs();
    if (this.#last?.size === size) return (this.#last = { ...this.#last, atMs });
    await this.#rollUp(size);
    const root = await this.#tree(size).root();
    const note = await signCheckpoint(this.#identity, fromHex(this.#identity.key), { origin: this.#origin, size, root });
    return (this.#last = { size, note, atMs });
  }

  async size(): Promise<number> {
    const [head] = await this.#store.db.select({ size: logHead.size }).from(logHead);
    return head?.size ?? 0;
  }

  async leaves(from: number, to: number): Promise<Bytes[]> {
    const found = await this.#store.db
      .select({ bytes: logLeaves.bytes })
      .from(logLeaves)
      .where(and(gte(logLeaves.index, from), lt(logLeaves.index, to)))
      .orderBy(asc(logLeaves.index));
    return found.map((row) => row.bytes);
  }

  /** Hashes [256·index, 256·index + width) of a tile level, or null while the log is shorter. */
  async tile(level: number, index: number, width: number): Promise<Bytes | null> {
    const hashes = await this.#hashes(level, index, width);
    return hashes.length < width ? null : concat(...hashes.slice(0, width));
  }

  /** Audit path of leaf `index` in the tree of `size` leaves. */
  async inclusion(index: number, size: number): Promise<Bytes[]> {
    return (await this.inclusions([index], size))[0]!;
  }

  async inclusions(indices: readonly number[], size: number): Promise<Bytes[][]> {
    const tree = await this.#rolledUp(size);
    return Promise.all(indices.map((index) => tree.inclusion(index)));
  }

  /** That the tree of `size` leaves extends the one of `oldSize`. */
  async consistency(oldSize: number, size: number): Promise<Bytes[]> {
    return (await this.#rolledUp(size)).consistency(oldSize);
  }

  /** A signed size has been rolled up already; nothing waits for a turn then. */
  async #rolledUp(size: number): Promise<TileTree> {
    if (size > (this.#last?.size ?? 0)) await this.#inTurn(() => this.#rollUp(size));
    return this.#tree(size);
  }

  #tree(size: number): TileTree {
    return new TileTree(size, async ({ level, index, width }) => {
      const hashes = await this.#hashes(level, index, width);
      if (hashes.length < width) throw new Error(`tile ${level}/${index} has ${hashes.length} hashes, not ${width}`);
      return hashes;
    });
  }

  /** Writes the roots of full tiles one level up; safe to repeat, and never makes a tile shorter. */
  async #rollUp(size: number): Promise<void> {
    for (let level = 1, below = size; below >= LOG_TILE_HASHES; level++) {
      const full = Math.floor(below / LOG_TILE_HASHES);
      for (let tile = 0; tile * LOG_TILE_HASHES < full; tile++)
        await this.#fill(level, tile, Math.min(full - tile * LOG_TILE_HASHES, LOG_TILE_HASHES));
      below = full;
    }
  }

  readonly #filled = new Map<string, number>();

  async #fill(level: number, tile: number, width: number): Promise<void> {
    const name = `${level}/${tile}`;
    if ((this.#filled.get(name) ?? 0) >= width) return;
    const have = [...(await this.#hashes(level, tile, width))];
    const known = have.length;
    for (let i = known; i < width; i++) {
      have.push(rootOf(await this.#hashes(level - 1, tile * LOG_TILE_HASHES + i, LOG_TILE_HASHES)));
    }
    if (have.length > known) await this.#write(level, tile, concat(...have));
    this.#filled.set(name, have.length);
  }

  async #write(level: number, index: number, hashes: Bytes): Promise<void> {
    await this.#store.db
      .insert(logTiles)
      .values({ level, index, hashes })
      .onConflictDoUpdate({
        target: [logTiles.level, logTiles.index],
        set: { hashes },
        setWhere: sql`length(excluded.hashes) > length(${logTiles.hashes})`,
      });
  }

  /** What there is of a tile, which is less than `width` only while the log is shorter. */
  async #hashes(level: number, index: number, width: number): Promise<readonly Bytes[]> {
    const name = `${level}/${index}`;
    const known = this.#tiles.get(name);
    const hashes = known && known.length >= width ? known : level > 0 ? await this.#upper(level, index) : await this.#lowest(index);
    if (hashes.length === 0) return hashes;
    this.#tiles.delete(name);
    this.#tiles.set(name, hashes);
    if (this.#tiles.size > LOG_TILES_CACHED_MAX) this.#tiles.delete(this.#tiles.keys().next().value!);
    return hashes;
  }

  async #upper(level: number, index: number): Promise<Bytes[]> {
    const [row] = await this.#store.db
      .select({ hashes: logTiles.hashes })
      .from(logTiles)
      .where(and(eq(logTiles.level, level), eq(logTiles.index, index)));
    return row ? parseTile(row.hashes, row.hashes.length / HASH_BYTES)! : [];
  }

  async #lowest(index: number): Promise<Bytes[]> {
    const from = index * LOG_TILE_HASHES;
    const found = await this.#store.db
      .select({ hash: logLeaves.hash })
      .from(logLeaves)
      .where(and(gte(logLeaves.index, from), lt(logLeaves.index, from + LOG_TILE_HASHES)))
      .orderBy(asc(logLeaves.index));
    return found.map((row) => row.hash);
  }
}
