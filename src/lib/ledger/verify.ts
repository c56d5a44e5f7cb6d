/**
 * Is this log true? Recomputes the root that the checkpoint signs and replays every leaf. Pure: the
 * same code in a browser, a shell and a test; it trusts the given public key and nothing else.
 */
import { equalBytes, fromHex, sha256, type Bytes } from '../protocol/bytes.ts';
import type { Verify } from '../protocol/envelope.ts';
import { openCheckpoint, parseCheckpoint } from './checkpoint.ts';
import { decodeLeaf } from './leaf.ts';
import { hashLeaf, hashNode } from './merkle.ts';
import { Replay, type ReplaySummary } from './replay.ts';

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
  for (let line = 0; line < opened.size; line++) {
    const bytes = leaves[line]!;
    tree.add(hashLeaf(bytes));
    const leaf = decodeLeaf(bytes);
    if (!leaf) return no(line, 'The leaf is not in canonical form or of no known kind.');
    if (leaf.type === 'genesis' && leaf.network !== opened.origin) return no(line, 'The checkpoint is of another network than the log.');
    const fault = replay.step(leaf);
    if (fault) return no(line, fault);
  }
  if (!equalBytes(tree.root(), opened.root)) return no(null, 'The leaves served do not hash to the root that the checkpoint signs.');
  const root = [...opened.root].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return { ok: true, summary: { ...replay.summary(), root, origin: opened.origin } };
}
