/** Rounds of the market: nothing made or lost, nobody beyond its word, one price for all who trade at one. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { askPrice, bidPrice, BOOK_LINES_MAX, bookOf, depthOf, netOwn, type Standing } from '#lib/market/book.ts';
import { clear, crossingPrice, ration, sumUnits, type Book, type Offer, type Rule } from '#lib/market/clearing.ts';
import { firstReference, nextReference, ruleOf, stepTowards, type Depth, type Reference } from '#lib/market/depth.ts';

const offer = (price: number, units: number): Offer => ({ priceMicro: BigInt(price), units: BigInt(units) });
const side = fc.array(fc.tuple(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 50 })), { maxLength: 24 });
const books = fc.tuple(side, side).map(([asks, bids]): Book => ({
  asks: asks.map(([p, u]) => offer(p, u)).sort((a, b) => Number(a.priceMicro - b.priceMicro)),
  bids: bids.map(([p, u]) => offer(p, u)).sort((a, b) => Number(b.priceMicro - a.priceMicro)),
}));
const rules = fc.constantFrom<Rule>('uniform', 'mcafee', 'posted');
const references = fc.bigInt(1n, 400n);
const sum = (values: readonly bigint[]): bigint => values.reduce((a, b) => a + b, 0n);

describe('a cleared round, by whichever rule', () => {
  test('sells as many units as it buys, and of nobody more than he offers', () => {
    fc.assert(
      fc.property(books, rules, references, (book, rule, reference) => {
        const done = clear(book, rule, reference);
        expect(sum(done.asks)).toBe(done.units);
        expect(sum(done.bids)).toBe(done.units);
        done.asks.forEach((units, i) => expect(units >= 0n && units <= book.asks[i]!.units).toBe(true));
        done.bids.forEach((units, i) => expect(units >= 0n && units <= book.bids[i]!.units).toBe(true));
      }),
    );
  });

  test('pays no seller less than his ask, charges no buyer more than his bid, and never more out than in', () => {
    fc.assert(
      fc.property(books, rules, references, (book, rule, reference) => {
        const { asks, bids, buyMicro, sellMicro } = clear(book, rule, reference);
        asks.forEach((units, i) => expect(units === 0n || book.asks[i]!.priceMicro <= sellMicro).toBe(true));
        bids.forEach((units, i) => expect(units === 0n || book.bids[i]!.priceMicro >= buyMicro).toBe(true));
        expect(buyMicro >= sellMicro).toBe(true);
        if (rule !== 'mcafee') expect(buyMicro).toBe(sellMicro);
      }),
    );
  });

  test('trades all that crosses at one price, where the rule is uniform: who stays out would not trade at it', () => {
    fc.assert(
      fc.property(books, references, (book, reference) => {
        const { asks, bids, buyMicro, units } = clear(book, 'uniform', reference);
        expect(crossingPrice(book) === null).toBe(units === 0n);
        if (units === 0n) return;
        const willing = (offers: readonly Offer[], yes: (price: bigint) => boolean): bigint =>
          sumUnits(offers.filter(({ priceMicro }) => yes(priceMicro)));
        // Competitive equilibrium: those who gain by the price trade whole, those who lose by it not at all.
        expect(willing(book.asks, (p) => p < buyMicro) <= units && units <= willing(book.asks, (p) => p <= buyMicro)).toBe(true);
        expect(willing(book.bids, (p) => p > buyMicro) <= units && units <= willing(book.bids, (p) => p >= buyMicro)).toBe(true);
        expect(sum(asks)).toBe(sum(bids));
      }),
    );
  });
});

describe('the uniform rule', () => {
  test('a higher ask never sells more, a higher bid never buys less', () => {
    fc.assert(
      fc.property(books, fc.nat(), fc.integer({ min: 1, max: 200 }), (book, pick, more) => {
        if (book.asks.length === 0 || book.bids.length === 0) return;
        const i = pick % book.asks.length;
        const before = clear(book, 'uniform', 100n).asks[i]!;
        const moved = { ...book.asks[i]!, priceMicro: book.asks[i]!.priceMicro + BigInt(more) };
        const rest = book.asks.filter((_, k) => k !== i);
        const at = rest.findIndex(({ priceMicro }) => priceMicro > moved.priceMicro);
        const place = at < 0 ? rest.length : at;
        const asks = [...rest.slice(0, place), moved, ...rest.slice(place)];
        expect(clear({ ...book, asks }, 'uniform', 100n).asks[place]! <= before).toBe(true);
      }),
    );
  });

  test('a trader of one unit that trades moves its own price only as the last one', () => {
    const one = (prices: readonly number[]): Offer[] => prices.map((price) => offer(price, 1));
    const book = { asks: one([10, 20, 30, 60, 90]), bids: one([95, 80, 70, 40, 5]) };
    expect(clear(book, 'uniform', 1n)).toMatchObject({ buyMicro: 50n, units: 3n });
    const shaded = { ...book, asks: one([10, 20, 45, 60, 90]) };
    expect(clear(shaded, 'uniform', 1n).buyMicro).toBe(50n);
    const pivotal = { ...book, asks: one([10, 20, 55, 60, 90]) };
    expect(clear(pivotal, 'uniform', 1n).buyMicro).toBe(55n);
  });
});

describe('McAfee’s rule', () => {
  const one = (prices: readonly number[]): Offer[] => prices.map((price) => offer(price, 1));
  test('takes the price of those who stay out where the last ones accept it', () => {
    const book = { asks: one([10, 20, 60]), bids: one([90, 70, 30]) };
    expect(clear(book, 'mcafee', 1n)).toMatchObject({ buyMicro: 45n, sellMicro: 45n, units: 2n });
  });

  test('takes the reference where they accept that, and leaves the last ones out where no price is there', () => {
    const book = { asks: one([10, 20]), bids: one([90, 70]) };
    expect(clear(book, 'mcafee', 50n)).toMatchObject({ buyMicro: 50n, sellMicro: 50n, units: 2n });
    expect(clear(book, 'mcafee', 500n)).toMatchObject({ buyMicro: 70n, sellMicro: 20n, units: 1n });
  });
});

test('McAfee’s rule leaves nobody out where one offer alone is a side: it would stop the market', () => {
  const book = { asks: [offer(11, 50), offer(13, 50)], bids: [offer(30, 1), offer(12, 1)] };
  expect(clear(book, 'mcafee', 10n)).toMatchObject({ buyMicro: 11n, sellMicro: 11n, units: 2n });
});

test('a posted price is nobody’s: who accepts it trades, and the longer side is rationed in proportion', () => {
  const book = { asks: [offer(10, 6), offer(20, 3), offer(99, 50)], bids: [offer(80, 3), offer(30, 50)] };
  expect(clear(book, 'posted', 50n)).toEqual({ buyMicro: 50n, sellMicro: 50n, units: 3n, asks: [2n, 1n, 0n], bids: [3n, 0n] });
  expect(ration([offer(1, 1), offer(1, 1), offer(1, 1)], 2n)).toEqual([1n, 1n, 0n]);
});

describe('the book', () => {
  const stand = fc
    .tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 9_999_999 }), fc.integer({ min: 1, max: 9 }))
    .map(([owner, price, units]): Standing => ({ owner: `o${owner}`, ...offer(price, units) }));
  const stands = fc.record({ asks: fc.array(stand, { maxLength: 30 }), bids: fc.array(stand, { maxLength: 30 }) });

  test('has no owner on both sides once own work is taken out, and loses nothing else', () => {
    fc.assert(
      fc.property(stands, (all) => {
        const net = netOwn(all);
        const sellers = new Set(net.asks.map(({ owner }) => owner));
        expect(net.bids.some(({ owner }) => sellers.has(owner))).toBe(false);
        expect(sumUnits(all.asks) - sumUnits(net.asks)).toBe(net.ownUnits);
        expect(sumUnits(all.bids) - sumUnits(net.bids)).toBe(net.ownUnits);
      }),
    );
  });

  test('rounds to its grid so that nobody trades beyond its word', () => {
    expect(askPrice(123_456n)).toBe(124_000n);
    expect(bidPrice(123_456n)).toBe(123_000n);
    expect(askPrice(999_001n)).toBe(1_000_000n);
    fc.assert(fc.property(fc.bigInt(1n, 10n ** 18n), (micro) => askPrice(micro) >= micro && bidPrice(micro) <= micro));
  });

  test('is folded to what a leaf holds, and still crosses at the same price and volume', () => {
    const many = (count: number, from: number): Standing[] =>
      Array.from({ length: count }, (_, i) => ({ owner: `${from}-${i}`, ...offer(100_000 + ((i * 7919) % 900) * 1000, 1) }));
    const all = { asks: many(700, 1), bids: many(700, 2) };
    const folded = bookOf(all);
    const sorted = {
      asks: all.asks.toSorted((a, b) => Number(a.priceMicro - b.priceMicro)),
      bids: all.bids.toSorted((a, b) => Number(b.priceMicro - a.priceMicro)),
    };
    expect(folded.asks.length).toBe(BOOK_LINES_MAX);
    expect(folded.bids.length).toBe(BOOK_LINES_MAX);
    expect(sumUnits(folded.asks)).toBe(700n);
    const [short, long] = [clear(folded, 'uniform', 1n), clear(sorted, 'uniform', 1n)];
    expect([short.buyMicro, short.units]).toEqual([long.buyMicro, long.units]);
    expect(short.units).toBeGreaterThan(0n);
  });
});

describe('the rule of a round', () => {
  const depth = (askOwners: number, bidOwners: number, askTopPpm = 100_000, bidTopPpm = 100_000): Depth => ({
    askOwners,
    bidOwners,
    askTopPpm,
    bidTopPpm,
  });
  test('follows from how many owners there are, and from whether one has too much', () => {
    expect(ruleOf(depth(8, 8))).toBe('uniform');
    expect(ruleOf(depth(8, 7))).toBe('mcafee');
    expect(ruleOf(depth(3, 20, 900_000))).toBe('mcafee');
    expect(ruleOf(depth(2, 20))).toBe('posted');
    expect(ruleOf(depth(20, 20, 400_000))).toBe('posted');
    expect(ruleOf(depth(20, 20, 100_000, 201_000))).toBe('posted');
  });

  test('counts a thousand machines of one owner as one', () => {
    const machines = Array.from({ length: 1000 }, (): Standing => ({ owner: 'farm', ...offer(5, 1) }));
    expect(depthOf({ asks: machines, bids: [] })).toEqual({ askOwners: 1, bidOwners: 0, askTopPpm: 1_000_000, bidTopPpm: 0 });
  });
});

describe('the posted reference', () => {
  const thin: Depth = { askOwners: 1, bidOwners: 1, askTopPpm: 1_000_000, bidTopPpm: 1_000_000 };
  const thick: Depth = { askOwners: 9, bidOwners: 9, askTopPpm: 150_000, bidTopPpm: 150_000 };
  const book = { asks: [offer(300, 5)], bids: [offer(500, 5)] };
  const after = (before: Reference, depth: Depth, atMs = 0): Reference => {
    const rule = ruleOf(depth);
    return nextReference(before, { book, depth, rule, clearing: clear(book, rule, before.micro), atMs }, 100n);
  };

  test('stands at the operator’s price while nobody else makes one, whatever two say', () => {
    expect(after(firstReference(100n), thin)).toEqual({ micro: 100n, thick: [] });
  });

  test('moves towards the median of thick rounds by a tenth a round at most, and back when they are a day old', () => {
    let reference = firstReference(100n);
    const seen: bigint[] = [];
    for (let i = 0; i < 20; i++) seen.push((reference = after(reference, thick)).micro);
    expect(seen.slice(0, 3)).toEqual([110n, 121n, 133n]);
    expect(seen.at(-1)).toBe(400n);
    expect(after(reference, thin, 25 * 3_600_000)).toEqual({ micro: 360n, thick: [] });
  });

  test('moves by at least a micro-token, at most a tenth, and never to nothing', () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 15n), fc.bigInt(0n, 10n ** 15n), (from, target) => {
        const next = stepTowards(from, target);
        const away = next > from ? next - from : from - next;
        expect(away <= (from / 10n > 0n ? from / 10n : 1n)).toBe(true);
        expect(next > 0n).toBe(true);
      }),
    );
    expect(stepTowards(1n, 0n)).toBe(1n);
  });
});
