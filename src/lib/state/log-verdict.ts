/**
 * Verifies a log in this browser and gives one yes or no with the step that failed. First by proofs, in a
 * handful of tiles at any size: the key, the signature, that it extends what this browser saw before,
 * who cosigned it, and this account's own entries. Then, for logs that are not too long or when asked, by
 * replaying every leaf. Refuses to call a log it could not fetch false.
 */
import { openCheckpoint, type Checkpoint } from '../ledger/checkpoint.ts';
import { fetchCheckpoint, fetchCoordinatorKey, httpBundles, httpTiles, type Fetch } from '../ledger/client.ts';
import { cosignaturesOn } from '../ledger/cosignature.ts';
import { examiner } from '../ledger/examine.ts';
import { decodeLeaf, type LogLeaf } from '../ledger/leaf.ts';
import { hashLeaf, rootFromInclusion, verifyConsistency } from '../ledger/merkle.ts';
import { TileTree } from '../ledger/tile-tree.ts';
import { verifyBundles, type LogVerdict } from '../ledger/verify.ts';
import { equalBytes, fromHex, toHex, type Bytes } from '../protocol/bytes.ts';
import { webVerify } from '../protocol/ed25519.ts';
import type { Verify } from '../protocol/envelope.ts';
import { LOG_TILE_HASHES } from '../protocol/limits.ts';
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
  | {
      readonly state: 'yes';
      readonly text: string;
      readonly seen: Seen;
      readonly ownMicro: bigint | null;
      /** False when only proofs were looked at, and what they say holds whatever the rest of the log is. */
      readonly replayed: boolean;
    }
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
  /** Replays even a long log. */
  readonly all?: boolean;
}

/** Longer logs are replayed when somebody asks for it. */
const REPLAYED_UNASKED_MAX = 20_000;
/** Entries of the own account that are looked up one by one. */
const OWN_ENTRIES_MAX = 1_000;
const BUNDLES_AHEAD = 4;

const REMEDY = 'Keep this page, and show it to whoever runs the network: an honest log never fails here.';
const no = (step: string, text: string): Verdict => ({ state: 'no', step, text, remedy: REMEDY });

interface Proven {
  readonly key: string;
  readonly note: string;
  readonly head: Checkpoint;
  readonly cosigners: number;
}

export async function judgeLog(signal: AbortSignal, options: VerdictOptions): Promise<Verdict> {
  try {
    const verify = await webVerify();
    const proven = await prove(signal, options, verify);
    if ('state' in proven) return proven;
    const replay = options.all || proven.head.size <= REPLAYED_UNASKED_MAX;
    return await (replay ? judgeAll(signal, options, proven, verify) : judgeOwn(signal, options, proven));
  } catch (error) {
    const reason = signal.aborted ? 'Stopped.' : `The log could not be fetched: ${error instanceof Error ? error.message : String(error)}.`;
    return { state: 'unknown', text: `${reason} Nothing can be said either way.` };
  }
}

/** The checkpoint: whose it is, that it extends what was seen, who cosigned it. */
async function prove(signal: AbortSignal, options: VerdictOptions, verify: Verify): Promise<Proven | Verdict> {
  const { seen, onStep, base, fetch } = options;
  onStep('Asking for the coordinator’s key');
  const key = await fetchCoordinatorKey(signal, base, fetch);
  if (!key) return { state: 'unknown', text: 'The coordinator does not answer, so nothing can be said either way.' };
  if (seen && seen.key !== key)
    return no('the coordinator’s key', 'The coordinator shows another key than the one this browser knew it by.');
  const fetched = await fetchCheckpoint(signal, base, fetch);
  if (!fetched.ok) return { state: 'unknown', text: `${fetched.reason} Nothing can be said either way.` };
  const note = fetched.checkpoint;
  const head = await openCheckpoint(note, fromHex(key), verify);
  if (!head) return no('the signed checkpoint', 'The checkpoint is not signed by the coordinator’s key.');
  const tree = new TileTree(head.size, httpTiles(signal, base, fetch));
  if (seen && seen.size > 0) {
    onStep(`Proving that ${plural(seen.size, 'leaf', 'leaves')} seen before are still the first`);
    if (!(await isExtended(tree, head, seen)))
      return no(
        'the checkpoint seen before',
        `Leaf 0 to ${seen.size - 1} are not what this browser verified earlier: history was rewritten.`,
      );
  }
  const cosigned = await cosignersOf(signal, options, key, tree, head, note, verify);
  return typeof cosigned === 'string' ? no('the cosigned checkpoint', cosigned) : { key, note, head, cosigners: cosigned };
}

async function isExtended(tree: TileTree, head: Checkpoint, seen: { size: number; root: string }): Promise<boolean> {
  if (seen.size > head.size) return false;
  return verifyConsistency(seen.size, head.size, fromHex(seen.root), head.root, await tree.consistency(seen.size));
}

