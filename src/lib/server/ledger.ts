/**
 * The only code that moves money: writes a double entry, its postings and its log leaf in one
 * transaction. The database refuses entries that don't sum to zero and accounts below zero.
 */
import { and, count, desc, eq, exists, inArray, like, or, sql } from 'drizzle-orm';
import type { EntryKind } from '../ledger/leaf.ts';
import type { Envelope } from '../protocol/envelope.ts';
import type { Db, Tx } from './store/store.ts';
import { entries, postings } from './store/schema.ts';

export interface Entry {
  readonly kind: EntryKind;
  /** Whose grant this is; null for other kinds. */
  readonly account?: string;
  readonly job?: string;
  readonly lease?: string;
  readonly request?: string;
  /** What the account's key signed; grants only. */
  readonly signed?: Envelope;
  readonly atMs: number;
  readonly postings: readonly (readonly [account: string, micro: bigint])[];
}

/** @returns the entry's id, which is the index of its leaf. */
export async function post(tx: Tx, entry: Entry): Promise<number> {
  const sums = new Map<string, bigint>();
  for (const [account, micro] of entry.postings) sums.set(account, (sums.get(account) ?? 0n) + micro);
  const lines = [...sums].filter(([, micro]) => micro !== 0n);
  const refs = { job: entry.job ?? null, lease: entry.lease ?? null, request: entry.request ?? null };
  const id = tx.append({
    type: 'entry',
    kind: entry.kind,
    ...refs,
    signed: entry.signed ?? null,
    postings: lines.map(([account, micro]) => [account, String(micro)]),
    atMs: entry.atMs,
  });
  tx.rows.entries.add({ id, kind: entry.kind, account: entry.account ?? null, ...refs, atMs: entry.atMs });
  await tx.rows.balances.load(sums.keys());
  for (const [account, micro] of lines) {
    tx.rows.postings.add({ entry: id, account, micro });
    tx.rows.balances.posted(account, micro);
  }
  return id;
}

export interface EntryView {
  /** Index of the entry's leaf in the log. */
  readonly index: number;
  readonly kind: EntryKind;
  readonly job: string | null;
  readonly lease: string | null;
  readonly request: string | null;
  readonly atMs: number;
  readonly postings: readonly (readonly [account: string, micro: string])[];
}

export interface EntryQuery {
  /** Part of an account, job or lease, from its beginning, or a kind; empty for all. */
  readonly q: string;
  readonly offset: number;
  readonly limit: number;
}

/** Entries that touch what is asked for, newest first, and how many there are in all. */
export async function listEntries(db: Db, { q, offset, limit }: EntryQuery): Promise<{ entries: EntryView[]; total: number }> {
  const prefix = `${q.replaceAll(/[\\%_]/g, '\\$&')}%`;
  const posted = db
    .select({ one: sql`1` })
    .from(postings)
    .where(and(eq(postings.entry, entries.id), like(postings.account, prefix)));
  const where =
    q === '' ? undefined : or(like(entries.job, prefix), like(entries.lease, prefix), like(entries.kind, prefix), exists(posted));
  const [all] = await db.select({ n: count() }).from(entries).where(where);
  const found = await db.select().from(entries).where(where).orderBy(desc(entries.id)).offset(offset).limit(limit);
  const lines =
    found.length === 0
      ? []
      : await db
          .select()
          .from(postings)
          .where(
            inArray(
              postings.entry,
              found.map((entry) => entry.id),
            ),
          );
  const views = found.map(({ id, kind, job, lease, request, atMs }) => ({
    ...{ index: id, kind, job, lease, request, atMs },
    postings: lines.filter((line) => line.entry === id).map((line) => [line.account, String(line.micro)] as const),
  }));
  return { entries: views, total: all?.n ?? 0 };
}
