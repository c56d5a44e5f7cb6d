/** The leaf test on honest and dishonest leaves. */
import { describe, expect, it } from 'vitest';
import { FILM_BYTES_PER_PIXEL, viewOfFilm, writePixel, type PixelSums } from '#lib/job/film.ts';
import { NONE } from '#shaders/layout.ts';
import { compareLeaf } from '#lib/trust/compare.ts';
import type { LeafParts } from '#lib/trust/commitment.ts';
import { seededRandom } from '../../sim/virtual-clock.ts';

const SAMPLES = 16;
const PIXELS = 64;
const PATHS = { samples: SAMPLES, segmentsMax: 19 };

type Pixel = {
  -readonly [K in keyof PixelSums]: PixelSums[K] extends readonly [number, number, number] ? [number, number, number] : PixelSums[K];
};

/** Pixels that saw a grey floor with 12 of their 16 paths. */
const floor = (p: number): Pixel => ({
  light: [1 + p, 2, 0.5],
  segments: 9,
  albedo: [6_000, 6_000, 6_000],
  normal: [0, 511 * 12, -40],
  coverage: 12,
  depth: 12 * (2 + p / 10),
  moment: 1 + p,
  object: 3 + p,
});

function leaf(change: (pixels: Pixel[], signatures: Uint16Array) => void = () => {}): LeafParts {
  const pixels = Array.from({ length: PIXELS }, (_, p) => floor(p));
  const signatures = Uint16Array.from({ length: PIXELS * SAMPLES }, (_, i) => (i * 40503) & 0xffff);
  change(pixels, signatures);
  const light = new Uint8Array(PIXELS * FILM_BYTES_PER_PIXEL);
  pixels.forEach((pixel, p) => writePixel(viewOfFilm(light), p, pixel));
  return { light, signatures: new Uint8Array(signatures.buffer) };
}

describe('the leaf test', () => {
  it('agrees with itself and with rounding (control)', () => {
    expect(compareLeaf(leaf(), leaf(), PATHS)).toMatchObject({ agrees: true, pathsEqual: 1024 });
    const rounded = leaf(([first]) => (first!.light[0] *= 1 + 4e-7));
    expect(compareLeaf(rounded, leaf(), PATHS).agrees).toBe(true);
  });

  it('lets a pixel differ whose paths differ, as honest drivers do', () => {
    const diverged = leaf(([first], signatures) => {
      signatures[0]! ^= 1;
      first!.light[0] = 3;
    });
    expect(compareLeaf(diverged, leaf(), PATHS)).toMatchObject({ agrees: true, pathsEqual: 1023 });
  });

  it('lets a few pixels drift whose paths decided alike, as between curved mirrors, and counts a path for each (control)', () => {
    const drifted = leaf((pixels) => {
      for (const pixel of pixels.slice(10, 18)) {
        pixel.light[0] *= 1.01;
        pixel.moment *= 1.01;
        pixel.albedo[0] -= 600;
      }
    });
    expect(compareLeaf(drifted, leaf(), PATHS)).toMatchObject({ agrees: true, pathsEqual: 1016 });
  });

  it.each([
    ['light', (pixel: Pixel) => (pixel.light[0] *= 1.002)],
    ['moment', (pixel: Pixel) => (pixel.moment *= 1.004)],
    ['albedo', (pixel: Pixel) => (pixel.albedo[1] += SAMPLES + 1)],
    ['normals', (pixel: Pixel) => (pixel.normal[2] -= SAMPLES + 1)],
  ])('catches %s that is off in more pixels, although all paths agree', (_, bend) => {
    const bent = leaf((pixels) => pixels.slice(10, 19).forEach(bend));
    expect(compareLeaf(bent, leaf(), PATHS)).toMatchObject({ agrees: false, reason: 'light', pixelsWrong: 9 });
  });

  it('catches one pixel brighter than any path of the leaf explains', () => {
    const bent = leaf((pixels) => (pixels[10]!.light[0] += 70));
    expect(compareLeaf(bent, leaf(), PATHS)).toMatchObject({ agrees: false, reason: 'light', pixelsWrong: 1 });
  });

  it('catches inflated segment counts', () => {
    const bent = leaf((pixels) => (pixels[1]!.segments += 1));
    expect(compareLeaf(bent, leaf(), PATHS)).toMatchObject({ agrees: false, reason: 'light' });
  });

  it('catches half the samples not traced', () => {
    const bent = leaf((_p, signatures) => signatures.forEach((_, i) => i % 2 && (signatures[i] = 0)));
    expect(compareLeaf(bent, leaf(), PATHS)).toMatchObject({ agrees: false, reason: 'signatures' });
  });

  it('catches NaN and a wrong size', () => {
    expect(
      compareLeaf(
        leaf(([first]) => (first!.light[0] = Number.NaN)),
        leaf(),
        PATHS,
      ).reason,
    ).toBe('not-finite');
    const short = { ...leaf(), light: leaf().light.subarray(FILM_BYTES_PER_PIXEL) };
    expect(compareLeaf(short, leaf(), PATHS).reason).toBe('size');
  });
});

