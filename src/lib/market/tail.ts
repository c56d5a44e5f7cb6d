/**
 * The end of a job, and the end of its money: which of its last leases are issued a second time, to
 * whom, what a quick return earns, and what happens at the cap. Pure decisions; who acts on them
 * guards the claim.
 */
/** Part of a job's leases that may run twice, hundredths: its last ones. */
const TAIL_HUNDREDTHS = 5;
/** A lease is worth a second try by someone who should be done in less than this part of what is left of it. */
const FASTER = 0.5;

export interface RunningLease {
  readonly lease: string;
  readonly worker: string;
  readonly grantedMs: number;
  /** When its worker should be done, by its own measured speed. */
  readonly expectedMs: number;
  /** Issued twice already. */
  readonly doubled: boolean;
}

/** How many leases of a job are its tail; at least one. */
export const tailLeases = (slots: number): number => Math.max(1, Math.floor((slots * TAIL_HUNDREDTHS) / 100));

/**
 * The running lease that an idle worker should do too: nothing is left to lease, and the tail alone
 * still runs; the one that would end last, if this worker should end it well before. Never its own.
 * @param seconds that this worker would need.
 */
export function duplicate(
  job: { readonly slots: number; readonly settledOrCommitted: number; readonly waiting: number },
  running: readonly RunningLease[],
  idle: { readonly worker: string; readonly seconds: (lease: RunningLease) => number },
  nowMs: number,
): RunningLease | null {
  if (job.waiting > 0 || job.slots - job.settledOrCommitted > tailLeases(job.slots)) return null;
  const late = (lease: RunningLease): number => lease.expectedMs - nowMs;
  const worth = running.filter(
    (lease) =>
      !lease.doubled &&
      lease.worker !== idle.worker &&
      idle.seconds(lease) * 1000 < Math.max(late(lease), nowMs - lease.grantedMs) * FASTER,
  );
  return worth.reduce<RunningLease | null>((last, lease) => (last && last.expectedMs >= lease.expectedMs ? last : lease), null);
}

export type AtCap = 'finish' | 'cancel';

/**
 * What a job may still do when its cap is near: lease on, only finish what runs, or stop now.
 * @param committedMicro what running and unsettled leases may cost at most.
 */
export function stopAt(
  rule: AtCap,
  { capMicro, spentMicro, committedMicro, nextMicro }: { capMicro: bigint; spentMicro: bigint; committedMicro: bigint; nextMicro: bigint },
): 'lease' | 'finish' | 'cancel' {
  if (spentMicro + committedMicro + nextMicro <= capMicro) return 'lease';
  return rule === 'cancel' ? 'cancel' : 'finish';
}
