/**
 * Which leaves a checker re-traces. The seed mixes a beacon the coordinator published long before,
 * a nonce the checker committed to before the assignment, the lease and the committed root: none of
 * the three parties can steer it, and anyone can recompute it from the log.
 */
import { concat, fromHex, sha256, type Bytes } from '../protocol/bytes.ts';

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
