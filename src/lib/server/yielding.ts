/**
 * A worker gives a lease back unfinished, or a film that it has committed to. Politely costs nothing; once
 * a film is being looked at it does, for its leaves may be known to be drawn.
 */
import type { ClientMessage, ServerMessage } from '../protocol/control.ts';
import { LEASE_FAULTS_PER_WORKER_AND_JOB_MAX, YIELD_PAUSE_MS } from '../protocol/limits.ts';
import { beingChecked } from './checks.ts';
import type { Core } from './core.ts';
import { UNDERSTATED } from './jobs.ts';
import { commit } from './notices.ts';
import type { Session } from './sessions.ts';
import { giveUp } from './settle.ts';

/** What will be so the next time too: the worker is not offered this job again. */
const NEVER_AGAIN: ReadonlySet<string> = new Set(['scene-too-big', UNDERSTATED]);

export async function yieldLease(
  core: Core,
  session: Session,
  { id, lease: leaseId, reason }: Extract<ClientMessage, { type: 'yield' }>,
  answer: (message: ServerMessage) => void,
): Promise<void> {
  const rows = core.store.committed();
  const lease = await rows.leases.get(leaseId);
  if (lease?.worker !== session.key || (lease.state !== 'granted' && lease.state !== 'committed')) {
    return answer({ type: 'refused', id, reason: 'lease-over', text: 'This lease is not yours any more.' });
  }
  const polite = reason === 'stopped';
  const from = lease.state;
  const blameless = polite || reason === 'scene-unavailable';
  // A committed film that is being looked at is not given back for nothing: its leaves may be known to be drawn.
  const looked = from === 'committed' && (await beingChecked(rows, leaseId));
  // A worker of its own mind about the price is no sign that this part of the picture can't be made.
  const failed = polite || reason === UNDERSTATED ? false : 'once-per-worker';
  const faults = NEVER_AGAIN.has(reason) ? LEASE_FAULTS_PER_WORKER_AND_JOB_MAX : blameless && !looked ? 0 : 1;
  core.sessions.pause(session.key, lease.job, core.clock.nowMs() + YIELD_PAUSE_MS);
  core.counters.count(`yield-${reason}`);
  await commit(
    core,
    (tx, notices) => giveUp(core, tx, notices, leaseId, { from, reason: `yield-${reason}`, faults, failed }),
    { lease: leaseId },
    () => answer({ type: 'ack', id }),
  );
}
