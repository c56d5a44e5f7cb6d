/**
 * One round of a market of work: what trades, at which price. A batch double auction over sorted
 * offers, in integers, by one of three rules; `depth.ts` says which. Pure: coordinator, log replay
 * and simulation compute the same. Refuses to know who offers: that is settled before (book.ts).
 */

/** Units offered at a limit. */
export interface Offer {
  /** Micro-tokens per work unit: the least an ask takes, the most a bid gives. */
  readonly priceMicro: bigint;
  /** Thousandths of a work unit. */
  readonly units: bigint;
}

/** Asks from the cheapest, bids from the dearest; equal prices in the order in which they came. */
export interface Book {
  readonly asks: readonly Offer[];
  readonly bids: readonly Offer[];
}

export type Rule = 'uniform' | 'mcafee' | 'posted';

export interface Clearing {
  /** What buyers pay and what sellers get, per work unit; they differ where McAfee's rule leaves a pair out. */
  readonly buyMicro: bigint;
  readonly sellMicro: bigint;
  readonly units: bigint;
  /** Traded units of each offer, as the book lists them. */
  readonly asks: readonly bigint[];
  readonly bids: readonly bigint[];
}

/** Where supply and demand cross. */
interface Crossing {
  readonly units: bigint;
  /** Indices of the last offers that trade; -1 where none does. */
  readonly ask: number;
  readonly bid: number;
  /** Units of them that trade. */
  readonly askPart: bigint;
  readonly bidPart: bigint;
}

const NOTHING: Crossing = { units: 0n, ask: -1, bid: -1, askPart: 0n, bidPart: 0n };

export const sumUnits = (offers: readonly Offer[]): bigint => offers.reduce((sum, { units }) => sum + units, 0n);

function crossing({ asks, bids }: Book): Crossing {
  let at = NOTHING;
  let [ask, bid, askUsed, bidUsed] = [0, 0, 0n, 0n];
  while (ask < asks.length && bid < bids.length && bids[bid]!.priceMicro >= asks[ask]!.priceMicro) {
    const [askLeft, bidLeft] = [asks[ask]!.units - askUsed, bids[bid]!.units - bidUsed];
    const units = askLeft < bidLeft ? askLeft : bidLeft;
    askUsed += units;
    bidUsed += units;
    at = { units: at.units + units, ask, bid, askPart: askUsed, bidPart: bidUsed };
    if (askUsed === asks[ask]!.units) [ask, askUsed] = [ask + 1, 0n];
    if (bidUsed === bids[bid]!.units) [bid, bidUsed] = [bid + 1, 0n];
  }
  return at;
}

/**
 * The one price at which the crossing trades and nobody is left who would rather trade too: McAfee's
 * (1992), half way between the first ask and the first bid that stay out, as far as the last that
 * trade allow it. So a trader that trades rarely moves its own price. @returns null where nothing crosses.
 */
export function crossingPrice(book: Book): bigint | null {
  const at = crossing(book);
  if (at.units === 0n) return null;
  const { asks, bids } = book;
  const [ask, bid] = [asks[at.ask]!, bids[at.bid]!];
  const nextAsk = at.askPart < ask.units ? ask : asks[at.ask + 1];
  const nextBid = at.bidPart < bid.units ? bid : bids[at.bid + 1];
  const low = nextBid && nextBid.priceMicro > ask.priceMicro ? nextBid.priceMicro : ask.priceMicro;
  const high = nextAsk && nextAsk.priceMicro < bid.priceMicro ? nextAsk.priceMicro : bid.priceMicro;
  const middle = nextAsk && nextBid ? (nextAsk.priceMicro + nextBid.priceMicro) / 2n : (low + high) / 2n;
  return middle < low ? low : middle > high ? high : middle;
}

