/**
 * How two stacks' drawings of one scene differ: in the decisions of paths, in light and layers where no
 * decision does, and whether the leaf test that workers are judged by takes them for the same.
 */
import { filmLight, readPixel, viewOfFilm, type PixelSums } from '#lib/job/film.ts';
import { segmentsPerPathMax } from '#lib/job/plan.ts';
import { compareLeaf, type LeafFinding } from '#lib/trust/compare.ts';
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
  /** Of the whole picture as one leaf. */
  readonly leaf: LeafFinding['reason'];
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

const signaturesOf = (drawing: Drawing): Uint16Array => new Uint16Array(bytesOf(drawing.signatures).buffer);

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

const leafOf = (drawing: Drawing) => ({ light: filmOf(drawing), signatures: bytesOf(drawing.signatures) });

export function compareDrawings(a: Drawing, b: Drawing): Difference {
  const [left, right] = [lightOf(a), lightOf(b)];
  const [mine, other] = [signaturesOf(a), signaturesOf(b)];
  const pixels = a.width * a.height;
  const [film, otherFilm] = [viewOfFilm(filmOf(a)), viewOfFilm(filmOf(b))];
  let layers: Layers = { albedo: 0, normal: 0, depth: 0, moment: 0, objects: 0 };
  let [equalPaths, equalPixels, worstLight, sumA, sumB] = [0, 0, 0, 0, 0];
  for (let p = 0; p < pixels; p++) {
    let same = 0;
    for (let s = p * a.samples; s < (p + 1) * a.samples; s++) if (mine[s] === other[s]) same++;
    equalPaths += same;
    if (same === a.samples) {
      equalPixels++;
      layers = worseLayers(layers, readPixel(film, p), readPixel(otherFilm, p), a.samples);
    }
    for (let c = 0; c < 3; c++) {
      const [x, y] = [left[p * 3 + c]! / a.samples, right[p * 3 + c]! / a.samples];
      sumA += x;
      sumB += y;
      if (same === a.samples) worstLight = Math.max(worstLight, apart(x, y, 1e-3));
    }
  }
  const meanLight = Math.abs(sumA - sumB) / Math.max(sumA, sumB);
  const { reason } = compareLeaf(leafOf(b), leafOf(a), { samples: a.samples, segmentsMax: segmentsPerPathMax(a.bounces) });
  return { name: a.name, paths: mine.length, equalPaths, equalPixels, worstLight, meanLight, layers, leaf: reason };
}

/** One line of the table that is printed and, when measured anew, copied into tests/README.md. */
export const rowOf = (stack: string, d: Difference): string =>
  `| ${stack} | ${d.name} | ${((100 * d.equalPaths) / d.paths).toFixed(3)} % of ${d.paths} | ${d.worstLight.toExponential(1)} | ${d.meanLight.toExponential(1)} | ${d.layers.albedo.toFixed(3)}, ${d.layers.normal.toFixed(3)} | ${d.layers.depth.toExponential(1)}, ${d.layers.moment.toExponential(1)} | ${d.layers.objects} | ${d.leaf} |`;
