/** Which slot of a job is leased next: those to be done again first, then the next in pass order, and none of a quiet tile. */
import { and, asc, eq, sql } from 'drizzle-orm';
import { tileCount } from '../job/plan.ts';
import { findJob, orderOf } from './jobs.ts';
import { quietTiles } from './quiet.ts';
import { jobs, redo, type JobRow } from './store/schema.ts';
import type { Tx } from './store/store.ts';

export interface Slot {
  readonly slot: number;
  readonly attempt: number;
  readonly failures: number;
}

/** The next slot that is still wanted: those of quiet tiles are passed over. */
export async function nextSlot(tx: Tx, job: string): Promise<Slot | null> {
  for (;;) {
    const slot = (await nextRedo(tx, job)) ?? (await nextFresh(tx, job));
    if (!slot || !slot.quiet) return slot;
  }
}

type FoundSlot = Slot & { readonly quiet: boolean };

async function nextRedo(tx: Tx, job: string): Promise<FoundSlot | null> {
  const [first] = await tx.db
    .select()
    .from(redo)
    .where(eq(redo.job, job))
    .orderBy(asc(redo.slot))
    .limit(1)
    .for('update', { skipLocked: true });
  if (!first) return null;
  await tx.db.delete(redo).where(and(eq(redo.job, job), eq(redo.slot, first.slot)));
  const row = await findJob(tx.db, job);
  return { slot: first.slot, attempt: first.attempt, failures: first.failures, quiet: row !== null && isQuiet(row, first.slot) };
}

async function nextFresh(tx: Tx, job: string): Promise<FoundSlot | null> {
  const [claimed] = await tx.db
    .update(jobs)
    .set({ nextSlot: sql`${jobs.nextSlot} + 1` })
    .where(and(eq(jobs.id, job), eq(jobs.state, 'open'), sql`${jobs.nextSlot} < ${jobs.slots}`))
    .returning();
  return claimed ? { slot: claimed.nextSlot - 1, attempt: 1, failures: 0, quiet: isQuiet(claimed, claimed.nextSlot - 1) } : null;
}

const isQuiet = (job: JobRow, slot: number): boolean => job.quiet !== '[]' && quietTiles(job).has(slot % tileCount(orderOf(job)));
