/**
 * From who offers what to the book that a round clears: own work taken out, one owner seen as one,
 * folded to what a leaf of the log holds. The book names nobody. Prices stand on a grid of three
 * digits, asks rounded up and bids down, so that nobody trades beyond its own word.
 */
import type { Book, Offer } from './clearing.ts';
import type { Depth } from './depth.ts';

/** Lines of a side that the log keeps. */
export const BOOK_LINES_MAX = 96;
/** Digits of a price that count. */
const PRICE_DIGITS = 3;

/** An ask or a bid, and whose it is. */
export interface Standing extends Offer {
  /** Who profits: a key, or the network that several keys speak from. */
  readonly owner: string;
}

export interface Stands {
  readonly asks: readonly Standing[];
  readonly bids: readonly Standing[];
}

const gridOf = (micro: bigint): bigint => 10n ** BigInt(Math.max(0, micro.toString().length - PRICE_DIGITS));
const down = (micro: bigint): bigint => micro - (micro % gridOf(micro));
export const askPrice = (micro: bigint): bigint => (down(micro) === micro ? micro : down(micro) + gridOf(micro));
export const bidPrice = (micro: bigint): bigint => down(micro);

const byOwner = (side: readonly Standing[]): Map<string, bigint> => {
  const sums = new Map<string, bigint>();
  for (const { owner, units } of side) sums.set(owner, (sums.get(owner) ?? 0n) + units);
  return sums;
};

/** Takes from each owner's offers, the first ones first, what it would trade with itself. */
function withoutOwn(side: readonly Standing[], other: ReadonlyMap<string, bigint>): Standing[] {
  const left = new Map(other);
  return side.flatMap((offer) => {
    const own = left.get(offer.owner) ?? 0n;
    const taken = own < offer.units ? own : offer.units;
    left.set(offer.owner, own - taken);
    return taken === offer.units ? [] : [{ ...offer, units: offer.units - taken }];
  });
}

/** What each side would trade with its own owner: it runs first, for nothing, and makes no price. */
export function netOwn({ asks, bids }: Stands): Stands & { readonly ownUnits: bigint } {
  const net = { asks: withoutOwn(asks, byOwner(bids)), bids: withoutOwn(bids, byOwner(asks)) };
  const sum = (side: readonly Standing[]): bigint => side.reduce((total, { units }) => total + units, 0n);
  return { ...net, ownUnits: sum(asks) - sum(net.asks) };
}

export function depthOf({ asks, bids }: Stands): Depth {
  const [sellers, buyers] = [byOwner(asks), byOwner(bids)];
  const topPpm = (side: ReadonlyMap<string, bigint>): number => {
    let [total, top] = [0n, 0n];
    for (const units of side.values()) {
      total += units;
      if (units > top) top = units;
    }
    return total === 0n ? 0 : Number((top * 1_000_000n) / total);
  };
  return { askOwners: sellers.size, bidOwners: buyers.size, askTopPpm: topPpm(sellers), bidTopPpm: topPpm(buyers) };
}

/** Sorted as a book is; each owner's offers of one price are one. Stable: who stood first stays first. */
function lines(side: readonly Standing[], sign: 1n | -1n, grid: (micro: bigint) => bigint): Offer[] {
  const merged = new Map<string, { priceMicro: bigint; units: bigint }>();
  for (const { owner, priceMicro, units } of side) {
    const price = grid(priceMicro);
    const line = merged.get(`${owner}/${price}`);
    if (line) line.units += units;
    else if (units > 0n) merged.set(`${owner}/${price}`, { priceMicro: price, units });
  }
  return [...merged.values()].sort((a, b) => Number((a.priceMicro - b.priceMicro) * sign));
}

/** Folds the lines farthest from `centre`, so that none of them seems better than it is. */
function fold(side: readonly Offer[], centre: number): Offer[] {
  if (side.length <= BOOK_LINES_MAX) return [...side];
  const from = Math.min(Math.max(centre - BOOK_LINES_MAX / 2, 0), side.length - BOOK_LINES_MAX);
  const best = side.slice(0, from + 1);
  const kept = side.slice(from + 1, from + BOOK_LINES_MAX - 1);
  const worst = side.slice(from + BOOK_LINES_MAX - 1);
  const one = (offers: readonly Offer[]): Offer => ({
    priceMicro: offers.at(-1)!.priceMicro,
    units: offers.reduce((sum, { units }) => sum + units, 0n),
  });
  return [one(best), ...kept, one(worst)];
}

/** How many offers stand before supply meets demand, on either side. */
function centres({ asks, bids }: Book): { ask: number; bid: number } {
  let [ask, bid, supply, demand] = [0, 0, 0n, 0n];
  while (ask < asks.length && bid < bids.length && bids[bid]!.priceMicro >= asks[ask]!.priceMicro) {
    if (supply <= demand) supply += asks[ask++]!.units;
    else demand += bids[bid++]!.units;
  }
  return { ask, bid };
}

/** The book of what stands, own work already taken out. */
export function bookOf(stands: Stands): Book {
  const book = { asks: lines(stands.asks, 1n, askPrice), bids: lines(stands.bids, -1n, bidPrice) };
  const { ask, bid } = centres(book);
  return { asks: fold(book.asks, ask), bids: fold(book.bids, bid) };
}
