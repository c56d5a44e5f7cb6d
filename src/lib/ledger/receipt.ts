/**
 * A job's receipt: the order that its creator signed and every entry of its money, each with the path
 * to one checkpoint. It verifies offline, with nothing but itself and, where known from elsewhere, the
 * keys of the log and of witnesses. It says nothing of other jobs, nor that the log is sound as a whole.
 */
import * as v from 'valibot';
import { equalBytes, fromHex, type Bytes } from '../protocol/bytes.ts';
import type { Verify } from '../protocol/envelope.ts';
import { JobOrderSchema } from '../protocol/order.ts';
import { PROOF_HASHES_MAX } from '../protocol/limits.ts';
import { count, hex32, id16, microTokens, shortText } from '../protocol/schema.ts';
import { openCheckpoint } from './checkpoint.ts';
import { cosignaturesOn } from './cosignature.ts';
import { decodeLeaf, escrowOf, type Leaf, type LogLeaf } from './leaf.ts';
import { hashLeaf, rootFromInclusion } from './merkle.ts';
import { fromBase64 } from './note.ts';
import { formatProof } from './proof.ts';
import { signatureFault } from './signed.ts';

const safe = count(Number.MAX_SAFE_INTEGER);

export const ReceiptSchema = v.strictObject({
  format: v.literal('pictor receipt v2'),
  network: shortText,
  /** Public key that signed `checkpoint`. */
  coordinatorKey: hex32,
  job: id16,
  creator: hex32,
  /** SHA-256 of the order's canonical CBOR. */
  orderHash: hex32,
  order: JobOrderSchema,
  state: shortText,
  capMicro: microTokens,
  spentMicro: microTokens,
  leases: v.array(v.strictObject({ lease: id16, slot: safe, worker: hex32, root: hex32, segments: safe })),
  /** A signed note, with the cosignatures that it had. */
  checkpoint: v.string(),
  entries: v.array(
    v.strictObject({
      /** Index in the log. */
      leaf: safe,
      /** Canonical CBOR, base64. */
      bytes: v.string(),
      /** Base64, from the leaf's sibling upwards. */
      proof: v.pipe(v.array(v.string()), v.maxLength(PROOF_HASHES_MAX)),
    }),
  ),
});
export type Receipt = v.InferOutput<typeof ReceiptSchema>;

export interface ReceiptTrust {
  /** The log's key as known from elsewhere, hex; absent takes the receipt's word. */
  readonly key?: string;
  /** Witnesses of whom at least `quorum` must have cosigned, hex. */
  readonly witnesses?: readonly string[];
  readonly quorum?: number;
}

export type ReceiptVerdict =
  | {
      readonly ok: true;
      readonly job: string;
      readonly logSize: number;
      readonly entries: number;
      readonly settled: number;
      readonly spentMicro: string;
      /** Is the job over, and what was left given back? */
      readonly whole: boolean;
      /** Keys of witnesses whose cosignatures hold. */
      readonly cosigned: readonly string[];
    }
  | { readonly ok: false; readonly step: string; readonly reason: string };

/** One entry as a C2SP tlog-proof, for tools that know nothing of this network. */
export function proofOf(receipt: Receipt, at: number): string {
  const entry = receipt.entries[at]!;
  const hashes = entry.proof.map((hash) => fromBase64(hash)!);
  return formatProof({ index: entry.leaf, hashes, checkpoint: receipt.checkpoint, extra: fromBase64(entry.bytes) });
}

const no = (step: string, reason: string): ReceiptVerdict => ({ ok: false, step, reason });

export async function verifyReceipt(value: unknown, trust: ReceiptTrust = {}, verify?: Verify): Promise<ReceiptVerdict> {
  const parsed = v.safeParse(ReceiptSchema, value);
  if (!parsed.success) return no('the form of the receipt', 'This is not a receipt of this version.');
  const receipt = parsed.output;
  const key = trust.key ?? receipt.coordinatorKey;
  const head = await openCheckpoint(receipt.checkpoint, fromHex(key), verify);
  if (head?.origin !== receipt.network) return no('the signed checkpoint', 'The checkpoint is not signed by the log’s key.');
  const cosigned = (await cosignaturesOn(receipt.checkpoint, verify)).map((cosignature) => cosignature.key);
  const trusted = (trust.witnesses ?? []).filter((witness) => cosigned.includes(witness)).length;
  if (trusted < (trust.quorum ?? trust.witnesses?.length ?? 0))
    return no('the cosignatures', `Only ${trusted} of the witnesses asked for have cosigned the checkpoint.`);
  const leaves: LogLeaf[] = [];
  for (const { leaf: index, bytes, proof } of receipt.entries) {
    const raw = fromBase64(bytes);
    const hashes = proof.map(fromBase64);
    const whole = raw && hashes.every((hash) => hash?.length === 32);
    const root = whole ? rootFromInclusion(hashLeaf(raw), index, head.size, hashes as Bytes[]) : null;
    if (!raw || !root || !equalBytes(root, head.root)) return no(`leaf ${index}`, 'The leaf does not lead to the root of the checkpoint.');
    const leaf = decodeLeaf(raw);
    const fault = leaf ? await signatureFault(leaf, receipt.network, verify) : 'The leaf is of no known kind.';
    if (!leaf || fault) return no(`leaf ${index}`, fault ?? '');
    leaves.push(leaf);
  }
  return judgeEntries(receipt, leaves, { logSize: head.size, cosigned });
}

function judgeEntries(
  receipt: Receipt,
  leaves: readonly LogLeaf[],
  found: { logSize: number; cosigned: readonly string[] },
): ReceiptVerdict {
  const job = leaves.find((leaf): leaf is Leaf<'job'> => leaf.type === 'job');
  if (job?.job !== receipt.job || job.creator !== receipt.creator || job.order !== receipt.orderHash)
    return no('the order', 'The order in the receipt is not the one that the log holds for this job.');
  const entries = leaves.filter((leaf): leaf is Leaf<'entry'> => leaf.type === 'entry');
  if (entries.some((entry) => entry.job !== receipt.job)) return no('the entries', 'An entry is of another job.');
  let [escrow, spent] = [0n, 0n];
  const paid = new Set<string>();
  for (const { kind, lease, postings } of entries) {
    const moved = postings.reduce((sum, [account, micro]) => (account === escrowOf(receipt.job) ? sum + BigInt(micro) : sum), 0n);
    escrow += moved;
    if (kind !== 'settle') continue;
    if (lease === null || paid.has(lease)) return no('the entries', 'A lease is paid twice.');
    paid.add(lease);
    spent -= moved;
  }
  if (String(spent) !== receipt.spentMicro) return no('the sums', 'The settlements do not add up to what the receipt says was spent.');
  if (receipt.leases.some(({ lease }) => !paid.has(lease))) return no('the leases', 'A lease is called settled that no entry paid.');
  const whole = receipt.state !== 'open' && escrow === 0n;
  return { ok: true, job: receipt.job, entries: entries.length, settled: paid.size, spentMicro: String(spent), whole, ...found };
}
