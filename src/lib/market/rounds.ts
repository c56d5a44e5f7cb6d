/**
 * A round as the log holds it, made by the coordinator and recomputed by everyone who replays: the
 * anonymous book, what is said of its owners, and what follows. That the book is what stood, and what
 * is said of owners, is the coordinator's word; rule, price, volume and reference are arithmetic.
 */
import * as v from 'valibot';
import { count, microTokens } from '../protocol/schema.ts';
import { BOOK_LINES_MAX } from './book.ts';
import { clear, type Book, type Clearing, type Offer } from './clearing.ts';
import { firstReference, nextReference, ruleOf, type Reference } from './depth.ts';
import { TIERS, type Tier } from './tiers.ts';

const units = v.pipe(v.string(), v.regex(/^(0|[1-9][0-9]{0,17})$/));
const lines = v.pipe(v.array(v.strictTuple([microTokens, units])), v.maxLength(BOOK_LINES_MAX));
const owners = count(1_000_000);
const ppm = count(1_000_000);

export const RoundSchema = v.strictObject({
  /** Rounds of all tiers before this one. */
  round: count(Number.MAX_SAFE_INTEGER),
  tier: v.picklist(TIERS),
  /** The operator's price, micro-tokens per work unit. */
  floorMicro: microTokens,
  referenceMicro: microTokens,
  askOwners: owners,
  bidOwners: owners,
  askTopPpm: ppm,
  bidTopPpm: ppm,
  /** Price and thousandths of a work unit; asks from the cheapest, bids from the dearest. */
  asks: lines,
  bids: lines,
  /** What owners trade with themselves, for nothing; not in the book. */
  ownUnits: units,
  rule: v.picklist(['uniform', 'mcafee', 'posted']),
  buyMicro: microTokens,
  sellMicro: microTokens,
  units,
});
export type RoundRecord = v.InferOutput<typeof RoundSchema>;

export interface RoundInput {
  readonly round: number;
  readonly tier: Tier;
  readonly floorMicro: bigint;
  readonly book: Book;
  readonly depth: { readonly askOwners: number; readonly bidOwners: number; readonly askTopPpm: number; readonly bidTopPpm: number };
  readonly ownUnits: bigint;
}

const toLines = (offers: readonly Offer[]): [string, string][] => offers.map(({ priceMicro, units: n }) => [String(priceMicro), String(n)]);
const toOffers = (side: RoundRecord['asks']): Offer[] => side.map(([price, n]) => ({ priceMicro: BigInt(price), units: BigInt(n) }));

export const bookIn = (record: RoundRecord): Book => ({ asks: toOffers(record.asks), bids: toOffers(record.bids) });

/** Clears a round. @returns what the log shall hold of it, and who of the book trades how much. */
export function holdRound(input: RoundInput, reference: Reference): { readonly record: RoundRecord; readonly clearing: Clearing } {
  const { book, depth } = input;
  const rule = ruleOf(depth);
  const clearing = clear(book, rule, reference.micro);
  const record: RoundRecord = {
    ...{ round: input.round, tier: input.tier, floorMicro: String(input.floorMicro), referenceMicro: String(reference.micro) },
    ...depth,
    ...{ asks: toLines(book.asks), bids: toLines(book.bids), ownUnits: String(input.ownUnits), rule },
    ...{ buyMicro: String(clearing.buyMicro), sellMicro: String(clearing.sellMicro), units: String(clearing.units) },
  };
  return { record, clearing };
}

/** The prices of a round, and which market they are of. */
export interface RoundPrice {
  readonly tier: Tier;
  readonly buyMicro: bigint;
  readonly sellMicro: bigint;
  readonly atMs: number;
}

const ascending = (offers: readonly Offer[], sign: 1n | -1n): boolean =>
  offers.every((offer, i) => offer.units > 0n && (i === 0 || (offer.priceMicro - offers[i - 1]!.priceMicro) * sign >= 0n));

/** Rounds in their order: what every tier's reference is, and what each round's leases cost. */
export class Rounds {
  readonly #references = new Map<Tier, Reference>();
  readonly #prices = new Map<number, RoundPrice>();
  /** Rounds so far. */
  count = 0;

  reference(tier: Tier, floorMicro: bigint): Reference {
    return this.#references.get(tier) ?? firstReference(floorMicro);
  }

  price(round: number): RoundPrice | undefined {
    return this.#prices.get(round);
  }

  /** @returns what is false about the next round, as a sentence, or null. */
  step(record: RoundRecord, atMs: number): string | null {
    if (record.round !== this.count) return 'The rounds of the market are not numbered one after the other.';
    const book = bookIn(record);
    if (!ascending(book.asks, 1n) || !ascending(book.bids, -1n)) return 'The book of a round is not in order.';
    if (record.askOwners > record.asks.length && record.asks.length < BOOK_LINES_MAX) return 'A round counts more sellers than asks.';
    if (record.bidOwners > record.bids.length && record.bids.length < BOOK_LINES_MAX) return 'A round counts more buyers than bids.';
    const floorMicro = BigInt(record.floorMicro);
    const reference = this.reference(record.tier, floorMicro);
    const { askOwners, bidOwners, askTopPpm, bidTopPpm, round, tier } = record;
    const depth = { askOwners, bidOwners, askTopPpm, bidTopPpm };
    const { record: due, clearing } = holdRound({ round, tier, floorMicro, book, depth, ownUnits: BigInt(record.ownUnits) }, reference);
    if (due.referenceMicro !== record.referenceMicro) return 'The posted reference of a round is not what the rounds before it make.';
    if (due.rule !== record.rule) return 'A round is cleared by another rule than its owners call for.';
    if (due.buyMicro !== record.buyMicro || due.sellMicro !== record.sellMicro) return 'The price of a round is not what its book makes.';
    if (due.units !== record.units) return 'The volume of a round is not what its book makes.';
    this.#references.set(tier, nextReference(reference, { book, depth, rule: record.rule, clearing, atMs }, floorMicro));
    this.#prices.set(round, { tier, buyMicro: clearing.buyMicro, sellMicro: clearing.sellMicro, atMs });
    this.count++;
    return null;
  }
}
