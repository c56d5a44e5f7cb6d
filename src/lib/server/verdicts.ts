/**
 * Verdicts: a checker's signed word is recorded with the draw that anyone can recompute, and what the
 * words so far amount to is carried out. A first failing verdict asks another checker; only a majority
 * finds a worker at fault. What nobody can confirm is done again, and punishes nobody.
 */
import { and, eq } from 'drizzle-orm';
import { fromHex, toHex } from '../protocol/bytes.ts';
import type { CheckVerdictBody } from '../protocol/bodies.ts';
import { CHECKS_UNAVAILABLE_MAX, SECOND_OPINION_MS_MAX } from '../protocol/limits.ts';
import { REASONS_OF } from '../protocol/schema.ts';
import { challengedLeaves, drawSeed, nonceCommitment, secondAuditFalls } from '../trust/draw.ts';
import { decide, lessonsOf, type Outcome } from '../trust/escalation.ts';
import { answered, graded } from '../trust/grading.ts';
import { blocked, faulted } from '../trust/standing.ts';
import { unpackClasses } from '../trust/weights.ts';
import { anotherFor, beingChecked, opinionsOn, spentKeys, verdictsOf } from './checks.ts';
import { refuse, type Core, type Refusal } from './core.ts';
import { drillOn, endDrill, openSeal } from './drills.ts';
import { orderOf, type Request } from './jobs.ts';
import { leafCount, UNCHECKED, UNDECIDED } from './leases.ts';
import type { Notices } from './notices.ts';
import { priceOf } from './pay.ts';
import { beginAnew, changeGrades, observeCheck, standingOf } from './records.ts';
import { showingFault } from './retraces.ts';
import { endTwin, giveUp, settleIfReady } from './settle.ts';
import { leases, type CheckRow, type JobRow, type LeaseRow } from './store/schema.ts';
import type { Tx } from './store/store.ts';

/** What a verdict is about, once it is found to be in order. */
interface Judged {
  readonly check: CheckRow;
  readonly lease: LeaseRow;
  readonly job: JobRow;
}

export async function recordVerdict(
  core: Core,
  tx: Tx,
  notices: Notices,
  request: Request,
  body: CheckVerdictBody,
): Promise<{ ok: true; ref: string } | Refusal> {
  const judged = await judgedBy(tx, request, body);
  if ('ok' in judged) return judged;
  const { check, lease, job } = judged;
  const { seed, drawn, whole } = drawnFor(body, judged);
  const unshown = await showingFault(core, tx.rows, body, judged, drawn);
  if (unshown) return unshown;
  const drill = body.verdict === 'unavailable' ? null : await drillOn(tx, lease);
  if (drill) openSeal(core, tx, drill);
  const leaf = logVerdict(core, tx, request, body, drawn);
  // A checker that could not get or trace the scene says nothing about the worker: as if it had not answered.
  const state = body.reason === 'scene' ? 'expired' : body.verdict;
  const { adapterClass, reason, pixelsWrong } = body;
  const found = { drawn: drawn.join(), whole, paths: body.paths, pathsEqual: body.pathsEqual, pixelsWrong, atMs: core.clock.nowMs() };
  tx.rows.checks.put({ ...check, state, adapterClass, reason, ...found });
  await tx.rows.jobs.change(job.id, (row) => ({ checks: row.checks + 1 }));
  notices.job(job.id);
  if (drill && body.verdict !== 'unavailable') {
    await endDrill(core, tx, notices, { drill, lease, job }, { checker: request.key, verdict: body.verdict, drawn });
    return { ok: true, ref: request.hash };
  }
  await changeGrades(tx, request.key, answered);
  if (body.verdict === 'unavailable') {
    if (state !== 'unavailable' || !(await outOfReach(core, tx, notices, lease, job))) await decideLease(core, tx, notices, lease, job);
    return { ok: true, ref: request.hash };
  }
  await noteSecond(core, tx, lease, seed);
  const { paths, pathsEqual, biasPpm = 0 } = body;
  const skimmed = paths > 0 && (await observeCheck(core, tx, lease.worker, leaf, { checker: request.key, paths, pathsEqual, biasPpm }));
  if (skimmed) await convict(core, tx, notices, lease, 'check-aggregate', [request.key]);
  else await decideLease(core, tx, notices, (await tx.rows.leases.get(lease.id))!, job, true);
  return { ok: true, ref: request.hash };
}

