/** What may and may not change durable state: replays, forgeries, overdrafts, races, and messages that are no messages. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { sql } from 'drizzle-orm';
import { randomBytes, toHex } from '#lib/protocol/bytes.ts';
import { helloBytes, PROTOCOL_VERSION } from '#lib/protocol/control.ts';
import { identityFromSecret, seal, verifySignature } from '#lib/protocol/envelope.ts';
import {
  CONTROL_MESSAGE_BYTES_MAX,
  CONTROL_MESSAGES_PER_SECOND_MAX,
  CONTROL_SILENCE_MS_MAX,
  ENVELOPE_AGE_MS_MAX,
  JOBS_OPEN_PER_CREATOR_MAX,
} from '#lib/protocol/limits.ts';
import { nodeIdentity, nodeVerify } from '#lib/server/keys.ts';
import { openMemory } from '#lib/server/store/open.ts';
import type { Store } from '#lib/server/store/store.ts';
import { road, testOrder, world, type Client, type World } from './harness.ts';

let w: World;
let store: Store;
beforeAll(async () => {
  store = await openMemory();
  w = await world({ store });
}, 120_000);
afterEach(() => w.leave());
afterAll(() => w.coordinator.close());

const get = async (path: string): Promise<Record<string, never>> =>
  (await (await w.coordinator.http(new Request(`http://c${path}`)))!.json()) as Record<string, never>;
const logSize = async (): Promise<number> => (await get('/api/status')).logSize!;
const counts = async (): Promise<Record<string, number>> => (await get('/api/status')).counts!;

/** The act leaves no leaf behind. */
async function changesNothing(act: () => Promise<unknown>): Promise<void> {
  const before = await logSize();
  await act();
  expect(await logSize()).toBe(before);
}

describe('an envelope', () => {
  test('sent twice is answered alike and changes nothing the second time', async () => {
    const { creator, worker, checker } = await road(w);
    const order = await creator.seal('job.submit', { order: testOrder({ title: 'again' }) });
    const first = await creator.send(order);
    await changesNothing(async () => expect(await creator.send(order)).toMatchObject({ type: 'ack', ref: (first as { ref: string }).ref }));
    await worker.ask(1);
    const commitment = await worker.seal('lease.commit', worker.commitBody(worker.last('grant')!));
    await worker.send(commitment);
    await changesNothing(async () => expect((await worker.send(commitment)).type).toBe('ack'));
    expect(creator.all('committed')).toHaveLength(1);
    await creator.receipt(creator.last('committed')!);
    const verdict = await checker.seal('check.verdict', checker.verdictBody(checker.last('check')!, 'pass'));
    await checker.send(verdict);
    await changesNothing(async () => expect((await checker.send(verdict)).type).toBe('ack'));
    expect(worker.all('settled')).toHaveLength(1);
  });

  test('may be brought by anyone: the signature counts, not the bringer', async () => {
    const creator = await w.join(['creator']);
    await creator.grant();
    const other = await w.join(['worker']);
    expect((await other.send(await creator.seal('job.submit', { order: testOrder() }))).type).toBe('ack');
  });

  test.each([
    [
      'forged',
      'envelope-signature',
      async (c: Client) => ({ ...(await c.seal('job.cancel', { job: '0'.repeat(32) })), sig: '0'.repeat(128) }),
    ],
    [
      'signed by another',
      'envelope-signature',
      async (c: Client) => ({
        ...(await c.seal('job.cancel', { job: '0'.repeat(32) })),
        key: (await identityFromSecret(randomBytes(32))).key,
      }),
    ],
    [
      'of another network',
      'envelope-network',
      (c: Client) => seal(c.identity, { network: 'other', purpose: 'grant', body: {}, atMs: w.clock.nowMs() }),
    ],
    ['that is no CBOR', 'envelope-malformed', async (c: Client) => ({ ...(await c.seal('grant', {})), payload: 'AAAA' })],
    [
      'of another time',
      'envelope-age',
      (c: Client) => seal(c.identity, { network: 'test', purpose: 'grant', body: {}, atMs: w.clock.nowMs() - ENVELOPE_AGE_MS_MAX - 1 }),
    ],
    ['with a body of another shape', 'body-malformed', (c: Client) => c.seal('grant', { work: 'x' })],
    ['with one field too many', 'body-malformed', (c: Client) => c.seal('job.cancel', { job: '0'.repeat(32), also: 1 })],
  ])('%s is refused and changes nothing', async (_name, reason, make) => {
    const client = await w.join(['creator']);
    const before = (await counts())[reason] ?? (await counts())[`refused-${reason}`] ?? 0;
    await changesNothing(async () => expect(await client.send(await make(client))).toMatchObject({ type: 'refused', reason }));
    expect((await counts())[reason] ?? (await counts())[`refused-${reason}`]).toBe(before + 1);
  });

  test('node’s verification and the pure one agree, also on a signature with a second form', async () => {
    const secret = randomBytes(32);
    const [ours, pure] = [nodeIdentity(secret), await identityFromSecret(secret)];
    expect(ours.key).toBe(pure.key);
    const bytes = randomBytes(100);
    const sig = await ours.sign(bytes);
    expect(sig).toEqual(await pure.sign(bytes));
    const key = Uint8Array.from(Buffer.from(ours.key, 'hex'));
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = BigInt(`0x${toHex(sig.slice(32).reverse())}`) + order;
    const second = Uint8Array.from([...sig.slice(0, 32), ...Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()]);
    for (const [candidate, good] of [
      [sig, true],
      [second, false],
      [new Uint8Array(64), false],
      [sig.slice(1), false],
    ] as const) {
      expect(await nodeVerify(candidate, bytes, key)).toBe(good);
      expect(await verifySignature(candidate, bytes, key)).toBe(good);
    }
  });
});

