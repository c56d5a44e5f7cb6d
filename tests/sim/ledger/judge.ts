/**
 * Verifies many logs that differ in little: every verification is the product's, but what two logs share
 * (a signature, a bundle of 256 leaves) is examined once.
 */
import { signCheckpoint } from '#lib/ledger/checkpoint.ts';
import { examiner, type BundleReport, type BundleTask } from '#lib/ledger/examine.ts';
import { encodeLeaf, type LogLeaf } from '#lib/ledger/leaf.ts';
import { hashLeaf, rootOf } from '#lib/ledger/merkle.ts';
import { verifyBundles, type LogVerdict } from '#lib/ledger/verify.ts';
import { concat, fromHex, sha256, toHex, type Bytes } from '#lib/protocol/bytes.ts';
import type { Verify } from '#lib/protocol/envelope.ts';
import { LOG_TILE_HASHES } from '#lib/protocol/limits.ts';
import { nodeVerify } from '#lib/server/keys.ts';
import type { Story } from './honest-log.ts';

/** Encoded leaf and its hash; leaves that logs share are the same objects. */
const encoded = new WeakMap<LogLeaf, { readonly bytes: Bytes; readonly hash: Bytes }>();
function encode(leaf: LogLeaf): { readonly bytes: Bytes; readonly hash: Bytes } {
  let known = encoded.get(leaf);
  if (!known) {
    const bytes = encodeLeaf(leaf);
    encoded.set(leaf, (known = { bytes, hash: hashLeaf(bytes) }));
  }
  return known;
}

const signatures = new Map<string, Promise<boolean>>();
const verify: Verify = (sig, bytes, key) => {
  const name = toHex(sha256(concat(sig, bytes, key)));
  const known = signatures.get(name) ?? nodeVerify(sig, bytes, key);
  signatures.set(name, known);
  return known;
};

const reports = new Map<string, Promise<BundleReport>>();
const examine = (task: BundleTask): Promise<BundleReport> => {
  const name = toHex(sha256(concat(...task.leaves)));
  const known = reports.get(name) ?? examiner(verify)(task);
  reports.set(name, known);
  return known;
};

export async function judge({ coordinator, network }: Story, leaves: readonly LogLeaf[]): Promise<LogVerdict> {
  const all = leaves.map(encode);
  const root = rootOf(all.map(({ hash }) => hash));
  const checkpoint = await signCheckpoint(coordinator, fromHex(coordinator.key), { origin: network, size: all.length, root });
  return verifyBundles({
    checkpoint,
    publicKey: coordinator.key,
    bundle: (index) => Promise.resolve(all.slice(index * LOG_TILE_HASHES, (index + 1) * LOG_TILE_HASHES).map(({ bytes }) => bytes)),
    examine,
    ahead: 1,
    verify,
  });
}
