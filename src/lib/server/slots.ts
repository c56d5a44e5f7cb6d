/** Which slot of a job is leased next: those to be done again first, then the next in pass order, and none of a quiet tile. */
import { tileCount } from '../job/plan.ts';
import { orderOf } from './jobs.ts';
import { quietTiles } from './quiet.ts';
import type { JobRow } from './store/schema.ts';
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
  const waiting = await tx.rows.redo.members(job);
  if (waiting.length === 0) return null;
  const first = waiting.reduce((least, one) => (one.slot < least.slot ? one : least));
  tx.rows.redo.delete(first);
  const row = await tx.rows.jobs.get(job);
  return { slot: first.slot, attempt: first.attempt, failures: first.failures, quiet: row !== null && isQuiet(row, first.slot) };
}

async function nextFresh(tx: Tx, job: string): Promise<FoundSlot | null> {
  const row = await tx.rows.jobs.get(job);
  if (row?.state !== 'open' || row.nextSlot >= row.slots) return null;
  tx.rows.jobs.put({ ...row, nextSlot: row.nextSlot + 1 });
  return { slot: row.nextSlot, attempt: 1, failures: 0, quiet: isQuiet(row, row.nextSlot) };
}

const isQuiet = (job: JobRow, slot: number): boolean => job.quiet !== '[]' && quietTiles(job).has(slot % tileCount(orderOf(job)));
