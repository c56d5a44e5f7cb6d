/** Photometric files: header variants, symmetries, factors, and what is refused. */
import { describe, expect, test } from 'vitest';
import { parseIes, type Photometry } from '#workers/scene/ies.ts';

interface Made {
  readonly head?: string;
  readonly tilt?: string;
  readonly multiplier?: number;
  readonly ballast?: number;
  readonly second?: number;
  readonly type?: number;
  readonly v?: readonly number[];
  readonly h?: readonly number[];
  /** Of plane and vertical angle, by index. */
  readonly candela?: (h: number, v: number) => number;
  readonly eol?: string;
}

function iesText(made: Made = {}): string {
  const { head = 'IESNA:LM-63-2002\n[TEST] 1\n[MANUFAC] none', tilt = 'TILT=NONE', v = [0, 45, 90], h = [0], type = 1 } = made;
  const { multiplier = 1, ballast = 1, second = 1, candela = (_h, k) => 100 - 10 * k, eol = '\n' } = made;
  const rows = h.map((_, i) => v.map((__, k) => candela(i, k)).join(' '));
  const lines = [
    head,
    tilt,
    `1 1000 ${multiplier} ${v.length} ${h.length} ${type} 2 0 0 0`,
    `${ballast} ${second} 50`,
    v.join(' '),
    h.join(', '),
    ...rows,
  ];
  return lines
    .filter((line) => line !== '')
    .join('\n')
    .replaceAll('\n', eol);
}

const parse = (text: string): Photometry => parseIes(new TextEncoder().encode(text), 'lights[0]');

describe('IES LM-63', () => {
  test.each([
    ['1986, without a first line of its own', ''],
    ['1991', 'IESNA91\n[TEST] x'],
    ['1995', 'IESNA:LM-63-1995'],
    ['2002', 'IESNA:LM-63-2002\n[TESTLAB] TILTED TILT-TEST'],
    ['2019', 'IES:LM-63-2019'],
  ])('%s', (_, head) => {
    expect(parse(iesText({ head }))).toEqual({ kind: 'C', vertical: [0, 45, 90], horizontal: [0], candela: [100, 90, 80] });
  });

  test('line ends of every system, commas, and tilt data', () => {
    const plain = parse(iesText());
    for (const eol of ['\r\n', '\r']) expect(parse(iesText({ eol }))).toEqual(plain);
    expect(parse(iesText({ tilt: 'TILT=INCLUDE\n1\n3\n0 45 90\n1 0.9 0.8' }))).toEqual(plain);
    expect(parse(iesText({ tilt: 'TILT = NONE' }))).toEqual(plain);
  });

  test('multiplier and ballast factor scale; the second factor only before 1995', () => {
    const factors = { multiplier: 2, ballast: 0.5, second: 3 };
    expect(parse(iesText(factors)).candela[0]).toBe(100);
    expect(parse(iesText({ ...factors, head: 'IESNA91' })).candela[0]).toBe(300);
    expect(parse(iesText({ ...factors, head: '' })).candela[0]).toBe(300);
  });

  const planes = (h: readonly number[], type = 1, v = [0, 90]): Photometry => parse(iesText({ h, v, type, candela: (i) => i + 1 }));
  test('type C symmetries unfold to the whole circle', () => {
    expect(planes([0, 45, 90])).toMatchObject({
      horizontal: [0, 45, 90, 135, 180, 225, 270, 315, 360],
      candela: [1, 2, 3, 2, 1, 2, 3, 2, 1].flatMap((x) => [x, x]),
    });
    expect(planes([0, 90, 180])).toMatchObject({ horizontal: [0, 90, 180, 270, 360], candela: [1, 2, 3, 2, 1].flatMap((x) => [x, x]) });
    expect(planes([90, 180, 270])).toMatchObject({ horizontal: [0, 90, 180, 270, 360], candela: [2, 1, 2, 3, 2].flatMap((x) => [x, x]) });
    expect(planes([0, 120, 240, 360]).horizontal).toEqual([0, 120, 240, 360]);
    expect(planes([0, 100, 200, 300])).toMatchObject({
      horizontal: [0, 100, 200, 300, 360],
      candela: [1, 2, 3, 4, 1].flatMap((x) => [x, x]),
    });
  });

  test('type B keeps its angles, a half is mirrored', () => {
    expect(planes([0, 30, 90], 2, [-90, 90])).toMatchObject({ kind: 'B', horizontal: [-90, -30, 0, 30, 90], vertical: [-90, 90] });
  });

  test.each([
    ['no TILT', 'IESNA91\nhello'],
    ['a word for a number', iesText().replace('1000', 'many')],
    ['cut off', iesText().slice(0, -4)],
    ['type A', iesText({ type: 3 })],
    ['negative', iesText({ candela: () => -1 })],
    ['descending angles', iesText({ v: [0, 90, 45] })],
    ['a strange start', iesText({ h: [10, 90] })],
    ['too many angles', iesText().replace(' 3 1 1 2 ', ' 99999 1 1 2 ')],
    ['an endless tilt', iesText({ tilt: 'TILT=INCLUDE\n1\n1e9' })],
    ['an endless factor', iesText({ multiplier: 1e300 })],
  ])('refuses %s with one sentence', (_, text) => {
    expect(() => parse(text)).toThrow(/^lights\[0\]: the light profile [^.]+\.?[^.]*; choose an IES LM-63 file\.$/);
  });
});
