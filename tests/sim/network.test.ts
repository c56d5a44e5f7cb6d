/**
 * The whole network in virtual time: jobs finish with the right picture and every accepted lease is
 * paid exactly once, whatever happens on the way.
 */
import { describe, expect, test } from 'vitest';
import { CreatorRole } from '#lib/roles/creator.ts';
import { ArithmeticEngine } from './arithmetic-engine.ts';
import { begin, checker, expectWell, LIES, lying, never, submitted, viewOf, worker, world, type Lie } from './story.ts';

/** More with SIM_SEEDS=n. */
const SEEDS = Array.from({ length: Number(process.env.SIM_SEEDS ?? 2) }, (_, i) => i + 1);

describe.each(SEEDS)('seed %i', (seed) => {
  test('a job finishes with the picture that one machine renders alone', async () => {
    await begin(seed);
    await worker();
    await worker();
    await checker();
    const { role, job } = await submitted(await world.tab());
    await expectWell(role, job);
    expect(viewOf(role, job).bytesOut).toBeGreaterThanOrEqual(1_500_000);
  });

  test('a worker that vanishes in mid-lease costs nothing but that lease', async () => {
    await begin(seed);
    const first = await worker(new ArithmeticEngine(world.clock, 400));
    await checker();
    const { role, job } = await submitted(await world.tab());
    await world.until('the first worker renders', () => first.role.status.state === 'rendering');
    await worker();
    await first.tab.kill();
    await expectWell(role, job);
    expect(viewOf(role, job).view.redone).toBeGreaterThan(0);
  });

  test('a coordinator killed and started again on the same store loses nothing', async () => {
    await begin(seed);
    await worker();
    await worker();
    await checker();
    const { role, job } = await submitted(await world.tab());
    for (let settled = 3; settled <= 9; settled += 3) {
      await world.until('some leases settled', () => viewOf(role, job).view.settled >= settled);
      await world.killCoordinator();
      await world.pass(1_000);
      await world.startCoordinator();
    }
    await expectWell(role, job);
  });

  test.each(Object.keys(LIES) as Lie[])('a film that lies about %s is caught, done again by another, and never paid', async (lie) => {
    await begin(seed);
    const liar = await worker(lying(new ArithmeticEngine(world.clock), lie));
    await checker();
    await checker();
    const { role, job } = await submitted(await world.tab());
    await world.until('a lease is void', () => liar.role.status.leasesVoided > 0);
    expect(liar.role.status.voided[0]).toMatchObject({ reason: `check-${LIES[lie]}` });
    await worker();
    await expectWell(role, job);
    expect(liar.role.status.leasesSettled).toBe(0);
    expect(liar.tab.control.balance.balanceMicro).toBe(0n);
  });

  test('a creator that reloads its tab goes on with the pixels it had', async () => {
    await begin(seed);
    await worker();
    await checker();
    const before = await world.tab();
    const { role, job } = await submitted(before);
    await world.until('half the leases settled', () => viewOf(role, job).view.settled >= 8);
    const had = viewOf(role, job).tileSamples.reduce((sum, samples) => sum + samples, 0);
    role.close();
    await before.kill();
    await world.pass(3_000);
    const again = new CreatorRole(await world.tab({ disk: before.disk }));
    await again.resume(never);
    expect(viewOf(again, job).tileSamples.reduce((sum, samples) => sum + samples, 0)).toBe(had);
    await expectWell(again, job);
  });

  test('connections that drop again and again delay a job, no more', async () => {
    await begin(seed);
    const hands = [await worker(), await worker(), await checker()];
    const { role, job } = await submitted(await world.tab());
    let over = false;
    void (async () => {
      while (!over) {
        await world.clock.sleep(never, 300 + world.random() * 700);
        world.peers.drop(hands[Math.floor(world.random() * hands.length)]!.tab.net.id);
      }
    })();
    await expectWell(role, job);
    over = true;
  });
});
