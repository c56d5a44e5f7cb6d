/**
 * Checkers who lie, copy, collude or do not look, among honest ones: every one of them ends with less than
 * if it had been honest, and no honest worker is found at fault by them. `npm run trust:attack` prints the
 * table over many more leases.
 */
import { describe, expect, test } from 'vitest';
import { CORRUPTIONS } from '#lib/protocol/schema.ts';
import type { Corruption } from '#lib/trust/corruption.ts';
import { seededRandom } from '../virtual-clock.ts';
import { attackOf, type Attack } from './arena.ts';
import { Court, VETERANS } from './court.ts';
import { honest, profitOf, type Films, type Strategy } from './parties.ts';

const FULL = process.env.PICTOR_ATTACK === 'full';
const LEASES = FULL ? 20_000 : 5_000;
const HONEST = VETERANS + 2;

/** The middle of each kind's range (trust/drill). */
const STRENGTHS: Partial<Record<Corruption, number>> = {
  ...{ forged: 0.6, brighter: 0.15, skim: 0.45, upscaled: 0.25, depth: 1, samples: 0.5, denoised: 0.5, replayed: 1 },
};

let known: Promise<Films> | null = null;
const films = (): Promise<Films> => (known ??= makeFilms());
async function makeFilms(): Promise<Films> {
  const random = seededRandom(7);
  const spoilt = new Map<string, Attack>();
  for (const kind of CORRUPTIONS) {
    const strength = STRENGTHS[kind];
    if (strength !== undefined) spoilt.set(kind, await attackOf(kind, { kind, strength, random }));
  }
  return { honest: await attackOf('honest', null), spoilt };
}

const lazy: Strategy = () => 'pass';
interface Row {
  readonly name: string;
  readonly strategies: readonly Strategy[];
  /** All from one address prefix. */
  readonly together?: true;
}
const ATTACKS: readonly Row[] = [
  { name: 'lazy: always yes', strategies: [lazy] },
  { name: 'lying: always no', strategies: [() => 'fail'] },
  { name: 'lying: no to every tenth', strategies: [everyTenth()] },
  { name: 'copying, else yes', strategies: [({ before }) => before.at(-1) ?? 'pass'] },
  { name: 'lazy with whole films', strategies: [(look) => (look.whole ? 'pass' : look.trace())] },
  { name: 'tracing half of whole films', strategies: [(look) => look.trace(look.whole ? 0.5 : 1)] },
  { name: 'lazy with veterans’ films', strategies: [(look) => (look.passes > 64 ? 'pass' : look.trace())] },
  { name: 'absent for whole films', strategies: [(look) => (look.whole ? 'missed' : look.trace())] },
  { name: 'two that say yes together', strategies: [lazy, lazy] },
  { name: 'three that say no together', strategies: [() => 'fail', () => 'fail', () => 'fail'] },
];
/** Of one hand. */
const MANY: readonly Row[] = [
  { name: 'thirty keys of thirty networks that say yes', strategies: Array.from({ length: 30 }, () => lazy) },
  { name: 'thirty keys of one network that say yes', strategies: Array.from({ length: 30 }, () => lazy), together: true },
];

function everyTenth(): Strategy {
  let n = 0;
  return (look) => (n++ % 10 === 9 ? 'fail' : look.trace());
}

const print = (lines: readonly string[]): void => {
  if (FULL) console.log(lines.join('\n'));
};

async function trial({ strategies, together }: Omit<Row, 'name'>, seed: number) {
  const { honest: film } = await films();
  const all = [...Array.from({ length: HONEST }, () => honest), ...strategies];
  const networks = all.map((_, i) => (together && i >= HONEST ? 'one' : `${i}`));
  const court = new Court(await films(), all, seededRandom(seed), seed, { networks });
  court.run(LEASES);
  const leaves = film.leaves.length;
  // Who came at the same time and looks.
  const fair = court.checkers.slice(VETERANS, HONEST);
  const foul = court.checkers.slice(HONEST);
  const mean = (parties: typeof fair, of: (party: (typeof fair)[number]) => number): number =>
    parties.reduce((sum, party) => sum + of(party), 0) / parties.length;
  return { court, fair, foul, mean, profit: (parties: typeof fair) => mean(parties, (party) => profitOf(party, leaves)) };
}

