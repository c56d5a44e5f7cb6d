/**
 * Verifies a whole log in this browser and gives one yes or no with the step that failed. On top of
 * the replay it holds the log to what this browser saw before: the same key, and every checkpoint
 * an extension of the last one that was found good. Refuses to call a log it could not fetch false.
 */
import { fetchCoordinatorKey, fetchLog, type Fetch } from '../ledger/client.ts';
import { decodeLeaf } from '../ledger/leaf.ts';
import { hashLeaf } from '../ledger/merkle.ts';
import { RootBuilder, verifyLog } from '../ledger/verify.ts';
import { toHex, type Bytes } from '../protocol/bytes.ts';
import { plural, whole } from './format.ts';

/** The last log this browser found good. */
export interface Seen {
  readonly key: string;
  readonly size: number;
  /** Hex. */
  readonly root: string;
}

export type Verdict =
  | { readonly state: 'none' }
  | { readonly state: 'running'; readonly step: string }
  | { readonly state: 'yes'; readonly text: string; readonly seen: Seen; readonly ownMicro: bigint | null }
  | { readonly state: 'no'; readonly text: string; readonly step: string; readonly remedy: string }
  /** The log could not be had, so nothing is known either way. */
  | { readonly state: 'unknown'; readonly text: string };

export interface VerdictOptions {
  readonly fetch: Fetch;
  /** Where the log is; empty for the page's own origin. */
  readonly base: string;
  readonly seen: Seen | null;
  /** Account whose balance is added up on the way, hex. */
  readonly own: string | null;
  readonly onStep: (step: string) => void;
}

const REMEDY = 'Keep this page, and show it to whoever runs the network: an honest log never fails here.';
const no = (step: string, text: string): Verdict => ({ state: 'no', step, text, remedy: REMEDY });

export async function judgeLog(signal: AbortSignal, options: VerdictOptions): Promise<Verdict> {
  const { seen, onStep } = options;
  onStep('Asking for the coordinator’s key');
  const key = await fetchCoordinatorKey(signal, options.base, options.fetch);
  if (!key) return { state: 'unknown', text: 'The coordinator does not answer, so nothing can be said either way.' };
  if (seen && seen.key !== key)
    return no('the coordinator’s key', 'The coordinator shows another key than the one this browser knew it by.');
  const log = await fetchLog(signal, options.base, options.fetch, (done, all) => onStep(`Fetching leaf ${whole(done)} of ${whole(all)}`));
  if (!log.ok) return { state: 'unknown', text: `${log.reason} Nothing can be said either way.` };
  onStep(`Replaying ${plural(log.leaves.length, 'leaf', 'leaves')}`);
  // One turn of the event loop, so that the step is on the screen before the long part.
  await new Promise((resolve) => setTimeout(resolve));
  const verdict = await verifyLog(log.checkpoint, key, log.leaves);
  if (!verdict.ok) return no(verdict.line === null ? 'the signed checkpoint' : `leaf ${verdict.line}`, verdict.reason);
  const { summary } = verdict;
  if (seen && rootAt(log.leaves, seen.size) !== seen.root) {
    return no(
      'the checkpoint seen before',
      `Leaf 0 to ${seen.size - 1} are not what this browser verified earlier: history was rewritten.`,
    );
  }
  return {
    state: 'yes',
    text: `${plural(summary.leaves, 'leaf', 'leaves')} hash to the signed root; ${plural(summary.entries, 'entry', 'entries')} sum to zero; ${plural(summary.settled, 'lease')} paid once each, after ${plural(summary.verdicts, 'verdict')} on leaves anyone can draw again.`,
    seen: { key, size: summary.leaves, root: summary.root },
    ownMicro: options.own === null ? null : balanceIn(log.leaves, options.own),
  };
}

/** Root of the first `size` leaves, hex; null when there are fewer. */
export function rootAt(leaves: readonly Bytes[], size: number): string | null {
  if (leaves.length < size) return null;
  const tree = new RootBuilder();
  for (const leaf of leaves.slice(0, size)) tree.add(hashLeaf(leaf));
  return toHex(tree.root());
}

/** What the postings of a log leave on one account, micro-tokens. */
export function balanceIn(leaves: readonly Bytes[], account: string): bigint {
  let sum = 0n;
  for (const bytes of leaves) {
    const leaf = decodeLeaf(bytes);
    if (leaf?.type !== 'entry') continue;
    for (const [name, micro] of leaf.postings) if (name === account) sum += BigInt(micro);
  }
  return sum;
}
