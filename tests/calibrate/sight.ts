/**
 * One leaf of honest work as two stacks traced it: the verdict of the leaf test that workers are judged by,
 * and how near it came to another one. Changes nothing of the test: it looks on.
 */
import { filmSegments, FILM_BYTES_PER_PIXEL, readPixel, viewOfFilm, type PixelSums } from '#lib/job/film.ts';
import { equalBytes } from '#lib/protocol/bytes.ts';
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
  const identical = equalBytes(claimed.light, traced.light) && equalBytes(claimed.signatures, traced.signatures);
  const segments = [filmSegments(claimed.light), filmSegments(traced.light)] as const;
  const truth = pixelsOf(traced.light);
  if (identical) return { finding, identical, light: truth.map(() => 0), drifted: 0, segments };
  // Brightness bounds pixels with differing paths only; where none differs it is not read.
  const layers = new LayerTest(truth, paths.samples, { mean: 0, most: 0 }, DEFAULT_THRESHOLDS);
  const light: number[] = [];
  let drifted = 0;
  for (const [p, a] of pixelsOf(claimed.light).entries()) {
    const bytes = paths.samples * 2;
    const own = (signatures: Uint8Array): Uint8Array => signatures.subarray(p * bytes, (p + 1) * bytes);
    if (!equalBytes(own(claimed.signatures), own(traced.signatures))) continue;
    const apart = lightApart(a, truth[p]!);
    light.push(apart);
    if (apart > DEFAULT_THRESHOLDS.lightRelativeMax || layers.drifts(a, truth[p]!)) drifted++;
  }
  return { finding, identical, light: light.toSorted((x, y) => x - y), drifted, segments };
}
