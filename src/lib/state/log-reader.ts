/**
 * Reads the transparency log backwards, a window at a time, and turns its leaves into rows. What the
 * ledger page shows is what the log says, not what an interface of the coordinator says about it.
 * Full windows never change and are kept; the newest is fetched again.
 */
import { decodeLeaf, type LogLeaf } from '../ledger/leaf.ts';
import { parseBundle } from '../ledger/tiles.ts';
import { LOG_PAGE_ENTRIES_MAX } from '../protocol/limits.ts';

export interface LedgerRow {
  /** Index of the leaf. */
  readonly index: number;
  readonly kind: string;
  /** What a leaf without postings states, in a few words. */
  readonly says: string;
  readonly job: string | null;
  readonly lease: string | null;
  readonly atMs: number | null;
  readonly postings: readonly { readonly account: string; readonly micro: bigint }[];
}

export interface LogPage {
  readonly rows: readonly LedgerRow[];
  /** Where the next older page ends (exclusive); 0 when the log's beginning was reached. */
  readonly next: number;
}

/** Answers `GET /log/entries`; null when it cannot. */
export type FetchLeaves = (signal: AbortSignal, from: number, limit: number) => Promise<Uint8Array<ArrayBuffer> | null>;

/** Windows kept in memory: enough to go back and forth, not the whole log. */
const WINDOWS_MAX = 64;

export class LogReader {
  readonly #fetch: FetchLeaves;
  readonly #windows = new Map<number, readonly LedgerRow[]>();

  constructor(fetchLeaves: FetchLeaves) {
    this.#fetch = fetchLeaves;
  }

  /**
   * Rows below `end`, newest first: entries only, or with `query` every leaf that names it.
   * @throws Error when the log does not answer or says something that is no leaf.
   */
  async page(signal: AbortSignal, end: number, limit: number, query: string): Promise<LogPage> {
    const rows: LedgerRow[] = [];
    for (let cursor = end; cursor > 0;) {
      const start = Math.floor((cursor - 1) / LOG_PAGE_ENTRIES_MAX) * LOG_PAGE_ENTRIES_MAX;
      const window = await this.#window(signal, start, end);
      for (const row of window.filter(({ index }) => index < cursor).toReversed()) {
        if (!matches(row, query)) continue;
        rows.push(row);
        if (rows.length === limit) return { rows, next: row.index };
      }
      cursor = start;
    }
    return { rows, next: 0 };
  }

  async #window(signal: AbortSignal, start: number, end: number): Promise<readonly LedgerRow[]> {
    const known = this.#windows.get(start);
    if (known) return known;
    const wanted = Math.min(LOG_PAGE_ENTRIES_MAX, end - start);
    const bytes = await this.#fetch(signal, start, wanted);
    const leaves = bytes && parseBundle(bytes);
    if (!leaves || leaves.length < wanted) throw new Error(`the log did not give leaves ${start} to ${start + wanted - 1}`);
    const rows = leaves.slice(0, wanted).map((leaf, i) => rowOf(start + i, decodeLeaf(leaf)));
    if (rows.length === LOG_PAGE_ENTRIES_MAX) this.#keep(start, rows);
    return rows;
  }

  #keep(start: number, rows: readonly LedgerRow[]): void {
    this.#windows.set(start, rows);
    const [oldest] = this.#windows.keys();
    if (this.#windows.size > WINDOWS_MAX && oldest !== undefined) this.#windows.delete(oldest);
  }
}

function matches(row: LedgerRow, query: string): boolean {
  if (query === '') return row.postings.length > 0;
  return (
    row.job === query ||
    row.lease === query ||
    row.postings.some(({ account }) => account === query || account === `escrow:${query}`) ||
    row.says.includes(query)
  );
}

/** @param leaf null for bytes that are no known leaf, which are shown as that. */
export function rowOf(index: number, leaf: LogLeaf | null): LedgerRow {
  if (!leaf) return { index, kind: 'unknown', says: 'not a leaf this page knows', job: null, lease: null, atMs: null, postings: [] };
  const postings = leaf.type === 'entry' ? leaf.postings.map(([account, micro]) => ({ account, micro: BigInt(micro) })) : [];
  return {
    index,
    kind: leaf.type === 'entry' ? leaf.kind : leaf.type,
    says: sentence(leaf),
    job: 'job' in leaf ? leaf.job : null,
    lease: 'lease' in leaf ? leaf.lease : null,
    atMs: 'atMs' in leaf ? leaf.atMs : null,
    postings,
  };
}

function sentence(leaf: LogLeaf): string {
  switch (leaf.type) {
    case 'genesis':
      return `log of ${leaf.network}`;
    case 'rules':
      return `rules of trust: ${leaf.leavesTrusted} leaves of every lease, ${leaf.holdHundredths / 100} prices held back`;
    case 'round':
      return `${leaf.tier}: ${leaf.rule} price ${leaf.buyMicro}, ${leaf.units} thousandths of a work unit`;
    case 'beacon':
      return `end of a chain of ${leaf.length} beacons`;
    case 'nonces':
      return `${leaf.commitments.length} nonces promised by ${leaf.checker}`;
    case 'job':
      return `ordered by ${leaf.creator}`;
    case 'quiet':
      return `${leaf.tiles.length} tiles are quiet enough`;
    case 'commitment':
      return `${leaf.segments} rays by ${leaf.worker}`;
    case 'draw':
      return `${leaf.count} leaves drawn for ${leaf.checker}`;
    case 'retraced':
      return `traced by ${leaf.checker}, before it saw the film`;
    case 'verdict':
      return `${leaf.verdict} by ${leaf.checker}: ${leaf.reason}`;
    case 'drill':
      return 'was a drill: false on purpose, to test its checker';
    case 'appeal':
      return 'its worker appeals';
    case 'word':
      return `a reviewer’s word by ${leaf.signed.key}`;
    case 'appealed':
      return `the appeal is ${leaf.outcome}`;
    case 'receipt':
      return leaf.verdict;
    case 'waiver':
      return 'settled without a receipt';
    case 'missed':
      return `not answered by ${leaf.checker}`;
    case 'alone':
      return 'passed by one: nobody else was there';
    case 'void':
      return leaf.reason;
    case 'closed':
      return leaf.state;
    case 'entry':
      return '';
  }
}