/** Each a lie about one pixel whose light is honest. */
const FALSE_LAYERS: Readonly<Record<string, (pixel: Pixel) => void>> = {
  'more albedo than one path explains': (pixel) => (pixel.albedo[1] += SAMPLES + 1024),
  'no albedo': (pixel) => (pixel.albedo = [0, 0, 0]),
  'a normal on the other side': (pixel) => (pixel.normal[1] *= -1),
  'one path more that saw a surface': (pixel) => (pixel.coverage += 1),
  'one path fewer that saw a surface': (pixel) => (pixel.coverage -= 1),
  'a depth 1 % off': (pixel) => (pixel.depth *= 1.01),
  'no depth': (pixel) => (pixel.depth = 0),
  'a moment beyond what one path explains': (pixel) => (pixel.moment += 70 ** 2),
  'another object': (pixel) => (pixel.object += 1),
  'no object': (pixel) => (pixel.object = NONE),
};

describe('what a film tells beside light', () => {
  it('may be one rounding step off per path, and floats their last bits (control)', () => {
    const rounded = leaf((pixels) => {
      for (const pixel of pixels) {
        for (let c = 0; c < 3; c++) pixel.albedo[c]! += c === 1 ? -SAMPLES : SAMPLES;
        for (let c = 0; c < 3; c++) pixel.normal[c]! -= c === 1 ? SAMPLES : -SAMPLES;
        pixel.depth *= 1 + 4e-7;
        pixel.moment *= 1 - 8e-7;
      }
    });
    expect(compareLeaf(rounded, leaf(), PATHS)).toMatchObject({ agrees: true });
  });

  it.each(Object.entries(FALSE_LAYERS))('catches %s where all paths agree', (_, bend) => {
    const bent = leaf((pixels) => void bend(pixels[20]!));
    expect(compareLeaf(bent, leaf(), PATHS)).toMatchObject({ agrees: false, reason: 'light', pixelsWrong: 1 });
  });

  it('catches depth that is no number', () => {
    expect(
      compareLeaf(
        leaf(([first]) => (first!.depth = Number.NaN)),
        leaf(),
        PATHS,
      ).reason,
    ).toBe('not-finite');
    expect(
      compareLeaf(
        leaf(([first]) => (first!.moment = Infinity)),
        leaf(),
        PATHS,
      ).reason,
    ).toBe('not-finite');
  });

  it('lets an edge pixel see something else where its first path differs (control), and not where a later one does', () => {
    const beyond = (sample: number): LeafParts =>
      leaf(([first], signatures) => {
        signatures[sample]! ^= 1;
        Object.assign(first!, {
          object: 99,
          coverage: 11,
          depth: first!.depth - 2,
          albedo: [5_500, 5_500, 5_500],
          normal: [0, 511 * 11, 0],
        });
      });
    expect(compareLeaf(beyond(0), leaf(), PATHS)).toMatchObject({ agrees: true });
    // With 12 of 16 paths covered, the first one covered is no later than sample 4.
    expect(compareLeaf(beyond(4), leaf(), PATHS)).toMatchObject({ agrees: true });
    expect(compareLeaf(beyond(5), leaf(), PATHS)).toMatchObject({ agrees: false, reason: 'light' });
  });
});

/** An evenly lit leaf (mean path 1) whose paths differ where `differ` says, and what was made of it. */
function evenly(change: (pixels: Pixel[], signatures: Uint16Array) => void): LeafParts {
  return leaf((pixels, signatures) => {
    for (const pixel of pixels) Object.assign(pixel, { light: [SAMPLES, SAMPLES, SAMPLES], segments: 5 * SAMPLES, moment: SAMPLES });
    change(pixels, signatures);
  });
}

