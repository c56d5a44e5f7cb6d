/**
 * What the market page shows: the coordinator's view of prices, depth and history, asked again every
 * few seconds while the page is looked at. Old numbers stay, dated, when the coordinator is away.
 */
import { parseMarket, type MarketPicture, type MarketTier } from '../protocol/market.ts';
import { problem, type Problem } from './problem.ts';

const REFRESH_MS = 5_000;
const TIMEOUT_MS = 10_000;

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
  readonly #refreshMs: number;
  #closing = new AbortController();

  /** @param refreshMs how often it asks. */
  constructor(refreshMs = REFRESH_MS) {
    this.#refreshMs = refreshMs;
  }

  get tier(): MarketTier | null {
    return this.view?.tiers.find(({ tier }) => tier === this.chosen) ?? this.view?.tiers[0] ?? null;
  }

  /** Begins to ask, anew after a `close`. */
  mount(): void {
    this.#closing = new AbortController();
    void this.#load();
    const timer = setInterval(() => document.visibilityState === 'visible' && void this.#load(), this.#refreshMs);
    this.#closing.signal.addEventListener('abort', () => clearInterval(timer));
  }

  close(): void {
    this.#closing.abort();
  }

  async #load(): Promise<void> {
    const closed = this.#closing.signal;
    const signal = AbortSignal.any([closed, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      const response = await fetch('/api/market', { signal });
      if (!response.ok) throw new Error(`/api/market: HTTP ${response.status}`);
      const view = parseMarket(await response.json());
      if (!view) throw new Error('/api/market: the answer is none that this page knows');
      this.view = view;
      this.asOfMs = Date.now();
      this.trouble = null;
    } catch (cause) {
      if (closed.aborted) return;
      const kept = this.view ? 'The numbers below are the last ones fetched.' : 'Every round is in the log; none is lost.';
      this.trouble = problem('The market could not be fetched.', kept, 'It is asked again every few seconds.', cause);
    }
  }
}
