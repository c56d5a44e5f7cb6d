/**
 * Known answers (trust/drill): the worker's word is kept under seal with its commitment; the first verdict
 * opens it in the log, grades and pays the checker, and voids the lease. Nobody is blamed, and the worker
 * gets the same slot again, for it has the honest film. Everything else treats the lease like the others.
 */
import { drillLines } from '../ledger/postings.ts';
import { toHex } from '../protocol/bytes.ts';
import type { DrillSealBody } from '../protocol/bodies.ts';
import { drillLesson, sealOf, unpackBits } from '../trust/drill.ts';
import { answered, graded, payFactor } from '../trust/grading.ts';
import { refuse, type Core, type Refusal } from './core.ts';
import { orderOf, type Request } from './jobs.ts';
import { DRILL, grantAgain, leafCount } from './leases.ts';
import { post } from './ledger.ts';
import type { Notices } from './notices.ts';
import { fundsOf, sharesOf } from './pay.ts';
import { changeGrades, gradesOf } from './records.ts';
import { giveUp } from './settle.ts';
import type { DrillRow, JobRow, LeaseRow } from './store/schema.ts';
import type { Tx } from './store/store.ts';

/** A worker's sealed word: before its commitment, and only if it was asked. */
export async function sealDrill(tx: Tx, request: Request, body: DrillSealBody): Promise<{ ok: true; ref: string } | Refusal> {
  const lease = await tx.rows.leases.get(body.lease);
  if (!lease || lease.worker !== request.key) return refuse('lease-unknown', 'This lease was never given to this worker.');
  if (lease.state !== 'granted') return refuse('lease-over', `This lease is ${lease.state}.`);
  if (lease.drill === null) return refuse('drill-unasked', 'Nobody asked for a false film of this lease.');
  const job = (await tx.rows.jobs.get(lease.job))!;
  if (!unpackBits(body.tells, leafCount(orderOf(job), lease.slot)))
    return refuse('drill-tells', 'A drill says of each of its leaves whether it tells.');
  const { payload, key, sig } = request.signed;
  tx.rows.drills.put({ lease: lease.id, root: body.root, tells: body.tells, request: request.hash, payload, key, sig });
  return { ok: true, ref: request.hash };
}

/** The sealed word about what was committed; null when the film is meant to be true. */
export async function drillOn({ rows }: Tx, { id, root }: Pick<LeaseRow, 'id' | 'root'>): Promise<DrillRow | null> {
  const drill = await rows.drills.get(id);
  return drill?.root === root ? drill : null;
}

/** What a draw of this lease is sealed with: nobody can tell a drill's from another's. */
export async function sealFor(core: Core, tx: Tx, lease: LeaseRow, nonceCommitment: string): Promise<string> {
  const drill = await drillOn(tx, lease);
  return drill ? sealOf(drill.request, nonceCommitment) : toHex(core.random(32));
}

/** Opens the seal in the log. The verdict that it grades must follow at once. */
export function openSeal(core: Core, tx: Tx, { lease, request, payload, key, sig }: DrillRow): void {
  tx.append({ type: 'drill', lease, request, signed: { payload, key, sig }, atMs: core.clock.nowMs() });
}

/** After the verdict: the checker's grade and pay, the end of the lease, and the slot for its worker again. */
export async function endDrill(
  core: Core,
  tx: Tx,
  notices: Notices,
  { drill, lease, job }: { drill: DrillRow; lease: LeaseRow; job: JobRow },
  said: { readonly checker: string; readonly verdict: 'pass' | 'fail'; readonly drawn: readonly number[] },
): Promise<void> {
  const tells = unpackBits(drill.tells, leafCount(orderOf(job), lease.slot))!;
  const lesson = drillLesson(tells, said.drawn, said.verdict);
  await changeGrades(tx, said.checker, (grades) => (lesson ? graded(answered(grades), lesson) : answered(grades)));
  core.counters.count(lesson ? (lesson.right ? 'drill-right' : 'drill-wrong') : 'drill-dark');
  if (lesson?.right !== false) await payDrill(core, tx, notices, lease, job, said.checker);
  await giveUp(core, tx, notices, lease.id, { from: 'committed', reason: DRILL, faults: 0, failed: false });
  await grantAgain(core, tx, notices, lease);
}

async function payDrill(core: Core, tx: Tx, notices: Notices, lease: LeaseRow, job: JobRow, checker: string): Promise<void> {
  const { checkerMicro } = sharesOf(job, lease);
  const dueMicro = (checkerMicro * BigInt(payFactor(await gradesOf(tx.rows, checker), core.rules.unprovenPay))) / 1000n;
  const funds = await fundsOf(tx);
  if (dueMicro === 0n || funds.checkersMicro + funds.treasuryMicro === 0n) return;
  const postings = drillLines({ checker, dueMicro }, funds);
  await post(tx, { kind: 'drill', lease: lease.id, atMs: core.clock.nowMs(), postings });
  notices.balance(checker);
}
