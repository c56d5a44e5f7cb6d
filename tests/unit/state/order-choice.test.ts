/** What a person chooses for an order, and what is said of it before it is sent. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { TileNoise } from '#lib/market/noise.ts';
import { DEFAULT_POLICY } from '#lib/server/policy.ts';
import { durationRange, tokenRange } from '#lib/state/format.ts';
import { MarketDesk } from '#lib/state/market.svelte.ts';
import { OrderChoice } from '#lib/state/order-choice.svelte.ts';
import { Preview } from '#lib/state/preview.svelte.ts';
import type { MarketTier } from '#lib/protocol/market.ts';

const NEEDS = { bytes: 1_000, bindingBytes: 100 };
const region: TileNoise = { pixels: 64, samples: 16, luminance: 1, variance: 1, segments: 5, spread: 2 };

let preview: Preview;
let market: MarketDesk;
let choice: OrderChoice;
beforeEach(() => {
  preview = new Preview(() => Promise.reject(new Error('there is no engine here')));
  market = new MarketDesk();
  choice = new OrderChoice(preview, market);
});

const tier = (name: string, buyMicro: bigint | null, referenceMicro: bigint): MarketTier => ({
  ...{ tier: name, words: '', referenceMicro, rule: 'posted', askOwners: 0, bidOwners: 0, asks: [], bids: [], history: [] },
  last: buyMicro === null ? null : { round: 1, atMs: 0, rule: 'uniform', buyMicro, sellMicro: buyMicro, milliUnits: 1 },
});

describe('a choice of quality', () => {
  it('is a noise, with no more samples than the hardest part of the picture needs', () => {
    choice.qualityName = 'good';
    expect(choice.samplesOf('good')).toBeNull();
    const { samples: unmeasured } = choice.chosen;
    preview.regions = [region, { ...region, variance: 3 }];
    const { samples, terms } = choice.chosen;
    expect(terms.noisePpm).toBe(80_000);
    expect(samples).toBeLessThan(unmeasured);
    expect(choice.samplesOf('good')!).toBeLessThanOrEqual(samples);
    expect(choice.samplesOf('fine')!).toBeGreaterThan(choice.samplesOf('good')!);
    expect(choice.samplesOf('draft')!).toBeLessThan(choice.samplesOf('good')!);
  });

  it('or as many samples everywhere', () => {
    choice.qualityName = 'custom';
    choice.customSamples = 77;
    expect(choice.chosen).toMatchObject({ samples: 77, terms: {} });
    expect(choice.samplesOf('custom')).toBe(77);
  });
});

describe('limits', () => {
  it('go into the order as they are typed, and what is no number is said and goes nowhere', () => {
    choice.qualityName = 'custom';
    choice.priceText = ' 2.5 ';
    choice.proven = true;
    expect(choice.chosen.terms).toEqual({ priceMaxMicro: '2500000', proven: true });
    expect(choice.fault).toBe('');
    choice.priceText = 'cheap';
    expect(choice.fault).toMatch(/number of tokens/);
    expect(choice.chosen.terms).toEqual({ proven: true });
  });
});

describe('the price', () => {
  const price = (): bigint => choice.priceMicro(DEFAULT_POLICY, NEEDS);

  it('is the operator’s without a market, and the one of the order’s own tier with one', () => {
    expect(price()).toBe(BigInt(DEFAULT_POLICY.pricePerWorkUnitMicro));
    const shares = { floorMicro: 1n, roundMs: 20_000, checkerShare: 80, feeShare: 20, stillMicro: 1n, timeMs: 0 };
    market.view = { ...shares, tiers: [tier('any-s', 70n, 60n), tier('proven-s', null, 90n)] };
    expect(price()).toBe(70n);
    choice.proven = true;
    expect(price()).toBe(90n);
  });

  it('follows what a ray of the scene costs', () => {
    choice.qualityName = 'custom';
    preview.regions = [region];
    const plain = choice.quote(DEFAULT_POLICY, NEEDS);
    preview.costPerMille = 3_000;
    const dear = choice.quote(DEFAULT_POLICY, NEEDS);
    expect(Number(dear.estimateMicro)).toBeCloseTo(3 * Number(plain.estimateMicro), -1);
    expect(dear.lowMicro < dear.estimateMicro && dear.estimateMicro < dear.highMicro).toBe(true);
  });
});

describe('an interval in words', () => {
  it('has as many digits as tell its ends apart, four at most', () => {
    expect(tokenRange(1_180_000n, 1_520_000n)).toBe('1.2 to 1.5');
    expect(tokenRange(1_181_000n, 1_192_000n)).toBe('1.18 to 1.19');
    expect(tokenRange(1_181_001n, 1_181_002n)).toBe('1.181 to 1.181');
    expect(durationRange(61, 130)).toBe('1 to 2.2 min');
    expect(durationRange(4000, 9000)).toBe('1.1 to 2.5 h');
  });
});
