/**
 * What the ledger page shows: a page of entries as the coordinator tells them, and the answer this
 * browser finds by itself when it replays the whole log. The two are kept apart on purpose.
 */
import * as v from 'valibot';
import { LOG_PAGE_ENTRIES_MAX } from '../protocol/limits.ts';
import { problem, type Problem } from './problem.ts';
import { recall, remember } from './remember.ts';

const PAGE_ENTRIES = 50;
const TIMEOUT_MS = 10_000;

const RowSchema = v.object({
  index: v.number(),
  kind: v.string(),
  job: v.nullable(v.string()),
  lease: v.nullable(v.string()),
  atMs: v.number(),
  postings: v.array(
    v.pipe(
      v.tuple([v.string(), v.pipe(v.string(), v.regex(/^-?\d+$/))]),
      v.transform(([account, micro]) => ({ account, micro: BigInt(micro) })),
    ),
  ),
});
export type LedgerRow = v.InferOutput<typeof RowSchema>;

const PageSchema = v.object({ entries: v.array(RowSchema), total: v.number() });

const SeenSchema = v.object({ size: v.number(), root: v.string() });

export type Verdict =
  | { readonly state: 'none' }
  | { readonly state: 'running'; readonly step: string }
  | { readonly state: 'yes'; readonly text: string }
  | { readonly state: 'no'; readonly text: string; readonly step: string; readonly remedy: string }
  /** The log could not be had, so nothing is known either way. */
  | { readonly state: 'unknown'; readonly text: string };

export class LedgerDesk {
  rows = $state.raw<readonly LedgerRow[]>([]);
  total = $state<number | null>(null);
  query = $state('');
  offset = $state(0);
  busy = $state(false);
  trouble = $state.raw<Problem | null>(null);
  asOfMs = $state<number | null>(null);
  verdict = $state.raw<Verdict>({ state: 'none' });
  /** The last checkpoint this browser found good. */
  seen = $state.raw<v.InferOutput<typeof SeenSchema> | null>(null);
  readonly newer = $derived(this.offset > 0);
  readonly older = $derived(this.total !== null && this.offset + this.rows.length < this.total);
  #asking = new AbortController();

  async search(query: string): Promise<void> {
    this.query = query;
    await this.#load(0);
  }

  page(which: 'newer' | 'older'): Promise<void> {
    return this.#load(Math.max(0, this.offset + (which === 'older' ? PAGE_ENTRIES : -PAGE_ENTRIES)));
  }

  close(): void {
    this.#asking.abort();
  }

  async verify(): Promise<void> {
    this.verdict = { state: 'running', step: 'Fetching the log' };
  }

  async #load(offset: number): Promise<void> {
    this.#asking.abort();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    this.busy = true;
    try {
      const query = new URLSearchParams({
        q: this.query,
        offset: String(offset),
        limit: String(Math.min(PAGE_ENTRIES, LOG_PAGE_ENTRIES_MAX)),
      });
      const response = await fetch(`/api/entries?${query}`, { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) });
      if (!response.ok) throw new Error(`/api/entries: HTTP ${response.status}`);
      const { entries, total } = v.parse(PageSchema, await response.json());
      this.rows = entries;
      this.total = total;
      this.offset = offset;
      this.asOfMs = Date.now();
      this.trouble = null;
    } catch (cause) {
      if (signal.aborted) return;
      const kept =
        this.rows.length > 0 ? 'The entries below are the last ones fetched.' : 'Nothing is lost: entries are kept by the coordinator.';
      this.trouble = problem('The entries could not be fetched.', kept, 'Check the connection and press Find again.', cause);
    }
    this.busy = false;
  }
}

export const recallSeen = (): v.InferOutput<typeof SeenSchema> | null => {
  const text = recall('browser', 'checkpoint');
  const parsed = text ? v.safeParse(SeenSchema, JSON.parse(text)) : null;
  return parsed?.success ? parsed.output : null;
};

export const rememberSeen = (seen: v.InferOutput<typeof SeenSchema>): void => remember('browser', 'checkpoint', JSON.stringify(seen));
