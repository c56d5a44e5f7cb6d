/**
 * What the ledger page shows: rows read from the log, and the answer this browser finds by itself
 * when it replays the whole of it. The two are kept apart: looking is not verifying.
 */
import * as v from 'valibot';
import { parseCheckpoint } from '../ledger/checkpoint.ts';
import { judgeLog, type Seen, type Verdict } from './log-verdict.ts';
import { LogReader, type LedgerRow } from './log-reader.ts';
import { problem, type Problem } from './problem.ts';
import { recall, remember } from './remember.ts';

const PAGE_ROWS = 50;
const TIMEOUT_MS = 10_000;

const SeenSchema = v.strictObject({ key: v.string(), size: v.number(), root: v.string() });

export class LedgerDesk {
  rows = $state.raw<readonly LedgerRow[]>([]);
  total = $state<number | null>(null);
  query = $state('');
  newer = $state(false);
  older = $state(false);
  busy = $state(false);
  trouble = $state.raw<Problem | null>(null);
  asOfMs = $state<number | null>(null);
  verdict = $state.raw<Verdict>({ state: 'none' });
  /** The last checkpoint this browser found good. */
  seen = $state.raw<Seen | null>(null);
  readonly #reader = new LogReader(
    async (signal, from, limit) => new Uint8Array(await (await ask(signal, `/log/entries?from=${from}&limit=${limit}`)).arrayBuffer()),
  );
  /** Ends of the pages newer than the one shown. */
  #ends: number[] = [];
  #end = 0;
  #next = 0;
  readonly #closing = new AbortController();
  #asking = new AbortController();

  /** @param query a whole job, lease or key; empty for all entries. */
  async search(query: string): Promise<void> {
    this.query = query;
    this.#ends = [];
    await this.#load(null);
  }

  async page(which: 'newer' | 'older'): Promise<void> {
    if (which === 'older') {
      this.#ends.push(this.#end);
      await this.#load(this.#next);
    } else {
      await this.#load(this.#ends.pop() ?? null);
    }
  }

  close(): void {
    this.#asking.abort();
    this.#closing.abort();
  }

  /** What this browser knows from before; called once the page runs in one. */
  mount(): void {
    this.seen = recallSeen();
  }

  /** @param own the account to add up on the way, if this browser has one. @param all replays a long log too. */
  async verify(own: string | null, all = false): Promise<void> {
    if (this.verdict.state === 'running') return;
    const onStep = (step: string): void => {
      this.verdict = { state: 'running', step };
    };
    const verdict = await judgeLog(this.#closing.signal, {
      fetch: (url, init) => fetch(url, init),
      base: '',
      seen: this.seen,
      own,
      all,
      onStep,
    });
    this.verdict = verdict;
    if (verdict.state !== 'yes') return;
    this.seen = verdict.seen;
    remember('browser', 'checkpoint', JSON.stringify(verdict.seen));
  }

  /** Another network may stand at the same address now: only a person can say so. */
  forget(): void {
    this.seen = null;
    remember('browser', 'checkpoint', null);
    this.verdict = { state: 'none' };
  }

  /** @param end the leaf to stop before; null starts at the newest. */
  async #load(end: number | null): Promise<void> {
    this.#asking.abort();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    this.busy = true;
    try {
      const size = end ?? (await logSize(signal));
      const { rows, next } = await this.#reader.page(signal, size, PAGE_ROWS, this.query);
      if (end === null) this.total = size;
      this.rows = rows;
      this.#end = size;
      this.#next = next;
      this.newer = this.#ends.length > 0;
      this.older = next > 0;
      this.asOfMs = Date.now();
      this.trouble = null;
    } catch (cause) {
      if (signal.aborted) return;
      const kept =
        this.rows.length > 0 ? 'The entries below are the last ones fetched.' : 'Entries are kept by the coordinator; none is lost.';
      this.trouble = problem('The log could not be fetched.', kept, 'Check the connection and press Find again.', cause);
    }
    this.busy = false;
  }
}

async function ask(signal: AbortSignal, path: string): Promise<Response> {
  const response = await fetch(path, { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) });
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return response;
}

async function logSize(signal: AbortSignal): Promise<number> {
  const checkpoint = parseCheckpoint(await (await ask(signal, '/log/checkpoint')).text());
  if (!checkpoint) throw new Error('/log/checkpoint: not a checkpoint');
  return checkpoint.size;
}

function recallSeen(): Seen | null {
  const text = recall('browser', 'checkpoint');
  if (text === null) return null;
  try {
    const parsed = v.safeParse(SeenSchema, JSON.parse(text));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}
