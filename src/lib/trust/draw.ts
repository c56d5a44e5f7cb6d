/**
 * Which leaves a checker re-traces. The seed mixes a beacon the coordinator published long before,
 * a nonce the checker committed to before the assignment, the lease and the committed root: none of
 * the three parties can steer it, and anyone can recompute it from the log.
 */
import { concat, fromHex, sha256, utf8, type Bytes } from '../protocol/bytes.ts';
import { CLASS_WEIGHTS } from './weights.ts';

export interface DrawSeed {
  /** 32 bytes, hex: the next link of the published hash chain. */
  readonly beacon: string;
  /** 32 bytes, hex: what the checker committed to. */
  readonly nonce: string;
  /** Lease id, hex. */
  readonly lease: string;
  /** Committed root, hex. */
  readonly root: string;
}

export const drawSeed = (seed: DrawSeed): Bytes =>
  sha256(concat(fromHex(seed.beacon), fromHex(seed.nonce), fromHex(seed.lease), fromHex(seed.root)));

/** A checker's commitment to a nonce. */
export const nonceCommitment = (nonce: Uint8Array): Bytes => sha256(nonce);

/**
 * Draws `count` different leaves of `leaves`, ascending, uniformly: 64-bit words of
 * SHA-256(seed ‖ counter) reduced modulo what is left (bias below leaves · 2^-64).
 */
export function drawLeaves(seed: Uint8Array, leaves: number, count: number): number[] {
  const wanted = Math.min(count, leaves);
  const pool = Array.from({ length: leaves }, (_, i) => i);
  const out: number[] = [];
  for (let i = 0; i < wanted; i++) {
    const word = new DataView(sha256(concat(seed, Uint8Array.of(i & 255, i >> 8))).buffer).getBigUint64(0);
    const at = Number(word % BigInt(pool.length));
    out.push(...pool.splice(at, 1));
  }
  return out.sort((a, b) => a - b);
}

/** What a draw follows from, besides its seed. */
export interface DrawTerms {
  readonly leaves: number;
  /** How many are drawn when not all are. */
  readonly count: number;
  /** Chance that all are drawn. */
  readonly auditPpm: number;
  /** What each leaf can tell (weights.ts); null in logs from before these were committed to: all alike. */
  readonly classes: readonly number[] | null;
}

/** The leaves that a checker re-traces, ascending. */
export function challengedLeaves(seed: Uint8Array, { leaves, count, auditPpm, classes }: DrawTerms): number[] {
  if (falls(seed, 'audit', auditPpm)) return Array.from({ length: leaves }, (_, i) => i);
  return classes ? drawWeighted(seed, classes, count) : drawLeaves(seed, leaves, count);
}

/** Does a passing verdict with this seed need a second opinion? Known to nobody before the nonce is. */
export const secondAuditFalls = (seed: Uint8Array, ppm: number): boolean => falls(seed, 'second', ppm);

function falls(seed: Uint8Array, purpose: string, ppm: number): boolean {
  const word = new DataView(sha256(concat(seed, utf8(purpose))).buffer).getBigUint64(0);
  return word % 1_000_000n < BigInt(ppm);
}

/**
 * Draws `count` different leaves, ascending: each by an even chance either among all that are left or
 * by what they can tell, so that no leaf is safe and lit edges are looked at first. 64-bit words of
 * SHA-256(seed ‖ counter) reduced modulo a total below 2^17 (bias below 2^-47); the byte after decides which.
 */
export function drawWeighted(seed: Uint8Array, classes: readonly number[], count: number): number[] {
  const pool = classes.map((_, i) => i);
  const out: number[] = [];
  const wanted = Math.min(count, pool.length);
  for (let i = 0; i < wanted; i++) {
    const digest = sha256(concat(seed, Uint8Array.of(i & 255, i >> 8)));
    const word = new DataView(digest.buffer).getBigUint64(0);
    const total = pool.reduce((sum, leaf) => sum + weightOf(classes[leaf]!), 0);
    const even = total === 0 || (digest[8]! & 1) === 0;
    const at = even ? Number(word % BigInt(pool.length)) : placeOf(pool, classes, Number(word % BigInt(total)));
    out.push(...pool.splice(at, 1));
  }
  return out.sort((a, b) => a - b);
}

const weightOf = (level: number): number => CLASS_WEIGHTS[level] ?? 0;

/** Where in the pool the running sum of weights passes `mark`. */
function placeOf(pool: readonly number[], classes: readonly number[], mark: number): number {
  let left = mark;
  return pool.findIndex((leaf) => (left -= weightOf(classes[leaf]!)) < 0);
}
