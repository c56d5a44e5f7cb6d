/**
 * Renders through a network, as the creator: compiles here, sends the order, serves the scene to
 * workers over WebRTC, takes in their films until every lease is settled. The same command run
 * again after a crash goes on with the job it left. Traces nothing of the picture itself but what a quote needs.
 */
import type { Layers } from '#lib/job/layers.ts';
import type { Policy } from '#lib/protocol/control.ts';
import type { JobOrder } from '#lib/protocol/order.ts';
import { CreatorRole } from '#lib/roles/creator.ts';
import type { CreatorJob, JobChoice, RoleContext } from '#lib/roles/types.ts';
import { CommandError } from './command.ts';
import { aborted } from './interrupt.ts';
import { quoteThrough, type NetworkQuote } from './network-quote.ts';

const CONNECT_TIMEOUT_MS = 30_000;

/** The cap is the quote's. */
export type NetworkJob = Omit<JobChoice, 'capMicro'>;

/** A job that is done, with what its films tell beside light when that was asked for. */
export interface FinishedJob extends CreatorJob {
  readonly layers: Layers | null;
}

export interface Watcher {
  /** Before anything is sent; not called for a job that was left and goes on. */
  readonly onQuote: (quote: NetworkQuote) => void;
  readonly onChange: (job: CreatorJob) => void;
}

/** @param origin of the coordinator. @returns the finished job; null when the signal aborts, after the job was cancelled. @throws CommandError */
export async function renderThroughNetwork(
  signal: AbortSignal,
  context: RoleContext,
  origin: string,
  wanted: NetworkJob,
  { onQuote, onChange }: Watcher,
  wantsLayers = false,
): Promise<FinishedJob | null> {
  const policy = await policyOf(signal, context);
  const creator = new CreatorRole(context);
  const left = (await creator.resume(signal)).find((job) => !job.place && job.view.state === 'open' && sameWork(job.order, wanted));
  let job = left?.job ?? null;
  if (job === null) {
    const found = await quoteThrough(signal, { engine: context.engine, origin, policy }, wanted);
    if (!found) return null;
    onQuote(found);
    job = await submit(signal, creator, { ...wanted, capMicro: found.quote.capMicro });
  }
  if (job === null) return null;
  const done = await finished(signal, creator, job, onChange);
  if (!done) await creator.cancel(job);
  const layers = done && wantsLayers ? await creator.layers(job) : null;
  creator.close();
  return done && { ...done, layers };
}

async function submit(signal: AbortSignal, creator: CreatorRole, choice: Parameters<CreatorRole['submit']>[1]): Promise<string | null> {
  const outcome = await creator.submit(signal, choice);
  if (signal.aborted) return null;
  if (!outcome.ok) throw new CommandError(`the network refused the job: ${outcome.text}`);
  return outcome.job;
}

/** Would this order and that wish give the same picture? */
function sameWork(order: JobOrder, wanted: NetworkJob): boolean {
  const key = (job: Pick<JobOrder, 'camera' | 'transparent' | 'width' | 'height' | 'samples' | 'bounces' | 'seed'>, root: string): string =>
    JSON.stringify([root, sorted(job.camera), job.transparent, job.width, job.height, job.samples, job.bounces, job.seed]);
  return key(order, order.sceneRoot) === key(wanted, wanted.summary.root);
}

/** A value whose text does not depend on the order in which its fields were written. */
const sorted = (camera: JobOrder['camera']): unknown[] => Object.entries(camera).toSorted(([a], [b]) => (a < b ? -1 : 1));

/** @throws CommandError when no coordinator answers for long. */
export async function policyOf(signal: AbortSignal, { control, clock }: RoleContext): Promise<Policy> {
  const over = new AbortController();
  const changed = new Promise<void>((resolve) => {
    if (control.policy) resolve();
    const off = control.onChange(() => {
      if (!control.policy) return;
      off();
      resolve();
    });
  });
  await Promise.race([changed, clock.sleep(over.signal, CONNECT_TIMEOUT_MS), aborted(signal)]);
  over.abort();
  if (!control.policy) throw new CommandError('the network can not be reached: no coordinator answered');
  return control.policy;
}

/** Resolves when the coordinator says that the job ended; null when the signal aborts first. */
async function finished(
  signal: AbortSignal,
  creator: CreatorRole,
  job: string,
  onChange: (job: CreatorJob) => void,
): Promise<CreatorJob | null> {
  const end = new Promise<CreatorJob>((resolve) => {
    const look = (now: CreatorJob | null): void => {
      if (now?.job !== job) return;
      onChange(now);
      if (now.view.state !== 'open') resolve(now);
    };
    creator.onJob(look);
    look(creator.job(job));
  });
  const result = await Promise.race([end, aborted(signal)]);
  if (!result) return null;
  if (result.view.state !== 'done')
    throw new CommandError(`the job ended as ${result.view.state}: ${result.view.reason || 'no reason given'}`);
  return result;
}

/** One line about a running job. */
export function progressText({ view }: CreatorJob): string {
  const workers = `${view.workers} ${view.workers === 1 ? 'worker' : 'workers'}`;
  const redone = view.redone > 0 ? `, ${view.redone} done again` : '';
  const waits = view.reason ? `, ${view.reason}` : '';
  return `${view.settled} of ${view.leases} leases verified, ${workers}${redone}${waits}`;
}
