/**
 * Commitments, receipts, verdicts, seals, appeals and words that are malformed, late, early, said twice, in
 * another order or by somebody else: drawn at random from a seed, in hundreds. Each is answered with a reason
 * that a program can read, and what must not change does not: the log, the money and the leases.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { sha256, toHex, utf8 } from '#lib/protocol/bytes.ts';
import type { Purpose } from '#lib/protocol/envelope.ts';
import { fetchLog } from '#lib/ledger/client.ts';
import { verifyLog } from '#lib/ledger/verify.ts';
import { nodeVerify } from '#lib/server/keys.ts';
import { seededRandom } from '../../sim/virtual-clock.ts';
import { road, testOrder, world, type Client, type Message, type World } from './harness.ts';

const MANY = testOrder({ samples: 64, passSamples: 1, capMicro: '1000000' });
const ASK = new AbortController().signal;
const REASON = /^[a-z0-9-]{1,64}$/;

let w: World;
beforeAll(async () => {
  w = await world();
}, 120_000);
afterEach(() => w.leave());
afterAll(() => w.coordinator.close());

/** All that is durable: the log's root is a function of every leaf. */
async function state(): Promise<string> {
  const fetched = await fetchLog(ASK, 'http://c', async (url) => (await w.coordinator.http(new Request(url)))!);
  if (!fetched.ok) throw new Error(fetched.reason);
  return toHex(sha256(utf8(fetched.leaves.map((leaf) => toHex(sha256(leaf))).join())));
}

const random = seededRandom(77);
const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
const hex = (bytes: number): string => Array.from({ length: bytes * 2 }, () => Math.floor(random() * 16).toString(16)).join('');

/** Values that are the wrong thing somewhere. */
const WRONG: readonly (() => unknown)[] = [
  () => null,
  () => -1,
  () => 1.5,
  () => 2 ** 53,
  () => '',
  () => 'x'.repeat(300),
  () => hex(32).toUpperCase(),
  () => hex(31),
  () => [],
  () => ({}),
  () => true,
];

/** Where any short text will do. */
const FREE_TEXT = new Set(['adapterClass', 'text', 'reason']);

/** A field gone, one too many, or one of another type or form. */
function spoiled(body: Record<string, unknown>): Record<string, unknown> {
  const name = pick(Object.keys(body));
  const { [name]: gone, ...rest } = body;
  switch (Math.floor(random() * 4)) {
    case 0:
      return rest;
    case 1:
      return { ...body, [hex(4)]: 1 };
    default: {
      // What happens to be right is no test.
      const value = FREE_TEXT.has(name) ? 'x'.repeat(300) : pick(WRONG)();
      return typeof value === typeof gone && typeof value === 'number' ? { ...body, [name]: -1 } : { ...body, [name]: value };
    }
  }
}

async function refusedWithoutTrace(by: Client, purpose: Purpose, body: unknown, before: string): Promise<void> {
  const answer = await by.submit(purpose, body);
  const what = `${purpose} ${JSON.stringify(body).slice(0, 300)}`;
  expect(answer.type, what).toBe('refused');
  expect((answer as Message<'refused'>).reason, what).toMatch(REASON);
  expect((answer as Message<'refused'>).text.length, what).toBeGreaterThan(0);
  expect(await state(), what).toBe(before);
}

interface Scene {
  readonly creator: Client;
  readonly worker: Client;
  readonly checker: Client;
  readonly grant: Message<'grant'>;
}

async function scene(): Promise<Scene> {
  const { creator, worker, checker } = await road(w, MANY);
  await worker.ask(1);
  return { creator, worker, checker, grant: worker.last('grant')! };
}

/** Every signed word that can be said of a lease, as it would be right at its time. */
function words({ creator, worker, checker, grant }: Scene): { by: Client; purpose: Purpose; body: Record<string, unknown> }[] {
  const { lease } = grant.lease;
  const commit = worker.commitBody(grant);
  const check = checker.last('check');
  return [
    { by: worker, purpose: 'lease.commit', body: commit },
    { by: creator, purpose: 'film.receipt', body: { lease, root: commit.root, verdict: 'received' } },
    ...(check?.lease.lease === lease
      ? [
          { by: checker, purpose: 'check.retrace' as const, body: { lease, nonceCommitment: check.nonceCommitment, root: 'e'.repeat(64) } },
          { by: checker, purpose: 'check.verdict' as const, body: checker.verdictBody(check, 'pass') },
        ]
      : []),
    { by: worker, purpose: 'drill.seal', body: { lease, root: commit.root, kind: 'forged', tells: 'AAA' } },
    { by: worker, purpose: 'lease.appeal', body: { lease, text: 'why' } },
    { by: checker, purpose: 'review.word', body: { lease, root: commit.root, word: 'accept', reason: '' } },
  ];
}

