/** Checkers that trace before they see: what the coordinator takes, refuses and tells, and that its log replays. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { fetchLog } from '#lib/ledger/client.ts';
import { verifyLog } from '#lib/ledger/verify.ts';
import { leafRects, tileRect } from '#lib/job/plan.ts';
import { CHECK_DEADLINE_MS } from '#lib/protocol/limits.ts';
import { nodeVerify } from '#lib/server/keys.ts';
import { permitIn } from '#lib/trust/capability.ts';
import { challengedLeaves, drawSeed } from '#lib/trust/draw.ts';
import { toHex } from '#lib/protocol/bytes.ts';
import type { Shown } from '#lib/trust/retrace.ts';
import { unpackClasses } from '#lib/trust/weights.ts';
import { PretendFilm } from '../trust/pretend-film.ts';
import { road, testOrder, world, type Client, type Message, type World } from './harness.ts';

let w: World;
beforeAll(async () => {
  w = await world({ rules: { shownPasses: 1 } });
}, 120_000);
afterEach(async () => {
  const fetched = await fetchLog(new AbortController().signal, 'http://c', async (url) => (await w.coordinator.http(new Request(url)))!);
  if (!fetched.ok) throw new Error(fetched.reason);
  const verdict = await verifyLog(fetched.checkpoint, w.coordinator.key, fetched.leaves, nodeVerify);
  expect(verdict.ok ? null : verdict.reason).toBeNull();
  await w.leave();
});
afterAll(() => w.coordinator.close());

type Check = Message<'check'>;

/** A newcomer's film, committed and received; all of it is drawn. */
async function drawn(): Promise<{ worker: Client; checker: Client; check: Check; film: PretendFilm }> {
  const order = testOrder();
  const { creator, worker, checker } = await road(w, order);
  await worker.ask(1);
  const grant = worker.last('grant')!;
  const { tile, pass } = grant.lease;
  const film = new PretendFilm(order, pass * 2 + tile, { differing: 1 });
  await worker.commit(grant, { root: film.commitment.root });
  await creator.receipt(creator.last('committed')!);
  return { worker, checker, check: checker.last('check')!, film };
}

const tracerOf = (by: Client, { nonceCommitment }: Check) => ({ checker: by.key, nonceCommitment });

function leavesOf(by: Client, { order, lease, root, nonceCommitment, beacon, leaves: count, auditPpm, weights }: Check): number[] {
  const leaves = leafRects(tileRect(order, lease.tile)).length;
  const seed = drawSeed({ beacon, nonce: toHex(by.nonces.get(nonceCommitment)!), lease: lease.lease, root });
  return challengedLeaves(seed, { leaves, count, auditPpm, classes: weights === null ? null : unpackClasses(weights, leaves) });
}

const promise = (by: Client, check: Check, film: PretendFilm): ReturnType<Client['submit']> =>
  by.submit('check.retrace', {
    lease: check.lease.lease,
    nonceCommitment: check.nonceCommitment,
    root: film.promise(tracerOf(by, check), leavesOf(by, check)),
  });

function shownBy(by: Client, check: Check, film: PretendFilm): Shown {
  const { beacon } = by.last('retraced')!;
  return film.shown(tracerOf(by, check), leavesOf(by, check), beacon);
}

const pass = (by: Client, check: Check, shown?: Shown): ReturnType<Client['submit']> =>
  by.submit('check.verdict', { ...by.verdictBody(check, 'pass'), ...(shown && { shown }) });

async function permitted(by: Client, check: Check, permit: string): Promise<number> {
  const use = { coordinatorKey: w.coordinator.key, network: 'test', key: by.key, lease: check.lease.lease };
  const word = await permitIn(permit, use);
  expect(word?.draw ?? check.nonceCommitment).toBe(check.nonceCommitment);
  return word?.leaves ?? 0;
}

test('a pass of all leaves is taken with the leaf that the beacon named, and only with it', async () => {
  const { worker, checker, check, film } = await drawn();
  expect(leavesOf(checker, check)).toHaveLength(film.leaves.length);
  expect(await pass(checker, check)).toMatchObject({ type: 'refused', reason: 'shown-missing' });
  expect((await promise(checker, check, film)).type).toBe('ack');
  expect(await promise(checker, check, film)).toMatchObject({ type: 'refused', reason: 'retraced-before' });
  const shown = shownBy(checker, check, film);
  const other = { ...shown, signatures: shown.signatures.map((byte) => byte ^ 1) };
  expect(await pass(checker, check, other)).toMatchObject({ type: 'refused', reason: 'shown-unpromised' });
  expect(await pass(checker, check, { ...shown, light: new Uint8Array(32) })).toMatchObject({ type: 'refused', reason: 'shown-film' });
  expect((await pass(checker, check, shown)).type).toBe('ack');
  expect(worker.last('settled')).toMatchObject({ lease: check.lease.lease });
});

