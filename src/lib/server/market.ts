/**
 * The market's rounds: what stands now, cleared tier by tier, logged, and kept for the price page. A
 * round's price holds until the next one, so that whoever comes between two trades at once. Decides
 * no grant: it says at which price a job and a worker may meet, and the scheduler matches them.
 */
import { desc, eq, gte, sql, and } from 'drizzle-orm';
import { bidOf, unitsOf } from '../market/ask.ts';
import { askPrice, bidPrice, bookOf, depthOf, netOwn, type Standing } from '../market/book.ts';
import { firstReference, nextReference, type Reference } from '../market/depth.ts';
import { jobPaths, pathsOfFirst } from '../market/price.ts';
import { holdRound, type RoundRecord } from '../market/rounds.ts';
import { TIERS, tierOf, tiersServed, type Tier } from '../market/tiers.ts';
import { MARKET_ROUND_MS } from '../protocol/limits.ts';
import type { Core } from './core.ts';
import { orderOf } from './jobs.ts';
import { knowProven } from './records.ts';
import type { Session } from './sessions.ts';
import { jobs, rounds, type JobRow } from './store/schema.ts';
import type { Db } from './store/store.ts';

/** Of a worker that has not rendered anything yet. */
const SEGMENTS_PER_SECOND_GUESS = 1e6;

/** What a tier's last round made. */
export interface TierPrice {
  readonly round: number;
  readonly tier: Tier;
  readonly buyMicro: bigint;
  readonly sellMicro: bigint;
  readonly atMs: number;
}

/** A worker, and what it offers. */
interface Seller {
  readonly session: Session;
  readonly askMicro: bigint;
  readonly tiers: readonly Tier[];
  units: bigint;
}

interface Buyer {
  readonly job: JobRow;
  readonly tier: Tier;
}

type Stands = { readonly [K in 'asks' | 'bids']: readonly (Standing & { readonly seller?: Seller })[] };

const reviver = (_: string, value: unknown): unknown =>
  typeof value === 'string' && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value;
