/** Leases leave nothing behind: 60 in one engine here, 1,000 in tests/deep/leases.test.ts. */
import { beforeAll, describe, expect, it } from 'vitest';
import { runLeases, type LeaseRuns } from './lease-runs.ts';

const LEASES = 60;
const PER_SCENE = 5;
/** Four scenes of which three are kept: after one round every lease is like one before. */
const SETTLED = 4 * PER_SCENE;

describe(`${LEASES} leases over more scenes than an engine keeps`, () => {
  let runs: LeaseRuns;
  beforeAll(async () => {
    runs = await runLeases(LEASES, PER_SCENE);
  });

  it('leave as many buffers and textures on the device as the first round did', () => {
    for (let lease = SETTLED; lease < LEASES; lease++) expect(runs.live[lease]).toBe(runs.live[SETTLED - 1]);
  });

  it('make buffers, textures and bind groups when a scene is uploaded, and none when one is traced again', () => {
    for (let lease = SETTLED; lease < LEASES; lease++) {
      const again = lease % PER_SCENE > 1;
      if (again) expect([runs.made[lease], runs.bound[lease]]).toEqual([runs.made[lease - 1], runs.bound[lease - 1]]);
    }
    expect(runs.made.at(-1)).toBeGreaterThan(runs.made[SETTLED - 1]!);
  });

  it('do not make the process grow by more than a little', () => {
    expect(runs.residentBytes.at(-1)! - runs.residentBytes[SETTLED]!).toBeLessThan(64 * 1024 * 1024);
  });

  it('were all counted', () => {
    expect(runs.times.counts.reduce((a, b) => a + b, 0)).toBeGreaterThanOrEqual(LEASES);
  });
});
