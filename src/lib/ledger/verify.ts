/**
 * Is this log true? Recomputes the root that the checkpoint signs, verifies the signature that each
 * leaf holds, and replays every leaf. Pure: the same code in a browser, a shell and a test; it trusts
 * the given public key for the checkpoint alone, and for nothing that others must have signed.
 */
import { equalBytes, fromHex, sha256, type Bytes } from '../protocol/bytes.ts';
import type { Verify } from '../protocol/envelope.ts';
import { openCheckpoint, parseCheckpoint } from './checkpoint.ts';
import { decodeLeaf, type LogLeaf } from './leaf.ts';
import { hashLeaf, hashNode } from './merkle.ts';
import { Replay, type ReplaySummary } from './replay.ts';
import { signatureFault } from './signed.ts';

/** Leaves whose signatures are verified at once. */
const LEAVES_AT_ONCE = 256;

export type LogVerdict =
  | { readonly ok: true; readonly summary: ReplaySummary & { readonly root: string; readonly origin: string } }
  /** `line` is the index of the first false leaf, or null when the checkpoint itself is false. */
  | { readonly ok: false; readonly line: number | null; readonly reason: string };

/** Root of an RFC 6962 tree from leaf hashes in order, in logarithmic memory. */
export class RootBuilder {
  /** Roots of full subtrees, largest first; sizes are the binary digits of `size`. */
  readonly #edge: Bytes[] = [];
  size = 0;

  add(leafHash: Bytes): void {
    let hash = leafHash;
    for (let n = this.size++; n % 2 === 1; n = Math.floor(n / 2)) hash = hashNode(this.#edge.pop()!, hash);
    this.#edge.push(hash);
  }

  root(): Bytes {
    if (this.#edge.length === 0) return sha256(new Uint8Array());
    return this.#edge.reduceRight((right, left) => hashNode(left, right));
  }
}

/**
 * @param checkpoint a signed note.
 * @param publicKey of the coordinator, hex.
 * @param leaves at least as many as the checkpoint counts; more are ignored.
 * @param verify a faster Ed25519 than the portable one, of the same rules.
 */
export async function verifyLog(checkpoint: string, publicKey: string, leaves: readonly Bytes[], verify?: Verify): Promise<LogVerdict> {
  const no = (line: number | null, reason: string): LogVerdict => ({ ok: false, line, reason });
  if (!parseCheckpoint(checkpoint)) return no(null, 'The checkpoint is malformed.');
  const opened = await openCheckpoint(checkpoint, fromHex(publicKey), verify);
  if (!opened) return no(null, 'The checkpoint is not signed by the coordinator’s key.');
  if (leaves.length < opened.size)
    return no(leaves.length, `The checkpoint counts ${opened.size} leaves and only ${leaves.length} were served.`);
  const replay = new Replay(publicKey);
  const tree = new RootBuilder();
  for (let from = 0; from < opened.size; from += LEAVES_AT_ONCE) {
    const some = leaves.slice(from, Math.min(from + LEAVES_AT_ONCE, opened.size));
    const decoded = some.map(decodeLeaf);
    const faults = await Promise.all(decoded.map((leaf) => leafFault(leaf, opened.origin, verify)));
    for (const [i, leaf] of decoded.entries()) {
      tree.add(hashLeaf(some[i]!));
      const fault = faults[i] ?? replay.step(leaf!);
      if (fault) return no(from + i, fault);
    }
  }
  if (!equalBytes(tree.root(), opened.root)) return no(null, 'The leaves served do not hash to the root that the checkpoint signs.');
  const root = [...opened.root].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return { ok: true, summary: { ...replay.summary(), root, origin: opened.origin } };
}

/** What is false about one leaf by itself. */
async function leafFault(leaf: LogLeaf | null, network: string, verify?: Verify): Promise<string | null> {
  if (!leaf) return 'The leaf is not in canonical form or of no known kind.';
  if (leaf.type === 'genesis' && leaf.network !== network) return 'The checkpoint is of another network than the log.';
  return signatureFault(leaf, network, verify);
}
