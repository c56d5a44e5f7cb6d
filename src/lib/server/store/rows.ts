/**
 * What writes read and change again and again, kept from one write to the next. Everything else is asked of
 * the database (`Tx.sql`). A fresh one that is never flushed serves whoever only reads.
 */
import { and, eq, gt, max, sql, type SQL } from 'drizzle-orm';
import { escrowOf, heldOf, CHECKERS, TREASURY } from '../../ledger/leaf.ts';
import { OBSERVATIONS_MAX } from '../../trust/aggregate.ts';
import type { Db } from './store.ts';
import * as tables from './schema.ts';
import { Journal, oneOf, Table } from './table.ts';

/** What a write will ask for, as far as is known before it runs: what all of a transaction want is read at once. */
export interface Wants {
  readonly request?: string;
  readonly lease?: string;
  /** Who speaks, or is spoken to. */
  readonly key?: string;
  /** Of a draw or a verdict: who was drawn for whom since then. */
  readonly judgedSinceMs?: number;
  /** Of a verdict: what was observed of the lease's worker. */
  readonly observed?: boolean;
}

/** For whoever only reads: nothing is kept between two of them. */
export const rowsIn = (db: Db): Rows => new Rows(() => db);

export class Rows {
  readonly jobs;
  readonly redo;
  readonly leases;
  readonly nonces;
  readonly checks;
  readonly drills;
  readonly standings;
  readonly grades;
  readonly observations;
  readonly meters;
  readonly faults;
  readonly beacons;
  readonly requests;
  readonly entries;
  readonly postings;
  readonly log;
  readonly balances: Balances;
  readonly judged: Judged;
  readonly #db: () => Db;
  readonly #remembered = new Map<string, unknown>();

  /** @param db the transaction under way, or the database itself for a reader. */
  constructor(db: () => Db) {
    this.#db = db;
    this.jobs = new Table(db, tables.jobs, ['id']);
    this.redo = new Table(db, tables.redo, ['job', 'slot'], { by: 'job' });
    this.leases = new Table(db, tables.leases, ['id']);
    this.nonces = new Table(db, tables.nonces, ['commitment'], {
      by: 'checker',
      where: { sql: eq(tables.nonces.used, false), holds: ({ used }) => !used },
    });
    this.checks = new Table(db, tables.checks, ['nonceCommitment'], { by: 'lease' });
    this.drills = new Table(db, tables.drills, ['lease']);
    this.standings = new Table(db, tables.standings, ['worker']);
    this.grades = new Table(db, tables.grades, ['checker']);
    this.observations = new Table(db, tables.observations, ['leaf'], { by: 'worker', max: OBSERVATIONS_MAX });
    this.meters = new Table(db, tables.meters, ['worker']);
    this.faults = new Table(db, tables.faults, ['worker', 'job']);
    this.beacons = new Table(db, tables.beacons, ['chain']);
    this.requests = new Table(db, tables.requests, ['hash']);
    this.entries = new Journal(tables.entries);
    this.postings = new Journal(tables.postings);
    this.log = new Journal(tables.logLeaves);
    this.balances = new Balances(db);
    this.judged = new Judged(db);
  }

  get size(): number {
    return this.#tables().reduce((sum, table) => sum + ('size' in table ? table.size : 0), this.#remembered.size);
  }

  async prefetch(wants: readonly Wants[]): Promise<void> {
    // A request is looked up once: when it comes, and when it comes again.
    this.requests.clear();
    const asked = (what: 'request' | 'lease' | 'key'): string[] => wants.flatMap((want) => want[what] ?? []);
    await this.requests.load(asked('request'));
    const ids = asked('lease');
    await this.leases.load(ids);
    await this.checks.loadGroups(ids);
    await this.drills.load(ids);
    const leases = (await Promise.all(ids.map((id) => this.leases.get(id)))).filter((lease) => lease !== null);
    await this.jobs.load(leases.map(({ job }) => job));
    const workers = [...asked('key'), ...leases.map(({ worker }) => worker)];
    await this.standings.load(workers);
    await this.meters.load(workers);
    await this.grades.load(asked('key'));
    const accounts = [CHECKERS, TREASURY, ...workers.flatMap((key) => [key, heldOf(key)]), ...leases.map(({ job }) => escrowOf(job))];
    await this.balances.load(leases.length > 0 ? accounts : []);
    const draws = wants.filter(({ judgedSinceMs }) => judgedSinceMs !== undefined);
    if (draws.length > 0) await this.judged.load(workers, Math.min(...draws.map(({ judgedSinceMs }) => judgedSinceMs!)));
    await this.nonces.loadGroups(draws.flatMap(({ key }) => key ?? []));
    const judged = new Set(wants.flatMap(({ observed, lease }) => (observed && lease !== undefined ? [lease] : [])));
    await this.observations.loadGroups(leases.flatMap(({ id, worker }) => (judged.has(id) ? [worker] : [])));
  }

