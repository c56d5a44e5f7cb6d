/**
 * Judges the films of two stacks against each other, each as the other's checker, and adds up what came out
 * for one pair of adapter classes. Refuses to leave anything out: dark leaves count among the leaves, and
 * are told apart where they would flatter a mean.
 */
import { filmLight, type Film } from '#lib/job/film.ts';
import { leafRects, segmentsPerPathMax } from '#lib/job/plan.ts';
import { cutLeaf, type LeafParts } from '#lib/trust/commitment.ts';
import { DEFAULT_THRESHOLDS, type LeafFinding } from '#lib/trust/compare.ts';
import { leafClasses } from '#lib/trust/weights.ts';
import { SIDE_PX, type Shot } from './plan.ts';
import { look } from './sight.ts';

export const WHOLE = { x: 0, y: 0, width: SIDE_PX, height: SIDE_PX };
const RECTS = leafRects(WHOLE);
/** Pixels of a leaf that may drift: one more, and it is refused. */
const DRIFTED_MAX = Math.floor(DEFAULT_THRESHOLDS.driftedShareMax * 64);

/** One leaf as a check adds it up. */
export interface Judgement {
  readonly paths: number;
  readonly pathsEqual: number;
  readonly agrees: boolean;
  /** What the leaf can tell (trust/weights). */
  readonly level: number;
  /** Claimed and traced light, three channels added. */
  readonly light: readonly [number, number];
}

/** All leaves of one film, one direction. */
export interface FilmJudged {
  readonly scene: string;
  readonly leaves: readonly Judgement[];
}

export class PairTally {
  readonly stacks = new Set<string>();
  readonly films: FilmJudged[] = [];
  identical = 0;
  refused: Partial<Record<LeafFinding['reason'], number>> = {};
  /** Of each leaf. */
  readonly differing: number[] = [];
  /** Of each leaf: differing paths beyond the share that may differ, in standard deviations of such a share; NOISE of them are refused. */
  readonly beyond: number[] = [];
  /** Of each leaf that can tell something. */
  readonly telling: number[] = [];
  /** Of each leaf: the largest difference of light that decides about it, for so many may drift. */
  readonly deciding: number[] = [];
  /** Of each pixel whose paths decided alike and whose light is not the same bits. */
  readonly light: number[] = [];
  pixelsAlike = 0;
  /** How many leaves had so many drifted pixels. */
  readonly drifted: number[] = [];
  readonly segments = { leavesDiffering: 0, worst: 0, claimed: 0, traced: 0 };

  /** @returns which leaves are refused. */
  add(shot: Shot, claimed: Film, traced: Film): number[] {
    const classes = leafClasses(claimed.light, WHOLE, shot.count);
    const leaves = RECTS.map((rect, i) => this.#leaf(shot, cutLeaf(claimed, WHOLE, rect), cutLeaf(traced, WHOLE, rect), classes[i]!));
    this.films.push({ scene: shot.scene, leaves });
    return leaves.flatMap(({ agrees }, i) => (agrees ? [] : [i]));
  }

  #leaf({ count, bounces }: Shot, claimed: LeafParts, traced: LeafParts, level: number): Judgement {
    const { finding, identical, light, drifted, segments } = look(claimed, traced, {
      samples: count,
      segmentsMax: segmentsPerPathMax(bounces),
    });
    const { paths, pathsEqual } = finding;
    this.identical += Number(identical);
    if (!finding.agrees) this.refused[finding.reason] = (this.refused[finding.reason] ?? 0) + 1;
    this.differing.push(1 - pathsEqual / paths);
    const share = 1 - DEFAULT_THRESHOLDS.signatureShareMin;
    this.beyond.push((paths - pathsEqual - share * paths) / Math.sqrt(share * (1 - share) * paths));
    if (level > 0) this.telling.push(1 - pathsEqual / paths);
    this.deciding.push(light.at(-1 - DRIFTED_MAX) ?? 0);
    for (const apart of light) if (apart > 0) this.light.push(apart);
    this.pixelsAlike += light.length;
    this.drifted[drifted] = (this.drifted[drifted] ?? 0) + 1;
    const [a, b] = segments;
    this.segments.claimed += a;
    this.segments.traced += b;
    if (a !== b) this.segments.leavesDiffering++;
    this.segments.worst = Math.max(this.segments.worst, Math.abs(a - b) / Math.max(b, 1));
    return { paths, pathsEqual, agrees: finding.agrees, level, light: [sumOf(claimed.light), sumOf(traced.light)] };
  }
}

/** Light of a leaf, its channels added, as a check adds it. */
const sumOf = (light: Uint8Array): number => filmLight(light).reduce((sum, value) => sum + value, 0);
