/** Appeals, people's words, the queue of doubt and the operator's lists: what is heard, what is not, and that the log replays to the same. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import * as v from 'valibot';
import { fetchLog } from '#lib/ledger/client.ts';
import { verifyLog } from '#lib/ledger/verify.ts';
import { randomBytes } from '#lib/protocol/bytes.ts';
import { identityFromSecret, type Identity } from '#lib/protocol/envelope.ts';
import { nodeVerify } from '#lib/server/keys.ts';
import { BoardSchema, ProvenanceSchema, ReviewQueueSchema, type ReviewQueue } from '#lib/trust/review.ts';
import { road, testOrder, world, type Client, type Message, type World } from './harness.ts';

const MANY = testOrder({ samples: 16, passSamples: 1, capMicro: '100000' });
const ASK = new AbortController().signal;

let w: World;
let house: Identity;
let barred: Identity;
beforeAll(async () => {
  house = await identityFromSecret(randomBytes(32));
  barred = await identityFromSecret(randomBytes(32));
  w = await world({ rules: { holdHundredths: 200 }, lists: { reviewers: [house.key], blockedKeys: [barred.key] } });
}, 120_000);
afterEach(() => w.leave());
afterAll(() => w.coordinator.close());

const get = async (path: string): Promise<unknown> => (await w.coordinator.http(new Request(`http://c/api/${path}`)))!.json();
const balance = async (account: string): Promise<bigint> =>
  BigInt(((await get(`balance/${account}`)) as { balanceMicro: string }).balanceMicro);
const queue = async (): Promise<ReviewQueue> => v.parse(ReviewQueueSchema, await get('review'));

async function verified(): Promise<void> {
  const fetched = await fetchLog(ASK, 'http://c', async (url) => (await w.coordinator.http(new Request(url)))!);
  if (!fetched.ok) throw new Error(fetched.reason);
  expect(await verifyLog(fetched.checkpoint, w.coordinator.key, fetched.leaves, nodeVerify)).toMatchObject({ ok: true });
}

interface Case {
  readonly creator: Client;
  readonly worker: Client;
  readonly checkers: readonly [Client, Client];
  readonly grant: Message<'grant'>;
  readonly root: string;
}

/** A worker paid for three leases that two checkers find at fault over the fourth. */
async function fault(): Promise<Case> {
  const { creator, worker, checker } = await road(w, MANY);
  const second = await w.join(['checker']);
  await second.checkReady(4);
  const checkers = [checker, second] as const;
  const answered = new Set<string>();
  for (let i = 0; i < 4; i++) {
    await worker.ask(1);
    const grant = worker.last('grant')!;
    await worker.commit(grant);
    await creator.receipt(creator.last('committed')!);
    const verdict = i < 3 ? 'pass' : 'fail';
    for (let told = 0; told < (i < 3 ? 1 : 2); told++) {
      const one = checkers.find(({ received }) =>
        received.some((m) => m.type === 'check' && m.lease.lease === grant.lease.lease && !answered.has(m.nonceCommitment)),
      )!;
      const check = one.all('check').find((m) => m.lease.lease === grant.lease.lease && !answered.has(m.nonceCommitment))!;
      answered.add(check.nonceCommitment);
      await one.verdict(check, verdict);
    }
    if (i === 3) return { creator, worker, checkers, grant, root: creator.last('committed')!.root };
  }
  throw new Error('unreachable');
}

