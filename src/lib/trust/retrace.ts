/**
 * A checker that could pass what it never traced would save most where all of a film is drawn, or where
 * another's word can be copied. There it commits to its own signatures before the worker opens any to it:
 * to a Merkle root over them, bound to its key and its draw, so that nobody else's trace or commitment
 * serves. It has one such look: a key that promised and then said nothing is not drawn for the lease again. A beacon revealed after that says which leaf its passing verdict must show: its own signatures
 * of it, found under that root, and the worker's, found under the film's. They must agree as those of
 * honest devices do (compare.ts). Anyone can recompute all of it from the log. A failing verdict shows
 * nothing, for a leaf that differs proves no trace.
 */
import { leafRects, passes, tileCount, tileRect } from '../job/plan.ts';
import { concat, fromHex, sha256, toHex, utf8, type Bytes } from '../protocol/bytes.ts';
import type { JobOrder } from '../protocol/order.ts';
import { hashLeaf, inclusionProof, rootFromInclusion, rootOf } from '../ledger/merkle.ts';
import { leafHash } from './commitment.ts';
import { differingMax } from './compare.ts';

/** Bytes of one path's signature, and of one path of a leaf that differs: its number and the worker's signature. */
const PATH_BYTES = 2;
const DIFFERING_BYTES = 4;
const HASH_BYTES = 32;

/** One leaf, as its checker traced it and as the worker did. */
export interface Shown {
  /** The checker's signatures: pixels × samples × 2 bytes, little-endian. */
  readonly signatures: Bytes;
  /** Audit path to the checker's root, 32 bytes a step. */
  readonly path: Bytes;
  /** Where the worker's signatures differ: number of the path and its signature, 16 bits each, little-endian, ascending. */
  readonly differing: Bytes;
  /** SHA-256 of the worker's light of the leaf. */
  readonly light: Bytes;
  /** Audit path to the film's root. */
  readonly filmPath: Bytes;
}

/** Whose trace it is, and for which draw. */
export interface Tracer {
  /** Key, hex. */
  readonly checker: string;
  /** Of the draw, hex. */
  readonly nonceCommitment: string;
}

/** What the checker commits to: a hash per drawn leaf, in the order in which they are drawn. */
export function retraceHashes({ checker, nonceCommitment }: Tracer, signatures: readonly Uint8Array[]): Bytes[] {
  const bound = concat(fromHex(checker), fromHex(nonceCommitment));
  return signatures.map((leaf) => hashLeaf(concat(bound, leaf)));
}

export const retraceRoot = (hashes: readonly Bytes[]): string => toHex(rootOf(hashes));

/**
 * Which of the drawn leaves is shown: one that can tell anything, where there is one, by a beacon that
 * nobody knew when the root was committed to.
 * @param beacon hex. @param root of the checker, hex. @param classes of the film's leaves (weights.ts); null: all alike.
 * @returns the place in `drawn`.
 */
export function shownPlace(beacon: string, root: string, drawn: readonly number[], classes: readonly number[] | null): number {
  const places = drawn.map((_, place) => place);
  const telling = places.filter((place) => classes?.[drawn[place]!] !== 0);
  const among = telling.length > 0 ? telling : places;
  const word = new DataView(sha256(concat(fromHex(beacon), fromHex(root), utf8('shown'))).buffer).getBigUint64(0);
  return among[Number(word % BigInt(among.length))]!;
}

/** Must a pass of this draw be shown? @param before opinions on the lease; as many as when it was drawn, for one check is open at a time. */
export const mustShow = (drawn: readonly number[], leaves: number, before: number): boolean => drawn.length === leaves || before > 0;

/** @param place in `hashes`, of the leaf shown. @param index of that leaf in the film. */
export function show(
  own: { readonly hashes: readonly Bytes[]; readonly place: number; readonly signatures: Bytes },
  film: { readonly leafHashes: readonly Bytes[]; readonly index: number; readonly light: Bytes; readonly signatures: Bytes },
): Shown {
  const differing: number[] = [];
  for (let at = 0; at < own.signatures.length; at += PATH_BYTES) {
    const [low, high] = [film.signatures[at]!, film.signatures[at + 1]!];
    const path = at / PATH_BYTES;
    if (own.signatures[at] !== low || own.signatures[at + 1] !== high) differing.push(path & 255, path >> 8, low, high);
  }
  return {
    signatures: own.signatures,
    path: concat(...inclusionProof(own.hashes, own.place)),
    differing: Uint8Array.from(differing),
    light: sha256(film.light),
    filmPath: concat(...inclusionProof(film.leafHashes, film.index)),
  };
}

/** What a log says of a draw whose pass must be shown. */
export interface Showing extends Tracer {
  /** What the checker committed to, hex, and the beacon revealed after that. */
  readonly root: string;
  readonly beacon: string;
  /** Of the film: its order and slot, its committed root, what each of its leaves can tell, and which of them were drawn. */
  readonly order: JobOrder;
  readonly slot: number;
  readonly filmRoot: string;
  readonly classes: readonly number[] | null;
  readonly drawn: readonly number[];
}

/** @returns why this shows nothing, as a reason and a sentence; null when it is as it should be. */
export function shownFault(shown: Shown, of: Showing): { readonly reason: string; readonly text: string } | null {
  const { signatures } = shown;
  const place = shownPlace(of.beacon, of.root, of.drawn, of.classes);
  const index = of.drawn[place]!;
  const tiles = tileCount(of.order);
  const leaves = leafRects(tileRect(of.order, of.slot % tiles));
  const { width, height } = leaves[index]!;
  if (signatures.length !== width * height * passes(of.order)[Math.floor(of.slot / tiles)]!.count * PATH_BYTES)
    return { reason: 'shown-size', text: 'The leaf that is shown has not as many paths as were traced.' };
  const [own] = retraceHashes(of, [signatures]);
  if (rootAbove(own!, place, of.drawn.length, shown.path) !== of.root)
    return { reason: 'shown-unpromised', text: 'The leaf that is shown is not under the root that its checker committed to.' };
  const claimed = patched(signatures, shown.differing);
  if (!claimed) return { reason: 'shown-differs', text: 'The leaf that is shown differs from the film as only another trace does.' };
  if (rootAbove(leafHash(shown.light, sha256(claimed)), index, leaves.length, shown.filmPath) !== of.filmRoot)
    return { reason: 'shown-film', text: 'The leaf that is shown beside it is not under the film’s root.' };
  return null;
}

/** The worker's signatures; null when they are badly written, or differ in more paths than those of honest devices. */
function patched(signatures: Uint8Array, differing: Uint8Array): Uint8Array | null {
  const paths = signatures.length / PATH_BYTES;
  const count = differing.length / DIFFERING_BYTES;
  if (!Number.isInteger(count) || count > differingMax(paths)) return null;
  const out = signatures.slice();
  let last = -1;
  for (let at = 0; at < differing.length; at += DIFFERING_BYTES) {
    const path = differing[at]! + 256 * differing[at + 1]!;
    if (path <= last || path >= paths) return null;
    last = path;
    out.set(differing.subarray(at + 2, at + 4), path * PATH_BYTES);
  }
  return out;
}

function rootAbove(hash: Bytes, index: number, size: number, path: Uint8Array): string | null {
  if (path.length % HASH_BYTES !== 0) return null;
  const steps = Array.from({ length: path.length / HASH_BYTES }, (_, i) => path.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES) as Bytes);
  const root = rootFromInclusion(hash, index, size, steps);
  return root && toHex(root);
}
