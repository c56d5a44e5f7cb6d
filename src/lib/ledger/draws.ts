/**
 * Replays how checks were drawn: hash chains used up link by link and in order, nonces committed to
 * before they are drawn with, and spent once. It can't tell who chose a checker, only that nobody chose the leaves.
 */
import { fromHex, sha256, toHex } from '../protocol/bytes.ts';
import { challengedLeaves, drawSeed } from '../trust/draw.ts';
import { unpackClasses } from '../trust/weights.ts';
import type { Leaf } from './leaf.ts';

export class Draws {
  /** The newest chain: its number, the link revealed last, how many are left. */
  #chain = { number: -1, last: '', left: 0 };
  /** Nonce commitment → its checker, null once drawn: a spent nonce stays spent. */
  readonly #nonces = new Map<string, string | null>();

  publish(leaf: Leaf<'beacon'>): string | null {
    if (leaf.chain <= this.#chain.number) return `Beacon chain ${leaf.chain} is published twice.`;
    if (this.#chain.left > 0) return 'A beacon chain is published before the last one was used up.';
    if (leaf.chain !== this.#chain.number + 1) return 'The beacon chains are not published in order.';
    this.#chain = { number: leaf.chain, last: leaf.end, left: leaf.length };
    return null;
  }

  commit(leaf: Leaf<'nonces'>): string | null {
    for (const commitment of leaf.commitments) {
      // An unspent one may be said again: a checker that comes back does.
      if (this.#nonces.get(commitment) === null) return 'A spent nonce is committed to again.';
      this.#nonces.set(commitment, leaf.checker);
    }
    return null;
  }

  draw(leaf: Leaf<'draw'>): string | null {
    const owner = this.#nonces.get(leaf.nonceCommitment);
    if (owner === null) return 'A check is drawn with a nonce that was drawn with before.';
    if (owner !== leaf.checker) return 'A check is drawn with a nonce that its checker had not committed to.';
    this.#nonces.set(leaf.nonceCommitment, null);
    return this.reveal(leaf);
  }

  /** The next link of the chain: by a draw, or after a retrace. */
  reveal({ chain: number, beacon }: Pick<Leaf<'draw'>, 'chain' | 'beacon'>): string | null {
    const chain = this.#chain;
    if (number !== chain.number || chain.left === 0) return 'A check goes by a beacon that was not published.';
    if (toHex(sha256(fromHex(beacon))) !== chain.last) return 'The beacon of a check is not the next link of its chain.';
    chain.last = beacon;
    chain.left--;
    return null;
  }
}

/** The leaves that a draw, its nonce and the committed root imply, ascending. */
export function impliedLeaves(draw: Leaf<'draw'>, nonce: string, { lease, root, leaves, weights }: Leaf<'commitment'>): number[] {
  const classes = weights === undefined ? null : unpackClasses(weights, leaves);
  const seed = drawSeed({ beacon: draw.beacon, nonce, lease, root });
  return challengedLeaves(seed, { leaves, count: draw.count, auditPpm: draw.auditPpm ?? 0, classes });
}