test('a granted appeal clears the record, gives back what the treasury holds, and counts against who was wrong', async () => {
  const { creator, worker, checkers, grant, root } = await fault();
  const { lease } = grant.lease;
  expect(worker.last('voided')).toMatchObject({ lease, reason: 'check-signatures' });
  expect(await get(`standing/${worker.key}`)).toMatchObject({ worker: { faults: 1, heldMicro: '0' } });
  // Nobody else's, once, and of what was rejected.
  expect(await creator.submit('lease.appeal', { lease, text: 'mine' })).toMatchObject({ reason: 'lease-unknown' });
  expect(await worker.submit('lease.appeal', { lease: worker.all('grant')[0]!.lease.lease, text: 'paid' })).toMatchObject({
    reason: 'appeal-nothing',
  });
  expect(await worker.submit('lease.appeal', { lease, text: 'These are the paths that were asked for.' })).toMatchObject({ type: 'ack' });
  expect(await worker.submit('lease.appeal', { lease, text: 'Again.' })).toMatchObject({ reason: 'appeal-again' });

  const open = (await queue()).cases.find((one) => one.lease.lease === lease)!;
  expect(open).toMatchObject({ kind: 'appeal', root, reason: 'check-signatures', words: { accept: 0, reject: 0 }, needed: 2 });
  expect(open.opinions.map(({ verdict }) => verdict)).toEqual(['fail', 'fail']);
  expect(open.opinions[0]!.drawn.length).toBeGreaterThan(0);
  for (const key of [worker.key, ...checkers.map((one) => one.key)]) expect(JSON.stringify(open)).not.toContain(key);

  const word = { lease, root, word: 'accept', reason: 'looks right' };
  for (const one of [worker, creator, ...checkers])
    expect(await one.submit('review.word', word)).toMatchObject({ reason: 'reviewer-involved' });
  const stranger = await w.join(['checker']);
  expect(await stranger.submit('review.word', word)).toMatchObject({ reason: 'reviewer-unproven' });
  expect(await stranger.request({ type: 'look', lease })).toMatchObject({ reason: 'reviewer-unproven' });
  const reviewer = await w.join(['checker'], house);
  expect(await reviewer.request({ type: 'look', lease })).toMatchObject({ type: 'ack' });
  expect(reviewer.last('case')).toMatchObject({ root, workerPeer: worker.peer, lease: { lease } });
  expect(await reviewer.submit('review.word', { ...word, root: '0'.repeat(64) })).toMatchObject({ reason: 'root-differs' });

  const [before, treasury] = [await balance(worker.key), await balance('treasury')];
  expect(await reviewer.submit('review.word', word)).toMatchObject({ type: 'ack' });
  expect(await get(`standing/${worker.key}`)).toMatchObject({ worker: { faults: 0 } });
  const back = (await balance(worker.key)) - before;
  expect(back).toBe(treasury < 10n ? treasury : 10n);
  for (const one of checkers) expect(await get(`standing/${one.key}`)).toMatchObject({ checker: { good: 1, goodRight: 0 } });
  expect((await queue()).cases.map((one) => one.lease.lease)).not.toContain(lease);
  expect(v.parse(ProvenanceSchema, await get(`review/${lease}`))).toMatchObject({ worker: worker.key, outcome: 'granted' });
  expect(await reviewer.submit('review.word', { ...word, word: 'reject' })).toMatchObject({ type: 'refused' });
  expect(v.parse(BoardSchema, await get('board')).workers.find((row) => row.key === worker.key)).toMatchObject({ settled: 3, faults: 0 });
  await verified();
}, 120_000);

test('a denied appeal changes nothing', async () => {
  const first = await fault();
  const { lease } = first.grant.lease;
  await first.worker.submit('lease.appeal', { lease, text: 'no' });
  const reviewer = await w.join(['checker'], house);
  await reviewer.submit('review.word', { lease, root: first.root, word: 'reject', reason: 'noise' });
  expect(v.parse(ProvenanceSchema, await get(`review/${lease}`)).outcome).toBe('denied');
  expect(await get(`standing/${first.worker.key}`)).toMatchObject({ worker: { faults: 1 } });
  await verified();
}, 120_000);

test('who is barred is told so, and served nothing', async () => {
  const one = await w.join(['worker'], barred);
  expect(one.received.at(-1)).toMatchObject({ type: 'refused', reason: 'key-blocked' });
  expect(one.last('welcome')).toBeUndefined();
});

test('an order bars keys from its leases and its checks, and serves others (control)', async () => {
  const shunned = await w.join(['worker', 'checker']);
  await shunned.checkReady(4);
  const creator = await w.join(['creator']);
  await creator.grant();
  await creator.order({ ...MANY, avoid: [shunned.key] });
  const before = shunned.all('grant').length;
  await shunned.ask(1);
  expect(shunned.all('grant').filter((m) => m.creator === creator.key)).toHaveLength(0);
  expect(shunned.all('grant').length).toBeGreaterThanOrEqual(before);
  const other = await w.join(['worker']);
  await other.ask(1);
  const grant = other.all('grant').find((m) => m.creator === creator.key);
  expect(grant).toBeDefined();
  await other.commit(grant!);
  await w.pass(1_000);
  expect(shunned.all('check').filter((m) => m.lease.lease === grant!.lease.lease)).toHaveLength(0);
}, 60_000);
