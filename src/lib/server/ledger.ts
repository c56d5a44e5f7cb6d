/**
 * The only code that moves money: writes a double entry, its postings and its log leaf in one
 * transaction. The database refuses entries that don't sum to zero and accounts below zero.
 */
import { eq, inArray, sql } from 'drizzle-orm';
import type { EntryKind } from '../ledger/leaf.ts';
import type { Db, Tx } from './store/store.ts';
import { balances, entries, postings } from './store/schema.ts';

export interface Entry {
  readonly kind: EntryKind;
  /** Whose grant this is; null for other kinds. */
  readonly account?: string;
  readonly job?: string;
  readonly lease?: string;
  readonly request?: string;
  readonly atMs: number;
  readonly postings: readonly (readonly [account: string, micro: bigint])[];
}

/** @returns the entry's id, which is the index of its leaf. */
export async function post(tx: Tx, entry: Entry): Promise<number> {
  const sums = new Map<string, bigint>();
  for (const [account, micro] of entry.postings) sums.set(account, (sums.get(account) ?? 0n) + micro);
  const lines = [...sums].filter(([, micro]) => micro !== 0n);
  const refs = { job: entry.job ?? null, lease: entry.lease ?? null, request: entry.request ?? null };
  const id = tx.append({ type: 'entry', kind: entry.kind, ...refs, postings: lines.map(([account, micro]) => [account, String(micro)]), atMs: entry.atMs });
  await tx.db.insert(entries).values({ id, kind: entry.kind, account: entry.account ?? null, ...refs, atMs: entry.atMs });
  if (lines.length > 0) await tx.db.insert(postings).values(lines.map(([account, micro]) => ({ entry: id, account, micro })));
  return id;
}

export async function balanceOf(db: Db, account: string): Promise<bigint> {
  const [row] = await db.select({ micro: balances.micro }).from(balances).where(eq(balances.account, account));
  return row?.micro ?? 0n;
}

export interface EntryView {
  readonly id: number;
  readonly kind: EntryKind;
  readonly job: string | null;
  readonly lease: string | null;
  readonly request: string | null;
  readonly atMs: number;
  readonly postings: readonly { readonly account: string; readonly micro: string }[];
}

/** Entries with `id` ≥ `from`, oldest first, or those of one job. */
export async function listEntries(db: Db, query: { from: number; limit: number; job?: string; newestFirst?: boolean }): Promise<EntryView[]> {
  const where = query.job === undefined ? sql`${entries.id} >= ${query.from}` : eq(entries.job, query.job);
  const order = query.newestFirst ? sql`${entries.id} desc` : sql`${entries.id} asc`;
  const found = await db.select().from(entries).where(where).orderBy(order).limit(query.limit);
  if (found.length === 0) return [];
  const lines = await db.select().from(postings).where(inArray(postings.entry, found.map((entry) => entry.id)));
  return found.map(({ account: _account, ...entry }) => ({
    ...entry,
    postings: lines.filter((line) => line.entry === entry.id).map((line) => ({ account: line.account, micro: String(line.micro) })),
  }));
}
