/**
 * Who is not served: keys and networks that the operator bars, keys that were found at fault too often, keys of
 * one network. Each bar ends where it should: at another key or network, with a granted appeal, when a time is over.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { randomBytes, toHex } from '#lib/protocol/bytes.ts';
import { APPEAL_MS_MAX, APPEAL_OPEN_MS_MAX } from '#lib/protocol/limits.ts';
import { helloBytes, PROTOCOL_VERSION } from '#lib/protocol/control.ts';
import { identityFromSecret, seal, type Identity } from '#lib/protocol/envelope.ts';
import { signalToken } from '#lib/protocol/signal.ts';
import { listsOf } from '#lib/server/lists.ts';
import type { ControlLink } from '#lib/server/sessions.ts';
import { road, testOrder, world, type Client, type World } from './harness.ts';

const MANY = testOrder({ samples: 16, passSamples: 1, capMicro: '100000' });
const DAY_MS = 24 * 3_600_000;

let w: World;
let house: Identity;
let barred: Identity;
beforeAll(async () => {
  [house, barred] = [await identityFromSecret(randomBytes(32)), await identityFromSecret(randomBytes(32))];
  const lists = { reviewers: [house.key], blockedKeys: [barred.key], blockedPrefixes: ['203.0.113', '2001:db8:1'] };
  w = await world({ lists, rules: { pairMs: DAY_MS } });
}, 120_000);
afterEach(() => w.leave());
afterAll(() => w.coordinator.close());

const get = async (path: string): Promise<unknown> => (await w.coordinator.http(new Request(`http://c/api/${path}`)))!.json();

/** What a coordinator answers to a hello from this address. */
async function greeted(address: string, identity: Identity): Promise<{ type: string; reason?: string }> {
  const said: { type: string; reason?: string; challenge?: string; network?: string }[] = [];
  let tell: (text: string) => void = () => {};
  const link: ControlLink = {
    address,
    send: (text) => void said.push(JSON.parse(text) as { type: string }),
    onMessage: (listener) => void (tell = listener),
    onClose: () => {},
    close: () => {},
  };
  w.coordinator.connect(link);
  const peer = `${identity.key}-${toHex(randomBytes(4))}`;
  const proof = toHex(await identity.sign(helloBytes(said[0]!.network!, said[0]!.challenge!, peer)));
  tell(JSON.stringify({ type: 'hello', id: 1, version: PROTOCOL_VERSION, key: identity.key, peer, proof, roles: [], adapter: null }));
  await w.coordinator.idle();
  return said.at(-1)!;
}

/** What signalling says first. */
async function signalled(identity: Identity, address?: string): Promise<unknown> {
  const id = `${identity.key}-${toHex(randomBytes(4))}`;
  const said: unknown[] = [];
  const token = await signalToken(identity, 'test', id, w.clock.nowMs());
  const wire = { send: (text: string) => void said.push(JSON.parse(text)), onMessage: () => {}, onClose: () => {}, close: () => {} };
  w.coordinator.signal(address === undefined ? wire : { ...wire, address }, new URLSearchParams({ id, token }));
  while (said.length === 0) await new Promise((resolve) => setImmediate(resolve));
  return said[0];
}

describe('a key that the operator bars', () => {
  test('is told so wherever it comes, and no connection may speak for it; others are served', async () => {
    expect(await greeted('198.51.100.1', barred)).toMatchObject({ type: 'refused', reason: 'key-blocked' });
    expect(await signalled(barred)).toMatchObject({ type: 'ERROR', payload: { msg: expect.stringContaining('serves this key no more') } });
    const friend = await w.join(['creator']);
    // Signed by the barred key, brought by another.
    const envelope = await seal(barred, { network: 'test', purpose: 'grant', body: { work: '0'.repeat(16) }, atMs: w.clock.nowMs() });
    expect(await friend.send(envelope)).toMatchObject({ type: 'refused', reason: 'key-blocked' });
    expect(await get(`balance/${barred.key}`)).toMatchObject({ balanceMicro: '0' });
    expect(await friend.grant()).toMatchObject({ type: 'ack' });
    expect(await signalled(friend.identity)).toMatchObject({ type: 'OPEN' });
  });
});

describe('a network that the operator bars', () => {
  test('is told so, whatever the key; its neighbours are served', async () => {
    const someone = await identityFromSecret(randomBytes(32));
    for (const address of ['203.0.113.1', '203.0.113.254', '::ffff:203.0.113.7', '2001:db8:1::1', '2001:0db8:0001:ffff::']) {
      expect(await greeted(address, someone), address).toMatchObject({ type: 'refused', reason: 'network-blocked' });
      expect(await signalled(someone, address), address).toMatchObject({ type: 'ERROR' });
    }
    for (const address of ['203.0.114.1', '2001:db8:2::1', '10.0.0.1', ''])
      expect(await greeted(address, someone), address).toMatchObject({ type: 'welcome' });
  });

  test('is named as its keys are grouped, or the list is refused: it would bar nobody', () => {
    for (const prefix of [
      '203.0.113.7',
      '203.0.113.0/24',
      '203.0',
      '10.0.0',
      '192.168.1',
      '2001:db8',
      '2001:0db8:1',
      '2001:DB8:1',
      'fd00:1:2',
      '',
    ])
      expect(() => listsOf({ blockedPrefixes: [prefix] }), prefix).toThrow();
    for (const prefix of ['203.0.113', '8.8.8', '2001:db8:1', '2a00:0:0'])
      expect(listsOf({ blockedPrefixes: [prefix] }).blockedPrefixes).toContain(prefix);
  });
});