async function judgedBy(tx: Tx, request: Request, body: CheckVerdictBody): Promise<Judged | Refusal> {
  if (!REASONS_OF[body.verdict].some((reason) => reason === body.reason))
    return refuse('verdict-reason', `A ${body.verdict} can’t be for the reason “${body.reason}”.`);
  if (body.pathsEqual > body.paths) return refuse('verdict-counts', 'No more paths can be equal than were traced.');
  const commitment = toHex(nonceCommitment(fromHex(body.nonce)));
  const check = await tx.rows.checks.get(commitment);
  if (check?.lease !== body.lease || check.checker !== request.key)
    return refuse('check-unknown', 'No check of this lease was drawn with this nonce for this checker.');
  if (check.state !== 'drawn') return refuse('check-over', 'This check is over.');
  const lease = (await tx.rows.leases.get(body.lease))!;
  if (lease.state !== 'committed') return refuse('lease-over', `This lease is ${lease.state}.`);
  if (lease.root !== body.root) return refuse('root-differs', 'This is not the root that the worker committed to.');
  return { check, lease, job: (await tx.rows.jobs.get(lease.job))! };
}

/** The draw's seed, what was drawn, and whether that is all of the film. */
function drawnFor({ nonce, root }: CheckVerdictBody, { check, lease, job }: Judged): { seed: Uint8Array; drawn: number[]; whole: boolean } {
  const seed = drawSeed({ beacon: check.beacon, nonce, lease: lease.id, root });
  const leaves = leafCount(orderOf(job), lease.slot);
  const classes = lease.weights === null ? null : unpackClasses(lease.weights, leaves);
  const drawn = challengedLeaves(seed, { leaves, count: check.leaves, auditPpm: check.auditPpm, classes });
  return { seed, drawn, whole: drawn.length === leaves };
}

/** @returns the index of the verdict's leaf in the log. */
function logVerdict(core: Core, tx: Tx, request: Request, body: CheckVerdictBody, drawn: number[]): number {
  const { lease, root, verdict, reason, paths, pathsEqual, pixelsWrong, nonce, adapterClass, biasPpm, shown } = body;
  return tx.append({
    type: 'verdict',
    lease,
    checker: request.key,
    root,
    nonce,
    drawn,
    verdict,
    reason,
    paths,
    pathsEqual,
    pixelsWrong,
    ...(biasPpm === undefined ? {} : { biasPpm }),
    adapterClass,
    ...(shown && { shows: true as const }),
    request: request.hash,
    signed: request.signed,
    atMs: core.clock.nowMs(),
  });
}

/** The first verdict's seed says whether a second audit is due; nobody knew it before its nonce was told. */
async function noteSecond(core: Core, tx: Tx, lease: LeaseRow, seed: Uint8Array): Promise<void> {
  const spoken = (await verdictsOf(tx.rows, lease.id)).filter(({ state }) => state === 'pass' || state === 'fail');
  if (spoken.length !== 1) return;
  const second = secondAuditFalls(seed, core.rules.secondAuditPpm);
  await tx.rows.leases.change(lease.id, () => ({ second }));
}

/** Voids the lease over which a worker was found at fault, and takes back what else a blocked one was given. */
async function convict(core: Core, tx: Tx, notices: Notices, lease: LeaseRow, reason: string, finders: readonly string[]): Promise<void> {
  await giveUp(core, tx, notices, lease.id, { from: 'committed', reason, faults: 1, failed: true, finders });
  if (!blocked(await standingOf(tx.rows, lease.worker), core.rules)) return;
  const mine = and(eq(leases.worker, lease.worker), eq(leases.state, 'granted'));
  const given = await (await tx.sql()).select({ id: leases.id }).from(leases).where(mine);
  for (const { id } of given) await giveUp(core, tx, notices, id, { from: 'granted', reason: 'worker-blocked', faults: 0, failed: false });
}

