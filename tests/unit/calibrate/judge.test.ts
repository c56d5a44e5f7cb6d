/** What the calibration counts of two films, against differences that were put there by hand. */
import { beforeAll, describe, expect, it } from 'vitest';
import { readPixel, viewOfFilm, writePixel, type Film } from '#lib/job/film.ts';
import { DEFAULT_THRESHOLDS } from '#lib/trust/compare.ts';
import { PairTally } from '../../calibrate/judge.ts';
import { requestOf, shots, SIDE_PX, type Shot } from '../../calibrate/plan.ts';
import { figuresOf, type PairFigures } from '../../calibrate/report.ts';
import { arithmeticFilm, summaryOf } from '../../sim/arithmetic-engine.ts';

const [shot] = shots(['a.glb'], 1) as [Shot];
const LEAVES = (SIDE_PX / 8) ** 2;

const honest = (): Film => {
  const summary = summaryOf({ scene: new Uint8Array(9), environment: null, frameTimeS: 0, variant: null });
  return arithmeticFilm(requestOf(shot, summary));
};

/** A pixel of one leaf, counted in row order, with its light changed by a factor. */
function brighter(film: Film, leaf: number, pixel: number, by: number): void {
  const [column, row] = [leaf % (SIDE_PX / 8), Math.floor(leaf / (SIDE_PX / 8))];
  const at = (row * 8 + Math.floor(pixel / 8)) * SIDE_PX + column * 8 + (pixel % 8);
  const view = viewOfFilm(film.light);
  const sums = readPixel(view, at);
  writePixel(view, at, { ...sums, light: sums.light.map((value) => value * by) as [number, number, number] });
}

function judged(change: (film: Film) => void): PairFigures {
  const [one, other] = [honest(), honest()];
  change(other);
  const tally = new PairTally();
  tally.add(shot, one, other);
  tally.add(shot, other, one);
  return figuresOf(['a', 'b'], tally);
}

describe('two films', () => {
  let same: PairFigures;
  beforeAll(() => {
    same = judged(() => undefined);
  });

  it('of the same bytes are identical in every leaf, both ways', () => {
    expect(same).toMatchObject({ judgements: 2 * LEAVES, identical: 2 * LEAVES, refused: {}, driftedPixels: [2 * LEAVES] });
    expect(same.equalPaths).toMatchObject({ mean: 1, worst: 1 });
    expect([same.light.worst, same.segments.leavesDiffering, same.aggregate.alarms]).toEqual([0, 0, 0]);
    expect(same.falseRejectAtMost).toBeCloseTo(3 / (2 * LEAVES), 3);
  });

  it('of which a path turned elsewhere differ in one leaf', () => {
    const found = judged(({ signatures }) => void (signatures[0]! ^= 1));
    expect(found).toMatchObject({ identical: 2 * (LEAVES - 1), refused: {} });
    expect(found.equalPaths.worst).toBeCloseTo(1 - 1 / 64, 4);
  });

  it('of which some light drifted say how far, and refuse a leaf in which more drifted than may', () => {
    const most = Math.floor(DEFAULT_THRESHOLDS.driftedShareMax * 64);
    const few = judged((film) => Array.from({ length: most }, (_, p) => brighter(film, 5, p, 1.003)));
    expect(few.refused).toEqual({});
    expect(few.light.worst).toBeCloseTo(0.003, 4);
    expect(few.driftedPixels[most]).toBe(2);
    const many = judged((film) => Array.from({ length: most + 1 }, (_, p) => brighter(film, 5, p, 1.003)));
    expect(many.refused).toEqual({ light: 2 });
  });

  it('of which one is much brighter make an alarm of the sequential test', () => {
    const found = judged((film) => {
      for (let leaf = 0; leaf < LEAVES; leaf++) for (let p = 0; p < 64; p++) brighter(film, leaf, p, 1.5);
    });
    expect(found.aggregate.alarms).toBeGreaterThan(0);
    expect(found.refused.light).toBeGreaterThan(LEAVES);
  });
});