describe('a checker that does not do what it should', () => {
  test('ends with less than an honest one, and convicts nobody', async () => {
    const rows: string[] = [];
    for (const [i, row] of ATTACKS.entries()) {
      const { name } = row;
      const { court, fair, foul, mean, profit } = await trial(row, i + 1);
      const caught = mean(foul, ({ missedDrills, checks }) => missedDrills / checks);
      const unpaid = foul.every(({ unpaidAfter }) => unpaidAfter !== null) ? mean(foul, ({ unpaidAfter }) => unpaidAfter!).toFixed(0) : '–';
      const [earned, spent] = [mean(foul, (one) => Number(one.earned) / 90_000), mean(foul, (one) => one.traced / 256)];
      rows.push(
        `| ${name} | ${(100 * caught).toFixed(2)} % | ${unpaid} | ${mean(foul, ({ checks }) => checks).toFixed(0)} | ${earned.toFixed(1)} | ${spent.toFixed(1)} | ${profit(foul).toFixed(1)} | ${profit(fair).toFixed(1)} |`,
      );
      expect(court.counts.falseFaults, name).toBe(0);
      expect(profit(foul), name).toBeLessThan(profit(fair));
    }
    print([
      `Checkers, ${LEASES} leases, beside ${HONEST} honest ones, two of them as new; amounts in leases’ pay`,
      '| attack | drills missed per check | checks until unpaid | checks | earned | spent tracing | profit | honest profit |',
      '|---|--:|--:|--:|--:|--:|--:|--:|',
      ...rows,
    ]);
  });

  test('behind many keys is drawn once in ten times at most, and earns less with all of them than with one that looks', async () => {
    const one = await trial({ strategies: [honest] }, 61);
    for (const row of MANY) {
      const { court, foul, mean, profit } = await trial(row, 61);
      const share = (foul.length * mean(foul, ({ checks }) => checks)) / court.checkers.reduce((sum, { checks }) => sum + checks, 0);
      const all = foul.length * profit(foul);
      print([
        `${row.name}: ${(100 * share).toFixed(1)} % of draws, ${all.toFixed(1)} together; one that looks ${one.profit(one.foul).toFixed(1)}`,
      ]);
      expect(share, row.name).toBeLessThan(0.12);
      expect(all, row.name).toBeLessThan(one.profit(one.foul));
    }
  });

  test('that copies who spoke before has nothing to show for it, and forgoes what looking brings', async () => {
    const { court } = await trial({ strategies: [honest] }, 41);
    const earned = court.checkers.reduce((sum, { second }) => sum + Number(second.earned) / 90_000, 0);
    const spent = court.checkers.reduce((sum, { second }) => sum + second.traced / 256, 0);
    print([`Words after another’s: honest checkers earned ${earned.toFixed(1)} by them and traced for ${spent.toFixed(1)}`]);
    expect(earned).toBeGreaterThan(spent);
  });

  test('beside honest ones: they are paid for their work and nothing is beyond three of a hundred', async () => {
    const { court, fair, profit } = await trial({ strategies: [honest] }, 99);
    expect(profit(fair)).toBeGreaterThan(0);
    expect(fair.every(({ unpaidAfter, missedDrills }) => unpaidAfter === null && missedDrills === 0)).toBe(true);
    const before = { ...court.counts };
    court.run(3 * LEASES);
    const leases = court.counts.leases - before.leases;
    const traced = court.counts.traced - before.traced + (court.counts.spoilt - before.spoilt);
    const overhead = traced / (leases * 256);
    expect(overhead).toBeLessThan(0.03);
    print([
      `Overhead at steady state, drills and newcomers included: ${(100 * overhead).toFixed(2)} % of ${leases} leases, ${court.counts.drills - before.drills} of them drills`,
    ]);
  });
});

describe('a worker with a friend among the checkers', () => {
  test.each([1, 2])('%d of them don’t save it: both lose', async (friends) => {
    const half = await attackOf('half the samples', { kind: 'samples', strength: 0.5, random: seededRandom(3) });
    const covering: Strategy = (look) => (look.friend ? 'pass' : look.trace());
    const strategies = [...Array.from({ length: HONEST }, () => honest), ...Array.from({ length: friends }, () => covering)];
    let [profit, leases, found] = [0, 0, 0];
    const lives = FULL ? 60 : 12;
    for (let seed = 0; seed < lives; seed++) {
      const court = new Court(await films(), strategies, seededRandom(100 + seed), seed, { friend: half });
      court.run(1_500);
      profit += court.friend!.profit;
      leases += court.friend!.leases;
      found += Number(court.friend!.faults > 0);
    }
    expect(found).toBe(lives);
    expect(profit / lives).toBeLessThanOrEqual(0);
    print([
      `Worker with ${friends} friends of ${HONEST + friends}: found ${found}/${lives}, ${(leases / lives).toFixed(1)} leases, profit ${(profit / lives).toFixed(2)}`,
    ]);
  });
});
