/** What a person who reviews sees and says: pictures, differences and their scale, the window onto them, keys, words. */
import { describe, expect, it } from 'vitest';
import { FILM_BYTES_PER_PIXEL, viewOfFilm, writePixel } from '#lib/job/film.ts';
import { byClass } from '#lib/state/review-board.ts';
import { added, differenceOf, emptyPlate, isLit, plateOf, sigmasOf, type Plate } from '#lib/state/review-image.ts';
import { commandOf } from '#lib/state/review-keys.ts';
import { ReviewView } from '#lib/state/review-view.svelte.ts';
import { effectOf, reasonWords } from '#lib/state/review-words.ts';
import type { ReviewCase } from '#lib/trust/review.ts';

/** Light of pixels, each the sum of its paths' grey light. */
function film(pixels: readonly (readonly number[])[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(pixels.length * FILM_BYTES_PER_PIXEL);
  for (const [p, paths] of pixels.entries()) {
    const sum = paths.reduce((all, value) => all + value, 0);
    const moment = paths.reduce((all, value) => all + value * value, 0);
    const rest = { segments: paths.length, albedo: [0, 0, 0], normal: [0, 0, 0], coverage: 0, depth: 0, object: 0 } as const;
    writePixel(viewOfFilm(out), p, { ...rest, light: [sum, sum, sum], moment });
  }
  return out;
}

const grey = (plate: Plate): number[] => [...plate.mean].filter((_, i) => i % 3 === 0);

describe('plates', () => {
  it('are means over the paths of a film', () => {
    const plate = plateOf(
      film([
        [1, 3],
        [0, 0],
      ]),
      2,
      1,
      2,
    );
    expect(grey(plate)).toEqual([2, 0]);
    expect([...plate.moment]).toEqual([5, 0]);
    expect([isLit(film([[0], [1]])), isLit(film([[0], [0]]))]).toEqual([true, false]);
  });

  it('grow by more paths in a part, and leave the plate before as it was', () => {
    const before = plateOf(film([[2], [2], [2], [2]]), 2, 2, 1);
    const after = added(before, film([[4, 6]]), { x: 1, y: 1, width: 1, height: 1 }, 2);
    expect(grey(after)).toEqual([2, 2, 2, 4]);
    expect([...after.samples]).toEqual([1, 1, 1, 3]);
    expect(grey(before)).toEqual([2, 2, 2, 2]);
  });
});

describe('difference', () => {
  const claimed = plateOf(film([[4], [2], [2], [2]]), 2, 2, 1);
  const traced = plateOf(film([[2], [2], [1], [2]]), 2, 2, 1);

  it('is stretched to its largest, which can be gone to', () => {
    const { image, largest, white, at } = differenceOf(claimed, traced);
    expect([largest, white, at]).toEqual([2, 2, { x: 0, y: 0 }]);
    expect([...image].filter((_, i) => i % 3 === 0)).toEqual([1, 0, 0.5, 0]);
    expect(differenceOf(traced, traced)).toMatchObject({ largest: 0, at: null });
  });

  it('says nothing of pixels that were not traced', () => {
    expect(differenceOf(claimed, emptyPlate(2, 2))).toMatchObject({ largest: 0, at: null });
    const part = added(emptyPlate(2, 2), film([[2]]), { x: 0, y: 1, width: 1, height: 1 }, 1);
    expect(differenceOf(claimed, part).largest).toBe(0);
  });

  it('counts what is no number as the most there is', () => {
    expect(differenceOf(plateOf(film([[Number.NaN]]), 1, 1, 1), plateOf(film([[1]]), 1, 1, 1)).at).toEqual({ x: 0, y: 0 });
  });

  it('is measured against the noise of as many paths', () => {
    // One path has 0 or 2 with even chances: deviation 1; two means of 4 paths differ by √(1/4 + 1/4).
    const noisy = (shift: number): Plate =>
      plateOf(film(Array.from({ length: 9 }, () => [0 + shift, 0 + shift, 2 + shift, 2 + shift])), 3, 3, 4);
    const found = sigmasOf(noisy(1), noisy(0));
    expect(found.largest).toBeCloseTo(1 / Math.sqrt(0.5), 5);
    expect(sigmasOf(noisy(0), noisy(0)).largest).toBe(0);
    // Without noise every difference is beyond it.
    const flat = (value: number): Plate => plateOf(film([[value, value]]), 1, 1, 2);
    expect(sigmasOf(flat(1), flat(1.001)).largest).toBeGreaterThan(4);
  });
});

describe('the window', () => {
  it('stays on the picture, whatever is asked', () => {
    const view = new ReviewView();
    view.move(5, 5);
    expect(view.center).toEqual({ x: 0.5, y: 0.5 });
    view.magnify(4);
    view.move(5, -5);
    expect(view.center).toEqual({ x: 0.875, y: 0.125 });
    view.magnify(1 / 1000);
    expect([view.zoom, view.center]).toEqual([1, { x: 0.5, y: 0.5 }]);
  });

  it('goes to a pixel and finds it under its middle', () => {
    const view = new ReviewView();
    view.goTo({ x: 40, y: 90 }, 128, 128);
    expect(view.zoom).toBeGreaterThan(4);
    expect(view.pixelAt(0.5, 0.5, 128, 128)).toEqual({ x: 40, y: 90 });
    view.goTo({ x: 0, y: 127 }, 128, 128);
    expect(view.pixelAt(0, 0.999, 128, 128)).toEqual({ x: 0, y: 127 });
  });
});

describe('keys', () => {
  const key = (name: string, more = {}, field: string | null = null) =>
    commandOf({ key: name, ctrlKey: false, metaKey: false, altKey: false, ...more }, field);

  it('say what the buttons say', () => {
    expect(['A', 'r', 'n', 'U', 'j', 't'].map((name) => key(name)?.does)).toEqual(['accept', 'reject', 'unsure', 'undo', 'jump', 'trace']);
    expect(['1', '2', '3', '4', '5', '6'].map((name) => key(name))).toEqual(
      ['side', 'swipe', 'onion', 'blink', 'difference', 'noise'].map((mode) => ({ does: 'mode', mode })),
    );
  });

  it('leave shortcuts of the browser alone', () => {
    expect(key('a', { ctrlKey: true })).toBeNull();
    expect(key('r', { metaKey: true })).toBeNull();
    expect(key('x')).toBeNull();
  });

  it('leave what a field needs to the field', () => {
    expect(key('a', {}, 'text')).toBeNull();
    expect(key('ArrowLeft', {}, 'range')).toBeNull();
    expect(key('ArrowLeft')).toEqual({ does: 'move', x: -0.25, y: 0 });
    expect(key('a', {}, 'radio')?.does).toBe('accept');
  });
});

describe('words', () => {
  const one = (kind: ReviewCase['kind'], accept: number) => ({ kind, needed: 2, words: { accept, reject: 0, unsure: 0 } }) as ReviewCase;

  it('say what they bring about before they are given', () => {
    expect(effectOf('accept', one('appeal', 0))).toContain('once 1 more');
    expect(effectOf('accept', one('appeal', 1))).toContain('decided');
    expect(effectOf('reject', one('appeal', 1))).toContain('upholds');
    expect(effectOf('accept', one('disagreement', 1))).toContain('checkers decide');
    expect(effectOf('unsure', one('appeal', 1))).toContain('decides nothing');
  });

  it('name every reason, a voided lease’s too, and an unknown one by itself', () => {
    expect(reasonWords('check-signatures')).toBe(reasonWords('signatures'));
    expect(reasonWords('signatures')).not.toBe('signatures');
    expect(reasonWords('check-something')).toBe('check-something');
  });
});

describe('the board', () => {
  it('adds keys up by kind of device, most verified work first', () => {
    const row = (key: string, adapterClass: string, segments: number) => ({
      key,
      adapterClass,
      settled: 2,
      segments,
      paths: 100,
      pathsEqual: 99,
      faults: 1,
      doubts: 0,
      passes: 2,
    });
    const kinds = byClass({ workers: [row('a', 'x', 5), row('b', 'y', 8), row('c', 'x', 7)] });
    expect(kinds.map(({ adapterClass, segments, settled, faults }) => [adapterClass, segments, settled, faults])).toEqual([
      ['x', 12, 4, 2],
      ['y', 8, 2, 1],
    ]);
    expect(kinds[0]!.workers.map(({ key }) => key)).toEqual(['c', 'a']);
    expect(byClass({ workers: [] })).toEqual([]);
  });
});
