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

interface Chain {
  /** A chain whose publication was rolled back leaves its number to another seed. */
  readonly seed: string;
  /** marks[i] = seed hashed i × STRIDE times. */
  readonly marks: readonly Uint8Array[];
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
    if (this.#chain?.seed !== row.seed) this.#chain = { seed: row.seed, marks: marks(fromHex(row.seed), row.length) };
    return { chain: row.chain, value: toHex(link(this.#chain.marks, row.length - 1 - row.next)) };
  }

  publish(tx: Tx, chain: number): void {
    const seed = this.#random(32);
    const length = BEACON_CHAIN_LENGTH;
    tx.rows.beacons.put({ chain, seed: toHex(seed), length, next: 0 });
    tx.rows.renew(NEWEST, chain);
    tx.append({ type: 'beacon', chain, end: toHex(link(marks(seed, length), length)), length });
  }
}

function marks(seed: Uint8Array, length: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  let value = seed;
  for (let i = 0; i <= length; i++) {
    if (i % STRIDE === 0) out.push(value);
    value = hash(value);
  }
  return out;
}

/** The seed hashed `times` times. */
function link(kept: readonly Uint8Array[], times: number): Uint8Array {
  let value = kept[Math.floor(times / STRIDE)]!;
  for (let i = 0; i < times % STRIDE; i++) value = hash(value);
  return value;
}
