/**
 * One leaf of honest work as two stacks traced it: the verdict of the leaf test that workers are judged by,
 * and how near it came to another one. Changes nothing of the test: it looks on.
 */
import { filmSegments, FILM_BYTES_PER_PIXEL, readPixel, SIGNATURE_BYTES_PER_PATH, viewOfFilm, type PixelSums } from '#lib/job/film.ts';
import type { LeafParts } from '#lib/trust/commitment.ts';
import { LayerTest } from '#lib/trust/compare-layers.ts';
import { compareLeaf, DEFAULT_THRESHOLDS, type LeafFinding, type LeafPaths } from '#lib/trust/compare.ts';

export interface Sight {
  readonly finding: LeafFinding;
  /** Not one byte differs. */
  readonly identical: boolean;
  /** Of pixels all of whose paths decided alike: relative differences of light, ascending. */
  readonly light: readonly number[];
  /** How many of these differ by more than rounding, in light or in what was seen. */
  readonly drifted: number;
  /** Claimed and traced. */
  readonly segments: readonly [number, number];
}

/** As `equalBytes`, many times as fast: most of what is compared here is equal. */
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const pixelsOf = (light: Uint8Array): PixelSums[] => {
  const view = viewOfFilm(light);
  return Array.from({ length: light.length / FILM_BYTES_PER_PIXEL }, (_, p) => readPixel(view, p));
};

/** As the leaf test scales it: by the re-trace's brightest channel. */
function lightApart(a: PixelSums, b: PixelSums): number {
  const scale = Math.max(...b.light, DEFAULT_THRESHOLDS.lightFloor);
  return Math.max(...a.light.map((value, c) => Math.abs(value - b.light[c]!))) / scale;
}

export function look(claimed: LeafParts, traced: LeafParts, paths: LeafPaths): Sight {
  const finding = compareLeaf(claimed, traced, paths);
  const identical = same(claimed.light, traced.light) && same(claimed.signatures, traced.signatures);
  const segments = [filmSegments(claimed.light), filmSegments(traced.light)] as const;
  const pixels = traced.light.length / FILM_BYTES_PER_PIXEL;
  if (identical) return { finding, identical, light: Array.from({ length: pixels }, () => 0), drifted: 0, segments };
  const [claims, truth] = [pixelsOf(claimed.light), pixelsOf(traced.light)];
  // Brightness bounds pixels with differing paths only; where none differs it is not read.
  const layers = new LayerTest(truth, paths.samples, { mean: 0, most: 0 }, DEFAULT_THRESHOLDS);
  const part = (bytes: Uint8Array, pixel: number, size: number): Uint8Array => bytes.subarray(pixel * size, (pixel + 1) * size);
  const like = (a: Uint8Array, b: Uint8Array, pixel: number, size: number): boolean => same(part(a, pixel, size), part(b, pixel, size));
  const light: number[] = [];
  let drifted = 0;
  for (let p = 0; p < pixels; p++) {
    if (!like(claimed.signatures, traced.signatures, p, paths.samples * SIGNATURE_BYTES_PER_PATH)) continue;
    const alike = like(claimed.light, traced.light, p, FILM_BYTES_PER_PIXEL);
    const apart = alike ? 0 : lightApart(claims[p]!, truth[p]!);
    light.push(apart);
    if (!alike && (apart > DEFAULT_THRESHOLDS.lightRelativeMax || layers.drifts(claims[p]!, truth[p]!))) drifted++;
  }
  return { finding, identical, light: light.toSorted((x, y) => x - y), drifted, segments };
}