describe('money', () => {
  test('is granted once per key, and only for work', async () => {
    const client = await w.join(['creator']);
    await changesNothing(async () => {
      let lazy = 0;
      // Find work that does not suffice: fewer than four zero bits.
      const { workBits } = await import('#lib/server/submit.ts');
      while (workBits(client.key, lazy.toString(16).padStart(16, '0')) >= 4) lazy++;
      expect(await client.submit('grant', { work: lazy.toString(16).padStart(16, '0') })).toMatchObject({ reason: 'grant-work' });
    });
    expect((await client.grant()).type).toBe('ack');
    await changesNothing(async () => expect(await client.grant()).toMatchObject({ reason: 'grant-taken' }));
  });

  test('can’t be spent twice, nor before it is there', async () => {
    const poor = await w.join(['creator']);
    await changesNothing(async () => {
      expect(await poor.submit('job.submit', { order: testOrder() })).toMatchObject({
        type: 'refused',
        reason: 'balance',
        text: 'This job may cost 0.001 tokens and you have 0. Lower its limit, or earn by rendering for others.',
      });
    });
    await poor.grant();
    const whole = testOrder({ capMicro: '100000000' });
    const both = await Promise.all([poor.seal('job.submit', { order: whole }), poor.seal('job.submit', { order: whole })]);
    const answers = await Promise.all(both.map((envelope) => poor.send(envelope)));
    expect(answers.map((answer) => answer.type).sort()).toEqual(['ack', 'refused']);
  });

  test('never leaves an account below zero or an entry out of balance, whatever the code does: the database refuses', async () => {
    const key = toHex(randomBytes(32));
    const entry = (id: number) => sql`insert into entries (id, kind, at_ms) values (${id}, 'refund', 0)`;
    const attempt = (statement: ReturnType<typeof sql>) =>
      store.db.transaction(async (tx) => {
        await tx.execute(entry(900_000_000));
        await tx.execute(statement);
      });
    const cause = (text: string) =>
      expect.objectContaining({ cause: expect.objectContaining({ message: expect.stringContaining(text) as string }) as Error });
    await expect(attempt(sql`insert into postings values (900000000, ${key}, 5)`)).rejects.toEqual(cause('sum to zero'));
    await expect(attempt(sql`insert into postings values (900000000, ${key}, -5), (900000000, 'treasury', 5)`)).rejects.toEqual(
      cause('balances_not_negative'),
    );
    await expect(store.db.execute(sql`update postings set micro = micro + 1`)).rejects.toEqual(cause('append-only'));
    await expect(store.db.execute(sql`delete from log_leaves`)).rejects.toEqual(cause('append-only'));
  });

  test('is paid once when receipt and verdict arrive together', async () => {
    const { creator, worker, checker } = await road(w);
    await worker.ask(1);
    await worker.commit(worker.last('grant')!);
    const receipt = await creator.seal('film.receipt', {
      lease: creator.last('committed')!.lease.lease,
      root: creator.last('committed')!.root,
      verdict: 'received',
    });
    const twin = await creator.seal('film.receipt', {
      lease: creator.last('committed')!.lease.lease,
      root: creator.last('committed')!.root,
      verdict: 'received',
    });
    const verdict = await checker.seal('check.verdict', checker.verdictBody(checker.last('check')!, 'pass'));
    await Promise.all([creator.send(receipt), checker.send(verdict), creator.send(twin)]);
    expect(worker.all('settled')).toHaveLength(1);
    expect((await get(`/api/balance/${worker.key}`)).balanceMicro).toBe('5');
  });

  test('jobs per creator are bounded', async () => {
    const creator = await w.join(['creator']);
    await creator.grant();
    for (let i = 0; i < JOBS_OPEN_PER_CREATOR_MAX; i++) await creator.order(testOrder({ title: `job ${i}` }));
    expect(await creator.submit('job.submit', { order: testOrder() })).toMatchObject({ reason: 'jobs-open' });
    expect(
      await creator.submit('job.submit', { order: testOrder({ width: 8192, height: 8192, samples: 16384, capMicro: '0' }) }),
    ).toMatchObject({ reason: 'job-too-big' });
  });
});

