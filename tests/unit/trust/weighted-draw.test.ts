/** Draws by what leaves can tell: where a lie would show first, and nowhere safe. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FILM_BYTES_PER_PIXEL, viewOfFilm, writePixel } from '#lib/job/film.ts';
import { challengedLeaves, drawWeighted, secondAuditFalls } from '#lib/trust/draw.ts';
import { addressPrefix, Pairs } from '#lib/trust/affinity.ts';
import { leafClasses, packClasses, unpackClasses } from '#lib/trust/weights.ts';

const seedOf = (n: number): Uint8Array => Uint8Array.from([n & 255, (n >> 8) & 255, (n >> 16) & 255]);
const classesOf = fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 1, maxLength: 300 });

describe('a weighted draw', () => {
  it('gives different leaves, ascending, never more than there are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), classesOf, fc.integer({ min: 1, max: 16 }), (seed, classes, count) => {
        const drawn = drawWeighted(seed, classes, count);
        expect(drawn).toHaveLength(Math.min(classes.length, count));
        expect(drawn.every((i, k) => i >= 0 && i < classes.length && (k === 0 || i > drawn[k - 1]!))).toBe(true);
      }),
    );
  });

  it('looks at the leaves that tell most about half the time, and at every other one too', () => {
    const classes = Array.from({ length: 64 }, (_, i) => (i === 7 ? 15 : 0));
    const hits = new Array<number>(64).fill(0);
    for (let n = 0; n < 4000; n++) for (const leaf of drawWeighted(seedOf(n), classes, 1)) hits[leaf]!++;
    // Half of 4000, and a 64th of the other half; standard deviation 32.
    expect(hits[7]).toBeGreaterThan(1_900);
    expect(hits[7]).toBeLessThan(2_170);
    // 2000 over 64: mean 31, standard deviation 5.5.
    expect(Math.min(...hits)).toBeGreaterThan(5);
  });

  it('is even where nothing tells (control)', () => {
    const hits = new Array<number>(16).fill(0);
    for (let n = 0; n < 4000; n++) for (const leaf of drawWeighted(seedOf(n), new Array(16).fill(0), 2)) hits[leaf]!++;
    expect(Math.min(...hits)).toBeGreaterThan(400);
    expect(Math.max(...hits)).toBeLessThan(600);
  });

  it('is of all leaves as often as the audit rate says, independently of second audits', () => {
    const counts = { audits: 0, seconds: 0, both: 0 };
    for (let n = 0; n < 4000; n++) {
      const audit = challengedLeaves(seedOf(n), { leaves: 32, count: 2, auditPpm: 250_000, classes: null }).length === 32;
      const second = secondAuditFalls(seedOf(n), 250_000);
      counts.audits += Number(audit);
      counts.seconds += Number(second);
      counts.both += Number(audit && second);
    }
    // Mean 1000, standard deviation 27; both: mean 250, 15.
    for (const n of [counts.audits, counts.seconds]) expect(Math.abs(n - 1_000)).toBeLessThan(140);
    expect(Math.abs(counts.both - 250)).toBeLessThan(80);
    expect(challengedLeaves(seedOf(1), { leaves: 32, count: 2, auditPpm: 1_000_000, classes: null })).toHaveLength(32);
    expect(challengedLeaves(seedOf(1), { leaves: 32, count: 2, auditPpm: 0, classes: null })).toHaveLength(2);
  });
});

describe('what a leaf tells', () => {
  const tile = { x: 16, y: 0, width: 16, height: 8 };
  function film(of: (x: number, y: number, sample: number) => number, samples = 4): Uint8Array {
    const light = new Uint8Array(tile.width * tile.height * FILM_BYTES_PER_PIXEL);
    const view = viewOfFilm(light);
    for (let i = 0; i < tile.width * tile.height; i++) {
      const values = Array.from({ length: samples }, (_, s) => of(i % tile.width, Math.floor(i / tile.width), s));
      const sum = values.reduce((a, b) => a + b, 0);
      const moment = values.reduce((a, b) => a + b * b, 0);
      const none = { segments: 1, albedo: [0, 0, 0], normal: [0, 0, 0], coverage: 0, depth: 0, object: 0 } as const;
      writePixel(view, i, { light: [sum, sum, sum], moment, ...none });
    }
    return light;
  }

  it('is nothing for flat light and for none, little for a slope, much for edges and noise', () => {
    expect(
      leafClasses(
        film(() => 3),
        tile,
        4,
      ),
    ).toEqual([0, 0]);
    expect(
      leafClasses(
        film(() => 0),
        tile,
        4,
      ),
    ).toEqual([0, 0]);
    const [slope, edge] = leafClasses(
      film((x) => (x < 8 ? 1 + x / 100 : x < 12 ? 0.01 : 1)),
      tile,
      4,
    ) as [number, number];
    expect(slope).toBeLessThan(4);
    expect(edge).toBeGreaterThan(8);
    expect(
      leafClasses(
        film((x, y, s) => (x * 7 + y * 3 + s) % 5),
        tile,
        4,
      )[0],
    ).toBeGreaterThan(8);
  });

  it('does not depend on how bright the scene is', () => {
    const at = (scale: number): number[] =>
      leafClasses(
        film((x, y, s) => scale * (1 + ((x * 7 + y * 3 + s) % 5))),
        tile,
        4,
      );
    expect(at(1024)).toEqual(at(1));
  });

  it('is looked at first when it is no number', () => {
    expect(
      leafClasses(
        film((x) => (x === 3 ? Number.NaN : 1)),
        tile,
        4,
      ),
    ).toEqual([15, 0]);
  });

  it('packs and unpacks to itself, and no other spelling is taken', () => {
    fc.assert(
      fc.property(classesOf, (classes) => {
        expect(unpackClasses(packClasses(classes), classes.length)).toEqual(classes);
      }),
    );
    expect(unpackClasses(packClasses([1, 2, 3]), 4)).toEqual([1, 2, 3, 0]);
    expect(unpackClasses(packClasses([1, 2, 3, 4]), 3)).toBeNull();
    expect(unpackClasses(packClasses([1, 2]), 3)).toBeNull();
    expect(unpackClasses('!!', 3)).toBeNull();
  });
});

describe('nearness', () => {
  it('knows networks of one owner by their prefix, and private ones not at all', () => {
    expect(addressPrefix('203.0.113.7')).toBe('203.0.113');
    expect(addressPrefix('::ffff:203.0.113.9')).toBe('203.0.113');
    expect(addressPrefix('2001:db8:1:2::5')).toBe('2001:db8:1');
    expect(addressPrefix('2001:db8:1:ffff:1:2:3:4')).toBe('2001:db8:1');
    expect(addressPrefix('2001:DB8::1')).toBe('2001:db8:0');
    for (const near of [
      '127.0.0.1',
      '10.1.2.3',
      '192.168.0.1',
      '172.20.0.1',
      '100.64.1.1',
      '::1',
      'fe80::1%eth0',
      'fd00::1',
      '',
      'x',
      '1.2.3',
      '1.2.3.999',
      '1::2::3',
    ])
      expect(addressPrefix(near), near).toBeNull();
  });

  it('keeps those apart who check each other, for a while', () => {
    const pairs = new Pairs();
    pairs.note('a', 'b', 1_000);
    expect(pairs.mutual('b', 'a', 1_500, 1_000)).toBe(true);
    expect(pairs.mutual('b', 'a', 2_000, 1_000)).toBe(false);
    expect(pairs.mutual('a', 'b', 1_500, 1_000)).toBe(false);
    expect(pairs.mutual('c', 'a', 1_500, 1_000)).toBe(false);
  });
});
