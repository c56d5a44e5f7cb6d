/**
 * How the parties of a network behave: checkers that slander, workers that overcharge, partitions,
 * cancelling, finishing and stopping.
 */
import { expect, test } from 'vitest';
import { tileCount } from '#lib/job/plan.ts';
import { CheckerRole } from '#lib/roles/checker.ts';
import { ArithmeticEngine } from './arithmetic-engine.ts';
import { begin, checker, expectWell, lying, submitted, viewOf, worker, world } from './story.ts';

test('two checkers outvote a third that calls honest work false', async () => {
  await begin(11);
  await worker();
  const wrong = await world.tab({ engine: lying(new ArithmeticEngine(world.clock)) });
  const slander = new CheckerRole(wrong);
  await slander.start();
  const { role, job } = await submitted(await world.tab());
  // Drawn first, it holds the scene first, and so it is drawn again and again.
  await world.until('it is drawn', () => slander.status.state !== 'waiting');
  await checker();
  await checker();
  await expectWell(role, job);
  expect(slander.status.failed).toBeGreaterThan(0);
  expect(viewOf(role, job).view.redone).toBe(0);
  expect(wrong.control.balance.balanceMicro).toBe(0n);
});

test('a worker that bills segments it did not trace is caught by the recount', async () => {
  await begin(12);
  const honest = new ArithmeticEngine(world.clock);
  const { tab, role: greedy } = await worker(honest);
  const { control } = tab;
  const submit = control.submit.bind(control);
  control.submit = (purpose, body) =>
    submit(purpose, purpose === 'lease.commit' ? { ...(body as object), segments: (body as { segments: number }).segments + 1 } : body);
  const { role: eye } = await checker();
  const { role, job } = await submitted(await world.tab());
  await world.until('a lease is void', () => greedy.status.leasesVoided > 0);
  expect(eye.status.records[0]).toMatchObject({ verdict: 'fail', reason: 'segments' });
  expect(greedy.status.voided[0]).toMatchObject({ reason: 'check-segments' });
  await worker();
  await expectWell(role, job);
  expect(greedy.status.leasesSettled).toBe(0);
});

test('a partition between worker and creator delays delivery until it heals', async () => {
  await begin(13);
  const hand = await worker();
  await checker();
  const tab = await world.tab();
  const { role, job } = await submitted(tab);
  await world.until('something is settled', () => viewOf(role, job).view.settled > 0);
  const apart = new Set([hand.tab.net.id, tab.net.id]);
  world.peers.partition((a, b) => !(apart.has(a) && apart.has(b)));
  await world.pass(10_000);
  const { settled } = viewOf(role, job).view;
  expect(hand.role.status.leasesPending).toBeGreaterThan(0);
  await world.pass(3_000);
  expect(viewOf(role, job).view.settled).toBe(settled);
  world.peers.heal();
  await expectWell(role, job);
});

test('a cancelled job pays what is finished and returns the rest', async () => {
  await begin(14);
  await worker();
  await checker();
  const tab = await world.tab();
  const { role, job } = await submitted(tab);
  await world.until('a few leases are settled', () => viewOf(role, job).view.settled >= 4);
  expect(await world.wait(role.cancel(job))).toMatchObject({ status: 'ok' });
  await world.until('it is over', () => viewOf(role, job).view.state === 'cancelled');
  await world.until(
    'the rest is back',
    () => tab.control.balance.balanceMicro === 100_000_000n - BigInt(viewOf(role, job).view.spentMicro),
    60_000,
  );
  const { settled } = viewOf(role, job).view;
  expect(settled).toBeGreaterThanOrEqual(4);
  expect(settled).toBeLessThan(viewOf(role, job).view.leases);
});

test('finish traces and delivers what it has, then rests', async () => {
  await begin(7);
  const { role: hand } = await worker();
  await checker();
  const { role, job } = await submitted(await world.tab());
  await world.until('it renders', () => hand.status.state === 'rendering');
  let rested = false;
  void hand.finish().then(() => (rested = true));
  await world.until('it rests', () => rested);
  expect(hand.status.state).toBe('off');
  const tiles = tileCount(viewOf(role, job).order);
  expect(tiles).toBeGreaterThan(0);
  const received = viewOf(role, job).tileSamples.filter((samples) => samples > 0).length;
  expect(received).toBeGreaterThan(0);
  await world.until('all of it is settled', () => hand.status.leasesPending === 0);
  const { leasesSettled } = hand.status;
  await world.until('the creator is told of as many', () => viewOf(role, job).view.settled === leasesSettled, 2_000);
});

