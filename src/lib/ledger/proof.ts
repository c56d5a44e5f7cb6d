/**
 * C2SP tlog-proof: one text that shows, without anyone's help, that an entry is in a log. The extra
 * line holds the entry itself here; it proves nothing before it hashes to the root. Refuses proofs
 * that are longer than a tree of 2^63 leaves is high.
 */
import { equalBytes, type Bytes } from '../protocol/bytes.ts';
import { PROOF_HASHES_MAX } from '../protocol/limits.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { hashLeaf, rootFromInclusion } from './merkle.ts';
import { fromBase64, toBase64 } from './note.ts';

const HEADER = 'c2sp.org/tlog-proof@v1';

export interface TlogProof {
  readonly index: number;
  /** From the leaf's sibling upwards. */
  readonly hashes: readonly Bytes[];
  /** The log's note, verbatim. */
  readonly checkpoint: string;
  readonly extra: Bytes | null;
}

export const formatProof = ({ index, hashes, checkpoint, extra }: TlogProof): string =>
  [HEADER, ...(extra ? [`extra ${toBase64(extra)}`] : []), `index ${index}`, ...hashes.map(toBase64), '', checkpoint].join('\n');

export function parseProof(text: string): TlogProof | null {
  const match = /^c2sp\.org\/tlog-proof@v1\n(?:extra ([A-Za-z0-9+/=]*)\n)?index (0|[1-9][0-9]{0,15})\n((?:[A-Za-z0-9+/=]+\n)*)\n/.exec(
    text,
  );
  if (!match) return null;
  const lines = match[3]!.split('\n').slice(0, -1);
  const hashes = lines.map(fromBase64);
  const extra = match[1] === undefined ? null : fromBase64(match[1]);
  const index = Number(match[2]);
  if (lines.length > PROOF_HASHES_MAX || (match[1] !== undefined && !extra) || !Number.isSafeInteger(index)) return null;
  if (!hashes.every((hash) => hash?.length === 32)) return null;
  return { index, hashes: hashes as Bytes[], checkpoint: text.slice(match[0].length), extra };
}

/** Does the proof lead from these bytes to the root of its checkpoint? Who signed that is `openCheckpoint`'s business. */
export function proves({ index, hashes, checkpoint }: TlogProof, leaf: Uint8Array): boolean {
  const head = parseCheckpoint(checkpoint);
  if (!head) return false;
  const root = rootFromInclusion(hashLeaf(leaf), index, head.size, hashes);
  return root !== null && equalBytes(root, head.root);
}
