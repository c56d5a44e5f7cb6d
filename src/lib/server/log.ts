/**
 * The transparency log as it is served: C2SP tlog-tiles, a signed checkpoint at most once a second,
 * inclusion proofs. Leaves are appended by the store's writes; this file only reads them and rolls
 * full tiles up, so that a root costs a few hundred hashes at any size. Whoever controls this can
 * withhold the log, not change it unseen.
 */
import { and, asc, eq, gte, lt, sql } from 'drizzle-orm';
import { inclusionProof, rootOf } from '../ledger/merkle.ts';
import { signCheckpoint } from '../ledger/checkpoint.ts';
import { concat, fromHex, type Bytes } from '../protocol/bytes.ts';
import type { Identity } from '../protocol/envelope.ts';
import { CHECKPOINT_INTERVAL_MS, LOG_TILE_HASHES } from '../protocol/limits.ts';
import type { Clock } from './clock.ts';
import { logHead, logLeaves, logTiles } from './store/schema.ts';
import type { Db, Store } from './store/store.ts';

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
    const root = await this.#root(size);
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
    const hashes = await this.#hashes(this.#store.db, level, index);
    return hashes.length < width ? null : concat(...hashes.slice(0, width));
  }

  /** Audit path of leaf `index` in the tree of `size` leaves. */
  async inclusion(index: number, size: number): Promise<Bytes[]> {
    return (await this.inclusions([index], size))[0]!;
  }

  async inclusions(indices: readonly number[], size: number): Promise<Bytes[][]> {
    await this.#inTurn(() => this.#rollUp(size));
    const edge = await this.#edge(size);
    const tiles = new Map<string, Bytes[]>();
    const out: Bytes[][] = [];
    for (const index of indices) out.push(await this.#climb(0, index, size, edge, tiles));
    return out;
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
    const have = await this.#hashes(this.#store.db, level, tile);
    for (let i = have.length; i < width; i++) have.push(rootOf(await this.#hashes(this.#store.db, level - 1, tile * LOG_TILE_HASHES + i)));
    const hashes = concat(...have);
    await this.#store.db
      .insert(logTiles)
      .values({ level, index: tile, hashes })
      .onConflictDoUpdate({
        target: [logTiles.level, logTiles.index],
        set: { hashes },
        setWhere: sql`length(excluded.hashes) > length(${logTiles.hashes})`,
      });
    this.#filled.set(name, have.length);
  }

  async #hashes(db: Db, level: number, index: number): Promise<Bytes[]> {
    if (level > 0) {
      const [row] = await db
        .select()
        .from(logTiles)
        .where(and(eq(logTiles.level, level), eq(logTiles.index, index)));
      return row ? split(row.hashes) : [];
    }
    const from = index * LOG_TILE_HASHES;
    const found = await db
      .select({ hash: logLeaves.hash })
      .from(logLeaves)
      .where(and(gte(logLeaves.index, from), lt(logLeaves.index, from + LOG_TILE_HASHES)))
      .orderBy(asc(logLeaves.index));
    return found.map((row) => row.hash);
  }

  /** The right edge: full tiles of the top level, then what each lower level has left over. */
  async #root(size: number): Promise<Bytes> {
    return rootOfEdge(await this.#edge(size));
  }

  async #edge(size: number): Promise<Bytes[][]> {
    const edge: Bytes[][] = [];
    for (let level = 0, count = size; level === 0 || count > 0; level++) {
      const rest = count % LOG_TILE_HASHES;
      edge.push(rest === 0 ? [] : (await this.#hashes(this.#store.db, level, Math.floor(count / LOG_TILE_HASHES))).slice(0, rest));
      count = Math.floor(count / LOG_TILE_HASHES);
    }
    return edge;
  }

  /** From node `index` of a level of `count` full nodes up to the root. `tiles` remembers what was read. */
  async #climb(level: number, index: number, count: number, edge: Bytes[][], tiles: Map<string, Bytes[]>): Promise<Bytes[]> {
    const tile = Math.floor(index / LOG_TILE_HASHES);
    const full = Math.floor(count / LOG_TILE_HASHES);
    if (tile < full) {
      const name = `${level}/${tile}`;
      const hashes = tiles.get(name) ?? (await this.#hashes(this.#store.db, level, tile));
      tiles.set(name, hashes);
      return [...inclusionProof(hashes, index % LOG_TILE_HASHES), ...(await this.#climb(level + 1, tile, full, edge, tiles))];
    }
    // In the ragged part: lower leftovers hang to the right as one node, everything above to the left.
    const lower = edge.slice(0, level);
    const tail = lower.some((nodes) => nodes.length > 0) ? [rootOfEdge(lower)] : [];
    const inside = inclusionProof([...edge[level]!, ...tail], index % LOG_TILE_HASHES);
    const left = edge.slice(level + 1).flatMap((nodes) => leftSiblings(nodes));
    return [...inside, ...left];
  }
}

/** The siblings that a ragged node to the right of these nodes meets on its way up. */
function leftSiblings(nodes: readonly Bytes[]): Bytes[] {
  if (nodes.length === 0) return [];
  const marker = new Uint8Array(HASH_BYTES) as Bytes;
  return inclusionProof([...nodes, marker], nodes.length);
}

function rootOfEdge(edge: readonly Bytes[][]): Bytes {
  let ragged: Bytes | null = null;
  for (const nodes of edge) {
    if (nodes.length > 0) ragged = rootOf(ragged ? [...nodes, ragged] : nodes);
  }
  return ragged ?? rootOf([]);
}

function split(hashes: Bytes): Bytes[] {
  return Array.from({ length: hashes.length / HASH_BYTES }, (_, i) => hashes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES));
}
