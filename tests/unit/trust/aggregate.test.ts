/** The sequential test: finds thin cheats that every leaf test passes, leaves honest workers alone, and believes no single checker. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALARM_AT, alarms, FRESH, observe, stands, type Observation } from '#lib/trust/aggregate.ts';
import { DEFAULT_RULES } from '#lib/trust/rules.ts';
import { NEWCOMER, observed, settled } from '#lib/trust/standing.ts';
import { seededRandom } from '../../sim/virtual-clock.ts';

const PATHS = 8192;
const of = (share: number, biasPpm = 0, checker = 'a'): Observation => ({
  checker,
  paths: PATHS,
  pathsEqual: Math.round(PATHS * (1 - share)),
  biasPpm,
});

/** Checks until the alarm, or null. */
function checksUntil(next: (i: number) => Observation, most: number): number | null {
  let now = FRESH;
  for (let i = 0; i < most; i++) if (alarms((now = observe(now, next(i), DEFAULT_RULES)))) return i + 1;
  return null;
}

describe('the running test', () => {
  it('finds a skim of a twentieth within twenty checks and of a fiftieth within fifty', () => {
    expect(checksUntil(() => of(0.05), 100)).toBeLessThanOrEqual(20);
    expect(checksUntil(() => of(0.02), 100)).toBeLessThanOrEqual(50);
  });

  it('finds a bias of one per cent either way within a hundred checks, where all paths agree', () => {
    expect(checksUntil(() => of(0, 5_000), 200)).toBeLessThanOrEqual(100);
    expect(checksUntil(() => of(0, -5_000), 200)).toBeLessThanOrEqual(100);
  });

  it('finds a cheat that was honest for long as fast as one that never was', () => {
    const late = checksUntil((i) => (i < 10_000 ? of(0.0005) : of(0.05)), 20_000)!;
    expect(late - 10_000).toBeLessThanOrEqual(20);
  });

  it('leaves 100,000 honest checks alone: devices that part now and then, on whole leaves, with bright paths among them', () => {
    const random = seededRandom(3);
    const honest = (): Observation => {
      const parts = random() < 0.02 ? 0.1 * random() : 0.0005 * random();
      const bright = random() < 0.05 ? (random() - 0.5) * 200_000 : (random() - 0.5) * 200;
      return of(parts, Math.round(bright));
    };
    expect(checksUntil(honest, 100_000)).toBeNull();
  });

  it('never falls below what one check can cost, nor grows without bound', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: -1_000_000, max: 1_000_000 }))),
        (checks) => {
          let now = FRESH;
          for (const [share, bias] of checks) now = observe(now, of(share, bias), DEFAULT_RULES);
          for (const value of Object.values(now)) expect(value >= 0.5 && value <= 1e30).toBe(true);
        },
      ),
    );
  });

  it('learns nothing from a check that traced nothing', () => {
    expect(observe(FRESH, { checker: 'a', paths: 0, pathsEqual: 0, biasPpm: 0 }, DEFAULT_RULES)).toEqual(FRESH);
  });
});

describe('an alarm', () => {
  const seen = (count: number, checker: (i: number) => string): Observation[] =>
    Array.from({ length: count }, (_, i) => of(0.05, 0, checker(i)));

  it('convicts when it stands without any one checker', () => {
    expect(
      stands(
        seen(60, (i) => 'abc'[i % 3]!),
        DEFAULT_RULES,
      ),
    ).toBe(true);
    expect(
      stands(
        seen(60, () => 'a'),
        DEFAULT_RULES,
      ),
    ).toBe(false);
    // One slanders, two say what is.
    const slander = Array.from({ length: 300 }, (_, i) => of(i % 3 === 0 ? 0.1 : 0.0005, 0, 'abc'[i % 3]!));
    expect(stands(slander, DEFAULT_RULES)).toBe(false);
  });

  it('suspects a worker on one checker’s word and faults it on several’s', () => {
    const run = (checker: (i: number) => string, until: string) => {
      let standing = settled(NEWCOMER, 5n);
      const sofar: Observation[] = [];
      for (let i = 0; i < 200; i++) {
        sofar.push(of(0.05, 0, checker(i)));
        const next = observed(standing, sofar, DEFAULT_RULES);
        standing = next.standing;
        if (next.alarm === until) return { ...next, checks: i + 1 };
      }
      return null;
    };
    expect(run(() => 'a', 'suspect')).toMatchObject({ standing: { faults: 0, passes: 0 } });
    expect(run(() => 'a', 'fault')).toBeNull();
    expect(run((i) => 'ab'[i % 2]!, 'fault')!.checks).toBeLessThanOrEqual(40);
    expect(run((i) => 'abcdefghijklmnop'[i % 16]!, 'fault')!.checks).toBeLessThanOrEqual(20);
  });

  it('is as likely as its level says and no more: a stake won at once is the only way', () => {
    // The largest single win is 1 + 0.5 (1 − 0.01) / 0.01 = 50.5: three failing leaves in a row do not reach it.
    let now = FRESH;
    for (let i = 0; i < 3; i++) now = observe(now, of(1), DEFAULT_RULES);
    expect(now.differing).toBeLessThan(ALARM_AT);
    expect(alarms(observe(now, of(1), DEFAULT_RULES))).toBe(true);
  });
});
