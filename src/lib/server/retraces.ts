/**
 * Checkers that trace before they see (trust/retrace): their commitment is logged with the beacon that says
 * which leaf a pass must show, and only then may they have the film's leaves opened. A verdict that had to
 * show one and does not is refused, and its check is over when its time is: unpaid, and missed.
 */
import { fromHex, toHex } from '../protocol/bytes.ts';
import type { CheckRetraceBody, CheckVerdictBody } from '../protocol/bodies.ts';
import type { ServerMessage } from '../protocol/control.ts';
import { issuePermit } from '../trust/capability.ts';
import { nonceCommitment } from '../trust/draw.ts';
import { mustShow, shownFault } from '../trust/retrace.ts';
import { unpackClasses } from '../trust/weights.ts';
import { opinionsOn } from './checks.ts';
import { refuse, type Core, type Refusal } from './core.ts';
import { orderOf, type Request } from './jobs.ts';
import { leafCount } from './leases.ts';
import type { Notices } from './notices.ts';
import type { Rows } from './store/rows.ts';
import type { CheckRow, JobRow, LeaseRow } from './store/schema.ts';
import type { Tx } from './store/store.ts';

const permitFor = ({ identity, network }: Core, { lease, checker, nonceCommitment: draw }: CheckRow, leaves: number): Promise<string> =>
  issuePermit(identity, { network, lease, key: checker, draw, leaves });

/** What a checker may have opened before it traced anything. */
type First = Pick<Extract<ServerMessage, { type: 'check' }>, 'traceFirst' | 'permit'>;

/** What a check begins with: where a pass must be shown only if all leaves are drawn, a permit for as many as are drawn otherwise. */
export async function firstPermit(core: Core, rows: Rows, check: CheckRow, lease: LeaseRow, job: JobRow): Promise<First> {
  const leaves = leafCount(orderOf(job), lease.slot);
  if (core.rules.shownPasses !== 1) return { traceFirst: 'never', permit: await permitFor(core, check, leaves) };
  if (check.leaves >= leaves || (await opinionsOn(rows, lease.id)).length > 0) return { traceFirst: 'always', permit: null };
  return { traceFirst: 'whole', permit: await permitFor(core, check, check.leaves) };
}

/** What the checker is told once its trace stands in the log; null before. */
export async function retracedMessage(
  core: Core,
  check: CheckRow,
  lease: LeaseRow,
  job: JobRow,
): Promise<Extract<ServerMessage, { type: 'retraced' }> | null> {
  if (check.retraceBeacon === null) return null;
  const permit = await permitFor(core, check, leafCount(orderOf(job), lease.slot));
  return { type: 'retraced', lease: lease.id, nonceCommitment: check.nonceCommitment, beacon: check.retraceBeacon, permit };
}

export async function recordRetrace(
  core: Core,
  tx: Tx,
  notices: Notices,
  request: Request,
  body: CheckRetraceBody,
): Promise<{ ok: true; ref: string } | Refusal> {
  const check = await tx.rows.checks.get(body.nonceCommitment);
  if (check?.lease !== body.lease || check.checker !== request.key)
    return refuse('check-unknown', 'No check of this lease was drawn with this nonce for this checker.');
  if (check.state !== 'drawn') return refuse('check-over', 'This check is over.');
  if (check.retraceRoot !== null) return refuse('retraced-before', 'This check has a trace that stands in the log.');
  const lease = (await tx.rows.leases.get(body.lease))!;
  if (lease.state !== 'committed') return refuse('lease-over', `This lease is ${lease.state}.`);
  const { chain, value } = await core.beacon.next(tx);
  const retraced = { ...check, retraceRoot: body.root, retraceBeacon: value };
  tx.rows.checks.put(retraced);
  tx.append({
    type: 'retraced',
    ...{ lease: lease.id, checker: request.key, nonceCommitment: check.nonceCommitment, root: body.root },
    ...{ chain, beacon: value, request: request.hash, signed: request.signed, atMs: core.clock.nowMs() },
  });
  const job = (await tx.rows.jobs.get(lease.job))!;
  const message = await retracedMessage(core, retraced, lease, job);
  if (message) notices.toPeer(check.checkerPeer, message);
  return { ok: true, ref: request.hash };
}

/** Does this verdict show what it must? @param drawn the leaves that its draw implies. */
export async function showingFault(
  core: Core,
  rows: Rows,
  { verdict, nonce, shown }: CheckVerdictBody,
  { check, lease, job }: { readonly check: CheckRow; readonly lease: LeaseRow; readonly job: JobRow },
  drawn: readonly number[],
): Promise<Refusal | null> {
  const order = orderOf(job);
  const leaves = leafCount(order, lease.slot);
  const before = (await opinionsOn(rows, lease.id)).length;
  const due = core.rules.shownPasses === 1 && verdict === 'pass' && mustShow(drawn, leaves, before);
  if (!due && !shown) return null;
  if (verdict !== 'pass') return refuse('shown-unasked', 'Only a pass shows a leaf.');
  if (!shown || check.retraceRoot === null || check.retraceBeacon === null)
    return refuse(
      'shown-missing',
      'A pass of all leaves, or after another’s word, must show one that was traced before the film was opened.',
    );
  const fault = shownFault(shown, {
    ...{ checker: check.checker, nonceCommitment: toHex(nonceCommitment(fromHex(nonce))) },
    ...{ root: check.retraceRoot, beacon: check.retraceBeacon, order, slot: lease.slot, filmRoot: lease.root! },
    ...{ classes: lease.weights === null ? null : unpackClasses(lease.weights, leaves), drawn },
  });
  return fault && refuse(fault.reason, fault.text);
}