const toText = (reference: Reference): string =>
  JSON.stringify(reference, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
const toReference = (text: string): Reference => JSON.parse(text, reviver) as Reference;

export class Market {
  readonly #core: Core;
  readonly #prices = new Map<Tier, TierPrice>();

  constructor(core: Core) {
    this.#core = core;
  }

  get #floorMicro(): bigint {
    return BigInt(this.#core.policy.pricePerWorkUnitMicro);
  }

  /** What a worker asks per work unit: its own number, or the operator's price. */
  askOf(session: Session): bigint {
    return session.askMicro ?? this.#floorMicro;
  }

  /** The price of a tier, while it holds. */
  price(tier: Tier): TierPrice | null {
    const price = this.#prices.get(tier);
    return price && this.#core.clock.nowMs() - price.atMs < MARKET_ROUND_MS ? price : null;
  }

  /** Does this job buy at what its market asks? Strictly more where the price is of those who stayed out. */
  buys(job: JobRow, price: TierPrice): 'first' | 'last' | null {
    const bid = bidPrice(bidFor(job, price.buyMicro).priceMicro);
    if (bid > price.buyMicro) return 'first';
    return bid === price.buyMicro && price.buyMicro === price.sellMicro ? 'last' : null;
  }

  sells(session: Session, price: Pick<TierPrice, 'buyMicro' | 'sellMicro'>): boolean {
    const ask = askPrice(this.askOf(session));
    return ask < price.sellMicro || (ask === price.sellMicro && price.buyMicro === price.sellMicro);
  }

  /** Holds the rounds that are due: of tiers where both sides stand and no price holds. */
  async refresh(open: readonly JobRow[], workers: readonly Session[]): Promise<void> {
    const wanted = new Set(open.map((job) => tierOf(orderOf(job))));
    if (![...wanted].some((tier) => !this.price(tier)) || workers.length === 0) return;
    const buyers = open.map((job): Buyer => ({ job, tier: tierOf(orderOf(job)) }));
    const sellers = await this.#sellers(workers);
    for (const tier of TIERS) {
      const bids = buyers.filter((buyer) => buyer.tier === tier);
      const asks = sellers.filter((seller) => seller.tiers.includes(tier) && seller.units > 0n);
      if (bids.length > 0 && asks.length > 0 && !this.price(tier)) await this.#hold(tier, asks, bids);
    }
  }

  async #sellers(workers: readonly Session[]): Promise<Seller[]> {
    const rows = this.#core.store.committed();
    const keys = workers.map(({ key }) => key);
    await rows.meters.load(keys);
    await knowProven(this.#core, rows, workers);
    const sellers: Seller[] = [];
    for (const session of workers) {
      const meter = await rows.meters.get(session.key);
      // A key's speed is the mean of its machines.
      const perSecond = meter && meter.segments > 0 ? (meter.segments * 1000) / Math.max(meter.traceMs, 1) : SEGMENTS_PER_SECOND_GUESS;
      const units = unitsOf((perSecond * MARKET_ROUND_MS) / 1000, 1000);
      sellers.push({ session, askMicro: this.askOf(session), tiers: tiersServed(session.holds.bytes, session.provenWorker), units });
    }
    return sellers;
  }

  async #hold(tier: Tier, sellers: readonly Seller[], buyers: readonly Buyer[]): Promise<void> {
    const core = this.#core;
    const atMs = core.clock.nowMs();
    const floorMicro = this.#floorMicro;
    const held = await core.store.write(async (tx) => {
      const db = await tx.sql();
      const { reference } = await this.#last(db, tier);
      const net = netOwn(standsOf(sellers, buyers, reference.micro) as { asks: Standing[]; bids: Standing[] });
      const [book, depth] = [bookOf(net), depthOf(net)];
      const round = await nextRound(db);
      const { record, clearing } = holdRound({ round, tier, floorMicro, book, depth, ownUnits: net.ownUnits }, reference);
      const next = nextReference(reference, { book, depth, rule: record.rule, clearing, atMs }, floorMicro);
      tx.append({ type: 'round', ...record, atMs });
      await db.insert(rounds).values({
        ...{ round, tier, atMs, record: JSON.stringify(record), reference: toText(next) },
        ...{ buyMicro: clearing.buyMicro, sellMicro: clearing.sellMicro, units: Number(clearing.units) },
      });
      return { round, clearing };
    });
    const { buyMicro, sellMicro, units } = held.clearing;
    this.#prices.set(tier, { round: held.round, tier, buyMicro, sellMicro, atMs });
    core.counters.count('market-rounds');
    // What is sold here is not offered in the tiers below; who asks least sells first.
    let left = units;
    for (const seller of [...sellers].sort((a, b) => Number(a.askMicro - b.askMicro))) {
      const sold = seller.units < left ? seller.units : left;
      seller.units -= sold;
      left -= sold;
    }
  }

  async #last(db: Db, tier: Tier): Promise<{ before: typeof rounds.$inferSelect | undefined; reference: Reference }> {
    const [before] = await db.select().from(rounds).where(eq(rounds.tier, tier)).orderBy(desc(rounds.round)).limit(1);
    return { before, reference: before ? toReference(before.reference) : firstReference(this.#floorMicro) };
  }

  /** What would be posted in a tier now. */
  async reference(tier: Tier): Promise<Reference> {
    return (await this.#last(this.#core.store.db, tier)).reference;
  }

  /** What stands in a tier now, without own work; null where nothing does. */
  async standing(tier: Tier, open: readonly JobRow[], workers: readonly Session[]): Promise<RoundRecord | null> {
    const sellers = (await this.#sellers(workers)).filter(({ tiers }) => tiers.includes(tier));
    const buyers = open.map((job): Buyer => ({ job, tier: tierOf(orderOf(job)) })).filter((buyer) => buyer.tier === tier);
    const { before, reference } = await this.#last(this.#core.store.db, tier);
    if (sellers.length === 0 && buyers.length === 0 && !before) return null;
    const floorMicro = this.#floorMicro;
    const net = netOwn(standsOf(sellers, buyers, reference.micro) as { asks: Standing[]; bids: Standing[] });
    return holdRound(
      { round: before?.round ?? 0, tier, floorMicro, book: bookOf(net), depth: depthOf(net), ownUnits: net.ownUnits },
      reference,
    ).record;
  }

  /** Rounds of a tier since a time, the oldest first. */
  async history(
    tier: Tier,
    sinceMs: number,
    limit: number,
  ): Promise<{ round: number; atMs: number; buyMicro: bigint; sellMicro: bigint; units: number; rule: string }[]> {
    const found = await this.#core.store.db
      .select()
      .from(rounds)
      .where(and(eq(rounds.tier, tier), gte(rounds.atMs, sinceMs)))
      .orderBy(desc(rounds.round))
      .limit(limit);
    return found.reverse().map(({ round, atMs, buyMicro, sellMicro, units, record }) => {
      const { rule } = JSON.parse(record) as RoundRecord;
      return { round, atMs, buyMicro, sellMicro, units, rule };
    });
  }
}

async function nextRound(db: Db): Promise<number> {
  const [last] = await db.select({ n: sql<string | null>`max(${rounds.round})` }).from(rounds);
  return last?.n === null || last?.n === undefined ? 0 : Number(last.n) + 1;
}

/** What a job bids now. */
function bidFor(job: JobRow, referenceMicro: bigint): { priceMicro: bigint; units: bigint } {
  const order = orderOf(job);
  const settledPaths = pathsOfFirst(order, job.settled);
  const pathsLeft = Math.max(jobPaths(order) - pathsOfFirst(order, job.nextSlot), 1);
  return bidOf({ order, pathsLeft, settledPaths, settledSegments: job.segments, spentMicro: job.spentMicro }, referenceMicro);
}

/** Owners are keys; those that speak from one network are one owner, where that says something. */
function standsOf(sellers: readonly Seller[], buyers: readonly Buyer[], referenceMicro: bigint): Stands {
  return {
    asks: sellers.map((seller) => ({
      owner: seller.session.prefix ?? seller.session.key,
      priceMicro: seller.askMicro,
      units: seller.units,
    })),
    bids: buyers.map(({ job }) => ({ owner: job.creator, ...bidFor(job, referenceMicro) })),
  };
}

/** Open jobs that want leases, as a market sees them. */
export const openJobs = (core: Core): Promise<JobRow[]> =>
  core.store.db
    .select()
    .from(jobs)
    .where(and(eq(jobs.state, 'open'), sql`(${jobs.nextSlot} < ${jobs.slots} or exists (select 1 from redo r where r.job = ${jobs.id}))`))
    .orderBy(jobs.createdMs);
