/**
 * What the market answers over HTTP: prices, depth and history of every tier, a quote, a worker. Read
 * only; money as decimal strings of micro-tokens. `static/openapi.json` describes it, and a test holds
 * every answer against that.
 */
import { and, count, eq, sum } from 'drizzle-orm';
import { priceOfWork } from '../market/estimate.ts';
import { segmentsPerPathMax } from '../job/plan.ts';
import { jobPaths, PLAIN_COST_PER_MILLE, workPrice, worstPrice } from '../market/price.ts';
import type { RoundRecord } from '../market/rounds.ts';
import { TIERS, tierOf, tierWords, type Tier } from '../market/tiers.ts';
import { COST_PER_MILLE_MAX, JOB_BOUNCES_MAX, JOB_SAMPLES_MAX, JOB_SIDE_PX_MAX, MARKET_ROUND_MS } from '../protocol/limits.ts';
import type { Core } from './core.ts';
import { openJobs, type Market } from './market.ts';
import { recordOf } from './records.ts';
import { leases, meters } from './store/schema.ts';

const HISTORY_MS = 24 * 3_600_000;
const HISTORY_ROUNDS_MAX = 2_000;
/** A still as people order it: full HD, 256 samples, at what an open scene of mixed materials takes. */
const STILL = { width: 1920, height: 1080, samples: 256, segmentsPerPath: 6 };

interface TierView {
  readonly tier: Tier;
  readonly words: string;
  /** Of the last round; null before the first. */
  readonly last: { round: number; atMs: number; rule: string; buyMicro: string; sellMicro: string; milliUnits: number } | null;
  readonly referenceMicro: string;
  /** What stands now: the rule by which it would clear, and its lines. */
  readonly rule: RoundRecord['rule'];
  readonly askOwners: number;
  readonly bidOwners: number;
  readonly asks: readonly (readonly [priceMicro: string, milliUnits: number])[];
  readonly bids: readonly (readonly [priceMicro: string, milliUnits: number])[];
  /** The oldest first. */
  readonly history: readonly { round: number; atMs: number; priceMicro: string; milliUnits: number }[];
}

export interface MarketView {
  readonly floorMicro: string;
  readonly roundMs: number;
  readonly checkerShare: number;
  readonly feeShare: number;
  /** What STILL costs now. */
  readonly stillMicro: string;
  readonly tiers: readonly TierView[];
  readonly timeMs: number;
}

const lines = (side: RoundRecord['asks']): (readonly [string, number])[] => side.map(([price, units]) => [price, Number(units)]);

async function viewTier(core: Core, market: Market, tier: Tier, now: Awaited<ReturnType<typeof standingNow>>): Promise<TierView | null> {
  const standing = await market.standing(tier, now.open, now.workers);
  if (!standing) return null;
  const history = await market.history(tier, core.clock.nowMs() - HISTORY_MS, HISTORY_ROUNDS_MAX);
  const last = history.at(-1);
  const { referenceMicro, rule, askOwners, bidOwners, asks, bids } = standing;
  return {
    tier,
    words: tierWords(tier),
    last: last
      ? {
          ...{ round: last.round, atMs: last.atMs, rule: last.rule, milliUnits: last.units },
          ...{ buyMicro: String(last.buyMicro), sellMicro: String(last.sellMicro) },
        }
      : null,
    ...{ referenceMicro, rule, askOwners, bidOwners, asks: lines(asks), bids: lines(bids) },
    history: history.map(({ round, atMs, buyMicro, units }) => ({ round, atMs, priceMicro: String(buyMicro), milliUnits: units })),
  };
}

async function standingNow(core: Core) {
  const open = (await openJobs(core)).filter((job) => core.sessions.creatorOf(job));
  return { open, workers: core.sessions.with('worker').filter(({ stands }) => stands) };
}

/** The price that holds in a tier, or would be posted. */
async function priceNow(market: Market, tier: Tier): Promise<bigint> {
  return market.price(tier)?.buyMicro ?? (await market.reference(tier)).micro;
}

