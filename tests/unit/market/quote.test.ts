/** Noise of tiles and what a film says of it, and quotes made of that: pure decisions, each with what it must not do. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FILM_BYTES_PER_PIXEL, viewOfFilm, writePixel } from '#lib/job/film.ts';
import { passes } from '#lib/job/plan.ts';
import { quoteOf, regionsOf, samplesWithin, timesQuote, workOf } from '#lib/market/estimate.ts';
import { noiseAfter, NOISE_SAMPLES_MIN, NoiseSums, quietEnough, samplesFor, tileNoise, type TileNoise } from '#lib/market/noise.ts';
import { capFloor, worstPrice } from '#lib/market/price.ts';
import { DEFAULT_POLICY } from '#lib/server/policy.ts';
import { seeded } from '../../sim/market/scenarios.ts';

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
    // No tile is judged by fewer than 16 samples nor by its newest pass, so none has fewer than 32.
    expect(wanted).toEqual([32, 32, 128, 256, 256]);
    for (const samples of wanted) expect(sums).toContain(samples);
    expect(samplesFor({ ...tile, luminance: 0, variance: 0 }, 0, 0.1, order)).toBe(2 * NOISE_SAMPLES_MIN);
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
          const now = {
            pixels,
            samples,
            luminance,
            variance: (64 * shining) / pixels / samples - luminance * luminance,
            segments: 1,
            spread: 0,
          };
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

describe('what a film says of noise and work', () => {
  /** A film of pixels that shine with `light` and trace `segments` rays in all. */
  const flat = (pixels: number, light: number, segments: (pixel: number) => number): Uint8Array => {
    const film = new Uint8Array(pixels * FILM_BYTES_PER_PIXEL);
    const none = { albedo: [0, 0, 0], normal: [0, 0, 0], coverage: 0, depth: 0, object: 0, moment: light * light } as const;
    for (let p = 0; p < pixels; p++) writePixel(viewOfFilm(film), p, { ...none, light: [light, light, light], segments: segments(p) });
    return film;
  };

  test('is told of any part of the picture, once each of its pixels has two samples', () => {
    const sums = new NoiseSums({ width: 4, height: 2 });
    sums.add(
      { x: 0, y: 0, width: 2, height: 2 },
      flat(4, 1, () => 3),
      1,
    );
    const left = { x: 0, y: 0, width: 2, height: 2 };
    expect(sums.of(left)).toBeNull();
    sums.add(
      left,
      flat(4, 3, () => 5),
      1,
    );
    // Light 1 and 3: mean 2, variance 2. Rays 3 and 5: mean 4, variance 2.
    expect(sums.of(left)).toEqual({
      pixels: 4,
      samples: 2,
      luminance: expect.closeTo(2, 6),
      variance: expect.closeTo(2, 6),
      segments: 4,
      spread: 2,
    });
    expect(sums.of({ x: 1, y: 0, width: 2, height: 2 })).toBeNull();
  });

  test('that pixels differ is no spread of paths', () => {
    const tile = { x: 0, y: 0, width: 8, height: 1 };
    const sums = new NoiseSums(tile);
    for (let pass = 0; pass < 2; pass++)
      sums.add(
        tile,
        flat(8, 1, (pixel) => 4 * pixel),
        4,
      );
    expect(sums.of(tile)).toMatchObject({ segments: 3.5, spread: 0 });
  });

  test('is cut as the order’s tiles are, and coarser where the preview is too small for them', () => {
    const sums = new NoiseSums({ width: 96, height: 54 });
    const all = { x: 0, y: 0, width: 96, height: 54 };
    for (let pass = 0; pass < 2; pass++)
      sums.add(
        all,
        flat(96 * 54, 1, () => 2),
        1,
      );
    const [still, wall] = [regionsOf({ width: 1280, height: 720 }, all, sums), regionsOf({ width: 8192, height: 4608 }, all, sums)];
    // 1280 × 720 is 10 × 6 tiles of 128; 8192 pixels are 8 squares of 1,024.
    expect([still.length, wall.length]).toEqual([60, 40]);
    for (const regions of [still, wall]) expect(regions.reduce((sum, { pixels }) => sum + pixels, 0)).toBe(96 * 54);
    expect(regionsOf({ width: 1280, height: 720 }, all, new NoiseSums(all))).toEqual([]);
  });
});

