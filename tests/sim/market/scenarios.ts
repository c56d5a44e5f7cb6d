/** Crowds of simulated traders, round by round: each scenario is a market that a bad rule would break in. */
import type { Crowd, Trader } from './traders.ts';

export type Uniform = () => number;

/** Seeded, 32 bits (Mulberry). */
export function seeded(seed: number): Uniform {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const whole = (random: Uniform, from: number, to: number): number => from + Math.floor(random() * (to - from + 1));

interface People {
  readonly name: string;
  readonly count: number;
  /** Worths are even between these, thousandths of the operator's price. */
  readonly from: number;
  readonly to: number;
  readonly unitsMax: number;
  /** All of one owner, one unit each: a farm. */
  readonly one?: boolean;
}

/** Part of a crowd that leaves in a round and is replaced: offers stand, people come and go. */
const CHURN = 0.1;

/** Who stands now: those of the round before who stayed, and newcomers in the others' places. */
function people(random: Uniform, before: readonly Trader[], { name, count, from, to, unitsMax, one }: People): Trader[] {
  const known = new Map(before.map((trader) => [trader.id, trader]));
  return Array.from({ length: count }, (_, i): Trader => {
    const id = `${name}${i}`;
    const fresh = { id, owner: one ? name : id, worth: from + (to - from) * random(), units: one ? 1 : whole(random, 1, unitsMax) };
    const stays = random() >= CHURN;
    return (stays ? known.get(id) : undefined) ?? fresh;
  });
}

export interface Scenario {
  readonly name: string;
  readonly rounds: number;
  readonly sellers: (round: number) => readonly People[];
  readonly buyers: (round: number) => readonly People[];
  /** An owner whose offers all say the same markup when a gain is looked for. */
  readonly strategist?: string;
}

/** Everyone of all rounds. */
export function crowds(scenario: Scenario, random: Uniform): Crowd[] {
  const out: Crowd[] = [];
  for (let round = 0; round < scenario.rounds; round++) {
    const before = out.at(-1) ?? { sellers: [], buyers: [] };
    const side = (now: readonly People[], then: readonly Trader[]): Trader[] => now.flatMap((group) => people(random, then, group));
    out.push({ sellers: side(scenario.sellers(round), before.sellers), buyers: side(scenario.buyers(round), before.buyers) });
  }
  return out;
}

const group = (name: string, count: number, from = 500, to = 1500, unitsMax = 4): People => ({ name, count, from, to, unitsMax });
const ROUNDS = 240;
/** Four to seven, another number every twenty rounds. */
const few = (round: number): number => 4 + ((Math.floor(round / 20) * 7) % 4);
const flash = (round: number): boolean => round >= 80 && round < 140;

export const SCENARIOS: readonly Scenario[] = [
  { name: 'thick: 30 a side', rounds: ROUNDS, sellers: () => [group('s', 30)], buyers: () => [group('b', 30)] },
  { name: 'just thick: 12 a side', rounds: ROUNDS, sellers: () => [group('s', 12)], buyers: () => [group('b', 12)] },
  { name: 'thin: 4 to 7 a side', rounds: ROUNDS, sellers: (r) => [group('s', few(r))], buyers: (r) => [group('b', few(r + 20))] },
  {
    name: 'flash demand',
    rounds: ROUNDS,
    sellers: () => [group('s', 40)],
    buyers: (round) => [group('b', 40), ...(flash(round) ? [group('flash', 160, 800, 3000)] : [])],
  },
  {
    name: 'a farm dumps 1,000 GPUs',
    rounds: ROUNDS,
    strategist: 'farm',
    sellers: (round) => [group('s', 40), ...(round >= 60 ? [{ ...group('farm', 1000, 450, 550), one: true }] : [])],
    buyers: () => [group('b', 120, 500, 2000)],
  },
  {
    name: 'a whale has 40 % of the asks',
    rounds: ROUNDS,
    strategist: 'whale',
    sellers: () => [group('s', 30, 500, 1500, 3), { ...group('whale', 40), one: true }],
    buyers: () => [group('b', 40)],
  },
];