test('stop idles the engine within a second and gives its leases back', async () => {
  await begin(8);
  const engine = new ArithmeticEngine(world.clock, 40);
  const { role: hand } = await worker(engine);
  const { role, job } = await submitted(await world.tab());
  await world.until('it renders', () => hand.status.state === 'rendering');
  const atMs = world.clock.nowMs();
  let stopped = false;
  void hand.stop().then(() => (stopped = true));
  await world.until('it has stopped', () => stopped);
  expect(world.clock.nowMs() - atMs).toBeLessThan(1_000);
  expect(hand.status.state).toBe('off');
  await world.until('its leases are free again', () => viewOf(role, job).view.leased === 0, 3_000);
});

test('a worker whose shelf is full of unchecked films waits for checks and loses none of them', async () => {
  await begin(17);
  const { role: hand } = await worker(undefined, { films: 5, bytes: 1e9 });
  const { role, job } = await submitted(await world.tab());
  await world.until('it holds what fits', () => hand.status.reason.startsWith('Waiting for checks'));
  await world.pass(10_000);
  expect(hand.status.leasesPending).toBe(5);
  await checker();
  await expectWell(role, job);
  expect(hand.status.leasesVoided).toBe(0);
  expect(viewOf(role, job).view.redone).toBe(0);
});

test('a creator that calls every film corrupt pays for those that passed their check', async () => {
  await begin(18);
  const { role: hand } = await worker();
  const { role: eye } = await checker();
  const tab = await world.tab();
  const { control } = tab;
  const submit = control.submit.bind(control);
  control.submit = (purpose, body) => submit(purpose, purpose === 'film.receipt' ? { ...(body as object), verdict: 'corrupt' } : body);
  const { role, job } = await submitted(tab);
  await world.until('some films have passed', () => eye.status.passed >= 4);
  await world.pass(2_000);
  expect(viewOf(role, job).view.settled).toBe(0);
  await world.wait(role.cancel(job));
  await world.until('they are paid', () => hand.status.leasesSettled >= 4);
  expect(hand.status.leasesVoided).toBe(0);
});

test('a worker that never brings its films is not paid for them, and another renders them', async () => {
  await begin(19);
  const { tab: hoarder, role: hand } = await worker();
  await checker();
  const request = hoarder.net.request.bind(hoarder.net);
  hoarder.net.request = (signal, peer, ask, body) =>
    ask.type === 'film.deliver' ? Promise.resolve({ status: 'unreachable' }) : request(signal, peer, ask, body);
  const { role, job } = await submitted(await world.tab());
  await world.until('a film is called missing', () => hand.status.leasesVoided > 0, 30 * 60_000);
  void hand.stop();
  await worker();
  await world.until('the job is done', () => viewOf(role, job).view.state === 'done', 30 * 60_000);
  await expectWell(role, job);
  expect(hand.status.leasesSettled).toBe(0);
});

test('a checker that never says what it found delays a job until somebody else is asked', async () => {
  await begin(20);
  await worker();
  const { tab: mute, role: silent } = await checker();
  const submit = mute.control.submit.bind(mute.control);
  mute.control.submit = (purpose, body) => (purpose === 'check.verdict' ? new Promise(() => {}) : submit(purpose, body));
  const { role, job } = await submitted(await world.tab());
  await world.until('it has looked', () => silent.status.records.length > 0);
  await checker();
  await world.until('the job is done', () => viewOf(role, job).view.state === 'done', 60 * 60_000);
  await expectWell(role, job);
  expect(mute.control.balance.balanceMicro).toBe(0n);
});

test('an opening that does not hash to the commitment fails the lease', async () => {
  await begin(15);
  const { tab } = await worker();
  const { tab: eyeTab, role: eye } = await checker();
  const { role, job } = await submitted(await world.tab());
  world.peers.corrupt = (from, to, frame) => {
    if (from !== tab.net.id || to !== eyeTab.net.id || frame.length < 2_000) return frame;
    return frame.map((byte, i) => (i === frame.length - 1 ? byte ^ 1 : byte));
  };
  await world.until('a verdict is signed', () => eye.status.records.length > 0);
  expect(eye.status.records[0]).toMatchObject({ verdict: 'fail', reason: 'opening', paths: 0 });
  world.peers.corrupt = null;
  await expectWell(role, job);
});

test('a worker that its checker cannot reach is unavailable, not false', async () => {
  await begin(16);
  const { tab } = await worker();
  const { tab: eyeTab, role: eye } = await checker();
  const { role, job } = await submitted(await world.tab());
  const apart = new Set([tab.net.id, eyeTab.net.id]);
  world.peers.partition((a, b) => !(apart.has(a) && apart.has(b)));
  await world.until('a verdict is signed', () => eye.status.records.length > 0);
  expect(eye.status.records[0]).toMatchObject({ verdict: 'unavailable', reason: 'unreachable' });
  world.peers.heal();
  await expectWell(role, job);
  expect(eye.status.failed).toBe(0);
});
