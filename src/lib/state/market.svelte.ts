/**
 * What the market page shows: the coordinator's view of prices, depth and history, asked again every
 * few seconds while the page is looked at. Old numbers stay, dated, when the coordinator is away.
 */
import * as v from 'valibot';
import { problem, type Problem } from './problem.ts';

const REFRESH_MS = 5_000;
const TIMEOUT_MS = 10_000;

const micro = v.pipe(
  v.string(),
  v.regex(/^[0-9]{1,19}$/),
  v.transform((text) => BigInt(text)),
);
const line = v.pipe(
  v.strictTuple([micro, v.number()]),
  v.transform(([priceMicro, milliUnits]) => ({ priceMicro, milliUnits })),
);
const rule = v.picklist(['uniform', 'mcafee', 'posted']);

const TierSchema = v.object({
  tier: v.string(),
  words: v.string(),
  last: v.nullable(v.object({ round: v.number(), atMs: v.number(), rule, buyMicro: micro, sellMicro: micro, milliUnits: v.number() })),
  referenceMicro: micro,
  rule,
  askOwners: v.number(),
  bidOwners: v.number(),
  asks: v.array(line),
  bids: v.array(line),
  history: v.array(v.object({ round: v.number(), atMs: v.number(), priceMicro: micro, milliUnits: v.number() })),
});
export type MarketTier = v.InferOutput<typeof TierSchema>;
export type DepthLine = v.InferOutput<typeof line>;

const MarketSchema = v.object({
  floorMicro: micro,
  roundMs: v.number(),
  checkerShare: v.number(),
  feeShare: v.number(),
  stillMicro: micro,
  tiers: v.array(TierSchema),
  timeMs: v.number(),
});
export type MarketPicture = v.InferOutput<typeof MarketSchema>;

/** How a price came about, in a sentence. */
export const ruleWords: Record<MarketTier['rule'], string> = {
  uniform: 'where the curves cross',
  mcafee: 'by those who just stay out (McAfee’s rule for few traders)',
  posted: 'the posted reference: too few stand here to make a price',
};

export class MarketDesk {
  view = $state.raw<MarketPicture | null>(null);
  trouble = $state.raw<Problem | null>(null);
  asOfMs = $state<number | null>(null);
  /** The market that is shown. */
  chosen = $state('any-s');
  readonly #closing = new AbortController();

  get tier(): MarketTier | null {
    return this.view?.tiers.find(({ tier }) => tier === this.chosen) ?? this.view?.tiers[0] ?? null;
  }

  /** Begins to ask; ends with `close`. */
  mount(): void {
    void this.#load();
    const timer = setInterval(() => document.visibilityState === 'visible' && void this.#load(), REFRESH_MS);
    this.#closing.signal.addEventListener('abort', () => clearInterval(timer));
  }

  close(): void {
    this.#closing.abort();
  }

  async #load(): Promise<void> {
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      const response = await fetch('/api/market', { signal });
      if (!response.ok) throw new Error(`/api/market: HTTP ${response.status}`);
      this.view = v.parse(MarketSchema, await response.json());
      this.asOfMs = Date.now();
      this.trouble = null;
    } catch (cause) {
      if (this.#closing.signal.aborted) return;
      const kept = this.view ? 'The numbers below are the last ones fetched.' : 'Every round is in the log; none is lost.';
      this.trouble = problem('The market could not be fetched.', kept, 'It is asked again every few seconds.', cause);
    }
  }
}