  /** Something that follows from what is written, found once; whoever changes it says so (`renew`), or it would be missed. */
  async remember<V>(name: string, find: (db: Db) => Promise<V>): Promise<V> {
    if (!this.#remembered.has(name)) this.#remembered.set(name, await find(this.#db()));
    return this.#remembered.get(name) as V;
  }

  renew<V>(name: string, value: V): void {
    this.#remembered.set(name, value);
  }

  /**
   * Writes what changed, in one statement: what refers to what is only looked at when all of it is there.
   * @param more is written with it.
   */
  async flush(...more: readonly SQL[]): Promise<void> {
    const changes = [...this.#tables().flatMap((table) => table.changes()), ...more];
    if (changes.length === 0) return;
    const parts = changes.map((change, i) => sql`${sql.raw(`part${i}`)} as (${change})`);
    try {
      await this.#db().execute(sql`with ${sql.join(parts, sql`, `)} select`);
    } catch (error) {
      // drizzle's own message repeats all that was to be written, seeds and seals too, for every log it reaches.
      throw error instanceof Error && error.cause instanceof Error ? error.cause : error;
    }
  }

  clear(): void {
    for (const table of this.#tables()) table.clear();
    this.balances.clear();
    this.judged.clear();
    this.#remembered.clear();
  }

  #tables(): readonly (Table<never> | Journal<never>)[] {
    const { jobs, redo, leases, nonces, checks, drills, standings, grades, observations, meters, faults, beacons, requests } = this;
    const all = [jobs, redo, leases, nonces, checks, drills, standings, grades, observations, meters, faults, beacons, requests];
    return [...all, this.entries, this.postings, this.log] as unknown as (Table<never> | Journal<never>)[];
  }
}

/** When each checker was last drawn for each worker. */
class Judged {
  readonly #db: () => Db;
  readonly #known = new Map<string, Map<string, number>>();

  constructor(db: () => Db) {
    this.#db = db;
  }

  /** The deadline of the last such check, in milliseconds; -Infinity when there was none since. */
  async last(checker: string, worker: string, sinceMs: number): Promise<number> {
    return (await this.of(checker, sinceMs)).get(worker) ?? -Infinity;
  }

  /** Deadlines of the last such checks of each worker since. */
  async of(checker: string, sinceMs: number): Promise<ReadonlyMap<string, number>> {
    await this.load([checker], sinceMs);
    return this.#known.get(checker)!;
  }

  async load(checkers: Iterable<string>, sinceMs: number): Promise<void> {
    const missing = [...new Set(checkers)].filter((checker) => !this.#known.has(checker));
    if (missing.length === 0) return;
    const found = await this.#db()
      .select({ checker: tables.checks.checker, worker: tables.leases.worker, lastMs: max(tables.checks.deadlineMs) })
      .from(tables.checks)
      .innerJoin(tables.leases, eq(tables.leases.id, tables.checks.lease))
      .where(and(oneOf(tables.checks.checker, missing), gt(tables.checks.deadlineMs, sinceMs)))
      .groupBy(tables.checks.checker, tables.leases.worker);
    for (const checker of missing) this.#known.set(checker, new Map());
    for (const { checker, worker, lastMs } of found) this.#known.get(checker)!.set(worker, lastMs ?? -Infinity);
  }

  /** Known before it is written: what is loaded later would lack it. */
  async drawn(checker: string, worker: string, deadlineMs: number, sinceMs: number): Promise<void> {
    await this.load([checker], sinceMs);
    this.#known.get(checker)!.set(worker, deadlineMs);
  }

  clear(): void {
    this.#known.clear();
  }
}

/** The database keeps them by a trigger on the postings; here they are only known. */
class Balances {
  readonly #db: () => Db;
  readonly #known = new Map<string, bigint>();

  constructor(db: () => Db) {
    this.#db = db;
  }

  /** Micro-tokens. */
  async get(account: string): Promise<bigint> {
    await this.load([account]);
    return this.#known.get(account)!;
  }

  async load(accounts: Iterable<string>): Promise<void> {
    const missing = [...new Set(accounts)].filter((account) => !this.#known.has(account));
    if (missing.length === 0) return;
    for (const account of missing) this.#known.set(account, 0n);
    const found = await this.#db().select().from(tables.balances).where(oneOf(tables.balances.account, missing));
    for (const { account, micro } of found) this.#known.set(account, micro);
  }

  posted(account: string, micro: bigint): void {
    const before = this.#known.get(account);
    if (before !== undefined) this.#known.set(account, before + micro);
  }

  clear(): void {
    this.#known.clear();
  }
}
