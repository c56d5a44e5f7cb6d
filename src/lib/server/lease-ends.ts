/** What the end of a lease changes beside the lease itself, however it ends. */
import type { Tx } from './store/store.ts';

/** Remembered among the rows: was this worker paid for this job before? */
export const paidBefore = (job: string, worker: string): string => `paid ${job} ${worker}`;

/** A lease that has ended needs no verdict any more. */
export async function withdrawChecks({ rows }: Tx, lease: string): Promise<void> {
  for (const check of await rows.checks.members(lease)) if (check.state === 'drawn') rows.checks.put({ ...check, state: 'withdrawn' });
}
