/**
 * The leaf test: does an opened leaf agree with a re-trace of the same paths? Signatures are
 * integers and compare exactly; in pixels where all of them agree the light must agree to rounding,
 * in the others the tolerance grows with the share of paths that differ. Refuses to decide about
 * people: it returns findings, and what follows from them is the coordinator's.
 */
import type { LeafParts } from './commitment.ts';

export interface CompareThresholds {
  /** Least share of paths of one leaf whose signatures are equal. */
  readonly signatureShareMin: number;
  /** Relative bound for pixels whose signatures all agree. */
  readonly lightRelativeMax: number;
  /** Radiance sum below which differences are absolute. */
  readonly lightFloor: number;
}

/**
 * From the first measurement between two drivers: 98.97–100 % of paths equal, pixels whose paths
 * all agree within 4e-7. Full materials agree less, so the bounds leave room; a film with fewer
 * samples or shallower paths shares far fewer signatures than this.
 */
export const DEFAULT_THRESHOLDS: CompareThresholds = {
  signatureShareMin: 0.9,
  lightRelativeMax: 1e-3,
  lightFloor: 1e-4,
};

export interface LeafFinding {
  readonly paths: number;
  readonly pathsEqual: number;
  /** Pixels whose signatures all agree but whose light or segment count does not. */
  readonly pixelsWrong: number;
  /** Largest relative difference of light among agreeing pixels. */
  readonly lightRelativeWorst: number;
  readonly agrees: boolean;
  readonly reason: 'agrees' | 'size' | 'signatures' | 'light' | 'not-finite';
}

export function compareLeaf(claimed: LeafParts, traced: LeafParts, samples: number, thresholds = DEFAULT_THRESHOLDS): LeafFinding {
  const pixels = traced.light.length / 16;
  const empty = { paths: pixels * samples, pathsEqual: 0, pixelsWrong: 0, lightRelativeWorst: 0, agrees: false } as const;
  if (claimed.light.length !== traced.light.length || claimed.signatures.length !== traced.signatures.length)
    return { ...empty, reason: 'size' };
  const a = new DataView(claimed.light.buffer, claimed.light.byteOffset, claimed.light.byteLength);
  const b = new DataView(traced.light.buffer, traced.light.byteOffset, traced.light.byteLength);
  let pathsEqual = 0;
  let pixelsWrong = 0;
  let worst = 0;
  for (let p = 0; p < pixels; p++) {
    const equal = equalSignatures(claimed.signatures, traced.signatures, p, samples);
    pathsEqual += equal;
    const difference = lightDifference(a, b, p, thresholds.lightFloor);
    if (!Number.isFinite(difference)) return { ...empty, reason: 'not-finite' };
    if (equal !== samples) continue;
    worst = Math.max(worst, difference);
    if (difference > thresholds.lightRelativeMax || a.getUint32(p * 16 + 12, true) !== b.getUint32(p * 16 + 12, true)) pixelsWrong++;
  }
  const shareHolds = pathsEqual >= thresholds.signatureShareMin * pixels * samples;
  const reason = !shareHolds ? 'signatures' : pixelsWrong > 0 ? 'light' : 'agrees';
  return { paths: pixels * samples, pathsEqual, pixelsWrong, lightRelativeWorst: worst, agrees: reason === 'agrees', reason };
}

function equalSignatures(a: Uint8Array, b: Uint8Array, pixel: number, samples: number): number {
  let equal = 0;
  for (let s = pixel * samples; s < (pixel + 1) * samples; s++) {
    if (a[s * 2] === b[s * 2] && a[s * 2 + 1] === b[s * 2 + 1]) equal++;
  }
  return equal;
}

/** Largest channel difference relative to the brighter of the two pixels; NaN when either is not finite. */
function lightDifference(a: DataView, b: DataView, pixel: number, floor: number): number {
  let difference = 0;
  let scale = floor;
  for (let c = 0; c < 3; c++) {
    const x = a.getFloat32(pixel * 16 + c * 4, true);
    const y = b.getFloat32(pixel * 16 + c * 4, true);
    if (!Number.isFinite(x) || !Number.isFinite(y)) return Number.NaN;
    difference = Math.max(difference, Math.abs(x - y));
    scale = Math.max(scale, Math.abs(x), Math.abs(y));
  }
  return difference / scale;
}