/** Voids a lease whose film several checkers, or the only one there is, could not reach: one's word is not enough while others could look. */
async function outOfReach(core: Core, tx: Tx, notices: Notices, lease: LeaseRow, job: JobRow): Promise<boolean> {
  const said = (await verdictsOf(tx.rows, lease.id)).filter((row) => row.state === 'unavailable').map((row) => row.checker);
  await tx.rows.leases.change(lease.id, () => ({ unavailable: said.length }));
  const keys = new Set(said);
  const alone = !(await anotherFor(core, tx.rows, lease, job, keys));
  if ((alone ? said.length : keys.size) < CHECKS_UNAVAILABLE_MAX) return false;
  return giveUp(core, tx, notices, lease.id, { from: 'committed', reason: 'film-unavailable', faults: 1, failed: true });
}

/**
 * Carries out what the opinions so far amount to; also called when another checker can't be had any more.
 * @param spoken an opinion was given just now: only then are lessons drawn, or they would be twice.
 */
export async function decideLease(core: Core, tx: Tx, notices: Notices, lease: LeaseRow, job: JobRow, spoken = false): Promise<void> {
  const opinions = await opinionsOn(tx.rows, lease.id);
  const failing = opinions.filter(({ verdict }) => verdict === 'fail');
  // Whoever waits for a second opinion, to void or only to be sure, does not wait for ever.
  const sinceMs = Math.min(...(failing.length > 0 ? failing : opinions).map(({ deadlineMs }) => deadlineMs));
  const late = core.clock.nowMs() > sinceMs + SECOND_OPINION_MS_MAX;
  const spoke = await verdictsOf(tx.rows, lease.id);
  const asked = spentKeys(core, spoke);
  // A check that is being run is a second opinion on its way, though its checker has no nonce left.
  const another = !late && ((await beingChecked(tx.rows, lease.id)) || (await anotherFor(core, tx.rows, lease, job, asked)));
  const jury = priceOf(job, lease) >= BigInt(core.rules.highValueMicro) ? 5 : 3;
  const outcome = decide({ opinions, workerClass: lease.adapterClass, jury, second: lease.second, another });
  // Who promised a trace and said nothing may not look again, and nobody else is there.
  if (opinions.length === 0 && !another && spoke.some(({ retraceRoot }) => retraceRoot !== null)) {
    const faults = Number(spoke.some(({ reason }) => reason === 'unreachable'));
    await giveUp(core, tx, notices, lease.id, { from: 'committed', reason: UNCHECKED, faults, failed: true });
    return;
  }
  if (spoken) for (const lesson of lessonsOf(opinions, outcome)) await changeGrades(tx, lesson.checker, (grades) => graded(grades, lesson));
  await carryOut(core, tx, notices, lease, outcome, failing);
}

async function carryOut(
  core: Core,
  tx: Tx,
  notices: Notices,
  lease: LeaseRow,
  outcome: Outcome,
  failing: readonly { checker: string; reason: string }[],
): Promise<void> {
  const reason = `check-${failing[0]?.reason ?? 'disputed'}`;
  switch (outcome.state) {
    case 'wait':
      return;
    case 'pass':
      if (outcome.alone) tx.append({ type: 'alone', lease: lease.id, atMs: core.clock.nowMs() });
      await tx.rows.leases.change(lease.id, () => ({ verdict: 'pass', verdictMs: core.clock.nowMs() }));
      await endTwin(core, tx, notices, lease);
      await settleIfReady(core, tx, notices, lease.id);
      return;
    case 'fault':
      await beginAnew(tx, lease.worker, faulted(await standingOf(tx.rows, lease.worker)));
      await convict(
        core,
        tx,
        notices,
        lease,
        reason,
        failing.map(({ checker }) => checker),
      );
      return;
    case 'doubt': {
      const ending = outcome.tie ? { reason: UNDECIDED, faults: 0 } : { reason, faults: 1 };
      await giveUp(core, tx, notices, lease.id, { from: 'committed', failed: true, ...ending });
    }
  }
}
