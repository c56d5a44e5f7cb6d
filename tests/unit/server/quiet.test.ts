/** Tiles that their creator calls quiet: no more of their passes is leased, and the log says who said so. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { fetchLog } from '#lib/ledger/client.ts';
import { decodeLeaf, type Leaf, type LogLeaf } from '#lib/ledger/leaf.ts';
import { Replay } from '#lib/ledger/replay.ts';
import { verifyLog } from '#lib/ledger/verify.ts';
import { nodeVerify } from '#lib/server/keys.ts';
import { oneLease, road, world, type World } from './harness.ts';

let w: World;
beforeAll(async () => {
  w = await world();
}, 120_000);
afterEach(() => w.leave());
afterAll(() => w.coordinator.close());

async function leaves(): Promise<LogLeaf[]> {
  await w.pass(1_500);
  const log = await fetchLog(new AbortController().signal, 'http://c', async (url) => (await w.coordinator.http(new Request(url)))!);
  if (!log.ok) throw new Error(log.reason);
  expect(await verifyLog(log.checkpoint, w.coordinator.key, log.leaves, nodeVerify)).toMatchObject({ ok: true });
  return log.leaves.map((bytes) => decodeLeaf(bytes)!);
}

test('a job with a quiet tile is done without its other passes, and what they would have cost comes back', async () => {
  const { creator, worker, checker, job } = await road(w);
  await oneLease(creator, worker, checker);
  expect(await creator.submit('job.quiet', { job, tiles: [0] })).toMatchObject({ type: 'ack' });
  await oneLease(creator, worker, checker);
  await oneLease(creator, worker, checker);
  await w.pass(500);
  expect(creator.last('job')!.view).toMatchObject({ state: 'done', settled: 3, leases: 3, spentMicro: '15' });
  expect(worker.all('grant').map(({ lease }) => [lease.tile, lease.pass])).toEqual([
    [0, 0],
    [1, 0],
    [1, 1],
  ]);
  expect(creator.last('balance')).toMatchObject({ balanceMicro: String(100_000_000 - 15) });
  await leaves();
});

test('the last tile that becomes quiet ends the job, once what was leased before is settled', async () => {
  const { creator, worker, checker, job } = await road(w);
  await oneLease(creator, worker, checker);
  await worker.ask(1);
  const grant = worker.last('grant')!;
  await creator.submit('job.quiet', { job, tiles: [0, 1] });
  await w.pass(500);
  expect(creator.last('job')!.view).toMatchObject({ state: 'open' });
  await worker.commit(grant);
  await creator.receipt(creator.last('committed')!);
  await checker.verdict(checker.last('check')!);
  await w.pass(500);
  expect(creator.last('job')!.view).toMatchObject({ state: 'done', settled: 2 });
  await leaves();
});

test('only the creator may say so, of tiles that there are', async () => {
  const { creator, worker, job } = await road(w);
  expect(await worker.submit('job.quiet', { job, tiles: [0] })).toMatchObject({ type: 'refused', reason: 'job-unknown' });
  expect(await creator.submit('job.quiet', { job, tiles: [2] })).toMatchObject({ type: 'refused', reason: 'tile-unknown' });
  expect(await creator.submit('job.quiet', { job, tiles: [] })).toMatchObject({ type: 'refused', reason: 'body-malformed' });
});

test('a replay misses what was never called quiet: a job is not done without it', async () => {
  const all = await leaves();
  const quiet = all.findIndex((leaf) => leaf.type === 'quiet');
  const job = (all[quiet] as Leaf<'quiet'>).job;
  const closed = all.findIndex((leaf) => leaf.type === 'closed' && leaf.job === job);
  const replay = new Replay(w.coordinator.key);
  for (const leaf of all.slice(0, closed).filter((_, i) => i !== quiet)) expect(replay.step(leaf)).toBeNull();
  expect(replay.step(all[closed]!)).toMatch(/done before/);
});
