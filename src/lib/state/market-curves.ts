/**
 * The lines of the market's two charts, as points of a picture of the unit square: what is offered and
 * wanted at each price, and what rounds made of it. Floats, for the eye alone.
 */
import { scaled } from './format.ts';
import type { DepthLine, MarketTier } from '../protocol/market.ts';

/** Work units in two digits, however few. */
export const units = (value: number): string => (value >= 100 ? scaled(value) : Number(value.toPrecision(2)).toString());

/** x to the right and y down, both 0 to 1. */
export type Point = readonly [x: number, y: number];

export interface Depth {
  /** Steps from nothing to all that is offered below each price. */
  readonly supply: readonly Point[];
  readonly demand: readonly Point[];
  readonly lowMicro: number;
  readonly highMicro: number;
  /** Work units at the top. */
  readonly most: number;
  /** Of the price that would be made. */
  readonly priceX: number;
}

const cumulated = (lines: readonly DepthLine[]): readonly { price: number; units: number }[] => {
  let units = 0;
  return lines.map(({ priceMicro, milliUnits }) => ({ price: Number(priceMicro), units: (units += milliUnits / 1000) }));
};

/** @returns null where nothing stands. @param priceMicro marked on the way. */
export function depthOf({ asks, bids }: Pick<MarketTier, 'asks' | 'bids'>, priceMicro: bigint): Depth | null {
  const [supply, demand] = [cumulated(asks), cumulated(bids)];
  if (supply.length + demand.length === 0) return null;
  const price = Number(priceMicro);
  // A price far from all others would press the crossing against an edge; it is drawn at that edge instead.
  const all = [...supply, ...demand].map((line) => line.price).filter((one) => one < 4 * price && one > price / 4);
  const low = Math.min(price, ...all) * 0.9;
  const high = Math.max(price, ...all) * 1.1;
  // What is wanted may be a thousand times what is offered: the picture is of what could trade.
  const ends = [supply.at(-1)?.units ?? 0, demand.at(-1)?.units ?? 0];
  const smaller = Math.min(...ends);
  const most = smaller > 0 ? Math.min(Math.max(...ends), smaller * 3) : Math.max(...ends);
  const x = (value: number): number => Math.min(Math.max((value - low) / (high - low), 0), 1);
  const y = (units: number): number => 1 - Math.min(units / most, 1);
  const steps = (lines: readonly { price: number; units: number }[], from: number, to: number): Point[] => {
    let height = y(0);
    const points: Point[] = [[from, height]];
    for (const line of lines) {
      points.push([x(line.price), height]);
      height = y(line.units);
      points.push([x(line.price), height]);
    }
    return [...points, [to, height]];
  };
  return { supply: steps(supply, 0, 1), demand: steps(demand, 1, 0), lowMicro: low, highMicro: high, most, priceX: x(price) };
}

export interface History {
  readonly prices: readonly Point[];
  /** Left, width and height of each bar. */
  readonly bars: readonly { readonly x: number; readonly width: number; readonly height: number }[];
  readonly lowMicro: number;
  readonly highMicro: number;
  /** Work units of the highest bar. */
  readonly most: number;
}

/** Price as steps and volume as bars, over the time that the rounds cover. @returns null for fewer than two. */
export function historyOf(history: MarketTier['history'], nowMs: number): History | null {
  const [first] = history;
  if (!first || history.length < 2) return null;
  const span = Math.max(nowMs - first.atMs, 1);
  const x = (atMs: number): number => Math.min((atMs - first.atMs) / span, 1);
  const prices = history.map(({ priceMicro }) => Number(priceMicro));
  const [low, high] = [Math.min(...prices) * 0.95, Math.max(...prices) * 1.05];
  const most = Math.max(...history.map(({ milliUnits }) => milliUnits), 1) / 1000;
  const points = history.flatMap(({ atMs }, i): Point[] => {
    const y = 1 - (prices[i]! - low) / (high - low);
    return [
      [x(atMs), y],
      [x(history[i + 1]?.atMs ?? nowMs), y],
    ];
  });
  const bars = history.map(({ atMs, milliUnits }, i) => ({
    x: x(atMs),
    width: Math.max((history[i + 1] ? x(history[i + 1]!.atMs) : 1) - x(atMs), 0.002),
    height: milliUnits / 1000 / most,
  }));
  return { prices: points, bars, lowMicro: low, highMicro: high, most };
}
