/**
 * The pacer against model devices: each turns a number of paths into milliseconds by a rule, two
 * dispatches are in flight as in the tracer, and what is asserted is how long dispatches took.
 */
import { describe, expect, it } from 'vitest';
import { DISPATCH_MS_CAP } from '#lib/protocol/limits.ts';
import { LANE_PATHS_MAX } from '#workers/render/lane.ts';
import { FIRST_PATHS, Pacer } from '#workers/render/pacer.ts';

const SAMPLES = 16;

/** Milliseconds of a dispatch of so many paths, the nth. */
type Device = (paths: number, n: number) => number;

/** @returns the milliseconds of each dispatch, and its paths. */
function run(pacer: Pacer, device: Device, dispatches: number, most = LANE_PATHS_MAX): { ms: number[]; paths: number[] } {
  const flying: number[] = [];
  const out = { ms: [] as number[], paths: [] as number[] };
  for (let n = 0; n < dispatches; n++) {
    while (flying.length < 2) flying.push(pacer.pixels(SAMPLES, 1e9, most) * SAMPLES);
    const paths = flying.shift()!;
    const ms = device(paths, n);
    pacer.note(paths, ms);
    out.ms.push(ms);
    out.paths.push(paths);
  }
  return out;
}

const even =
  (pathsPerMs: number, latencyMs = 0): Device =>
  (paths) =>
    latencyMs + paths / pathsPerMs;
const last = (values: readonly number[], count: number): number[] => values.slice(-count);
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe('on an even device', () => {
  for (const [name, perMs] of [
    ['a software adapter', 30],
    ['an integrated GPU', 3_000],
    ['a fast GPU', 30_000],
  ] as const) {
    it(`dispatches of ${name} take 40 to 60 ms where nobody looks and 8 to 12 where somebody does, and none exceeds the cap on the way`, () => {
      const pacer = new Pacer();
      // Lanes bound what a fast device is given; here the budget is what is looked at.
      const idle = run(pacer, even(perMs), 200, 1e9);
      expect(Math.max(...idle.ms)).toBeLessThanOrEqual(60);
      expect(mean(last(idle.ms, 50))).toBeGreaterThan(40);
      pacer.place('foreground');
      const front = run(pacer, even(perMs), 100, 1e9);
      expect(Math.max(...last(front.ms, 90))).toBeLessThanOrEqual(12);
      expect(mean(last(front.ms, 50))).toBeGreaterThan(8);
    });
  }

  it('the first dispatches are small, and each step up follows a measurement', () => {
    const { paths } = run(new Pacer(), even(1e6), 12);
    expect(paths.slice(0, 2)).toEqual([FIRST_PATHS, FIRST_PATHS]);
    paths.slice(2).forEach((now, i) => expect(now).toBeLessThanOrEqual(4 * paths[i]!));
    expect(paths.at(-1)).toBeGreaterThan(100 * FIRST_PATHS);
  });

  it('no dispatch exceeds what a lane holds or what is left, and none is less than a pixel', () => {
    const pacer = new Pacer();
    expect(Math.max(...run(pacer, even(1e9), 40).paths)).toBe(LANE_PATHS_MAX);
    expect(pacer.pixels(SAMPLES, 3, LANE_PATHS_MAX)).toBe(3);
    pacer.note(64, 10_000);
    expect(pacer.pixels(1024, 100, LANE_PATHS_MAX)).toBe(1);
  });
});

describe('on a device that takes a while for anything', () => {
  it('does not shrink dispatches to nothing for it: half of the time is work', () => {
    const pacer = new Pacer();
    pacer.place('foreground');
    const { ms } = run(pacer, even(20, 15), 200);
    expect(mean(last(ms, 50))).toBeGreaterThan(2 * 15 * 0.8);
    expect(Math.max(...ms)).toBeLessThan(DISPATCH_MS_CAP);
  });

  it('does where the time is work: a control', () => {
    const pacer = new Pacer();
    pacer.place('foreground');
    expect(mean(last(run(pacer, even(20), 200).ms, 50))).toBeLessThan(12);
  });
});

