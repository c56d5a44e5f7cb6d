/**
 * What can be said of a log's leaves without knowing the leaves before them: that each is in canonical
 * form, that its author signed it, and what they hash to. The dear part of a verification, and free of
 * state, so that threads can share it; the replay is left with what depends on history.
 */
import type { Verify } from '../protocol/envelope.ts';
import type { Bytes } from '../protocol/bytes.ts';
import { concat } from '../protocol/bytes.ts';
import { LOG_TILE_HASHES } from '../protocol/limits.ts';
import { decodeLeaf, type LogLeaf } from './leaf.ts';
import { hashLeaf, rootOf } from './merkle.ts';
import { signatureFault } from './signed.ts';

export interface BundleReport {
  readonly count: number;
  /** Of a full bundle its root alone, else the hash of each leaf, joined. */
  readonly hashes: Bytes;
  /** JSON list of the leaves before the first fault; signed payloads that no replay reads are left out. */
  readonly leaves: string;
  readonly fault: { readonly at: number; readonly reason: string } | null;
}

export interface BundleTask {
  /** At most LOG_TILE_HASHES; a full bundle begins at a multiple of it. */
  readonly leaves: readonly Bytes[];
  readonly network: string;
  /** False where somebody verified these signatures before. */
  readonly signatures: boolean;
}

export type Examine = (task: BundleTask) => Promise<BundleReport>;

/** Kinds whose signed payload says nothing to a replay that the leaf does not say itself, but for a verdict that shows a leaf. */
const SAID: ReadonlySet<LogLeaf['type']> = new Set(['commitment', 'retraced', 'verdict', 'receipt', 'entry']);

export const examiner =
  (verify?: Verify): Examine =>
  async ({ leaves, network, signatures }) => {
    const decoded = leaves.map(decodeLeaf);
    const faults = await Promise.all(decoded.map((leaf) => leafFault(leaf, network, signatures, verify)));
    const at = faults.findIndex((fault) => fault !== null);
    const sound = (at < 0 ? decoded : decoded.slice(0, at)) as LogLeaf[];
    const hashes = leaves.map(hashLeaf);
    return {
      count: leaves.length,
      hashes: leaves.length === LOG_TILE_HASHES ? rootOf(hashes) : concat(...hashes),
      leaves: JSON.stringify(sound.map(light)),
      fault: at < 0 ? null : { at, reason: faults[at]! },
    };
  };

function light(leaf: LogLeaf): LogLeaf {
  const shows = leaf.type === 'verdict' && leaf.shows === true;
  if (!SAID.has(leaf.type) || shows || !('signed' in leaf) || leaf.signed === null) return leaf;
  return { ...leaf, signed: { ...leaf.signed, payload: '' } } as LogLeaf;
}

/** What is false about one leaf by itself. */
async function leafFault(leaf: LogLeaf | null, network: string, signatures: boolean, verify?: Verify): Promise<string | null> {
  if (!leaf) return 'The leaf is not in canonical form or of no known kind.';
  if (leaf.type === 'genesis' && leaf.network !== network) return 'The checkpoint is of another network than the log.';
  return signatures ? signatureFault(leaf, network, verify) : null;
}
