/** What a worker says of itself when it is not at work. Sentences for people, and nothing else. */
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
};

export const RECOVERY = 'Something went wrong with this lease: it went back, and work goes on in a moment.';

/** @param holdsBytes one less than the smallest scene that did not fit; MAX_SAFE_INTEGER while all did. */
export const readySentence = (holdsBytes: number): string =>
  holdsBytes < Number.MAX_SAFE_INTEGER
    ? `Ready: waiting for a lease of a scene of at most ${holdsBytes} bytes; a larger one did not fit this GPU.`
    : 'Ready: waiting for a lease.';

export const lossSentence = (films: number): string =>
  `Stopped: the GPU is idle. ${films} finished ${films === 1 ? 'lease is' : 'leases are'} still on the way to the creator; closing this page now would lose ${films === 1 ? 'it' : 'them'}.`;
