/** The end of a job, told: three of four leases are settled, and the last one is with a slow worker. */
import { expect } from 'vitest';
import { road, type Client, type Message, type World } from './harness.ts';

/** One lease all the way, in so much time for its 5,000 segments. */
export async function paced(creator: Client, worker: Client, checker: Client, traceMs: number): Promise<void> {
  await worker.ask(1);
  await worker.commit(worker.last('grant')!, { traceMs });
  await creator.receipt(creator.last('committed')!);
  await checker.verdict(checker.last('check')!);
}

export interface Ending {
  readonly creator: Client;
  readonly slow: Client;
  readonly fast: Client;
  /** Has the scene as well. */
  readonly other: Client;
  readonly checker: Client;
  readonly job: string;
  /** Of the last slot that is not settled. */
  readonly first: Message<'grant'>;
}

/** Three of four leases are settled; who takes 100 s for one has the last, and somebody takes 10 ms and is idle, and so is another. */
export async function ending(w: World, otherMs = 20): Promise<Ending> {
  const { creator, worker: slow, checker, job } = await road(w);
  await paced(creator, slow, checker, 100_000);
  const fast = await w.join(['worker']);
  await paced(creator, fast, checker, 10);
  await slow.ask(1);
  const other = await w.join(['worker']);
  await paced(creator, other, checker, otherMs);
  return { creator, slow, fast, other, checker, job, first: slow.last('grant')! };
}

/** The same, and the fast one has the slot too. */
export async function doubled(w: World): Promise<Ending & { second: Message<'grant'> }> {
  const all = await ending(w);
  await all.fast.ask(1);
  const second = all.fast.last('grant')!;
  expect(second.lease).toMatchObject({ tile: all.first.lease.tile, pass: all.first.lease.pass, attempt: 2 });
  expect(second.lease.lease).not.toBe(all.first.lease.lease);
  return { ...all, second };
}

export const committedOf = (creator: Client, grant: Message<'grant'>): Message<'committed'> =>
  creator.all('committed').find(({ lease }) => lease.lease === grant.lease.lease)!;
export const checksOf = (checker: Client, grant: Message<'grant'>): Message<'check'>[] =>
  checker.all('check').filter(({ lease }) => lease.lease === grant.lease.lease);
