/**
 * How two stacks' drawings of one scene differ: in the decisions of paths, in light and layers where no
 * decision does, and whether the leaf test that workers are judged by takes them for the same.
 */
import { filmLight, readPixel, viewOfFilm, type PixelSums } from '#lib/job/film.ts';
import { leafRects, segmentsPerPathMax } from '#lib/job/plan.ts';
import { cutLeaf } from '#lib/trust/commitment.ts';
import { compareLeaf, DEFAULT_THRESHOLDS } from '#lib/trust/compare.ts';
import type { Drawing } from './subject.ts';

export interface Difference {
  readonly name: string;
  readonly paths: number;
  /** Paths whose signatures are equal. */
  readonly equalPaths: number;
  /** Pixels all of whose paths decided alike. */
  readonly equalPixels: number;
  /** Worst |a - b| / max(a, b, 1e-3) over channels of those pixels. */
  readonly worstLight: number;
  /** Relative difference of the means of all pixels. */
  readonly meanLight: number;
  readonly layers: Layers;
  /** Pixels that decided alike and are yet further apart than rounding explains (trust/compare). */
  readonly drifted: number;
  readonly leaves: number;
  /** Leaves that the test of workers refuses, by reason. */
  readonly refused: readonly string[];
}

/** Worst differences of what a film tells beside light, in pixels all of whose paths decided alike. */
export interface Layers {
  /** Steps per path, of ALBEDO_STEPS and NORMAL_STEPS. */
  readonly albedo: number;
  readonly normal: number;
  /** Relative. */
  readonly depth: number;
  readonly moment: number;
  /** Pixels whose object or coverage differs. */
  readonly objects: number;
}

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, 'base64'));

const filmOf = (drawing: Drawing): Uint8Array<ArrayBuffer> => bytesOf(drawing.film);

/** Sums of radiance, R, G, B per pixel. */
export const lightOf = (drawing: Drawing): Float32Array => filmLight(filmOf(drawing));

const signaturesOf = (drawing: Drawing): Uint16Array<ArrayBuffer> => new Uint16Array(bytesOf(drawing.signatures).buffer);

const apart = (x: number, y: number, floor: number): number => Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y), floor);

/** The worse of each, `a` and `b` being sums over as many paths. */
function worseLayers(worst: Layers, a: PixelSums, b: PixelSums, samples: number): Layers {
  const steps = (x: readonly number[], y: readonly number[]): number => Math.max(...x.map((value, c) => Math.abs(value - y[c]!))) / samples;
  return {
    albedo: Math.max(worst.albedo, steps(a.albedo, b.albedo)),
    normal: Math.max(worst.normal, steps(a.normal, b.normal)),
    depth: Math.max(worst.depth, apart(a.depth, b.depth, 1e-6)),
    moment: Math.max(worst.moment, apart(a.moment, b.moment, 1e-6)),
    objects: worst.objects + (a.object === b.object && a.coverage === b.coverage ? 0 : 1),
  };
}

/** The leaf test on every leaf of `b`, the re-trace being `a`. */
function refusedLeaves(a: Drawing, b: Drawing): { leaves: number; refused: string[] } {
  const whole = { x: 0, y: 0, width: a.width, height: a.height };
  const film = (of: Drawing) => ({ ...of, light: filmOf(of), signatures: signaturesOf(of) });
  const [claimed, traced] = [film(b), film(a)];
  const rects = leafRects(whole);
  const found = rects.map((rect) =>
    compareLeaf(cutLeaf(claimed, whole, rect), cutLeaf(traced, whole, rect), {
      samples: a.samples,
      segmentsMax: segmentsPerPathMax(a.bounces),
    }),
  );
  return { leaves: rects.length, refused: found.filter(({ agrees }) => !agrees).map(({ reason }) => reason) };
}

export function compareDrawings(a: Drawing, b: Drawing): Difference {
  const [left, right] = [lightOf(a), lightOf(b)];
  const [mine, other] = [signaturesOf(a), signaturesOf(b)];
  const pixels = a.width * a.height;
  const [film, otherFilm] = [viewOfFilm(filmOf(a)), viewOfFilm(filmOf(b))];
  let layers: Layers = { albedo: 0, normal: 0, depth: 0, moment: 0, objects: 0 };
  let [equalPaths, equalPixels, drifted, worstLight, sumA, sumB] = [0, 0, 0, 0, 0, 0];
  for (let p = 0; p < pixels; p++) {
    let same = 0;
    for (let s = p * a.samples; s < (p + 1) * a.samples; s++) if (mine[s] === other[s]) same++;
    equalPaths += same;
    if (same === a.samples) {
      equalPixels++;
      layers = worseLayers(layers, readPixel(film, p), readPixel(otherFilm, p), a.samples);
    }
    let furthest = 0;
    for (let c = 0; c < 3; c++) {
      const [x, y] = [left[p * 3 + c]! / a.samples, right[p * 3 + c]! / a.samples];
      sumA += x;
      sumB += y;
      furthest = Math.max(furthest, apart(x, y, 1e-3));
    }
    if (same < a.samples) continue;
    worstLight = Math.max(worstLight, furthest);
    if (furthest > DEFAULT_THRESHOLDS.lightRelativeMax) drifted++;
  }
  const meanLight = Math.abs(sumA - sumB) / Math.max(sumA, sumB);
  return { name: a.name, paths: mine.length, equalPaths, equalPixels, worstLight, meanLight, layers, drifted, ...refusedLeaves(a, b) };
}

/** One line of the table that is printed and, when measured anew, copied into tests/README.md. */
export const rowOf = (stack: string, d: Difference): string =>
  `| ${stack} | ${d.name} | ${((100 * d.equalPaths) / d.paths).toFixed(3)} % of ${d.paths} | ${d.worstLight.toExponential(1)} | ${d.meanLight.toExponential(1)} | ${d.layers.albedo.toFixed(3)}, ${d.layers.normal.toFixed(3)} | ${d.layers.depth.toExponential(1)}, ${d.layers.moment.toExponential(1)} | ${d.layers.objects} | ${d.drifted} of ${d.equalPixels} | ${d.refused.length} of ${d.leaves} |`;
