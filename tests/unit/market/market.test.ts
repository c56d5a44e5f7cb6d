/** Asks and bids, tiers, and what a ray costs: pure decisions, each with what it must not do. */
import { describe, expect, test } from 'vitest';
import { askOf, automaticAsk, bidOf, microOf, remainsPerHour, unitsOf, unitsPerSecond, wattsOf } from '#lib/market/ask.ts';
import { costAgrees, costPerMille, meterLeaves, meterPaths, meterPlan } from '#lib/market/metering.ts';
import type { JobOrder } from '#lib/protocol/order.ts';
import { TIERS, tierOf, tiersServed } from '#lib/market/tiers.ts';

describe('an ask', () => {
  test('pays for electricity and a margin, and falls with speed', () => {
    // 360 W for 10 s are a watt hour: at 0.3 tokens per kWh 300 micro-tokens, and a quarter more.
    expect(automaticAsk({ watts: 360, kwhMicro: 300_000, workUnitsPerSecond: 0.1 })).toBe(375n);
    expect(automaticAsk({ watts: 360, kwhMicro: 300_000, workUnitsPerSecond: 1 })).toBe(38n);
    expect(automaticAsk({ watts: 0, kwhMicro: 0, workUnitsPerSecond: 0 })).toBe(1n);
  });

  test('is the operator’s until a speed is measured, and by work, not by rays', () => {
    const power = askOf({ kind: 'power', watts: 360, kwhMicro: 300_000 });
    expect(power(0)).toEqual({});
    expect(power(unitsPerSecond(1e8))).toEqual({ priceMicro: '375' });
    expect(power(unitsPerSecond(1e8, 10_000))).toEqual({ priceMicro: '38' });
    expect(askOf({ kind: 'operator' })(1)).toEqual({});
    expect(askOf({ kind: 'price', priceMicro: 7n })(0)).toEqual({ priceMicro: '7' });
  });

  test('leaves an hour’s share of the price, less electricity where that is known', () => {
    const shares = { checkerShare: 80, feeShare: 20 };
    // Nine tenths of a thousand micro-tokens, a tenth of a unit a second.
    expect(remainsPerHour(1_000n, 0.1, shares, null)).toBeCloseTo(324_000);
    expect(remainsPerHour(1_000n, 0.1, shares, { watts: 360, kwhMicro: 300_000 })).toBeCloseTo(324_000 - 108_000);
    expect(remainsPerHour(100n, 0.1, shares, { watts: 360, kwhMicro: 300_000 })).toBeLessThan(0);
  });

  test.each([
    ['2.5', 2_500_000n],
    ['0.000001', 1n],
    ['0', null],
    ['-1', null],
    ['1e3', null],
    ['0.1234567', null],
    ['9999999999', null],
    ['', null],
  ])('%j tokens are %s', (text, micro) => expect(microOf(text)).toBe(micro));

  test('watts are a number of them', () => expect(['75', '', 'many', '-3', '1e9'].map(wattsOf)).toEqual([75, null, null, null, null]));
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

describe('the meter', () => {
  test('looks at the same leaves of a frame everywhere, each once, within it', () => {
    const leaves = meterLeaves({ width: 130, height: 70 });
    expect(leaves).toEqual(meterLeaves({ width: 130, height: 70 }));
    expect(new Set(leaves.map(({ x, y }) => `${x},${y}`)).size).toBe(leaves.length);
    for (const { x, y, width, height } of leaves) expect(x % 8 === 0 && y % 8 === 0 && x + width <= 130 && y + height <= 70).toBe(true);
    expect(meterLeaves({ width: 9, height: 9 })).toHaveLength(4);
  });

  test('counts the same paths for every size of a shape, and others for another camera or another shape', () => {
    const camera = { eye: [0, 0, 5], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 0.5, lens: null } as const;
    const view = {
      sceneRoot: 'a',
      camera: camera as unknown as JobOrder['camera'],
      transparent: false,
      width: 1280,
      height: 720,
      bounces: 8,
    };
    const plan = meterPlan(view);
    expect(plan.frame).toMatchObject({ width: 96, height: 54, seed: 0 });
    expect(meterPlan({ ...view, width: 3840, height: 2160 })).toEqual(plan);
    expect(meterPlan({ ...view, width: 720, height: 1280 })).not.toEqual(plan);
    expect(meterPlan({ ...view, bounces: 4 })).not.toEqual(plan);
    expect(meterPaths(plan)).toBeLessThanOrEqual(24 * 64);
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
