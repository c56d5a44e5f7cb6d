/** The market's charts as points: what crosses crosses in the picture too, and nothing leaves the unit square. */
import { expect, test } from 'vitest';
import { depthOf, historyOf, units } from '#lib/state/market-curves.ts';
import type { DepthLine } from '#lib/protocol/market.ts';

const line = (price: number, milliUnits: number): DepthLine => ({ priceMicro: BigInt(price), milliUnits });

test('supply rises and demand falls with the price, and both meet where they cross', () => {
  const depth = depthOf({ asks: [line(90, 1000), line(110, 1000)], bids: [line(120, 1000), line(95, 1000)] }, 100n)!;
  for (const [x, y] of [...depth.supply, ...depth.demand]) expect(x >= 0 && x <= 1 && y >= 0 && y <= 1).toBe(true);
  const heightAt = (points: readonly (readonly [number, number])[], x: number): number => points.findLast(([at]) => at <= x)![1];
  expect(heightAt(depth.supply, depth.priceX)).toBe(0.5);
  expect(heightAt(depth.demand.toReversed(), depth.priceX)).toBe(0.5);
  expect(depth.supply.at(-1)![1]).toBeLessThan(depth.supply[0]![1]);
});

test('a demand a thousand times the supply does not press the supply flat', () => {
  const depth = depthOf({ asks: [line(100, 1000)], bids: [line(100, 1_000_000)] }, 100n)!;
  expect(depth.most).toBe(3);
  expect(depthOf({ asks: [], bids: [] }, 100n)).toBeNull();
});

test('history is drawn from two rounds on, up to now', () => {
  const round = (n: number, price: number) => ({ round: n, atMs: n * 1000, priceMicro: BigInt(price), milliUnits: 100 * n });
  expect(historyOf([round(0, 100)], 5_000)).toBeNull();
  const drawn = historyOf([round(0, 100), round(1, 200)], 4_000)!;
  expect(drawn.prices[0]![0]).toBe(0);
  expect(drawn.prices.at(-1)![0]).toBe(1);
  expect(drawn.prices[0]![1]).toBeGreaterThan(drawn.prices.at(-1)![1]);
  expect(drawn.bars.map(({ height }) => height)).toEqual([0, 1]);
});

test('few units keep their digits', () => {
  expect([units(0.0123), units(3.456), units(1_234)]).toEqual(['0.012', '3.5', '1.23 k']);
});
