/** The embedded PostgreSQL: the same road on a real server, killed and taken over with nothing acknowledged lost. */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEmbedded } from '#lib/server/store/open.ts';
import { Client, oneLease, road, testOrder, world } from './harness.ts';

let dataDir: string;
beforeAll(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'pictor-embedded-'));
  // Under root the server runs as another user, who must be able to pass.
  chmodSync(dataDir, 0o755);
});
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

test('a job runs on the embedded server and its second start finds everything', async () => {
  const w = await world({ dataDir });
  const { creator, worker, checker, job } = await road(w, testOrder());
  await oneLease(creator, worker, checker);
  await oneLease(creator, worker, checker);
  const key = w.coordinator.key;
  await w.coordinator.close();

  const again = await world({ dataDir, clock: w.clock });
  expect(again.coordinator.key).toBe(key);
  const rejoin = (client: Client) => again.join(['worker', 'creator', 'checker'], client.identity, client.peer.slice(-8));
  const creator2 = await rejoin(creator);
  await creator2.request({ type: 'watch', job });
  const worker2 = await rejoin(worker);
  const checker2 = await rejoin(checker);
  await checker2.checkReady(4);
  await oneLease(creator2, worker2, checker2);
  await oneLease(creator2, worker2, checker2);
  await again.pass(500);
  expect(creator2.last('job')!.view).toMatchObject({ state: 'done', settled: 4 });
  await again.coordinator.close();
}, 120_000);