describe('a picture whose parts differ', () => {
  it('in cost by 5 between rows keeps every dispatch below the cap, once it was met', () => {
    const rows: Device = (paths, n) => (paths / 100) * (n % 20 < 10 ? 1 : 5);
    const { ms } = run(new Pacer(), rows, 400);
    expect(last(ms, 360).filter((took) => took > DISPATCH_MS_CAP)).toEqual([]);
  });

  it('leaves no such room on an even one: a control', () => {
    const even100 = run(new Pacer(), even(100), 400);
    const uneven = run(new Pacer(), (paths, n) => (paths / 100) * (n % 20 < 10 ? 1 : 5), 400);
    expect(mean(last(even100.paths, 100))).toBeGreaterThan(1.5 * mean(last(uneven.paths, 100)));
  });

  it('is begun softly: another request with a quarter, another view with a sixteenth, another scene anew', () => {
    const pacer = new Pacer();
    const { paths } = run(pacer, even(1_000), 100);
    const grown = paths.at(-1)!;
    const next = (): number => pacer.pixels(SAMPLES, 1e9, LANE_PATHS_MAX) * SAMPLES;
    pacer.begin('sameFrame');
    expect(next()).toBeGreaterThan(grown / 6);
    expect(next()).toBeLessThan(grown / 3);
    run(pacer, even(1_000), 100);
    pacer.begin('otherFrame');
    expect(next()).toBeLessThan(grown / 12);
    expect(next()).toBeGreaterThan(FIRST_PATHS);
    pacer.restart();
    expect(next()).toBe(FIRST_PATHS);
  });
});

describe('a spike', () => {
  it('makes the next dispatches smaller at once, and they recover', () => {
    const pacer = new Pacer();
    const { paths } = run(pacer, even(100), 100);
    const before = paths.at(-1)!;
    pacer.note(before, 90);
    const after = pacer.pixels(SAMPLES, 1e9, LANE_PATHS_MAX) * SAMPLES;
    expect(after).toBeLessThan(0.6 * before);
    expect(run(pacer, even(100), 60).paths.at(-1)).toBeGreaterThan(0.8 * before);
  });

  it('of a small last dispatch is not taken for speed', () => {
    const pacer = new Pacer();
    const before = run(pacer, even(100), 100).paths.at(-1)!;
    pacer.note(SAMPLES, 0.01);
    expect(pacer.pixels(SAMPLES, 1e9, LANE_PATHS_MAX) * SAMPLES).toBeLessThan(1.2 * before);
  });
});

describe('a lost device', () => {
  it('halves the budget each time, down to a millisecond, and good dispatches win it back', () => {
    const pacer = new Pacer();
    run(pacer, even(100), 100);
    const budget = pacer.budgetMs;
    pacer.halve();
    run(pacer, even(100), 40);
    expect(pacer.budgetMs).toBeCloseTo(budget / 2, 0);
    for (let i = 0; i < 20; i++) pacer.halve();
    expect(pacer.budgetMs).toBe(1);
    run(pacer, even(100), 3_000);
    expect(pacer.budgetMs).toBeGreaterThan(0.9 * budget);
  });

  it('is not won back by dispatches that exceed the cap', () => {
    const pacer = new Pacer();
    pacer.halve();
    for (let i = 0; i < 1_000; i++) pacer.note(64, DISPATCH_MS_CAP + 1);
    expect(pacer.budgetMs).toBeLessThanOrEqual(25);
  });
});

describe('the histogram', () => {
  it('counts every dispatch in its bin, and those above the cap in the last', () => {
    const pacer = new Pacer();
    for (const ms of [0.5, 1, 1.5, 11, DISPATCH_MS_CAP, DISPATCH_MS_CAP + 1, 5_000]) pacer.note(64, ms);
    const { edgesMs, counts, longestMs } = pacer.histogram.read();
    const of = (edge: number): number => counts[edgesMs.indexOf(edge)]!;
    expect([of(1), of(2), of(12), of(DISPATCH_MS_CAP), counts.at(-1)]).toEqual([2, 1, 1, 1, 2]);
    expect(counts.reduce((a, b) => a + b, 0)).toBe(7);
    expect(longestMs).toBe(5_000);
  });
});
