/**
 * The beacon: a hash chain whose end is published in the log before any draw, and whose preimages
 * are revealed one per draw. Whoever controls this could look ahead, but can't choose: the next link
 * is fixed, and the checker's nonce is not known here. State is durable, so a restart never reveals
 * a link twice.
 */
import { desc } from 'drizzle-orm';
import { createHash } from 'node:crypto';
import { fromHex, toHex, type Bytes } from '../protocol/bytes.ts';
import { BEACON_CHAIN_LENGTH } from '../protocol/limits.ts';
import type { Tx } from './store/store.ts';
import { beacons } from './store/schema.ts';

/** Every so many links one is kept in memory: a link costs at most this many hashes. */
const STRIDE = 256;

/** Remembered among the rows: the number of the newest chain. */
const NEWEST = 'newest beacon';

const hash = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

/** A seed, hashed again and again. A chain whose publication was rolled back leaves its number to another seed. */
class Chain {
  readonly seed: string;
  /** #marks[i] = seed hashed i × STRIDE times. */
  readonly #marks: readonly Uint8Array[];
  /** Links are revealed one by one, so that of the stride they are in all are wanted. */
  #stride: { readonly from: number; readonly links: readonly Uint8Array[] } | null = null;

  constructor(seed: string, length: number) {
    this.seed = seed;
    const marks = [fromHex(seed) as Uint8Array];
    while (marks.length * STRIDE <= length) marks.push(hashed(marks.at(-1)!, STRIDE).at(-1)!);
    this.#marks = marks;
  }

  /** The seed hashed `times` times. */
  link(times: number): Uint8Array {
    const from = Math.floor(times / STRIDE);
    if (this.#stride?.from !== from) this.#stride = { from, links: hashed(this.#marks[from]!, STRIDE - 1) };
    return this.#stride.links[times % STRIDE]!;
  }
}

/** What is hashed no times, once, and so on up to `times` times. */
function hashed(value: Uint8Array, times: number): Uint8Array[] {
  const out = [value];
  for (let i = 0; i < times; i++) out.push(hash(out[i]!));
  return out;
}

export interface BeaconLink {
  readonly chain: number;
  /** Hex; its SHA-256 is the link revealed before it, or the published end. */
  readonly value: string;
}

export class Beacon {
  readonly #random: (count: number) => Bytes;
  #chain: Chain | null = null;

  constructor(random: (count: number) => Bytes) {
    this.#random = random;
  }

  /** Reveals the next link inside the draw's own transaction; publishes a new chain when one is used up. */
  async next(tx: Tx): Promise<BeaconLink> {
    const newest = await tx.rows.remember(NEWEST, async (db) => {
      const [last] = await db.select({ chain: beacons.chain }).from(beacons).orderBy(desc(beacons.chain)).limit(1);
      return last?.chain ?? -1;
    });
    const row = await tx.rows.beacons.get(newest);
    if (!row || row.next >= row.length) {
      this.publish(tx, newest + 1);
      return this.next(tx);
    }
    tx.rows.beacons.put({ ...row, next: row.next + 1 });
    if (this.#chain?.seed !== row.seed) this.#chain = new Chain(row.seed, row.length);
    return { chain: row.chain, value: toHex(this.#chain.link(row.length - 1 - row.next)) };
  }

  publish(tx: Tx, chain: number): void {
    const seed = this.#random(32);
    const length = BEACON_CHAIN_LENGTH;
    tx.rows.beacons.put({ chain, seed: toHex(seed), length, next: 0 });
    tx.rows.renew(NEWEST, chain);
    tx.append({ type: 'beacon', chain, end: toHex(new Chain(toHex(seed), length).link(length)), length });
  }
}