export async function marketView(core: Core, market: Market): Promise<MarketView> {
  const now = await standingNow(core);
  const tiers: TierView[] = [];
  for (const tier of TIERS) {
    const view = await viewTier(core, market, tier, now);
    if (view) tiers.push(view);
  }
  const { pricePerWorkUnitMicro, checkerShare, feeShare } = core.policy;
  return {
    floorMicro: pricePerWorkUnitMicro,
    roundMs: MARKET_ROUND_MS,
    checkerShare,
    feeShare,
    stillMicro: String(workPrice(jobPaths(STILL) * STILL.segmentsPerPath, await priceNow(market, 'any-s'))),
    tiers,
    timeMs: core.clock.nowMs(),
  };
}

/** Named numbers of a query, each within its bounds; null when one is not. */
function numbers<K extends string>(
  query: URLSearchParams,
  wanted: Record<K, readonly [least: number, most: number, fallback: number | null]>,
) {
  const out = {} as Record<K, number>;
  for (const [name, [least, most, fallback]] of Object.entries(wanted) as [K, readonly [number, number, number | null]][]) {
    const text = query.get(name);
    const value = text === null ? fallback : /^[0-9]{1,15}(\.[0-9]{1,6})?$/.test(text) ? Number(text) : null;
    if (value === null || value < least || value > most) return null;
    out[name] = value;
  }
  return out;
}

export const QUOTE_HELP =
  '`width`, `height` and `samples` are whole numbers; `bounces`, `segmentsPerPath`, `spread`, `costPerMille` and `sceneBytes` may be left out.';

/** What a picture would cost now. @param spread of the segments per path: one standard error, as a part of it. @returns null for a query that asks nothing. */
export async function quoteView(core: Core, market: Market, query: URLSearchParams): Promise<unknown> {
  const asked = numbers(query, {
    width: [1, JOB_SIDE_PX_MAX, null],
    height: [1, JOB_SIDE_PX_MAX, null],
    samples: [1, JOB_SAMPLES_MAX, null],
    bounces: [1, JOB_BOUNCES_MAX, 8],
    segmentsPerPath: [1, 2 * JOB_BOUNCES_MAX + 3, 6],
    spread: [0, 10, 0.25],
    costPerMille: [1, COST_PER_MILLE_MAX, PLAIN_COST_PER_MILLE],
    sceneBytes: [1, Number.MAX_SAFE_INTEGER, 1],
  });
  if (!asked || ![asked.width, asked.height, asked.samples, asked.bounces, asked.costPerMille].every(Number.isInteger)) return null;
  const tier = tierOf({ sceneNeeds: { bytes: asked.sceneBytes, bindingBytes: asked.sceneBytes }, proven: query.get('proven') === '1' });
  const priceMicro = await priceNow(market, tier);
  const paths = jobPaths(asked);
  const most = paths * segmentsPerPathMax(asked.bounces);
  const segments = Math.min(paths * asked.segmentsPerPath, most);
  const wide = 1 + 1.645 * asked.spread;
  const priced = priceOfWork(
    { segments, low: Math.max(segments / wide, paths), high: Math.min(segments * wide, most) },
    asked,
    priceMicro,
    core.policy,
  );
  const { split } = priced;
  return {
    ...{ tier, priceMicro: String(priceMicro), paths, milliUnits: priced.milliUnits },
    ...{ estimateMicro: String(priced.estimateMicro), lowMicro: String(priced.lowMicro), highMicro: String(priced.highMicro) },
    worstMicro: String(worstPrice(asked, priceMicro)),
    split: { workerMicro: String(split.workerMicro), checkerMicro: String(split.checkerMicro), feeMicro: String(split.feeMicro) },
  };
}

/** A worker as anyone may see it. */
export async function workerView(core: Core, market: Market, key: string): Promise<unknown> {
  const { db } = core.store;
  const [meter] = await db.select().from(meters).where(eq(meters.worker, key));
  const [done] = await db
    .select({ n: count(), segments: sum(leases.segments) })
    .from(leases)
    .where(and(eq(leases.worker, key), eq(leases.state, 'settled')));
  const sessions = core.sessions.ofKey(key).filter(({ roles }) => roles.has('worker'));
  return {
    key,
    machines: sessions.map((session) => ({
      adapterClass: session.adapter?.class ?? '',
      stands: session.stands,
      askMicro: String(market.askOf(session)),
      holdsBytes: session.holds.bytes,
    })),
    segmentsPerSecond: meter ? Math.round((meter.segments / Math.max(meter.traceMs, 1)) * 1000) : null,
    leasesSettled: done?.n ?? 0,
    segmentsSettled: Number(done?.segments ?? 0),
    record: await recordOf(core, key),
  };
}