/** `units` of them all, each side's parts in proportion to what it offers; odd units go to whoever stands first. */
export function ration(offers: readonly Offer[], units: bigint): bigint[] {
  const total = sumUnits(offers);
  if (total === 0n || units >= total) return offers.map((offer) => offer.units);
  const parts = offers.map((offer) => (offer.units * units) / total);
  let odd = units - parts.reduce((sum, part) => sum + part, 0n);
  for (let i = 0; odd > 0n; i++) {
    const room = offers[i]!.units - parts[i]!;
    if (room === 0n) continue;
    parts[i]!++;
    odd--;
  }
  return parts;
}

const zeros = (offers: readonly Offer[]): bigint[] => offers.map(() => 0n);

/** The first `asks` and `bids` of the book trade all that both sides have; the longer side is rationed. */
function whole(book: Book, count: { asks: number; bids: number }, buyMicro: bigint, sellMicro: bigint): Clearing {
  const asks = book.asks.slice(0, count.asks);
  const bids = book.bids.slice(0, count.bids);
  const [supply, demand] = [sumUnits(asks), sumUnits(bids)];
  const units = supply < demand ? supply : demand;
  return {
    buyMicro,
    sellMicro,
    units,
    asks: [...ration(asks, units), ...zeros(book.asks.slice(count.asks))],
    bids: [...ration(bids, units), ...zeros(book.bids.slice(count.bids))],
  };
}

function uniform(book: Book, referenceMicro: bigint): Clearing {
  return atPrice(book, crossing(book), crossingPrice(book) ?? referenceMicro);
}

/** All that crosses trades; the last on the longer side in part. */
function atPrice(book: Book, at: Crossing, price: bigint): Clearing {
  const filled = (offers: readonly Offer[], last: number, part: bigint): bigint[] =>
    offers.map(({ units }, i) => (i < last ? units : i === last ? part : 0n));
  return {
    buyMicro: price,
    sellMicro: price,
    units: at.units,
    asks: filled(book.asks, at.ask, at.askPart),
    bids: filled(book.bids, at.bid, at.bidPart),
  };
}

/**
 * McAfee (1992), over offers of many units (Huang, Scheller-Wolf and Sycara 2002): the first ask and
 * bid that stay out make the price where the last that cross accept it; else the posted reference
 * does, where they accept that. Else those last ones stay out too, and the price of each side is what
 * its last one said. What buyers pay beyond what sellers get is nobody's: it goes to the treasury.
 */
function mcafee(book: Book, referenceMicro: bigint): Clearing {
  const at = crossing(book);
  if (at.units === 0n) return uniform(book, referenceMicro);
  const [ask, bid] = [book.asks[at.ask]!.priceMicro, book.bids[at.bid]!.priceMicro];
  const [nextAsk, nextBid] = [book.asks[at.ask + 1], book.bids[at.bid + 1]];
  const outside = [nextAsk, nextBid].flatMap((offer) => (offer ? [offer.priceMicro] : []));
  const middle = outside.length === 2 ? [(outside[0]! + outside[1]!) / 2n] : [];
  const price = [...middle, referenceMicro, ...outside].find((micro) => micro >= ask && micro <= bid);
  // Where one offer alone is a side of all that crosses, leaving it out would stop the market for good.
  const alone = at.ask === 0 || at.bid === 0;
  const nearest = referenceMicro < ask ? ask : referenceMicro > bid ? bid : referenceMicro;
  if (price === undefined && alone) return atPrice(book, at, nearest);
  return price !== undefined ? atPrice(book, at, price) : whole(book, { asks: at.ask, bids: at.bid }, bid, ask);
}

/** Everyone who accepts a price that nobody here has made. */
function posted(book: Book, referenceMicro: bigint): Clearing {
  const asks = book.asks.filter(({ priceMicro }) => priceMicro <= referenceMicro).length;
  const bids = book.bids.filter(({ priceMicro }) => priceMicro >= referenceMicro).length;
  return whole(book, { asks, bids }, referenceMicro, referenceMicro);
}

const RULES: Record<Rule, (book: Book, referenceMicro: bigint) => Clearing> = { uniform, mcafee, posted };

/** @param referenceMicro the posted price; also what is quoted where nothing crosses. */
export const clear = (book: Book, rule: Rule, referenceMicro: bigint): Clearing => RULES[rule](book, referenceMicro);