describe('a connection', () => {
  test.each([
    ['no JSON', 'message-malformed', '{'],
    ['an unknown message', 'message-malformed', '{"type":"open-sesame","id":1}'],
    ['one field too many', 'message-malformed', '{"type":"ping","id":1,"also":2}'],
    ['too many bytes', 'message-oversize', `"${'x'.repeat(CONTROL_MESSAGE_BYTES_MAX)}"`],
  ])('that sends %s is not answered, and counted', async (_name, reason, text) => {
    const client = await w.join(['worker']);
    const before = (await counts())[reason] ?? 0;
    const heard = client.received.length;
    client.raw(text);
    await w.pass(100);
    expect((await counts())[reason]).toBe(before + 1);
    expect(
      client.received.slice(heard).filter((message) => message.type === 'ack' || message.type === 'refused').length,
    ).toBeLessThanOrEqual(1);
    expect(client.closed).toBe(false);
  });

  test('that floods is cut to its rate', async () => {
    const client = await w.join(['worker']);
    const before = (await counts())['message-rate'] ?? 0;
    for (let i = 0; i < CONTROL_MESSAGES_PER_SECOND_MAX + 50; i++) client.ping();
    await w.pass(100);
    expect((await counts())['message-rate'] ?? 0).toBeGreaterThanOrEqual(before + 49);
  });

  test('must prove its key, for this challenge and this peer id', async () => {
    const client = await w.join([]);
    const other = await identityFromSecret(randomBytes(32));
    const { challenge, network } = client.last('challenge')!;
    const stranger = `${other.key}-00000000`;
    const hello = { type: 'hello', version: PROTOCOL_VERSION, roles: [], adapter: null };
    const proof = toHex(await client.identity.sign(helloBytes(network, challenge, stranger)));
    expect(await client.request({ ...hello, key: client.key, peer: stranger, proof })).toMatchObject({ reason: 'hello-peer' });
    const second = await w.join([]);
    expect(await second.request({ ...hello, key: other.key, peer: stranger, proof })).toMatchObject({ reason: 'hello-again' });
    const stale = toHex(await second.identity.sign(helloBytes(network, challenge, second.peer)));
    expect(await second.request({ ...hello, key: second.key, peer: second.peer, proof: stale })).toMatchObject({ reason: 'hello-proof' });
  });

  test('that falls silent is closed', async () => {
    const client = await w.join(['worker']);
    client.alive = false;
    await w.pass(CONTROL_SILENCE_MS_MAX + 1_000);
    expect(client.closed).toBe(true);
  });

  test('of a peer that connects again replaces the older one', async () => {
    const client = await w.join(['worker']);
    const again = await w.join(['worker'], client.identity, client.peer.slice(-8));
    expect(client.closed).toBe(true);
    expect(again.closed).toBe(false);
  });

  test('learns the terms, the network, and its balance', async () => {
    const client = await w.join(['creator']);
    await client.grant();
    await w.pass(1_500);
    expect(client.last('welcome')).toMatchObject({
      coordinatorKey: w.coordinator.key,
      policy: { grantWorkBits: 4, leavesPerCheck: 4 },
      iceServers: [],
    });
    expect(client.last('balance')).toEqual({ type: 'balance', balanceMicro: '100000000', pendingMicro: '0' });
    expect(client.last('network')!.view.creators).toBe(1);
  });
});
