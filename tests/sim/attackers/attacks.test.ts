/**
 * Workers who lie, at every strength, against the modules that decide: all are found, and all lose by
 * it. `npm run trust:attack` prints the table with more lives each; here a few lives must do.
 */
import { describe, expect, test } from 'vitest';
import type { Corruption } from '#lib/trust/corruption.ts';
import { seededRandom } from '../virtual-clock.ts';
import { attackOf, live, type Attack, type Life } from './arena.ts';

const FULL = process.env.PICTOR_ATTACK === 'full';
const LIVES = FULL ? 60 : 12;
const MOST = 2_000;
/** Who has been honest for so long is drawn least. */
const VETERAN = 400;

const random = seededRandom(9);
const lie = (kind: Corruption, strength: number) => ({ kind, strength, random }) as const;

const ATTACKS: readonly (() => Promise<Attack>)[] = [
  ...[0.02, 0.05, 0.1, 0.2].map((part) => () => attackOf(`skim ${100 * part} % of pixels`, lie('skim', part))),
  ...[1, 2].map((less) => () => attackOf(`paths ${less} bounce${less > 1 ? 's' : ''} short`, lie('depth', less))),
  () => attackOf('half the samples', lie('samples', 0.5)),
  () => attackOf('half the samples, denoised', lie('denoised', 0.5)),
  () => attackOf('half the samples in a tenth of the leaves', lie('samples', 0.5), 0.1),
  () => attackOf('copied from beside', lie('neighbour', 1)),
  () => attackOf('copied from beside, a fiftieth of the leaves', lie('neighbour', 1), 0.02),
  () => attackOf('upscaled from half the side', lie('upscaled', 0.25)),
  () => attackOf('replayed: another pass, sold again', lie('replayed', 1)),
  () => attackOf('stale scene', null, 1, 2),
  () => attackOf('random light', lie('random', 1)),
  () => attackOf('light a tenth brighter', lie('brighter', 0.1)),
  () => attackOf('a segment more per pixel', lie('segments', 1)),
];

interface Row {
  readonly name: string;
  readonly perLease: number;
  readonly until: number;
  readonly profit: number;
  readonly found: number;
}

function lives(attack: Attack, veteran: number): Row {
  const all: Life[] = Array.from({ length: LIVES }, (_, i) => live(attack, i, { veteran, most: MOST }));
  const mean = (of: (life: Life) => number): number => all.reduce((sum, life) => sum + of(life), 0) / all.length;
  return {
    name: attack.name,
    perLease: mean(({ caught, leases }) => caught / leases),
    until: mean(({ leases }) => leases),
    profit: mean(({ profit }) => profit),
    found: mean(({ until }) => Number(until !== null)),
  };
}

const print = (title: string, rows: readonly Row[]): void => {
  if (!FULL) return;
  const lines = rows.map(
    ({ name, perLease, until, profit, found }) =>
      `| ${name} | ${(100 * perLease).toFixed(1)} % | ${until.toFixed(1)} | ${(100 * found).toFixed(0)} % | ${profit.toFixed(2)} |`,
  );
  console.log(
    [
      `${title}, ${LIVES} lives each`,
      '| attack | first check fails | leases until fault | found | profit, leases’ pay |',
      '|---|--:|--:|--:|--:|',
      ...lines,
    ].join('\n'),
  );
};

describe('a worker that lies', () => {
  test('loses by it, as a newcomer and after hundreds of honest leases', async () => {
    for (const [title, veteran] of [
      ['Newcomers', 0],
      ['Veterans', VETERAN],
    ] as const) {
      const rows: Row[] = [];
      for (const make of ATTACKS) rows.push(lives(await make(), veteran));
      print(title, rows);
      for (const { name, profit, found } of rows) {
        expect(found, `${title}: ${name}`).toBe(1);
        // Who does no work at all and is found at once has lost nothing but its time.
        expect(profit, `${title}: ${name}`).toBeLessThanOrEqual(0);
      }
    }
  });
});

describe('an honest worker', () => {
  test('is never found at fault, and once trusted costs its checkers less than three leaves of a hundred', async () => {
    const honest = await attackOf('honest', null);
    const leases = FULL ? 50_000 : 2_000;
    const life = live(honest, 1, { veteran: VETERAN, most: leases });
    expect(life.faults).toBe(0);
    expect(life.caught).toBe(0);
    expect(life.overhead).toBeLessThan(0.03);
    const fresh = live(honest, 2, { veteran: 0, most: VETERAN });
    expect(fresh.faults).toBe(0);
    if (FULL)
      console.log(
        `Re-traced: ${(100 * life.overhead).toFixed(2)} % of ${leases} leases of a veteran, ${(100 * fresh.overhead).toFixed(2)} % of a newcomer’s first ${VETERAN}`,
      );
  });
});
