/**
 * Known answers. A worker is asked, with its lease, to commit to a copy of its film that is false on
 * purpose; it says so first under seal, and which leaves tell. Whoever is drawn to check it can't know:
 * the key, the peer, the device, the scene and the delivery are a working worker's, the draw looks like
 * any other, and every draw carries a seal. Once a checker has spoken the seal is opened in the log, the
 * checker is graded, the lease is void without blame, and the worker commits to the honest film, which it
 * still has: a drill of the free kinds costs no tracing at all.
 * It is one worker's word that the film was false. Nothing else follows from it than a checker's grade.
 */
import { leafRects, segmentsPerPathMax, type Rect } from '../job/plan.ts';
import type { Film } from '../job/film.ts';
import { concat, fromBase64Url, fromHex, sha256, toBase64Url, toHex } from '../protocol/bytes.ts';
import { cutLeaf } from './commitment.ts';
import { compareLeaf, DEFAULT_THRESHOLDS, differingMax } from './compare.ts';
import type { Corruption } from './corruption.ts';
import type { TrustRules } from './rules.ts';
import { challengeOf, type Standing } from './standing.ts';

export interface Drill {
  readonly kind: Corruption;
  readonly strength: number;
  /** Of the lie's own choices. */
  readonly seed: number;
}

/**
 * Kinds, how likely each is, and strengths. Those that spare a cheat most are traced another time, the
 * others are made from the honest film; none shows without a re-trace but `upscaled`, which is rare.
 */
const KINDS: readonly { readonly kind: Corruption; readonly weight: number; readonly from: number; readonly to: number }[] = [
  { kind: 'forged', weight: 30, from: 0.3, to: 0.9 },
  { kind: 'brighter', weight: 22, from: 0.05, to: 0.3 },
  { kind: 'skim', weight: 14, from: 0.3, to: 0.6 },
  { kind: 'upscaled', weight: 4, from: 0.25, to: 0.25 },
  { kind: 'depth', weight: 8, from: 1, to: 2 },
  { kind: 'samples', weight: 8, from: 0.5, to: 0.5 },
  { kind: 'denoised', weight: 6, from: 0.5, to: 0.5 },
  { kind: 'replayed', weight: 8, from: 1, to: 1 },
];
const WEIGHT = KINDS.reduce((sum, { weight }) => sum + weight, 0);

/**
 * Chance that a lease is a drill: the base, and more where whole films are drawn, for that is where a
 * checker that doesn't look spares most. @returns parts per million.
 */
export function drillPpm(standing: Standing, rules: TrustRules): number {
  const { auditPpm } = challengeOf(standing, 1, rules);
  return Math.min(rules.drillPpm + Math.floor((auditPpm * rules.drillAuditShare) / 1000), 500_000);
}

/** @param random three numbers, uniform in [0, 1). */
export function drillOf([which, strength, seed]: readonly [number, number, number]): Drill {
  let left = which * WEIGHT;
  const found = KINDS.find(({ weight }) => (left -= weight) < 0) ?? KINDS[0]!;
  const value = found.from + strength * (found.to - found.from);
  return { kind: found.kind, strength: found.kind === 'depth' ? Math.round(value) : value, seed: Math.floor(seed * 2 ** 32) };
}

/** A leaf tells when it fails far beyond what honest devices differ by: by twice the paths that may differ, or the pixels that may drift. */
const SURELY = 2;

/** Which leaves of the false film an honest checker can't pass, in leaf order. */
export function tellingLeaves(honest: Film, spoilt: Film, tile: Rect, bounces: number): boolean[] {
  const paths = { samples: honest.samples, segmentsMax: segmentsPerPathMax(bounces) };
  return leafRects(tile).map((leaf) => {
    const found = compareLeaf(cutLeaf(spoilt, tile, leaf), cutLeaf(honest, tile, leaf), paths);
    if (found.agrees) return false;
    const pixelsMax = DEFAULT_THRESHOLDS.driftedShareMax * leaf.width * leaf.height;
    return found.paths - found.pathsEqual > SURELY * differingMax(found.paths) || found.pixelsWrong > SURELY * pixelsMax;
  });
}

export function packBits(bits: readonly boolean[]): string {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  for (const [i, bit] of bits.entries()) if (bit) bytes[i >> 3]! |= 1 << (i & 7);
  return toBase64Url(bytes);
}

/** @returns null unless `text` is the one spelling of `count` bits. */
export function unpackBits(text: string, count: number): boolean[] | null {
  const bytes = fromBase64Url(text);
  if (bytes?.length !== Math.ceil(count / 8)) return null;
  const bits = Array.from({ length: count }, (_, i) => ((bytes[i >> 3]! >> (i & 7)) & 1) === 1);
  return packBits(bits) === text ? bits : null;
}

/**
 * What a draw carries: for a drill, bound to the worker's sealed word and to this draw, so that two draws
 * of one lease can't be told to be alike; random for all others.
 * @param request hash of the worker's envelope, hex.
 */
export const sealOf = (request: string, nonceCommitment: string): string =>
  toHex(sha256(concat(fromHex(request), fromHex(nonceCommitment))));

/** A film that was drawn whole and passed unseen: it spared most, and few drills are drawn whole. */
const WHOLE_WEIGHT = 8;

/** What a drill says of a checker that gave this verdict on these leaves; null where none of them tells. */
export function drillLesson(
  tells: readonly boolean[],
  drawn: readonly number[],
  verdict: 'pass' | 'fail',
): { readonly truth: 'bad'; readonly right: boolean; readonly weight: number } | null {
  if (!drawn.some((leaf) => tells[leaf])) return null;
  const right = verdict === 'fail';
  return { truth: 'bad', right, weight: !right && drawn.length === tells.length ? WHOLE_WEIGHT : 1 };
}
