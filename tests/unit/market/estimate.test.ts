/** Asks and bids, tails and caps, noise and quotes: pure decisions, each with what it must not do. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FILM_BYTES_PER_PIXEL, viewOfFilm, writePixel } from '#lib/job/film.ts';
import { passes } from '#lib/job/plan.ts';
import { automaticAsk, bidOf, unitsOf } from '#lib/market/ask.ts';
import { priceOfWork, workOf } from '#lib/market/estimate.ts';
import { costAgrees, costPerMille, meterLeaves } from '#lib/market/metering.ts';
import { noiseAfter, NOISE_SAMPLES_MIN, quietEnough, samplesFor, tileNoise, type TileNoise } from '#lib/market/noise.ts';
import { duplicate, stopAt, tailLeases, type RunningLease } from '#lib/market/tail.ts';
import { LEASES_PER_WORKER_MAX } from '#lib/protocol/limits.ts';
import { TIERS, tierOf, tiersServed } from '#lib/market/tiers.ts';
import { seeded } from '../../sim/market/scenarios.ts';

describe('an ask', () => {
  test('pays for electricity and a margin, and falls with speed', () => {
    // 360 W for 10 s are a watt hour: at 0.3 tokens per kWh 300 micro-tokens, and a quarter more.
    expect(automaticAsk({ watts: 360, kwhMicro: 300_000, workUnitsPerSecond: 0.1 })).toBe(375n);
    expect(automaticAsk({ watts: 360, kwhMicro: 300_000, workUnitsPerSecond: 1 })).toBe(38n);
    expect(automaticAsk({ watts: 0, kwhMicro: 0, workUnitsPerSecond: 0 })).toBe(1n);
  });
});

describe('a bid', () => {
  const order = { bounces: 4, capMicro: '6000' };
  const wants = { order, pathsLeft: 1_000_000_000, settledPaths: 0, settledSegments: 0, spentMicro: 0n };

  test('is what the cap leaves for each work unit, by what was measured, and no less than the reference', () => {
    expect(bidOf(wants, 1n)).toEqual({ priceMicro: 1_000n, units: 6_000n });
    expect(bidOf({ ...wants, settledPaths: 10, settledSegments: 30 }, 1n)).toEqual({ priceMicro: 2_000n, units: 3_000n });
    expect(bidOf({ ...wants, spentMicro: 6_000n }, 77n).priceMicro).toBe(77n);
  });

  test('is the creator’s own limit where there is one, also below the reference', () => {
    expect(bidOf({ ...wants, order: { ...order, priceMaxMicro: '5' } }, 77n).priceMicro).toBe(5n);
  });

  test('wants at least one unit, and more of them in a scene whose rays cost more', () => {
    expect(unitsOf(1, 1000)).toBe(1n);
    expect(unitsOf(1e9, 2500)).toBe(2_500n);
  });
});

describe('tiers', () => {
  const needs = (gib: number) => ({ sceneNeeds: { bytes: gib * 1024 ** 3, bindingBytes: 1 } });
  test('are by what a scene takes and whom it wants; a worker serves its own and all below', () => {
    expect([needs(0.5), needs(1), needs(1.1), needs(5), needs(30)].map(tierOf)).toEqual(['any-s', 'any-s', 'any-m', 'any-l', 'any-xl']);
    expect(tierOf({ ...needs(2), proven: true })).toBe('proven-m');
    expect(tiersServed(5 * 1024 ** 3, false)).toEqual(['any-m', 'any-s']);
    expect(tiersServed(1000, true)).toEqual(['proven-s', 'any-s']);
    const served = tiersServed(Infinity, true);
    expect(served).toEqual(TIERS.filter((tier) => served.includes(tier)));
    expect(served).toHaveLength(TIERS.length);
  });
});

describe('the tail of a job', () => {
  const job = { slots: 200, left: 5 };
  const lease = (name: string, over: Partial<RunningLease> = {}): RunningLease => ({
    ...{ lease: name, worker: 'slow', grantedMs: 0, expectedMs: 60_000, doubled: false },
    ...over,
  });
  const fast = { worker: 'fast', needsMs: () => 5_000 };

  test('gives the lease that ends last to somebody faster, once', () => {
    expect(tailLeases(200)).toBe(10);
    const running = [lease('a'), lease('b', { expectedMs: 90_000 })];
    expect(duplicate(job, running, fast, 10_000)?.lease).toBe('b');
    expect(duplicate(job, [running[0]!, { ...running[1]!, doubled: true }], fast, 10_000)?.lease).toBe('a');
  });

  test('and to nobody before the tail, to the same worker, or to one as slow', () => {
    const running = [lease('a')];
    expect(duplicate({ ...job, left: 10 }, running, fast, 10_000)?.lease).toBe('a');
    expect(duplicate({ ...job, left: 11 }, running, fast, 10_000)).toBeNull();
    expect(duplicate(job, running, { ...fast, worker: 'slow' }, 10_000)).toBeNull();
    // 50 s are left of it.
    expect(duplicate(job, running, { worker: 'fast', needsMs: () => 24_999 }, 10_000)?.lease).toBe('a');
    expect(duplicate(job, running, { worker: 'fast', needsMs: () => 25_000 }, 10_000)).toBeNull();
  });

  test('one that is overdue, or of unknown speed, is thought to take as long again', () => {
    for (const expectedMs of [60_000, null]) {
      const running = [lease('a', { expectedMs })];
      expect(duplicate(job, running, { worker: 'fast', needsMs: () => 49_999 }, 100_000)?.lease).toBe('a');
      expect(duplicate(job, running, { worker: 'fast', needsMs: () => 50_000 }, 100_000)).toBeNull();
    }
    // Of its 60 s a second is left: it is not done twice because it took so long.
    expect(duplicate(job, [lease('a')], fast, 59_000)).toBeNull();
  });

  test('of a small job is what one worker may hold', () => {
    expect(tailLeases(1)).toBe(LEASES_PER_WORKER_MAX);
    expect(tailLeases(59)).toBe(LEASES_PER_WORKER_MAX);
    expect(tailLeases(60)).toBe(3);
  });

  test('a job whose cap pays less than half of its work finishes what runs, or stops, as its order says', () => {
    const money = { slots: 4, settled: 4, workMicro: 24n, spentMicro: 10n };
    expect(stopAt({ atCap: 'cancel' }, money)).toBe('lease');
    const short = { ...money, workMicro: 25n };
    expect(stopAt({}, short)).toBe('finish');
    expect(stopAt({ atCap: 'finish' }, short)).toBe('finish');
    expect(stopAt({ atCap: 'cancel' }, short)).toBe('cancel');
  });
});

/** A film of grey pixels whose samples are `mean` or nothing, half and half in expectation. */
function coins(random: () => number, pixels: number, samples: number, mean: number): { light: Uint8Array; samples: number } {
  const light = new Uint8Array(pixels * FILM_BYTES_PER_PIXEL);
  const view = viewOfFilm(light);
  const none = { albedo: [0, 0, 0], normal: [0, 0, 0], coverage: 0, depth: 0, object: 0 } as const;
  for (let pixel = 0; pixel < pixels; pixel++) {
    let [sum, moment] = [0, 0];
    for (let i = 0; i < samples; i++) {
      const value = random() < 0.5 ? 2 * mean : 0;
      sum += value;
      moment += value * value;
    }
    writePixel(view, pixel, { ...none, light: [sum, sum, sum], moment, segments: 4 * samples });
  }
  return { light, samples };
}