describe('a quote', () => {
  const order = { width: 100, height: 100, samples: 64, passSamples: 64, bounces: 8 };
  const leaf = (segments: number, variance = 1, spread = 0): TileNoise => ({
    ...{ pixels: 64, samples: 16, luminance: 1 },
    ...{ variance, segments, spread },
  });

  test('is of the work of its regions, wider where paths differ, and not where regions do', () => {
    const uneven = workOf(order, [leaf(2), leaf(5), leaf(8)], null);
    expect(uneven).toMatchObject({ segments: 5 * 64 * 10_000, low: 5 * 64 * 10_000, high: 5 * 64 * 10_000, samples: 64 });
    const spread = workOf(order, [leaf(2, 1, 4), leaf(5, 1, 4), leaf(8, 1, 4)], null);
    expect(spread.segments).toBe(uneven.segments);
    // Variance 4 over 3,072 paths of the preview and 640,000 of the job; of a net's error 0.7 of it, 1.645 times.
    expect(spread.high / spread.segments - 1).toBeCloseTo((1.645 * 0.75 * Math.sqrt(4 / 3072 + 4 / 640_000)) / 5, 6);
    expect(spread.low * spread.high).toBeCloseTo(spread.segments ** 2, -3);
    expect(() => workOf(order, [], null)).toThrow(RangeError);
  });

  test('of a noise samples grainy regions more, and is less sure of how many', () => {
    const many = { ...order, samples: 1024 };
    const calm = workOf(many, [leaf(5, 1), leaf(5, 1)], 0.1);
    const grainy = workOf(many, [leaf(5, 1), leaf(5, 4)], 0.1);
    expect(grainy.segments).toBeGreaterThan(calm.segments);
    expect(calm.samples).toBeLessThan(1024);
    expect(grainy.low < grainy.segments && grainy.segments < grainy.high).toBe(true);
    // What every tile needs at least, or the order allows at most, is sure.
    expect(workOf(many, [leaf(5, 0), leaf(5, 0)], 0.1)).toMatchObject({ samples: 32, low: 5 * 32 * 10_000, high: 5 * 32 * 10_000 });
    expect(samplesWithin(many, [leaf(5, 1), leaf(5, 4)], 0.1)).toBeLessThan(1024);
    expect(samplesWithin(many, [], 0.1)).toBe(1024);
  });

  const policy = { ...DEFAULT_POLICY, pricePerWorkUnitMicro: '1000000' };
  const terms = { priceMicro: 1_000_000n, policy };

  test('says whose it is, in whole micro-tokens that sum, at any price and cost; its cap is kept below the worst case', () => {
    fc.assert(
      fc.property(
        fc.bigInt(1n, 10n ** 12n),
        fc.integer({ min: 1, max: 50_000 }),
        fc.integer({ min: 1, max: 9 }),
        (priceMicro, cost, frames) => {
          const wanted = { ...order, costPerMille: cost };
          const quote = timesQuote(quoteOf(wanted, [leaf(3, 1, 2), leaf(9, 1, 2)], { priceMicro, policy }), frames);
          const { workerMicro, checkerMicro, feeMicro } = quote.split;
          expect(workerMicro + checkerMicro + feeMicro).toBe(quote.estimateMicro);
          expect(quote.lowMicro <= quote.estimateMicro && quote.estimateMicro <= quote.highMicro).toBe(true);
          const floor = capFloor(wanted, BigInt(policy.pricePerWorkUnitMicro));
          // Two digits are rounded up.
          const most = (worstPrice(wanted, priceMicro) * 11n) / 10n + 1n;
          expect(quote.capMicro >= floor * BigInt(frames)).toBe(true);
          expect(quote.capMicro <= (most > floor ? most : floor) * BigInt(frames)).toBe(true);
        },
      ),
    );
  });

  test('caps at twice what is expected, in two digits, with every sample that a noise allows', () => {
    const regions = [leaf(5.01701)];
    const picture = { ...order, width: 1000, height: 1000, samples: 100 };
    expect(quoteOf(picture, regions, terms)).toMatchObject({ estimateMicro: 501_701n, capMicro: 1_100_000n, measured: true });
    const noisy = quoteOf({ ...picture, noisePpm: 500_000 }, regions, terms);
    expect(noisy.estimateMicro).toBeLessThan(501_701n);
    expect(noisy.capMicro).toBe(1_100_000n);
    // Where other markets are cheaper than the operator, a job still needs what the operator's floor says.
    expect(quoteOf(picture, regions, { priceMicro: 1n, policy }).capMicro).toBe(100_000n);
  });

  test('without a preview is a guess, whose ends are those of any picture', () => {
    const guess = quoteOf(order, [], terms);
    expect(guess).toMatchObject({ measured: false, work: { low: 640_000, high: 640_000 * 19, noise: null } });
  });
});
