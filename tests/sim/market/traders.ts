/**
 * Simulated traders and the rounds they meet in: what each truly values a unit at is known here, so
 * that what a round achieves can be held against the best that anyone could have done. The market
 * itself is the real one (src/lib/market).
 */
import { bookOf, depthOf, netOwn, type Standing } from '#lib/market/book.ts';
import { clear, type Clearing, type Offer, type Rule } from '#lib/market/clearing.ts';
import { firstReference, nextReference, ruleOf, type Reference, type Round } from '#lib/market/depth.ts';

/** The operator's price, micro-tokens per work unit. */
export const FLOOR = 100_000_000n;
/** A tenth of a percent of it: prices of the simulation are whole numbers of these. */
const STEP = 100_000n;

export interface Trader {
  readonly id: string;
  readonly owner: string;
  /** In thousandths of FLOOR: what a unit costs a seller or is worth to a buyer. */
  readonly worth: number;
  /** What it says instead; its worth where absent. */
  readonly says?: number;
  readonly units: number;
}

export interface Crowd {
  readonly sellers: readonly Trader[];
  readonly buyers: readonly Trader[];
}

export interface Outcome {
  readonly round: Round;
  readonly crowd: Crowd;
  /** Units that each trades, in the order of the crowd. */
  readonly sold: readonly number[];
  readonly bought: readonly number[];
}

const standing = ({ owner, worth, says, units }: Trader): Standing => ({
  owner,
  priceMicro: BigInt(Math.max(Math.round(says ?? worth), 1)) * STEP,
  units: BigInt(units) * 1000n,
});

/** What each trader got of what the lines of a book got: lines are its offers, by price and in the order in which they stood. */
function handOut(
  traders: readonly Trader[],
  lines: readonly Offer[],
  traded: readonly bigint[],
  better: (a: bigint, b: bigint) => boolean,
): number[] {
  const left = traders.map((trader) => standing(trader)).map(({ priceMicro, units }, i) => ({ i, priceMicro, units }));
  left.sort((a, b) => (a.priceMicro === b.priceMicro ? a.i - b.i : better(a.priceMicro, b.priceMicro) ? -1 : 1));
  const out = traders.map(() => 0);
  let line = 0;
  let room = lines[0]?.units ?? 0n;
  let got = traded[0] ?? 0n;
  for (const trader of left) {
    let units = trader.units;
    while (units > 0n && line < lines.length) {
      const here = units < room ? units : room;
      // A line that trades in part gives its members equal parts.
      const part = room === 0n ? 0n : (got * here) / room;
      out[trader.i]! += Number(part) / 1000;
      [units, room, got] = [units - here, room - here, got - part];
      if (room > 0n) continue;
      line++;
      [room, got] = [lines[line]?.units ?? 0n, traded[line] ?? 0n];
    }
  }
  return out;
}

/** One round. @param forced a rule that the real market might not choose: for controls. */
export function play(crowd: Crowd, reference: Reference, atMs: number, forced?: Rule): Outcome {
  const net = netOwn({ asks: crowd.sellers.map(standing), bids: crowd.buyers.map(standing) });
  const book = bookOf(net);
  const depth = depthOf(net);
  const rule = forced ?? ruleOf(depth);
  const clearing = clear(book, rule, reference.micro);
  const own = net.ownUnits > 0n;
  return {
    round: { book, depth, rule, clearing, atMs },
    crowd,
    sold: own ? crowd.sellers.map(() => 0) : handOut(crowd.sellers, book.asks, clearing.asks, (a, b) => a < b),
    bought: own ? crowd.buyers.map(() => 0) : handOut(crowd.buyers, book.bids, clearing.bids, (a, b) => a > b),
  };
}

const worthMicro = (trader: Trader): number => trader.worth * Number(STEP);

/** What a seller's or buyer's units bring it beyond what they are worth to it, micro-tokens. */
export const sellerGain = (trader: Trader, units: number, { sellMicro }: Clearing): number =>
  units * (Number(sellMicro) - worthMicro(trader));
export const buyerGain = (trader: Trader, units: number, { buyMicro }: Clearing): number => units * (worthMicro(trader) - Number(buyMicro));

/** Worth that trade made: what buyers value minus what it cost sellers, whoever has it. */
export function welfare({ crowd, sold, bought }: Outcome): number {
  const sum = (side: readonly Trader[], units: readonly number[]): number =>
    side.reduce((total, t, i) => total + worthMicro(t) * units[i]!, 0);
  return sum(crowd.buyers, bought) - sum(crowd.sellers, sold);
}

/** The most that anyone who knew all worths could have made of them. */
export function optimum({ sellers, buyers }: Crowd): number {
  const asks = sellers.flatMap((t) => Array.from({ length: t.units }, () => worthMicro(t))).sort((a, b) => a - b);
  const bids = buyers.flatMap((t) => Array.from({ length: t.units }, () => worthMicro(t))).sort((a, b) => b - a);
  let sum = 0;
  for (let i = 0; i < Math.min(asks.length, bids.length) && bids[i]! > asks[i]!; i++) sum += bids[i]! - asks[i]!;
  return sum;
}

/** Rounds one after the other, each with the crowd of its turn. */
export function run(crowds: readonly Crowd[], from: Reference = firstReference(FLOOR)): Outcome[] {
  let reference = from;
  return crowds.map((crowd, i) => {
    const outcome = play(crowd, reference, i * 20_000);
    reference = nextReference(reference, outcome.round, FLOOR);
    return outcome;
  });
}
