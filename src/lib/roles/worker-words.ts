/** What a worker says of itself: sentences for people when it is not at work, and how fast it is when it is. */
import { unitsPerSecond } from '../market/ask.ts';
import type { JobOrder } from '../protocol/order.ts';
import type { WorkerStatus } from './types.ts';

export const OFF: WorkerStatus = {
  state: 'off',
  reason: 'Not working. Press Start to lend this GPU.',
  lease: null,
  leasesSettled: 0,
  leasesPending: 0,
  leasesVoided: 0,
  voided: [],
  segments: 0,
  segmentsPerSecond: 0,
  workUnitsPerSecond: 0,
};

/** Weight of the newest lease in a speed. */
const NEWEST = 0.3;

/** A worker's status after one more lease. */
export function tallied(
  status: WorkerStatus,
  done: { readonly segments: number; readonly traceSeconds: number; readonly order: Pick<JobOrder, 'costPerMille'> },
): WorkerStatus {
  const rate = done.segments / Math.max(done.traceSeconds, 1e-3);
  const next = (before: number, now: number): number => (before === 0 ? now : (1 - NEWEST) * before + NEWEST * now);
  return {
    ...status,
    segments: status.segments + done.segments,
    segmentsPerSecond: next(status.segmentsPerSecond, rate),
    workUnitsPerSecond: next(status.workUnitsPerSecond, unitsPerSecond(rate, done.order.costPerMille)),
  };
}

export const RECOVERY = 'Something went wrong with this lease: it went back, and work goes on in a moment.';

/**
 * @param holdsBytes one less than the smallest scene that did not fit; MAX_SAFE_INTEGER while all did.
 * @param left title of the last job that pays for less than its scene takes.
 */
export function readySentence(holdsBytes: number, left: string | null): string {
  const ready =
    holdsBytes < Number.MAX_SAFE_INTEGER
      ? `Ready: waiting for a lease of a scene of at most ${holdsBytes} bytes; a larger one did not fit this GPU.`
      : 'Ready: waiting for a lease.';
  return left === null ? ready : `${ready} "${left}" went back: its rays cost more than its order says.`;
}

export const lossSentence = (films: number): string =>
  `Stopped: the GPU is idle. ${films} finished ${films === 1 ? 'lease is' : 'leases are'} still on the way to the creator; closing this page now would lose ${films === 1 ? 'it' : 'them'}.`;