test('leaves are opened to a checker for as many as may be drawn, and for all once its trace stands in the log', async () => {
  const { checker, check, film } = await drawn();
  expect(await permitted(checker, check, check.permit!)).toBe(check.leaves);
  await promise(checker, check, film);
  expect(await permitted(checker, check, checker.last('retraced')!.permit)).toBe(film.leaves.length);
  expect(await permitted(await w.join(['checker']), check, check.permit!)).toBe(0);
  expect((await pass(checker, check, shownBy(checker, check, film))).type).toBe('ack');
});

test('a trace is promised by the one who was drawn, while the check is open; a failing word needs none', async () => {
  const { worker, checker, check } = await drawn();
  const none = { lease: check.lease.lease, nonceCommitment: check.nonceCommitment, root: 'b'.repeat(64) };
  expect(await worker.submit('check.retrace', { ...none, nonceCommitment: 'a'.repeat(64) })).toMatchObject({ reason: 'check-unknown' });
  expect(await worker.submit('check.retrace', none)).toMatchObject({ type: 'refused', reason: 'check-unknown' });
  const failing = checker.verdictBody(check, 'fail');
  const shown = { signatures: new Uint8Array(2), path: new Uint8Array(), differing: new Uint8Array(), light: new Uint8Array(32) };
  expect(await checker.submit('check.verdict', { ...failing, shown: { ...shown, filmPath: new Uint8Array() } })).toMatchObject({
    reason: 'shown-unasked',
  });
  expect((await checker.submit('check.verdict', failing)).type).toBe('ack');
  expect(await checker.submit('check.retrace', none)).toMatchObject({ type: 'refused', reason: 'check-over' });
});

test('a checker that comes back is told again what it may open and must show', async () => {
  const { checker, check, film } = await drawn();
  await promise(checker, check, film);
  const told = checker.last('retraced')!;
  checker.disconnect();
  const back = await w.join(['checker'], checker.identity, checker.peer.slice(65));
  expect(back.last('check')).toMatchObject({ nonceCommitment: check.nonceCommitment });
  expect(back.last('retraced')).toEqual(told);
  for (const [commitment, nonce] of checker.nonces) back.nonces.set(commitment, nonce);
  expect((await pass(back, check, shownBy(back, check, film))).type).toBe('ack');
});

test('who passes what it never traced is over when its time is, and another is asked', async () => {
  const { worker, checker, check, film } = await drawn();
  expect(
    (await checker.submit('check.retrace', { lease: check.lease.lease, nonceCommitment: check.nonceCommitment, root: 'c'.repeat(64) }))
      .type,
  ).toBe('ack');
  // Its leaves are open to it now, but what it shows is not what it promised.
  const { beacon } = checker.last('retraced')!;
  const copied = film.shown(tracerOf(checker, check), leavesOf(checker, check), beacon);
  expect(await pass(checker, check, copied)).toMatchObject({ type: 'refused', reason: 'shown-unpromised' });
  const other = await w.join(['checker']);
  await other.checkReady(4);
  await w.pass(CHECK_DEADLINE_MS + 3_000);
  expect(await pass(checker, check, copied)).toMatchObject({ type: 'refused', reason: 'check-over' });
  const again = other.last('check')!;
  expect(again.lease.lease).toBe(check.lease.lease);
  await promise(other, again, film);
  expect((await pass(other, again, shownBy(other, again, film))).type).toBe('ack');
  expect(worker.last('settled')).toMatchObject({ lease: check.lease.lease });
});

test('who promised, had the film opened and backs out is not drawn for it again; with nobody else there it is done again, and nobody is blamed', async () => {
  const { worker, checker, check, film } = await drawn();
  await promise(checker, check, film);
  expect((await checker.submit('check.verdict', { ...checker.verdictBody(check, 'unavailable'), reason: 'scene' })).type).toBe('ack');
  await w.pass(3_000);
  expect(checker.all('check').filter(({ lease }) => lease.lease === check.lease.lease)).toHaveLength(1);
  expect(worker.last('voided')).toMatchObject({ lease: check.lease.lease, reason: 'unchecked' });
  const record = await (await w.coordinator.http(new Request(`http://c/api/standing/${worker.key}`)))!.json();
  expect(record).toMatchObject({ worker: { faults: 0, doubts: 0 } });
  await worker.ask(1);
  expect(worker.last('grant')!.lease).toMatchObject({ tile: check.lease.tile, pass: check.lease.pass, attempt: 2 });
});

test('who backs out leaves the film to another', async () => {
  const { worker, checker, check, film } = await drawn();
  const other = await w.join(['checker']);
  await other.checkReady(4);
  await promise(checker, check, film);
  await checker.submit('check.verdict', { ...checker.verdictBody(check, 'unavailable'), reason: 'scene' });
  await w.pass(3_000);
  const again = other.last('check')!;
  expect(again.lease.lease).toBe(check.lease.lease);
  await promise(other, again, film);
  expect((await pass(other, again, shownBy(other, again, film))).type).toBe('ack');
  expect(worker.last('settled')).toMatchObject({ lease: check.lease.lease });
});
