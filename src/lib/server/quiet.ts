/**
 * Tiles that are quiet enough: their creator says so, signed, and no more of their passes is leased; and
 * when a job is over: all that is still wanted is settled, or its cap pays too little for more. Refuses to
 * judge a picture: nobody here sees it.
 */
import { and, eq, inArray } from 'drizzle-orm';
import { tileCount } from '../job/plan.ts';
import { stopAt } from '../market/tail.ts';
import type { JobQuietBody } from '../protocol/bodies.ts';
import { closeJob } from './closing.ts';
import { refuse, type Core, type Refusal } from './core.ts';
import { CAP_SHORT, orderOf, type Request } from './jobs.ts';
import type { Notices } from './notices.ts';
import { leases, redo, type JobRow } from './store/schema.ts';
import type { Tx } from './store/store.ts';

export const quietTiles = (job: Pick<JobRow, 'quiet'>): ReadonlySet<number> => new Set(JSON.parse(job.quiet) as number[]);

export async function recordQuiet(
  core: Core,
  tx: Tx,
  notices: Notices,
  request: Request,
  { job: id, tiles }: JobQuietBody,
): Promise<{ ok: true; ref: string } | Refusal> {
  const job = await tx.rows.jobs.get(id);
  if (job?.creator !== request.key) return refuse('job-unknown', 'You have no such job.');
  if (job.state !== 'open') return refuse('job-over', `This job is already ${job.state}.`);
  const all = tileCount(orderOf(job));
  if (tiles.some((tile) => tile >= all)) return refuse('tile-unknown', `This job has ${all} tiles, counted from 0.`);
  const quiet = new Set([...quietTiles(job), ...tiles]);
  tx.rows.jobs.put({ ...job, quiet: JSON.stringify([...quiet].sort((a, b) => a - b)) });
  tx.append({ type: 'quiet', job: id, tiles, request: request.hash, signed: request.signed, atMs: core.clock.nowMs() });
  notices.job(id);
  await closeIfOver(core, tx, notices, id);
  return { ok: true, ref: request.hash };
}

/**
 * Ends an open job of which nothing more is wanted and nothing is on its way, and one whose cap pays too little:
 * at once, or when nothing of it runs any more, as its order says.
 */
export async function closeIfOver(core: Core, tx: Tx, notices: Notices, id: string): Promise<void> {
  const job = await tx.rows.jobs.get(id);
  if (job?.state !== 'open') return;
  if (await isDone(tx, job)) return closeJob(core, tx, notices, id, 'done', '');
  const stop = stopAt(orderOf(job), job);
  if (stop === 'cancel' || (stop === 'finish' && !(await isRunning(tx, id)))) await closeJob(core, tx, notices, id, 'cancelled', CAP_SHORT);
}

/** Is a lease of this job granted or committed? */
async function isRunning(tx: Tx, job: string): Promise<boolean> {
  const live = and(eq(leases.job, job), inArray(leases.state, ['granted', 'committed']));
  return (await (await tx.sql()).select({ id: leases.id }).from(leases).where(live).limit(1)).length > 0;
}

/** Is everything settled that is still wanted? */
export async function isDone(tx: Tx, job: JobRow): Promise<boolean> {
  if (job.settled >= job.slots) return true;
  const quiet = quietTiles(job);
  if (quiet.size === 0) return false;
  const tiles = tileCount(orderOf(job));
  for (let slot = job.nextSlot; slot < job.slots; slot++) if (!quiet.has(slot % tiles)) return false;
  if (await isRunning(tx, job.id)) return false;
  const again = await (await tx.sql()).select({ slot: redo.slot }).from(redo).where(eq(redo.job, job.id));
  return again.every(({ slot }) => quiet.has(slot % tiles));
}