/** Witnesses of the newest cosigned checkpoint, which must be a part of this log; a sentence when it is not. */
async function cosignersOf(
  signal: AbortSignal,
  { base, fetch, onStep }: VerdictOptions,
  key: string,
  tree: TileTree,
  head: Checkpoint,
  note: string,
  verify: Verify,
): Promise<number | string> {
  onStep('Reading what witnesses cosigned');
  const response = await fetch(`${base}/log/cosigned`, { signal });
  const other = response.ok ? await response.text() : note;
  const opened = await openCheckpoint(other, fromHex(key), verify);
  if (opened?.origin !== head.origin) return 'The checkpoint that witnesses cosigned is not this log’s.';
  // It may be newer than the one this verdict is about: then that one must be its beginning.
  const newer = opened.size > head.size;
  const longer = newer ? new TileTree(opened.size, httpTiles(signal, base, fetch)) : tree;
  const [older, later] = newer ? [head, opened] : [opened, head];
  if (older.size > 0 && !(await isExtended(longer, later, { size: older.size, root: toHex(older.root) })))
    return 'What witnesses cosigned is another history than the one shown here.';
  return (await cosignaturesOn(other, verify)).length;
}

async function judgeAll(
  signal: AbortSignal,
  options: VerdictOptions,
  { key, note, head, cosigners }: Proven,
  verify: Verify,
): Promise<Verdict> {
  const { own, onStep, base, fetch } = options;
  onStep(`Replaying ${plural(head.size, 'leaf', 'leaves')}`);
  let ownMicro = 0n;
  const verdict: LogVerdict = await verifyBundles({
    ...{ checkpoint: note, publicKey: key, examine: examiner(verify), ahead: BUNDLES_AHEAD, verify },
    bundle: turnByTurn(httpBundles(signal, base, fetch, head.size)),
    onLeaf: (leaf) => (ownMicro += own === null ? 0n : postedTo(leaf, own)),
    onProgress: (done, all) => {
      if (done < all) onStep(`Replaying leaf ${whole(done)} of ${whole(all)}`);
    },
  });
  if (!verdict.ok) return no(verdict.line === null ? 'the signed checkpoint' : `leaf ${verdict.line}`, verdict.reason);
  const { summary } = verdict;
  return {
    state: 'yes',
    replayed: true,
    text: `${plural(summary.leaves, 'leaf', 'leaves')} hash to the signed root${witnessed(cosigners)}; ${plural(summary.entries, 'entry', 'entries')} sum to zero; ${plural(summary.settled, 'lease')} paid once each, after ${plural(summary.verdicts, 'verdict')} on leaves anyone can draw again.`,
    seen: { key, size: summary.leaves, root: summary.root },
    ownMicro: own === null ? null : ownMicro,
  };
}

const witnessed = (cosigners: number): string => (cosigners === 0 ? '' : `, which ${plural(cosigners, 'witness', 'witnesses')} cosigned`);

/** The page is drawn and answers between two bundles. */
function turnByTurn<T>(get: (index: number) => Promise<T>): (index: number) => Promise<T> {
  return async (index) => {
    await new Promise((resolve) => setTimeout(resolve));
    return get(index);
  };
}

/** Own entries, each proven to be in the log; the rest of it is not looked at. */
async function judgeOwn(signal: AbortSignal, options: VerdictOptions, { key, head, cosigners }: Proven): Promise<Verdict> {
  const { own, onStep, base, fetch } = options;
  const text = `${whole(head.size)} leaves, by proof${witnessed(cosigners)}: the checkpoint is signed and extends what this browser saw`;
  const seen = { key, size: head.size, root: toHex(head.root) };
  if (own === null) return { state: 'yes', replayed: false, text: `${text}.`, seen, ownMicro: null };
  onStep('Proving your own entries');
  const tree = new TileTree(head.size, httpTiles(signal, base, fetch));
  const bundle = httpBundles(signal, base, fetch, head.size);
  let ownMicro = 0n;
  const indices = await ownEntries(signal, options, own, head.size);
  for (const index of indices) {
    const bytes = (await bundle(Math.floor(index / LOG_TILE_HASHES)))[index % LOG_TILE_HASHES];
    const leaf = bytes && (await isIncluded(tree, head, index, bytes)) ? decodeLeaf(bytes) : null;
    if (!leaf) return no(`leaf ${index}`, 'An entry of yours is not in the log that the checkpoint signs.');
    ownMicro += postedTo(leaf, own);
  }
  return {
    state: 'yes',
    replayed: false,
    text: `${text}; ${plural(indices.length, 'entry', 'entries')} of yours are in it.`,
    seen,
    ownMicro,
  };
}

async function isIncluded(tree: TileTree, head: Checkpoint, index: number, bytes: Bytes): Promise<boolean> {
  const root = rootFromInclusion(hashLeaf(bytes), index, head.size, await tree.inclusion(index));
  return root !== null && equalBytes(root, head.root);
}

async function ownEntries(signal: AbortSignal, { base, fetch }: VerdictOptions, own: string, size: number): Promise<number[]> {
  const response = await fetch(`${base}/api/entries?q=${own}&limit=${OWN_ENTRIES_MAX}`, { signal });
  const value: unknown = response.ok ? await response.json() : null;
  const list = value && typeof value === 'object' && 'entries' in value && Array.isArray(value.entries) ? (value.entries as unknown[]) : [];
  return list.flatMap((entry) =>
    entry && typeof entry === 'object' && 'index' in entry && typeof entry.index === 'number' && entry.index < size ? [entry.index] : [],
  );
}

/** What a leaf leaves on one account, micro-tokens. */
export function postedTo(leaf: LogLeaf, account: string): bigint {
  if (leaf.type !== 'entry') return 0n;
  return leaf.postings.reduce((sum, [name, micro]) => (name === account ? sum + BigInt(micro) : sum), 0n);
}