describe('noise', () => {
  const order = { samples: 256, passSamples: 64 };
  const tile = tileNoise([coins(seeded(1), 1024, 16, 1)])!;

  test('is the standard error that the samples imply', () => {
    // Each sample is 0 or 2: mean 1, variance 1; a tenth of the picture's light is added to the tile's own.
    expect(tile.luminance).toBeCloseTo(1, 1);
    expect(tile.variance).toBeCloseTo(1, 1);
    expect(tile.segments).toBe(4);
    expect(noiseAfter(tile, tile.luminance, 100)).toBeCloseTo(0.1 / 1.1, 2);
  });

  test('asks for a whole number of passes, more for less noise, and never for more than was ordered', () => {
    const sums = [0];
    for (const { count } of passes(order)) sums.push(sums.at(-1)! + count);
    const wanted = [0.5, 0.2, 0.1, 0.05, 0.01].map((target) => samplesFor(tile, 1, target, order));
    expect(wanted).toEqual([16, 32, 128, 256, 256]);
    for (const samples of wanted) expect(sums).toContain(samples);
    expect(samplesFor({ ...tile, luminance: 0, variance: 0 }, 0, 0.1, order)).toBe(NOISE_SAMPLES_MIN);
  });

  test('never ends a tile by its newest pass, nor by too few samples', () => {
    expect(quietEnough(tile, 1, 0.2, 32)).toBe(true);
    expect(quietEnough(tile, 1, 0.1, 32)).toBe(false);
    expect(quietEnough({ ...tile, samples: 8 }, 1, 0.2, 32)).toBe(false);
    expect(quietEnough(null, 1, 0.2, 32)).toBe(false);
  });

  test('stopping by it does not move the mean of a tile of the smallest size; of a pixel by itself it would', () => {
    // A skewed light of mean 1: one sample in eight shines. The target lies where tiles part ways after 64 samples.
    const target = Math.sqrt(7 / 64) / 1.1;
    const plan = passes({ samples: 256, passSamples: 64 });
    const meanOfTiles = (pixels: number, runs: number): { mean: number; stops: Set<number> } => {
      const random = seeded(5);
      const stops = new Set<number>();
      let means = 0;
      for (let run = 0; run < runs; run++) {
        let [shining, samples] = [0, 0];
        let before: TileNoise | null = null;
        for (const { count } of plan) {
          for (let i = 0; i < pixels * count; i++) if (random() < 0.125) shining++;
          samples += count;
          const luminance = (8 * shining) / pixels / samples;
          const now = { pixels, samples, luminance, variance: (64 * shining) / pixels / samples - luminance * luminance, segments: 1 };
          if (quietEnough(before, 1, target, samples)) break;
          before = now;
        }
        stops.add(samples);
        means += (8 * shining) / pixels / samples;
      }
      return { mean: means / runs, stops };
    };
    const tiles = meanOfTiles(1024, 120);
    expect(tiles.stops.size).toBeGreaterThan(1);
    // Standard error: sqrt(7 / 64 / 1024 / 120) = 0.0009.
    expect(Math.abs(tiles.mean - 1)).toBeLessThan(0.003);
    expect(Math.abs(meanOfTiles(1, 20_000).mean - 1)).toBeGreaterThan(0.01);
  });
});