/** The key is found at fault by two checkers, over and over, until its record says that it is blocked. */
async function blockedWorker(): Promise<{ creator: Client; worker: Client; lease: string; root: string }> {
  const { creator, worker, checker } = await road(w, MANY);
  const second = await w.join(['checker']);
  await second.checkReady(4);
  const answered = new Set<string>();
  for (let i = 0; i < 2; i++) {
    await worker.ask(1);
    const { lease } = worker.last('grant')!.lease;
    await worker.commit(worker.last('grant')!);
    for (let k = 0; k < 2; k++) {
      const open = (one: Client) => one.all('check').find((m) => m.lease.lease === lease && !answered.has(m.nonceCommitment));
      const one = [checker, second].find((each) => open(each))!;
      const check = open(one)!;
      answered.add(check.nonceCommitment);
      await one.verdict(check, 'fail');
    }
    await w.pass(500);
  }
  const grant = worker.last('grant')!;
  return { creator, worker, lease: grant.lease.lease, root: creator.last('committed')!.root };
}

describe('a worker that was found at fault too often', () => {
  test('is told so when it asks, appeals, and is served again when the appeal is granted', async () => {
    const { worker, lease, root } = await blockedWorker();
    expect(await get(`standing/${worker.key}`)).toMatchObject({ worker: { faults: 2, blocked: true, reputation: 0 } });
    const had = worker.all('grant').length;
    expect(await worker.ask(1)).toMatchObject({ type: 'refused', reason: 'worker-blocked', text: expect.stringContaining('appeal') });
    await w.pass(2_000);
    expect(worker.all('grant')).toHaveLength(had);
    // It may still connect, see its record and be heard.
    expect(worker.last('voided')).toMatchObject({ lease, reason: 'check-signatures' });
    expect(await worker.submit('lease.appeal', { lease, text: 'My driver is new.' })).toMatchObject({ type: 'ack' });
    const reviewer = await w.join(['checker'], house);
    expect(await reviewer.submit('review.word', { lease, root, word: 'accept', reason: 'right' })).toMatchObject({ type: 'ack' });
    expect(await get(`standing/${worker.key}`)).toMatchObject({ worker: { faults: 1, blocked: false } });
    // Of this job its faults still count; another creator's is open to it, and its ask has stood all the time.
    const other = await w.join(['creator']);
    await other.grant();
    await other.order(MANY);
    await w.pass(500);
    expect(worker.all('grant').length).toBe(had + 1);
    expect(await worker.commit(worker.last('grant')!)).toMatchObject({ type: 'ack' });
    expect(await worker.ask(1)).toMatchObject({ type: 'ack' });
  }, 120_000);

  test('stays so when the appeal is denied, or comes too late; nobody decides, and it is denied after a week', async () => {
    const { worker, lease, root } = await blockedWorker();
    const early = worker.all('voided').find((m) => m.lease !== lease)!.lease;
    expect(await worker.submit('lease.appeal', { lease, text: 'no' })).toMatchObject({ type: 'ack' });
    const reviewer = await w.join(['checker'], house);
    await reviewer.submit('review.word', { lease, root, word: 'reject', reason: 'noise' });
    expect(await get(`review/${lease}`)).toMatchObject({ outcome: 'denied' });
    expect(await reviewer.submit('review.word', { lease, root, word: 'accept', reason: '' })).toMatchObject({
      type: 'refused',
      reason: 'case-over',
    });
    expect(await worker.ask(1)).toMatchObject({ reason: 'worker-blocked' });
    expect(await worker.submit('lease.appeal', { lease: early, text: 'nobody hears this' })).toMatchObject({ type: 'ack' });
    w.clock.advance(APPEAL_OPEN_MS_MAX + 1);
    await w.coordinator.idle();
    w.clock.advance(1_000);
    await w.coordinator.idle();
    expect(await get(`review/${early}`)).toMatchObject({ outcome: 'denied' });
    const back = await w.join(['worker'], worker.identity);
    expect(await back.ask(1)).toMatchObject({ reason: 'worker-blocked' });
  }, 120_000);

  test('can’t appeal against what is more than a day old', async () => {
    const { worker, lease } = await blockedWorker();
    w.clock.advance(APPEAL_MS_MAX + 1_000);
    await w.coordinator.idle();
    const back = await w.join(['worker'], worker.identity);
    expect(await back.submit('lease.appeal', { lease, text: 'late' })).toMatchObject({ type: 'refused', reason: 'appeal-late' });
  }, 120_000);
});

describe('two keys that check one another', () => {
  test('do so again only when the time that keeps them apart is over', async () => {
    const creator = await w.join(['creator']);
    await creator.grant();
    await creator.order(MANY);
    const pair = [await w.join(['worker', 'checker']), await w.join(['worker', 'checker'])] as const;
    const renders = async (one: Client): Promise<string> => {
      await one.ask(1);
      await one.commit(one.last('grant')!);
      await w.pass(500);
      return one.last('grant')!.lease.lease;
    };
    for (const one of pair) await one.checkReady(4);
    const lease = await renders(pair[0]);
    expect(pair[1].last('check')).toMatchObject({ lease: { lease } });
    await pair[1].verdict(pair[1].last('check')!);
    await renders(pair[1]);
    expect(pair[0].last('check')).toBeUndefined();
    await w.leave();
    w.clock.advance(DAY_MS);
    const again = [await w.join(['worker', 'checker'], pair[0].identity), await w.join(['worker', 'checker'], pair[1].identity)] as const;
    const keeper = await w.join(['creator'], creator.identity);
    await keeper.order(testOrder({ seed: 7, capMicro: '100000' }));
    await again[0].checkReady(4);
    const later = await renders(again[1]);
    expect(again[0].last('check')).toMatchObject({ lease: { lease: later } });
  }, 120_000);
});