const flipOnePerPixel = (signatures: Uint16Array): void => {
  for (let p = 0; p < PIXELS; p++) signatures[p * SAMPLES]! ^= 1;
};

describe('a leaf whose every pixel has one disowned path', () => {
  const truth = evenly(() => {});
  const judged = (change: (pixels: Pixel[]) => void): ReturnType<typeof compareLeaf> =>
    compareLeaf(
      evenly((pixels, signatures) => {
        flipOnePerPixel(signatures);
        change(pixels);
      }),
      truth,
      PATHS,
    );
  const times = (factor: number) => (pixels: Pixel[]) => {
    for (const pixel of pixels) pixel.light = pixel.light.map((sum) => sum * factor) as Pixel['light'];
  };

  it('agrees while light and segments are what was traced (control)', () => {
    expect(judged(() => {})).toMatchObject({ agrees: true, pathsEqual: 960, pixelsWrong: 0 });
  });

  it('agrees while the disowned paths differ as draws from one distribution do (control)', () => {
    const random = seededRandom(3);
    for (let n = 0; n < 200; n++) {
      // Exponentially distributed light, and 1 to 9 segments.
      const path = (): number => -Math.log(1 - random());
      const honest = judged((pixels) => {
        for (const pixel of pixels) {
          for (let c = 0; c < 3; c++) pixel.light[c]! += path() - path();
          pixel.segments += Math.floor(random() * 9) - Math.floor(random() * 9);
          pixel.moment += path() ** 2 - path() ** 2;
          pixel.depth += 2 * (random() - random());
          for (let c = 0; c < 3; c++) pixel.albedo[c]! += Math.floor(random() * 1024) - Math.floor(random() * 1024);
          for (let c = 0; c < 3; c++) pixel.normal[c]! += Math.floor(random() * 512) - Math.floor(random() * 512);
        }
      });
      expect(honest).toMatchObject({ agrees: true });
    }
  });

  it.each([
    ['huge light and segments without number', times(1e30), 999_999],
    ['huge light', times(1e30), 80],
    ['a light twice as bright', times(2), 80],
    ['a light 5 % brighter', times(1.05), 80],
    ['a light 5 % darker', times(0.95), 80],
    ['no light', times(0), 80],
    ['segments of one path at their most', times(1), 80 + 14],
    ['segments beyond what a path may have', times(1), 80 + 20],
    ['6 % more segments', times(1), 85],
  ])('does not pass %s', (_, bend, count) => {
    const finding = judged((pixels) => {
      bend(pixels);
      for (const pixel of pixels) pixel.segments = count;
    });
    expect(finding).toMatchObject({ agrees: false, reason: 'light', pixelsWrong: 64, pathsEqual: 960 });
  });

  it.each<[string, (pixel: Pixel) => void]>([
    ['every object another', (pixel) => (pixel.object += 1)],
    ['albedo of one path in sixteen white', (pixel) => pixel.albedo.forEach((_, c) => (pixel.albedo[c]! += 1023))],
    ['normals of one path in sixteen turned', (pixel) => (pixel.normal[1] -= 1022)],
    ['everything nearer by one path', (pixel) => (pixel.depth -= 4)],
    ['one path fewer that saw a surface', (pixel) => (pixel.coverage -= 1)],
    ['a moment of one path in sixteen eight times the mean', (pixel) => (pixel.moment += 8)],
  ])('does not pass %s', (_, bend) => {
    expect(judged((pixels) => pixels.forEach(bend))).toMatchObject({ agrees: false, reason: 'light', pixelsWrong: 64, pathsEqual: 960 });
  });

  it('does not pass noise that cancels out but is more than its paths can make', () => {
    const finding = judged((pixels) => {
      for (const [p, pixel] of pixels.entries()) for (let c = 0; c < 3; c++) pixel.light[c]! += p % 2 === 0 ? 8 : -8;
    });
    expect(finding).toMatchObject({ agrees: false, reason: 'light' });
  });

  it('passes nothing bright where the re-trace is dark', () => {
    const none = (pixels: Pixel[]): void => pixels.forEach((pixel) => Object.assign(pixel, { light: [0, 0, 0], moment: 0 }));
    const dark = evenly(none);
    const claimed = evenly((pixels, signatures) => {
      none(pixels);
      flipOnePerPixel(signatures);
      pixels[0]!.light[0] = 0.01;
    });
    expect(compareLeaf(claimed, dark, PATHS)).toMatchObject({ agrees: false, reason: 'light', pixelsWrong: 1 });
  });
});
