/**
 * What a trader could gain by not saying what it thinks: the best answer to honest others, chosen on
 * one half of the rounds and measured on the other, so that luck is not taken for skill.
 */
import { firstReference, nextReference, type Reference } from '#lib/market/depth.ts';
import type { Rule } from '#lib/market/clearing.ts';
import { buyerGain, FLOOR, play, sellerGain, type Crowd, type Outcome, type Trader } from './traders.ts';

/** Of its worth, hundredths: what a trader may say. */
const SAYINGS = [60, 70, 80, 85, 90, 94, 97, 100, 103, 106, 110, 115, 120, 130, 150];
/** Worths that are tried, thousandths of the operator's price. */
const WORTHS = [600, 800, 950, 1050, 1200, 1400];

interface Scene {
  readonly crowd: Crowd;
  readonly reference: Reference;
  readonly atMs: number;
  /** In place of the rule that the market chooses: for controls. */
  readonly forced?: Rule;
}

/** The rounds of one rule, with the reference that honest people had brought about by then. */
export function scenesOf(outcomes: readonly Outcome[], rules: readonly Rule[], most: number): Scene[] {
  let reference = firstReference(FLOOR);
  const all = outcomes.map((outcome) => {
    const scene = { crowd: outcome.crowd, reference, atMs: outcome.round.atMs, rule: outcome.round.rule };
    reference = nextReference(reference, outcome.round, FLOOR);
    return scene;
  });
  const found = all.filter(({ rule }) => rules.includes(rule));
  const every = Math.max(1, Math.floor(found.length / most));
  return found.filter((_, i) => i % every === 0);
}

type Side = 'sellers' | 'buyers';
type Change = (trader: Trader) => Trader;

/** What those whom `change` touches get in a scene. */
function gainIn(scene: Scene, side: Side, whom: (trader: Trader) => boolean, change: Change): number {
  const crowd = { ...scene.crowd, [side]: scene.crowd[side].map((trader) => (whom(trader) ? change(trader) : trader)) };
  const { round, sold, bought } = play(crowd, scene.reference, scene.atMs, scene.forced);
  const [units, gain] = side === 'sellers' ? [sold, sellerGain] : [bought, buyerGain];
  return crowd[side].reduce((sum, trader, i) => (whom(trader) ? sum + gain(trader, units[i]!, round.clearing) : sum), 0);
}

export interface Gain {
  /** What honesty brings, and what the best lie does, summed over the rounds that were not used to find it. */
  readonly honest: number;
  readonly best: number;
}

function bestGain(scenes: readonly Scene[], side: Side, whom: (trader: Trader) => boolean, worth: (trader: Trader) => number): Gain {
  const totals = SAYINGS.map((saying) => {
    const change: Change = (trader) => ({ ...trader, worth: worth(trader), says: (worth(trader) * saying) / 100 });
    const gains = scenes.map((scene) => gainIn(scene, side, whom, change));
    const half = (rest: number): number => gains.reduce((sum, gain, i) => (i % 2 === rest ? sum + gain : sum), 0);
    return { saying, choose: half(0), measure: half(1) };
  });
  const honest = totals.find(({ saying }) => saying === 100)!;
  const best = totals.reduce((a, b) => (b.choose > a.choose ? b : a), honest);
  return { honest: honest.measure, best: best.measure };
}

/** One small trader of a side, over several worths, as a part of what honesty brings it. */
export function smallGain(scenes: readonly Scene[], side: Side): number {
  const who = scenes[0]?.crowd[side][0]?.id;
  const gains = WORTHS.map((worth) =>
    bestGain(
      scenes,
      side,
      (trader) => trader.id === who,
      () => worth,
    ),
  );
  const sum = (key: keyof Gain): number => gains.reduce((total, gain) => total + gain[key], 0);
  return sum('honest') > 0 ? sum('best') / sum('honest') - 1 : 0;
}

/** An owner of many offers that puts one markup on all of them, within a round. */
export function ownerGain(scenes: readonly Scene[], owner: string): number {
  const { honest, best } = bestGain(
    scenes,
    'sellers',
    (trader) => trader.owner === owner,
    (trader) => trader.worth,
  );
  return honest > 0 ? best / honest - 1 : 0;
}

/** The same owner with the same markup in every round, so that what it says comes to move the reference. */
export function patientGain(crowds: readonly Crowd[], owner: string): { readonly gain: number; readonly saying: number } {
  const earn = (saying: number): number => {
    let [reference, sum] = [firstReference(FLOOR), 0];
    crowds.forEach((honest, i) => {
      const says = (trader: Trader): Trader => (trader.owner === owner ? { ...trader, says: (trader.worth * saying) / 100 } : trader);
      const crowd = { ...honest, sellers: honest.sellers.map(says) };
      const { round, sold } = play(crowd, reference, i * 20_000);
      crowd.sellers.forEach((trader, k) => (sum += trader.owner === owner ? sellerGain(trader, sold[k]!, round.clearing) : 0));
      reference = nextReference(reference, round, FLOOR);
    });
    return sum;
  };
  const all = SAYINGS.map((saying) => ({ saying, earned: earn(saying) }));
  const honest = all.find(({ saying }) => saying === 100)!.earned;
  const best = all.reduce((a, b) => (b.earned > a.earned ? b : a));
  return { gain: best.earned / honest - 1, saying: best.saying };
}
