/**
 * Is this log true? Recomputes the root that the checkpoint signs, has every leaf examined by itself,
 * and replays them all in order. Pure: the same code in a browser, a shell and a test; it trusts the
 * given public key for the checkpoint alone, and for nothing that others must have signed.
 */
import { equalBytes, fromHex, sha256, toHex, type Bytes } from '../protocol/bytes.ts';
import type { Verify } from '../protocol/envelope.ts';
import { LOG_TILE_HASHES } from '../protocol/limits.ts';
import { openCheckpoint, parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import { examiner, type BundleReport, type Examine } from './examine.ts';
import type { LogLeaf } from './leaf.ts';
import { hashNode } from './merkle.ts';
import { Replay, type ReplaySummary } from './replay.ts';

export type LogVerdict =
  | { readonly ok: true; readonly summary: ReplaySummary & { readonly root: string; readonly origin: string } }
  /** `line` is the index of the first false leaf, or null when the checkpoint itself is false. */
  | { readonly ok: false; readonly line: number | null; readonly reason: string };

/** Root of an RFC 6962 tree from hashes in order, in logarithmic memory. */
export class RootBuilder {
  /** Roots of full subtrees, largest first; sizes are the binary digits of `size`. */
  readonly #edge: Bytes[] = [];
  size = 0;

  add(leafHash: Bytes): void {
    this.addSubtree(leafHash, 1);
  }

  /** @param width a power of two that divides the size so far. */
  addSubtree(root: Bytes, width: number): void {
    let hash = root;
    for (let n = this.size / width; n % 2 === 1; n = Math.floor(n / 2)) hash = hashNode(this.#edge.pop()!, hash);
    this.#edge.push(hash);
    this.size += width;
  }

  root(): Bytes {
    if (this.#edge.length === 0) return sha256(new Uint8Array());
    return this.#edge.reduceRight((right, left) => hashNode(left, right));
  }
}

export interface LogToVerify {
  /** A signed note. */
  readonly checkpoint: string;
  /** Of the coordinator, hex. */
  readonly publicKey: string;
  /** Leaves [256·index, …), as many as the checkpoint counts of them; fewer where the log serves no more. */
  readonly bundle: (index: number) => Promise<readonly Bytes[]>;
  /** How many leaves there are at all, where that is known. */
  readonly held?: number;
  readonly examine: Examine;
  /** How many bundles are fetched and examined ahead of the replay. */
  readonly ahead: number;
  /** Leaves before this one are replayed without verifying their signatures again. */
  readonly from?: number;
  /** A faster Ed25519 than the portable one, by the same rule. */
  readonly verify?: Verify;
  readonly onProgress?: (done: number, all: number) => void;
  /** Told every leaf in order once it was found true. */
  readonly onLeaf?: (leaf: LogLeaf) => void;
}

const no = (line: number | null, reason: string): LogVerdict => ({ ok: false, line, reason });

export async function verifyBundles(log: LogToVerify): Promise<LogVerdict> {
  if (!parseCheckpoint(log.checkpoint)) return no(null, 'The checkpoint is malformed.');
  const head = await openCheckpoint(log.checkpoint, fromHex(log.publicKey), log.verify);
  if (!head) return no(null, 'The checkpoint is not signed by the coordinator’s key.');
  const { held = Infinity } = log;
  if (held < head.size) return no(held, `The checkpoint counts ${head.size} leaves and only ${held} were served.`);
  return new Verification(log, head).run();
}

class Verification {
  readonly #log: LogToVerify;
  readonly #head: Checkpoint;
  readonly #replay: Replay;
  readonly #tree = new RootBuilder();
  readonly #reports: Promise<BundleReport>[] = [];
  #asked = 0;

  constructor(log: LogToVerify, head: Checkpoint) {
    this.#log = log;
    this.#head = head;
    this.#replay = new Replay(log.publicKey);
  }

  async run(): Promise<LogVerdict> {
    const { size, root, origin } = this.#head;
    for (let index = 0; index * LOG_TILE_HASHES < size; index++) {
      this.#ask();
      const report = await this.#reports.shift()!;
      const verdict = this.#take(report, index);
      if (verdict) return verdict;
      this.#log.onProgress?.(this.#tree.size, size);
    }
    if (!equalBytes(this.#tree.root(), root)) return no(null, 'The leaves served do not hash to the root that the checkpoint signs.');
    return { ok: true, summary: { ...this.#replay.summary(), root: toHex(root), origin } };
  }

  /** Keeps the pipeline full. What fails in it fails when its turn comes. */
  #ask(): void {
    const bundles = Math.ceil(this.#head.size / LOG_TILE_HASHES);
    while (this.#reports.length < this.#log.ahead && this.#asked < bundles) {
      const report = this.#examine(this.#asked++);
      report.catch(() => {});
      this.#reports.push(report);
    }
  }

  async #examine(index: number): Promise<BundleReport> {
    const first = index * LOG_TILE_HASHES;
    const wanted = Math.min(LOG_TILE_HASHES, this.#head.size - first);
    const leaves = (await this.#log.bundle(index)).slice(0, wanted);
    return this.#log.examine({ leaves, network: this.#head.origin, signatures: first + leaves.length > (this.#log.from ?? 0) });
  }

  #take({ count, hashes, leaves, fault }: BundleReport, index: number): LogVerdict | null {
    const first = index * LOG_TILE_HASHES;
    const sound = JSON.parse(leaves) as LogLeaf[];
    for (const [i, leaf] of sound.entries()) {
      const wrong = this.#replay.step(leaf);
      if (wrong) return no(first + i, wrong);
      this.#log.onLeaf?.(leaf);
    }
    if (fault) return no(first + fault.at, fault.reason);
    if (count < Math.min(LOG_TILE_HASHES, this.#head.size - first))
      return no(first + count, `The checkpoint counts ${this.#head.size} leaves and only ${first + count} were served.`);
    this.#grow(count, hashes);
    return null;
  }

  #grow(count: number, hashes: Bytes): void {
    if (count === LOG_TILE_HASHES) this.#tree.addSubtree(hashes, LOG_TILE_HASHES);
    else for (let i = 0; i < count; i++) this.#tree.add(hashes.slice(32 * i, 32 * i + 32));
  }
}

/**
 * A log whose leaves are all at hand.
 * @param leaves at least as many as the checkpoint counts; more are ignored.
 */
export function verifyLog(checkpoint: string, publicKey: string, leaves: readonly Bytes[], verify?: Verify): Promise<LogVerdict> {
  const bundle = (index: number): Promise<readonly Bytes[]> =>
    Promise.resolve(leaves.slice(index * LOG_TILE_HASHES, (index + 1) * LOG_TILE_HASHES));
  return verifyBundles({
    checkpoint,
    publicKey,
    held: leaves.length,
    bundle,
    examine: examiner(verify),
    ahead: 1,
    ...(verify ? { verify } : {}),
  });
}
