/**
 * A log of known size read through its tiles: roots, inclusion and consistency proofs from a handful
 * of them, at any size. Believes no tile: a proof made of false ones does not verify, which is for
 * whoever asked for it to find out. The coordinator makes its proofs with the same code.
 */
import { LOG_TILE_HASHES } from '../protocol/limits.ts';
import type { Bytes } from '../protocol/bytes.ts';
import { rootOf, split } from './merkle.ts';
import type { TileName } from './tiles.ts';

/** Hashes of one tile, as many as its name says. @throws Error when it can't be had. */
export type TileSource = (name: TileName & { readonly level: number }) => Promise<readonly Bytes[]>;

/** Leaves from `from` up to, not including, `to`. */
type Range = readonly [from: number, to: number];

const TILE_HEIGHT = 8;

export class TileTree {
  readonly size: number;
  readonly #source: TileSource;
  readonly #tiles = new Map<string, Promise<readonly Bytes[]>>();

  constructor(size: number, source: TileSource) {
    this.size = size;
    this.#source = source;
  }

  root(): Promise<Bytes> {
    return this.size === 0 ? Promise.resolve(rootOf([])) : this.#hash([0, this.size]);
  }

  /** From the leaf's sibling upwards (RFC 6962 section 2.1.1). */
  inclusion(index: number): Promise<Bytes[]> {
    if (index < 0 || index >= this.size) throw new RangeError(`leaf ${index} of a log of ${this.size}`);
    return this.#hashes(inclusionRanges(index, [0, this.size]));
  }

  /** That the first `oldSize` leaves are this log's (RFC 6962 section 2.1.2); empty from nothing or from itself. */
  consistency(oldSize: number): Promise<Bytes[]> {
    if (oldSize < 0 || oldSize > this.size) throw new RangeError(`no proof from ${oldSize} to ${this.size}`);
    return oldSize === 0 ? Promise.resolve([]) : this.#hashes(consistencyRanges(oldSize, [0, this.size], true));
  }

  #hashes(ranges: readonly Range[]): Promise<Bytes[]> {
    return Promise.all(ranges.map((range) => this.#hash(range)));
  }

  /** Root of a subtree as RFC 6962 cuts them: whole ones are in a tile, others are put together. */
  async #hash([from, to]: Range): Promise<Bytes> {
    const height = Math.log2(to - from);
    if (!Number.isInteger(height)) {
      const middle = from + split(to - from);
      return rootOf(
        await this.#hashes([
          [from, middle],
          [middle, to],
        ]),
      );
    }
    const level = Math.floor(height / TILE_HEIGHT);
    const first = from / LOG_TILE_HASHES ** level;
    const index = Math.floor(first / LOG_TILE_HASHES);
    const hashes = await this.#tile(level, index);
    const at = first % LOG_TILE_HASHES;
    return rootOf(hashes.slice(at, at + 2 ** (height % TILE_HEIGHT)));
  }

  #tile(level: number, index: number): Promise<readonly Bytes[]> {
    const name = `${level}/${index}`;
    const known = this.#tiles.get(name);
    if (known) return known;
    const count = Math.floor(this.size / LOG_TILE_HASHES ** level);
    const asked = this.#source({ level, index, width: Math.min(count - index * LOG_TILE_HASHES, LOG_TILE_HASHES) });
    this.#tiles.set(name, asked);
    return asked;
  }
}

function inclusionRanges(index: number, [from, to]: Range): Range[] {
  if (to - from === 1) return [];
  const middle = from + split(to - from);
  return index < middle
    ? [...inclusionRanges(index, [from, middle]), [middle, to]]
    : [...inclusionRanges(index, [middle, to]), [from, middle]];
}

/** @param whole is the older tree this whole subtree, whose root everybody knows? */
function consistencyRanges(oldSize: number, [from, to]: Range, whole: boolean): Range[] {
  if (oldSize === to) return whole ? [] : [[from, to]];
  const middle = from + split(to - from);
  return oldSize <= middle
    ? [...consistencyRanges(oldSize, [from, middle], whole), [middle, to]]
    : [...consistencyRanges(oldSize, [middle, to], false), [from, middle]];
}
