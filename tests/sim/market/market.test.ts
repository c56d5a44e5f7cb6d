/**
 * Markets of simulated traders against the real rules. `npm run market:simulate` prints the table over
 * more seeds and rounds; here a few must do. A rule that lets its traders name their own price is the control.
 */
import { describe, expect, test } from 'vitest';
import type { Rule } from '#lib/market/clearing.ts';
import { firstReference } from '#lib/market/depth.ts';
import { ownerGain, patientGain, scenesOf, smallGain } from './gains.ts';
import { crowds, SCENARIOS, seeded, type Scenario } from './scenarios.ts';
import { buyerGain, FLOOR, optimum, play, run, sellerGain, welfare, type Crowd, type Outcome, type Trader } from './traders.ts';

const FULL = process.env.PICTOR_MARKET === 'full';
const SEEDS = FULL ? 5 : 1;
/** Rounds in which every lie is tried. */
const SCENES = FULL ? 80 : 10;

const percent = (part: number): string => `${(100 * part).toFixed(2)} %`;
const scenario = (name: string): Scenario => SCENARIOS.find((one) => one.name.includes(name))!;
const efficiency = (outcomes: readonly Outcome[]): number =>
  outcomes.reduce((sum, outcome) => sum + welfare(outcome), 0) / outcomes.reduce((sum, { crowd }) => sum + optimum(crowd), 0);

const played = SCENARIOS.map((one) => ({
  scenario: one,
  runs: Array.from({ length: SEEDS }, (_, seed) => run(crowds(one, seeded(7 + seed)))),
}));

const rulesOf = (outcomes: readonly Outcome[]): string => {
  const counts = new Map<Rule, number>();
  for (const { round } of outcomes) counts.set(round.rule, (counts.get(round.rule) ?? 0) + 1);
  return [...counts].map(([rule, n]) => `${rule} ${n}`).join(', ');
};

describe('what trade achieves of the best that anyone could have', () => {
  const rows = played.map(({ scenario: { name }, runs }) => ({ name, part: efficiency(runs.flat()), rules: rulesOf(runs.flat()) }));
  if (FULL)
    console.log(
      [
        '| market | rounds by rule | efficiency |',
        '|---|---|--:|',
        ...rows.map(({ name, rules, part }) => `| ${name} | ${rules} | ${percent(part)} |`),
      ].join('\n'),
    );
  test.each(rows)('$name: 95 % at least', ({ part }) => {
    expect(part).toBeGreaterThan(0.95);
    expect(part).toBeLessThanOrEqual(1 + 1e-9);
  });
});

describe('what a lie brings beyond the truth', () => {
  const lies = played.flatMap(({ scenario: { name, strategist }, runs }) =>
    (['uniform', 'mcafee', 'posted'] as const).flatMap((rule) => {
      const scenes = scenesOf(runs[0]!, [rule], SCENES);
      if (scenes.length < SCENES) return [];
      const owned = strategist !== undefined && scenes[0]!.crowd.sellers.some(({ owner }) => owner === strategist);
      const owner = owned ? ownerGain(scenes, strategist) : null;
      return [{ name, rule, seller: smallGain(scenes, 'sellers'), buyer: smallGain(scenes, 'buyers'), owner }];
    }),
  );
  if (FULL)
    console.log(
      [
        '| market | rule | a seller | a buyer | the owner of many |',
        '|---|---|--:|--:|--:|',
        ...lies.map(
          ({ name, rule, seller, buyer, owner }) =>
            `| ${name} | ${rule} | ${percent(seller)} | ${percent(buyer)} | ${owner === null ? '' : percent(owner)} |`,
        ),
      ].join('\n'),
    );
  test.each(lies)('$name, $rule: less than 2 % within a round', ({ seller, buyer, owner }) => {
    for (const gain of [seller, buyer, owner ?? 0]) expect(gain).toBeLessThan(0.02);
  });

  test('control: were the curves to make the price, a farm that has most of the asks would gain by a markup', () => {
    const farm = scenesOf(run(crowds(scenario('farm'), seeded(7))), ['posted'], 4);
    expect(ownerGain(farm, 'farm')).toBeLessThan(0.02);
    expect(
      ownerGain(
        farm.map((scene) => ({ ...scene, forced: 'uniform' as const })),
        'farm',
      ),
    ).toBeGreaterThan(0.2);
  });
});

