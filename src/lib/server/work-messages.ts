/** What workers and checkers are told of the work they are given, and where its scene is to be had. */
import type { ServerMessage } from '../protocol/control.ts';
import type { Core } from './core.ts';
import { drillIn } from './drill-ask.ts';
import { orderOf } from './jobs.ts';
import { leaseView } from './leases.ts';
import type { CheckRow, JobRow, LeaseRow } from './store/schema.ts';

const SOURCES_MAX = 16;

/** Peers that hold the scene: the creator first, then whoever said so. */
export function sourcesOf(core: Core, job: JobRow, but: string): string[] {
  const scene = orderOf(job).scene.hash;
  const creator = core.sessions.creatorOf(job)?.peer;
  const others = core.sessions.all().filter((session) => session.blobs.has(scene) && session.peer !== creator);
  return [...(creator ? [creator] : []), ...others.map((session) => session.peer)].filter((peer) => peer !== but).slice(0, SOURCES_MAX);
}

export function grantMessage(core: Core, lease: LeaseRow, job: JobRow, capability: string) {
  const order = orderOf(job);
  const sources = sourcesOf(core, job, lease.workerPeer);
  return {
    type: 'grant',
    lease: leaseView(lease, order),
    order,
    creator: job.creator,
    deadlineMs: lease.deadlineMs,
    sources,
    capability,
    drill: drillIn(lease),
  } as const;
}

/** What lets a checker fetch the scene, and have leaves opened. */
type Rights = Pick<Extract<ServerMessage, { type: 'check' }>, 'capability' | 'traceFirst' | 'permit'>;

export function checkMessage(core: Core, { check, lease, job }: { check: CheckRow; lease: LeaseRow; job: JobRow }, rights: Rights) {
  const order = orderOf(job);
  return {
    type: 'check',
    lease: leaseView(lease, order),
    order,
    root: lease.root!,
    segments: lease.segments ?? 0,
    nonceCommitment: check.nonceCommitment,
    beacon: check.beacon,
    leaves: check.leaves,
    auditPpm: check.auditPpm,
    weights: lease.weights,
    workerPeer: lease.workerPeer,
    sources: sourcesOf(core, job, check.checkerPeer),
    ...rights,
    deadlineMs: check.deadlineMs,
  } as const;
}
