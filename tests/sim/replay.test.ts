/** A seed tells one story: the same run twice writes the same log, to the byte. */
import { expect, test } from 'vitest';
import { fetchLog } from '#lib/ledger/client.ts';
import { toHex } from '#lib/protocol/bytes.ts';
import { begin, checker, never, submitted, viewOf, worker, world } from './story.ts';

async function told(seed: number): Promise<string[]> {
  await begin(seed);
  await worker();
  await checker();
  const { role, job } = await submitted(await world.tab());
  await world.until('the job is done', () => viewOf(role, job).view.state === 'done');
  const log = await world.wait(fetchLog(never, 'http://sim', async (url) => (await world.coordinator!.http(new Request(url)))!));
  if (!log.ok) throw new Error(log.reason);
  await world.close();
  return log.leaves.map(toHex);
}

test('one seed, one log; another seed, another', async () => {
  const first = await told(31);
  expect(await told(31)).toEqual(first);
  expect(await told(32)).not.toEqual(first);
});
