/**
 * Who is given which lease, and what it saves: the end of a job does not wait for its slowest worker, and
 * workers stay with a scene for a while without any job being left waiting.
 */
import { and, asc, eq, isNotNull } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import { LEASES_PER_SCENE_RUN_MAX, LEASES_PER_WORKER_MAX } from '#lib/protocol/limits.ts';
import { jobs, leases } from '#lib/server/store/schema.ts';
import { ArithmeticEngine } from './arithmetic-engine.ts';
import { begin, checker, expectWell, submitted, viewOf, worker, world } from './story.ts';

const SEEDS = Array.from({ length: Number(process.env.SIM_SEEDS ?? 2) }, (_, i) => i + 1);

/** Of a slow device. */
const PATHS_PER_SECOND = 100;

describe.each(SEEDS)('the end of a job, seed %i', (seed) => {
  /** A slow worker, which takes the first leases it may hold, and one forty times as fast. @returns the milliseconds that the job took. */
  async function raced(meanwhile: () => Promise<void> = async () => {}): Promise<number> {
    await begin(seed);
    const slow = await worker(new ArithmeticEngine(world.clock, PATHS_PER_SECOND));
    await checker();
    const beganMs = world.clock.nowMs();
    const { role, job } = await submitted(await world.tab());
    await world.until('the slow one has begun', () => slow.role.status.state === 'rendering');
    await worker(new ArithmeticEngine(world.clock, 40 * PATHS_PER_SECOND));
    const { leases: slots } = viewOf(role, job).view;
    await world.until('all but what the slow one holds is settled', () => viewOf(role, job).view.settled >= slots - LEASES_PER_WORKER_MAX);
    await meanwhile();
    await expectWell(role, job);
    expect(viewOf(role, job).view.redone).toBe(0);
    expect(slow.role.status.voided).toEqual([]);
    return world.clock.nowMs() - beganMs;
  }

  test('comes earlier when somebody fast is idle: who is slow is not waited for, nor blamed', async () => {
    // What the slow one holds, each of 1,024 paths, and one after the other.
    const aloneMs = (LEASES_PER_WORKER_MAX * 1_024 * 1_000) / PATHS_PER_SECOND;
    expect(await raced()).toBeLessThan(aloneMs / 2);
    const beaten = await world.db.select().from(leases).where(eq(leases.reason, 'twin-passed'));
    expect(beaten).toHaveLength(LEASES_PER_WORKER_MAX);
  });

  test('survives a coordinator that is killed and started again while a slot is done twice', async () => {
    await raced(async () => {
      const twice = await world.db
        .select()
        .from(leases)
        .where(and(eq(leases.state, 'granted'), isNotNull(leases.twin)));
      expect(twice.length).toBeGreaterThan(0);
      await world.killCoordinator();
      await world.pass(1_000);
      await world.startCoordinator();
    });
  });
});

describe.each(SEEDS)('jobs of two scenes, seed %i', (seed) => {
  /** Devices that hold one scene: each change is a download and a compilation. */
  async function two(workers: number): Promise<{ engines: ArithmeticEngine[]; jobsDone: readonly string[] }> {
    await begin(seed);
    await checker();
    await checker();
    const orders = [];
    for (let i = 0; i < 2; i++) orders.push(await submitted(await world.tab(), { samples: 32, capMicro: 10_000_000n }));
    const engines = Array.from({ length: workers }, () => new ArithmeticEngine(world.clock, 4_000, { scenesHeld: 1 }));
    for (const engine of engines) await worker(engine);
    for (const { role, job } of orders) await expectWell(role, job);
    return { engines, jobsDone: orders.map(({ job }) => job) };
  }

  /** The jobs of a worker's leases in the order in which they were given, while both jobs wanted more. */
  async function givenTo(): Promise<Map<string, string[]>> {
    const slots = (await world.db.select().from(jobs))[0]!.slots;
    const given = await world.db.select().from(leases).orderBy(asc(leases.grantedMs), asc(leases.slot));
    const left = new Map<string, number>();
    const byWorker = new Map<string, string[]>();
    for (const { job, worker: key } of given) {
      left.set(job, (left.get(job) ?? slots) - 1);
      if (left.size === 2 && [...left.values()].some((n) => n <= 0)) break;
      byWorker.set(key, [...(byWorker.get(key) ?? []), job]);
    }
    return byWorker;
  }

  const runsOf = (given: readonly string[]): number[] =>
    given.reduce<number[]>((runs, job, i) => (given[i - 1] === job ? [...runs.slice(0, -1), runs.at(-1)! + 1] : [...runs, 1]), []);

  test.each([1, 3])('%i who hold one scene each stay with it for a run, and no longer while the other job waits', async (workers) => {
    const { engines } = await two(workers);
    const given = await givenTo();
    for (const [, its] of given) {
      const runs = runsOf(its);
      expect(Math.max(...runs)).toBeLessThanOrEqual(LEASES_PER_SCENE_RUN_MAX);
      expect(runs.slice(0, -1).every((run) => run === LEASES_PER_SCENE_RUN_MAX)).toBe(true);
    }
    // One for every run of the 24 leases of each job, and one more where a job ends amid a run.
    for (const { compilations, traces } of engines)
      expect(compilations).toBeLessThanOrEqual(2 + Math.ceil(traces / LEASES_PER_SCENE_RUN_MAX));
  });
});
