/**
 * RFC 6962 section 2.1 Merkle trees over SHA-256: roots, inclusion and consistency. Used by the
 * transparency log and, with the same node rule, by film commitments.
 */
import { concat, sha256, type Bytes } from '../protocol/bytes.ts';

const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

export const hashLeaf = (data: Uint8Array): Bytes => sha256(concat(LEAF_PREFIX, data));
export const hashNode = (left: Uint8Array, right: Uint8Array): Bytes => sha256(concat(NODE_PREFIX, left, right));

/** Largest power of two smaller than `n`; n > 1. */
export function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** Root over leaf hashes; the empty tree's root is SHA-256 of nothing. */
export function rootOf(leafHashes: readonly Bytes[]): Bytes {
  if (leafHashes.length === 0) return sha256(new Uint8Array());
  if (leafHashes.length === 1) return leafHashes[0]!;
  const k = split(leafHashes.length);
  return hashNode(rootOf(leafHashes.slice(0, k)), rootOf(leafHashes.slice(k)));
}

/** Audit path of leaf `index`, from the leaf's sibling upwards (RFC 6962 section 2.1.1). */
export function inclusionProof(leafHashes: readonly Bytes[], index: number): Bytes[] {
  const n = leafHashes.length;
  if (index < 0 || index >= n) throw new RangeError(`leaf ${index} of a tree of ${n}`);
  if (n === 1) return [];
  const k = split(n);
  return index < k
    ? [...inclusionProof(leafHashes.slice(0, k), index), rootOf(leafHashes.slice(k))]
    : [...inclusionProof(leafHashes.slice(k), index - k), rootOf(leafHashes.slice(0, k))];
}

/** Root that an inclusion proof implies, or null when the proof has the wrong length (RFC 9162 section 2.1.3.2). */
export function rootFromInclusion(leafHash: Bytes, index: number, size: number, proof: readonly Bytes[]): Bytes | null {
  if (index < 0 || index >= size) return null;
  let fn = index;
  let sn = size - 1;
  let hash = leafHash;
  for (const sibling of proof) {
    if (sn === 0) return null;
    if (fn % 2 === 1 || fn === sn) {
      hash = hashNode(sibling, hash);
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2);
        sn = Math.floor(sn / 2);
      }
    } else {
      hash = hashNode(hash, sibling);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 ? hash : null;
}

/** Proof that the first `oldSize` leaves are a prefix (RFC 6962 section 2.1.2). */
export function consistencyProof(leafHashes: readonly Bytes[], oldSize: number): Bytes[] {
  if (oldSize <= 0 || oldSize > leafHashes.length) throw new RangeError(`no proof from ${oldSize} to ${leafHashes.length}`);
  return subProof(leafHashes, oldSize, true);
}

function subProof(leafHashes: readonly Bytes[], m: number, whole: boolean): Bytes[] {
  const n = leafHashes.length;
  if (m === n) return whole ? [] : [rootOf(leafHashes)];
  const k = split(n);
  return m <= k
    ? [...subProof(leafHashes.slice(0, k), m, whole), rootOf(leafHashes.slice(k))]
    : [...subProof(leafHashes.slice(k), m - k, false), rootOf(leafHashes.slice(0, k))];
}

/** RFC 9162 section 2.1.4.2. */
export function verifyConsistency(oldSize: number, newSize: number, oldRoot: Bytes, newRoot: Bytes, proof: readonly Bytes[]): boolean {
  if (oldSize === 0 || oldSize > newSize) return false;
  const same = (a: Bytes, b: Bytes): boolean => a.every((byte, i) => byte === b[i]);
  if (oldSize === newSize) return proof.length === 0 && same(oldRoot, newRoot);
  const path = [...proof];
  if (Number.isInteger(Math.log2(oldSize))) path.unshift(oldRoot);
  const first = path.shift();
  if (!first) return false;
  let fn = oldSize - 1;
  let sn = newSize - 1;
  while (fn % 2 === 1) {
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  let fr = first;
  let sr = first;
  for (const hash of path) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      fr = hashNode(hash, fr);
      sr = hashNode(hash, sr);
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2);
        sn = Math.floor(sn / 2);
      }
    } else {
      sr = hashNode(sr, hash);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 && same(fr, oldRoot) && same(sr, newRoot);
}
