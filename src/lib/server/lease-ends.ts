/** What the end of a lease changes beside the lease itself, however it ends. */
import { and, eq } from 'drizzle-orm';
import { leases } from './store/schema.ts';
import type { Tx } from './store/store.ts';

/** Workers that were paid for a job, kept up among the rows. */
export const paidFor = ({ rows }: Tx, job: string): Promise<Set<string>> =>
  rows.remember(`paid ${job}`, async (db) => {
    const settled = and(eq(leases.job, job), eq(leases.state, 'settled'));
    return new Set((await db.selectDistinct({ worker: leases.worker }).from(leases).where(settled)).map(({ worker }) => worker));
  });

/** A lease that has ended needs no verdict any more. */
export async function withdrawChecks({ rows }: Tx, lease: string): Promise<void> {
  for (const check of await rows.checks.members(lease)) if (check.state === 'drawn') rows.checks.put({ ...check, state: 'withdrawn' });
}
