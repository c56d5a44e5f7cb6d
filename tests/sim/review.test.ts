/**
 * A person looks at a rejection: sees the film that was committed to and nothing else, traces it again and
 * finds the difference, says a word that decides an appeal. Who has a part in a case, or is unknown, is refused.
 */
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { leafRects } from '#lib/job/plan.ts';
import { cutLight } from '#lib/trust/commitment.ts';
import { ReviewQueueSchema, type ReviewCase } from '#lib/trust/review.ts';
import { ReviewerRole } from '#lib/roles/reviewer.ts';
import { ArithmeticEngine } from './arithmetic-engine.ts';
import { begin, checker, lying, never, submitted, trusted, worker, world } from './story.ts';

/** Leases on which checkers still disagree stand in the queue as well. */
async function appeals(): Promise<readonly ReviewCase[]> {
  const response = await world.wait(world.coordinator!.http(new Request('http://sim/api/review')));
  return v.parse(ReviewQueueSchema, await response!.json()).cases.filter(({ kind }) => kind === 'appeal');
}

test('a lie is looked at, traced again, and its appeal denied', async () => {
  await begin(31);
  const reviewer = await trusted();
  const liar = await worker(lying(new ArithmeticEngine(world.clock), 'light'));
  const seers = [await checker(), await checker()];
  const creator = await world.tab();
  const { job } = await submitted(creator);
  await world.until('a lie is found', () => liar.role.status.leasesVoided > 0);
  expect(await appeals()).toEqual([]);
  const { lease } = liar.role.status.voided[0]!;
  await world.wait(liar.tab.control.submit('lease.appeal', { lease, text: 'My driver is new.' }));
  const [one, ...others] = await appeals();
  expect([one, others]).toMatchObject([{ kind: 'appeal', lease: { lease, job }, appeal: { text: 'My driver is new.' } }, []]);
  expect(JSON.stringify(one), 'nobody is named').not.toContain(liar.tab.identity.key);

  const role = new ReviewerRole(reviewer);
  const outcome = await world.wait(role.open(never, lease));
  if (!outcome.ok) throw new Error(outcome.text);
  const { opened } = outcome;
  const [leaf] = leafRects(opened.tile);
  const again = await world.wait(role.trace(never, opened, leaf!, opened.pass));
  const claimed = cutLight({ width: opened.tile.width, light: opened.claimed }, opened.tile, leaf!);
  expect(again).toHaveLength(claimed.length);
  expect(again).not.toEqual(claimed);
  // Other paths of the same picture, which no lease has.
  const more = await world.wait(role.trace(never, opened, leaf!, { first: opened.order.samples, count: opened.pass.count }));
  expect(more).toHaveLength(claimed.length);
  expect(more).not.toEqual(again);

  const word = { lease, root: opened.root, word: 'reject', reason: 'Light is missing or too much' } as const;
  expect(await world.wait(role.say(word))).toMatchObject({ status: 'ok' });
  expect(await appeals()).toEqual([]);
  const response = await world.wait(world.coordinator!.http(new Request(`http://sim/api/review/${lease}`)));
  expect(await response!.json()).toMatchObject({ worker: liar.tab.identity.key, outcome: 'denied' });

  for (const tab of [...seers.map((seer) => seer.tab), liar.tab, creator, await world.tab()]) {
    const stranger = new ReviewerRole(tab);
    expect(await world.wait(stranger.open(never, lease)), 'has a part in it, or is unknown').toMatchObject({ ok: false });
  }
});

test('a film whose worker is gone can’t be seen, and is not made up', async () => {
  await begin(32);
  const reviewer = await trusted();
  const liar = await worker(lying(new ArithmeticEngine(world.clock), 'light'));
  await checker();
  await checker();
  await submitted(await world.tab());
  await world.until('a lie is found', () => liar.role.status.leasesVoided > 0);
  const { lease } = liar.role.status.voided[0]!;
  await world.wait(liar.tab.control.submit('lease.appeal', { lease, text: 'Look again.' }));
  await liar.tab.kill();
  const outcome = await world.wait(new ReviewerRole(reviewer).open(never, lease));
  expect(outcome).toEqual({ ok: false, text: 'The film can’t be opened: its worker is away, or has let go of it.' });
  expect(await appeals()).toHaveLength(1);
});