test('an owner of many may wait: its markup moves the reference, a tenth a round, as far as others let it', () => {
  const every = FULL ? 1 : 8;
  const rows = SCENARIOS.filter(({ strategist }) => strategist !== undefined).map((one) => {
    const all = crowds(one, seeded(7)).filter((_, i) => i % every === 0);
    return { name: one.name, ...patientGain(all, one.strategist!) };
  });
  if (FULL) for (const { name, gain, saying } of rows) console.log(`${name}, patiently: ${percent(gain)} at ${saying} % of its costs`);
  // No rule of prices takes power from who owns most of what there is; with four tenths it is little.
  expect(rows.find(({ name }) => name.includes('whale'))!.gain).toBeLessThan(0.08);
});

describe('wash traders', () => {
  const honest = crowds(scenario('thick'), seeded(11)).slice(0, FULL ? 240 : 60);
  const washed = (pairs: readonly { ask: string; bid: string }[]): Crowd[] =>
    honest.map(({ sellers, buyers }) => ({
      sellers: [...sellers, ...pairs.map(({ ask }, i): Trader => ({ id: `wash-ask${i}`, owner: ask, worth: 1000, says: 2900, units: 6 }))],
      buyers: [...buyers, ...pairs.map(({ bid }, i): Trader => ({ id: `wash-bid${i}`, owner: bid, worth: 1000, says: 3000, units: 6 }))],
    }));
  const prices = (outcomes: readonly Outcome[]): bigint[] => outcomes.map(({ round }) => round.clearing.buyMicro);

  test('of one owner change no price of any round', () => {
    const same = washed(Array.from({ length: 3 }, (_, i) => ({ ask: `w${i}`, bid: `w${i}` })));
    expect(prices(run(same))).toEqual(prices(run(honest)));
  });

  test('of two keys pay more than their machines gain by it', () => {
    const before = run(honest);
    const after = run(washed([{ ask: 'w', bid: 'v' }]));
    const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
    // Their six machines would have sold at the price of an honest round; what they buy is worth nothing to them.
    const cost = sum(
      after.map((outcome) => -buyerGain({ ...outcome.crowd.buyers.at(-1)!, worth: 0 }, outcome.bought.at(-1)!, outcome.round.clearing)),
    );
    const raised = sum(after.map(({ round }, i) => Number(round.clearing.sellMicro - before[i]!.round.clearing.sellMicro)));
    if (FULL)
      console.log(
        `wash traders of two keys: the price rises by ${percent(raised / sum(prices(before).map(Number)))}; it costs them ${(cost / (6 * raised)).toFixed(1)} times what six machines gain`,
      );
    expect(cost).toBeGreaterThan(6 * raised);
  });
});

test('nobody trades at a loss by saying the truth, and what buyers pay covers what sellers get', () => {
  for (const { runs } of played) {
    for (const { crowd, sold, bought, round } of runs.flat()) {
      // Worths are rounded to the grid of prices: half a step.
      const losses = [
        ...crowd.sellers.filter((seller, i) => sellerGain(seller, sold[i]!, round.clearing) < -1e5 * sold[i]!),
        ...crowd.buyers.filter((buyer, i) => buyerGain(buyer, bought[i]!, round.clearing) < -1e5 * bought[i]!),
      ];
      expect(losses).toEqual([]);
      expect(round.clearing.buyMicro).toBeGreaterThanOrEqual(round.clearing.sellMicro);
    }
  }
});

test('what everybody sold together is what everybody bought together', () => {
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const crowd = crowds(scenario('thin'), seeded(5))[0]!;
  const { sold, bought } = play(crowd, firstReference(FLOOR), 0);
  expect(sum(sold)).toBeCloseTo(sum(bought), 9);
  expect(sum(sold)).toBeGreaterThan(0);
});