describe('a quote', () => {
  const order = { width: 100, height: 100, samples: 64, passSamples: 64 };
  const leaf = (segments: number, variance = 1): TileNoise => ({ pixels: 64, samples: 16, luminance: 1, variance, segments });

  test('is of the work of its leaves, wider where they differ, and a point where they do not', () => {
    const even = workOf(order, [leaf(5), leaf(5), leaf(5)], null);
    expect(even).toMatchObject({ segments: 5 * 64 * 10_000, low: 5 * 64 * 10_000, high: 5 * 64 * 10_000, samples: 64 });
    const uneven = workOf(order, [leaf(2), leaf(5), leaf(8)], null);
    expect(uneven.segments).toBe(even.segments);
    expect(uneven.low < even.low && uneven.high > even.high && uneven.low > 0).toBe(true);
    expect(() => workOf(order, [leaf(5)], null)).toThrow(RangeError);
  });

  test('of a noise samples grainy leaves more', () => {
    const calm = workOf(order, [leaf(5, 1), leaf(5, 1)], 0.2);
    const grainy = workOf(order, [leaf(5, 1), leaf(5, 4)], 0.2);
    expect(grainy.segments).toBeGreaterThan(calm.segments);
    expect(calm.samples).toBeLessThan(64);
  });

  test('says whose it is, in whole micro-tokens that sum', () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 12n), fc.integer({ min: 1, max: 50_000 }), (price, cost) => {
        const priced = priceOfWork(workOf(order, [leaf(3), leaf(9)], null), { ...order, costPerMille: cost }, price, {
          checkerShare: 80,
          feeShare: 20,
        });
        const { workerMicro, checkerMicro, feeMicro } = priced.split;
        expect(workerMicro + checkerMicro + feeMicro).toBe(priced.estimateMicro);
        expect(priced.lowMicro <= priced.estimateMicro && priced.estimateMicro <= priced.highMicro).toBe(true);
      }),
    );
  });
});

describe('the meter', () => {
  test('looks at the same leaves of a frame everywhere, each once, within it', () => {
    const leaves = meterLeaves({ width: 130, height: 70 });
    expect(leaves).toEqual(meterLeaves({ width: 130, height: 70 }));
    expect(new Set(leaves.map(({ x, y }) => `${x},${y}`)).size).toBe(leaves.length);
    for (const { x, y, width, height } of leaves) expect(x % 8 === 0 && y % 8 === 0 && x + width <= 130 && y + height <= 70).toBe(true);
    expect(meterLeaves({ width: 9, height: 9 })).toHaveLength(4);
  });

  test('counts more for more, in whole numbers; less than it counts is not believed', () => {
    const counted = { segments: 1000, nodeVisits: 5000, triangleTests: 3000, shadingCalls: 500, texelReads: 800 };
    const plain = costPerMille([counted]);
    expect(Number.isInteger(plain)).toBe(true);
    expect(costPerMille([{ ...counted, nodeVisits: 50_000 }])).toBeGreaterThan(plain);
    expect(costPerMille([counted, counted])).toBe(plain);
    expect(costPerMille([])).toBe(1);
    expect(costAgrees(plain, plain)).toBe(true);
    expect(costAgrees(plain, 2 * plain)).toBe(false);
  });
});
