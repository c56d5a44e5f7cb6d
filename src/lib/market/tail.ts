/**
 * The end of a job, and the end of its money: which of its last leases are issued a second time and to
 * whom, and what happens once its cap pays too little for its work. Pure decisions; who acts on them
 * guards the claim.
 */
import { LEASES_PER_WORKER_MAX } from '../protocol/limits.ts';
import type { JobOrder } from '../protocol/order.ts';
import { capFallsShort, type Spending } from './price.ts';

/** Part of a job's leases that may run twice, hundredths: its last ones. */
const TAIL_HUNDREDTHS = 5;
/** A lease is worth a second try by someone who should be done in less than this part of what is left of it. */
const FASTER = 0.5;

export interface RunningLease {
  readonly lease: string;
  readonly worker: string;
  readonly grantedMs: number;
  /** When its worker should be done, by its own measured speed; null where that was never measured. */
  readonly expectedMs: number | null;
  /** Its slot has another lease already, running or committed. */
  readonly doubled: boolean;
}

/** How many slots of a job are its tail: no fewer than one worker may hold, or the slowest one would hold all of it. */
export const tailLeases = (slots: number): number => Math.max(LEASES_PER_WORKER_MAX, Math.floor((slots * TAIL_HUNDREDTHS) / 100));

/** What is left of a lease, milliseconds. One that is overdue, or of unknown speed, takes as long again as it took so far. */
const leftMs = ({ expectedMs, grantedMs }: RunningLease, nowMs: number): number =>
  expectedMs !== null && expectedMs > nowMs ? expectedMs - nowMs : nowMs - grantedMs;

/**
 * The running lease that an idle worker should do too: the one that would end last, if this worker
 * should end it well before. Never its own, and none that is doubled already.
 * @param job whose slots are all leased. `left`: those of them that nobody has committed to yet; where they are more than its tail, none is done twice.
 * @param idle its key, and the milliseconds that it would need for a lease.
 */
export function duplicate<T extends RunningLease>(
  job: { readonly slots: number; readonly left: number },
  running: readonly T[],
  idle: { readonly worker: string; readonly needsMs: (lease: T) => number },
  nowMs: number,
): T | null {
  if (job.left > tailLeases(job.slots)) return null;
  const worth = running.filter(
    (lease) => !lease.doubled && lease.worker !== idle.worker && idle.needsMs(lease) < leftMs(lease, nowMs) * FASTER,
  );
  return worth.reduce<T | null>((last, lease) => (last && leftMs(last, nowMs) >= leftMs(lease, nowMs) ? last : lease), null);
}

/**
 * May a job lease on? No lease costs more than its share of the cap, so a cap is never overrun; but shares
 * may fall short of what the work costs. Once they pay less than half of it, `finish` waits for what
 * runs, and `cancel` takes it back.
 */
export const stopAt = ({ atCap = 'finish' }: Pick<JobOrder, 'atCap'>, spending: Spending): 'lease' | 'finish' | 'cancel' =>
  capFallsShort(spending) ? atCap : 'lease';