test('what is malformed leaves no trace, in every state of a lease', async () => {
  const one = await scene();
  const { creator, worker, checker, grant } = one;
  const storm = async (): Promise<void> => {
    const before = await state();
    for (const { by, purpose, body } of words(one))
      for (let i = 0; i < 8; i++) await refusedWithoutTrace(by, purpose, spoiled(body), before);
  };
  await storm();
  expect((await worker.commit(grant)).type).toBe('ack');
  await storm();
  expect((await creator.receipt(creator.last('committed')!)).type).toBe('ack');
  await storm();
  expect((await checker.verdict(checker.last('check')!)).type).toBe('ack');
  expect(worker.last('settled')).toMatchObject({ lease: grant.lease.lease });
  await storm();
}, 240_000);

test('what comes too early, too late, again or from somebody else changes nothing', async () => {
  const one = await scene();
  const { creator, worker, checker, grant } = one;
  const others = [await w.join(['worker', 'checker', 'creator']), creator, worker, checker];
  /** Everything but what is right now, by everybody. */
  const storm = async (right: Purpose | null): Promise<void> => {
    const before = await state();
    for (const { by, purpose, body } of words(one))
      for (const who of others) if (purpose !== right || who !== by) await refusedWithoutTrace(who, purpose, body, before);
  };
  await storm('lease.commit');
  const commitment = await worker.seal('lease.commit', worker.commitBody(grant));
  const ack = await worker.send(commitment);
  expect(ack.type).toBe('ack');
  await w.pass(200);
  const committed = await state();
  // The same envelope, brought by anybody: the same answer, and nothing new.
  for (const who of others)
    expect((await who.send(commitment)) as unknown).toMatchObject({ type: 'ack', ref: (ack as Message<'ack'>).ref });
  expect(await state()).toBe(committed);
  // A verdict of the one who was drawn is right from here on, and so is a receipt: neither alone pays.
  const verdict = await checker.seal('check.verdict', checker.verdictBody(checker.last('check')!, 'pass'));
  expect((await checker.send(verdict)).type).toBe('ack');
  expect(worker.last('settled')).toBeUndefined();
  await storm('film.receipt');
  expect((await creator.receipt(creator.last('committed')!)).type).toBe('ack');
  expect(worker.last('settled')).toMatchObject({ lease: grant.lease.lease });
  await storm(null);
  const after = await state();
  for (const who of others) expect((await who.send(verdict)).type).toBe('ack');
  expect(await state()).toBe(after);
}, 240_000);

test('a verdict for another draw, with another nonce, root or more equal than traced is none', async () => {
  const one = await scene();
  const { worker, checker, grant } = one;
  await worker.commit(grant);
  const check = checker.last('check')!;
  const body = checker.verdictBody(check, 'pass');
  const before = await state();
  for (const [change, reason] of [
    [{ nonce: hex(32) }, 'check-unknown'],
    [{ lease: hex(16) }, 'check-unknown'],
    [{ root: hex(32) }, 'root-differs'],
    [{ verdict: 'fail' }, 'verdict-reason'],
    [{ verdict: 'pass', reason: 'light' }, 'verdict-reason'],
    [{ pathsEqual: 257 }, 'verdict-counts'],
    [{ biasPpm: 1_000_001 }, 'body-malformed'],
  ] as const) {
    expect(await checker.submit('check.verdict', { ...body, ...change }), reason).toMatchObject({ type: 'refused', reason });
    expect(await state(), reason).toBe(before);
  }
  expect((await checker.submit('check.verdict', body)).type).toBe('ack');
}, 120_000);

test('whatever order two leases’ words come in, both are paid, and the log replays', async () => {
  for (let round = 0; round < 4; round++) {
    const { creator, worker, checker } = await road(w, MANY);
    await worker.ask(2);
    const grants = worker.all('grant').slice(-2);
    for (const grant of grants.toSorted(() => random() - 0.5)) await worker.commit(grant);
    await w.pass(100);
    const says = grants.flatMap(({ lease: { lease } }) => {
      const committed = creator.all('committed').find((m) => m.lease.lease === lease)!;
      const drawn = (): Message<'check'> | undefined => checker.all('check').find((m) => m.lease.lease === lease);
      return [async () => (await creator.receipt(committed)).type, async () => (drawn() ? (await checker.verdict(drawn()!)).type : 'late')];
    });
    const order = says.map((say) => ({ say, at: random() })).toSorted((a, b) => a.at - b.at);
    for (const { say } of order) expect(['ack', 'late']).toContain(await say());
    await w.pass(500);
    for (const { lease } of grants) {
      const check = checker.all('check').find((m) => m.lease.lease === lease.lease);
      if (check && !worker.all('settled').some((m) => m.lease === lease.lease)) await checker.verdict(check);
    }
    expect(
      worker
        .all('settled')
        .map(({ lease }) => lease)
        .toSorted(),
    ).toEqual(grants.map(({ lease }) => lease.lease).toSorted());
    await w.leave();
  }
  const fetched = await fetchLog(ASK, 'http://c', async (url) => (await w.coordinator.http(new Request(url)))!);
  if (!fetched.ok) throw new Error(fetched.reason);
  expect(await verifyLog(fetched.checkpoint, w.coordinator.key, fetched.leaves, nodeVerify)).toMatchObject({ ok: true });
}, 240_000);
