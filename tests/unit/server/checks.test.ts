/** How a committed lease is decided: deliveries, receipts, draws, verdicts, second opinions; on an in-memory store with time moved by hand. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { toHex } from '#lib/protocol/bytes.ts';
import {
  CHECK_DEADLINE_MS,
  FILM_REDELIVERIES_MAX,
  LEASE_FAULTS_PER_WORKER_AND_JOB_MAX,
  LEASE_SILENCE_MS_MAX,
  SECOND_OPINION_MS_MAX,
} from '#lib/protocol/limits.ts';
import { road, testOrder, world, type Client, type World } from './harness.ts';

let w: World;
beforeAll(async () => {
  w = await world();
}, 120_000);
afterEach(() => w.leave());
afterAll(() => w.coordinator.close());

const balance = async (key: string): Promise<bigint> =>
  BigInt(((await (await w.coordinator.http(new Request(`http://c/api/balance/${key}`)))!.json()) as { balanceMicro: string }).balanceMicro);

describe('a film', () => {
  test('is delivered to where the creator is now, and again if it came corrupt, a bounded number of times', async () => {
    const { creator, worker, job } = await road(w);
    await worker.ask(1);
    await worker.commit(worker.last('grant')!);
    expect(worker.last('deliver')).toMatchObject({ creatorPeer: creator.peer });
    creator.disconnect();
    const back = await w.join(['creator'], creator.identity);
    await back.request({ type: 'watch', job });
    expect(worker.last('deliver')).toMatchObject({ creatorPeer: back.peer });
    const committed = back.last('committed')!;
    for (let i = 0; i < FILM_REDELIVERIES_MAX; i++) {
      expect((await back.receipt(committed, 'corrupt')).type).toBe('ack');
      expect(worker.all('deliver')).toHaveLength(3 + i);
      await w.pass(1);
    }
    expect(await back.receipt(committed, 'corrupt')).toMatchObject({ type: 'refused', reason: 'receipts' });
    expect(worker.last('voided')).toBeUndefined();
  });

  test('is receipted by its creator only, and only by its root', async () => {
    const { creator, worker } = await road(w);
    await worker.ask(1);
    await worker.commit(worker.last('grant')!);
    const committed = creator.last('committed')!;
    expect(await worker.submit('film.receipt', { lease: committed.lease.lease, root: committed.root, verdict: 'received' })).toMatchObject({
      reason: 'lease-unknown',
    });
    expect(await creator.submit('film.receipt', { lease: committed.lease.lease, root: 'd'.repeat(64), verdict: 'received' })).toMatchObject(
      { reason: 'root-differs' },
    );
  });
});

describe('a check', () => {
  async function committed(): Promise<{ creator: Client; worker: Client; checker: Client; job: string }> {
    const all = await road(w);
    await all.worker.ask(1);
    await all.worker.commit(all.worker.last('grant')!);
    await all.creator.receipt(all.creator.last('committed')!);
    return all;
  }

  test('is never drawn for the worker or the creator themselves', async () => {
    const creator = await w.join(['creator', 'checker']);
    await creator.grant();
    await creator.order(testOrder());
    const worker = await w.join(['worker', 'checker']);
    await creator.checkReady(4);
    await worker.checkReady(4);
    await worker.ask(1);
    await worker.commit(worker.last('grant')!);
    await w.pass(1_000);
    expect(creator.last('check')).toBeUndefined();
    expect(worker.last('check')).toBeUndefined();
    expect(creator.last('job')!.view.reason).toBe('');
  });

  test('is drawn by lot: a checker that claims to hold the scene is not drawn more often', async () => {
    const { worker, checker } = await road(w, testOrder({ samples: 16, passSamples: 1 }));
    const near = await w.join(['checker']);
    await near.checkReady(16, 32);
    await checker.checkReady(16, 32);
    await near.request({ type: 'have', blobs: ['a'.repeat(64)] });
    for (let i = 0; i < 16; i++) {
      await worker.ask(1);
      await worker.commit(worker.last('grant')!);
    }
    // Neither has all of them but once in 2^15: who says that it has the scene does not choose itself.
    expect(near.all('check').length + checker.all('check').length).toBe(16);
    expect(checker.all('check').length).toBeGreaterThan(0);
    expect(near.all('check').length).toBeGreaterThan(0);
  }, 60_000);

  test('needs the nonce that was committed to, and counts once', async () => {
    const { checker } = await committed();
    const check = checker.last('check')!;
    const body = checker.verdictBody(check, 'pass');
    expect(await checker.submit('check.verdict', { ...body, nonce: toHex(new Uint8Array(32)) })).toMatchObject({ reason: 'check-unknown' });
    expect(await checker.submit('check.verdict', { ...body, root: 'e'.repeat(64) })).toMatchObject({ reason: 'root-differs' });
    const other = await w.join(['checker']);
    expect(await other.submit('check.verdict', body)).toMatchObject({ reason: 'check-unknown' });
    expect((await checker.submit('check.verdict', body)).type).toBe('ack');
    expect(await checker.submit('check.verdict', { ...body, paths: 257 })).toMatchObject({ reason: 'check-over' });
  });

  test('that fails voids the lease where no second checker is, and blames the worker', async () => {
    const { creator, worker, checker } = await committed();
    await checker.verdict(checker.last('check')!, 'fail');
    expect(worker.last('voided')).toMatchObject({ reason: 'check-signatures' });
    expect(creator.last('voided')).toMatchObject({ reason: 'check-signatures' });
    expect(await balance(worker.key)).toBe(0n);
  });

  test('that fails is asked of a second checker first; two of three decide', async () => {
    const { worker, checker } = await committed();
    const second = await w.join(['checker']);
    await second.checkReady(4);
    await checker.verdict(checker.last('check')!, 'fail');
    expect(worker.last('voided')).toBeUndefined();
    const third = await w.join(['checker']);
    await third.checkReady(4);
    await second.verdict(second.last('check')!, 'pass');
    expect(worker.last('settled')).toBeUndefined();
    await third.verdict(third.last('check')!, 'pass');
    expect(worker.last('settled')).toBeDefined();
    expect(await balance(checker.key)).toBe(0n);
  });

  test('that fails and whose second opinion goes away is decided without it', async () => {
    const { worker, checker } = await committed();
    const second = await w.join(['checker']);
    await second.checkReady(4);
    await checker.verdict(checker.last('check')!, 'fail');
    expect(second.last('check')).toBeDefined();
    second.disconnect();
    await w.pass(LEASE_SILENCE_MS_MAX + 1_000);
    expect(worker.last('voided')).toBeDefined();
  });

  test('goes to another checker when the first falls silent', async () => {
    const { worker, checker } = await committed();
    checker.disconnect();
    const second = await w.join(['checker']);
    await second.checkReady(4);
    await w.pass(LEASE_SILENCE_MS_MAX + 4_000);
    await second.verdict(second.last('check')!);
    expect(worker.last('settled')).toBeDefined();
  });

  test('that the only checker can’t reach twice voids the lease', async () => {
    const { worker, checker } = await committed();
    for (let i = 0; i < 2; i++) {
      expect(worker.last('voided')).toBeUndefined();
      await checker.verdict(checker.last('check')!, 'unavailable');
      await w.pass(3_000);
    }
    expect(worker.last('voided')).toMatchObject({ reason: 'film-unavailable' });
    expect(checker.all('check')).toHaveLength(2);
  });

  test('that one checker alone can’t reach is asked of another, who decides', async () => {
    const { worker, checker } = await committed();
    const second = await w.join(['checker']);
    await second.checkReady(4);
    await checker.verdict(checker.last('check')!, 'unavailable');
    await w.pass(3_000);
    expect(worker.last('voided')).toBeUndefined();
    expect(checker.all('check')).toHaveLength(1);
    await second.verdict(second.last('check')!);
    expect(worker.last('settled')).toBeDefined();
  });

  test('whose checker could not get the scene counts against nobody', async () => {
    const { worker, checker } = await committed();
    for (let i = 0; i < 4; i++) {
      const body = { ...checker.verdictBody(checker.last('check')!, 'unavailable'), reason: 'scene' };
      expect((await checker.submit('check.verdict', body)).type).toBe('ack');
      await w.pass(3_000);
    }
    expect(worker.last('voided')).toBeUndefined();
    expect(checker.all('check')).toHaveLength(5);
  });

  test('can’t be answered with a verdict that its reason does not bear', async () => {
    const { checker } = await committed();
    const body = checker.verdictBody(checker.last('check')!, 'unavailable');
    expect(await checker.submit('check.verdict', { ...body, reason: 'opening' })).toMatchObject({ reason: 'verdict-reason' });
    expect((await checker.submit('check.verdict', { ...body, verdict: 'fail', reason: 'opening' })).type).toBe('ack');
  });

  test('that fails does not wait for a checker without nonces', async () => {
    const { worker, checker } = await committed();
    const mute = await w.join(['checker']);
    await mute.checkReady(4, 0);
    await checker.verdict(checker.last('check')!, 'fail');
    expect(worker.last('voided')).toMatchObject({ reason: 'check-signatures' });
  });

  test('that fails does not wait for ever for one that never answers', async () => {
    const { worker, checker } = await committed();
    const mute = await w.join(['checker']);
    await mute.checkReady(4);
    await checker.verdict(checker.last('check')!, 'fail');
    expect(mute.last('check')).toBeDefined();
    await w.pass(CHECK_DEADLINE_MS);
    expect(worker.last('voided')).toBeUndefined();
    await w.pass(SECOND_OPINION_MS_MAX + 1_000);
    expect(worker.last('voided')?.reason).toBe('check-signatures');
  }, 120_000);

  test('that failed once is not escaped by going away: who leaves a doubted lease is blamed', async () => {
    const { worker, checker } = await committed();
    const second = await w.join(['checker']);
    await second.checkReady(4);
    for (let given = 1; given <= LEASE_FAULTS_PER_WORKER_AND_JOB_MAX; given++) {
      expect(worker.all('grant')).toHaveLength(given);
      const { lease } = worker.last('grant')!.lease;
      if (given > 1) await worker.commit(worker.last('grant')!);
      const asked = [checker, second].find((one) => one.last('check')?.lease.lease === lease)!;
      await asked.verdict(asked.last('check')!, 'fail');
      expect((await worker.request({ type: 'yield', lease, reason: 'stopped' })).type).toBe('ack');
      await w.pass(3_000);
      await worker.ask(1);
    }
    expect(worker.all('grant')).toHaveLength(LEASE_FAULTS_PER_WORKER_AND_JOB_MAX);
  });
});
