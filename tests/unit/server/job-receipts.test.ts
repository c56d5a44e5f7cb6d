/** Receipts of jobs: verified offline, by this project and by a reader of the specifications, and refused when anything in them is changed. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withSignatures } from '#lib/ledger/checkpoint.ts';
import { fetchLog } from '#lib/ledger/client.ts';
import { cosign } from '#lib/ledger/cosignature.ts';
import { decodeLeaf, type LogLeaf } from '#lib/ledger/leaf.ts';
import { parseNote } from '#lib/ledger/note.ts';
import { proofOf, verifyReceipt, type Receipt } from '#lib/ledger/receipt.ts';
import { fromHex, randomBytes, type Bytes } from '#lib/protocol/bytes.ts';
import { identityFromSecret, type Identity } from '#lib/protocol/envelope.ts';
import { checkProof } from '../../reference/tlog.ts';
import { oneLease, road, world, type World } from './harness.ts';

let w: World;
let leaves: Bytes[];
let forger: Identity;
const http = async (path: string): Promise<Response> => (await w.coordinator.http(new Request(`http://c${path}`)))!;

beforeAll(async () => {
  w = await world();
  const { creator, worker, checker, job } = await road(w);
  for (let i = 0; i < 3; i++) await oneLease(creator, worker, checker);
  await creator.submit('job.cancel', { job });
  w.clock.advance(2_000);
  const log = await fetchLog(AbortSignal.timeout(60_000), 'http://c', (url) => http(new URL(url).pathname));
  if (!log.ok) throw new Error(log.reason);
  leaves = log.leaves;
  forger = await identityFromSecret(randomBytes(32));
}, 120_000);
afterAll(() => w.coordinator.close());

test('gives a job a receipt whose entries verify against its checkpoint', async () => {
  const job = decodeLeaf(leaves.find((bytes) => decodeLeaf(bytes)?.type === 'job')!) as Extract<LogLeaf, { type: 'job' }>;
  const receipt = (await (await http(`/api/jobs/${job.job}/receipt`)).json()) as Receipt;
  expect(receipt.orderHash).toBe(job.order);
  expect(receipt.leases).toHaveLength(3);
  // Its job, the escrow, three settlements, the refund.
  expect(receipt.entries).toHaveLength(6);
  const trust = { key: w.coordinator.key };
  expect(await verifyReceipt(receipt, trust)).toMatchObject({ ok: true, settled: 3, whole: true, entries: 5, spentMicro: '15' });
  expect(await verifyReceipt(receipt)).toMatchObject({ ok: true });
  receipt.entries.forEach((entry, i) => {
    const log = {
      name: 'test',
      id: Buffer.from(parseNote(receipt.checkpoint)!.signatures[0]!.keyId),
      type: 1,
      key: Buffer.from(fromHex(trust.key)),
    };
    expect(checkProof(proofOf(receipt, i), Buffer.from(entry.bytes, 'base64'), log).size).toBe(leaves.length);
  });
});

test.each<[string, string, (receipt: Receipt) => unknown]>([
  ['of another key', 'the signed checkpoint', (receipt) => ({ ...receipt, coordinatorKey: forger.key })],
  ['of another job', 'the order', (receipt) => ({ ...receipt, job: '0'.repeat(32) })],
  ['with an entry left out', 'the sums', (receipt) => ({ ...receipt, entries: receipt.entries.filter((_, i) => i !== 2) })],
  ['with an entry said twice', 'the entries', (receipt) => ({ ...receipt, entries: [...receipt.entries, receipt.entries[2]!] })],
  ['that says more was spent', 'the sums', (receipt) => ({ ...receipt, spentMicro: '16' })],
  [
    'with a lease more',
    'the leases',
    (receipt) => ({ ...receipt, leases: [...receipt.leases, { ...receipt.leases[0]!, lease: '0'.repeat(32) }] }),
  ],
  [
    'with a leaf at another place',
    'leaf 1',
    (receipt) => ({ ...receipt, entries: [{ ...receipt.entries[0]!, leaf: 1 }, ...receipt.entries.slice(1)] }),
  ],
  ['of an older form', 'the form of the receipt', (receipt) => ({ ...receipt, format: 'pictor receipt v1' })],
])('a receipt %s is refused at %s', async (_, step, change) => {
  const { job } = decodeLeaf(leaves.find((bytes) => decodeLeaf(bytes)?.type === 'job')!) as Extract<LogLeaf, { type: 'job' }>;
  const receipt = (await (await http(`/api/jobs/${job}/receipt`)).json()) as Receipt;
  expect(await verifyReceipt(change(receipt))).toMatchObject({ ok: false, step });
});

test('a receipt without the cosignatures that were asked for is refused', async () => {
  const { job } = decodeLeaf(leaves.find((bytes) => decodeLeaf(bytes)?.type === 'job')!) as Extract<LogLeaf, { type: 'job' }>;
  const receipt = (await (await http(`/api/jobs/${job}/receipt`)).json()) as Receipt;
  expect(await verifyReceipt(receipt, { witnesses: [forger.key] })).toMatchObject({ ok: false, step: 'the cosignatures' });
  const line = await cosign(forger, parseNote(receipt.checkpoint)!.text, 1);
  const cosigned = { ...receipt, checkpoint: withSignatures(receipt.checkpoint, [line]) };
  expect(await verifyReceipt(cosigned, { witnesses: [forger.key] })).toMatchObject({ ok: true, cosigned: [forger.key] });
});
