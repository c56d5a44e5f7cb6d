/**
 * A worker among others that is honest until it is paid, and then sells half its paths: against the
 * real coordinator, with real roles. It is found by a majority, loses what was held, its leases are
 * rendered again, and the picture is the honest one, bit for bit.
 */
import { expect, test } from 'vitest';
import { heldOf } from '#lib/ledger/leaf.ts';
import { begin, checker, expectWell, submitted, turning, worker, world } from '../story.ts';

interface StandingView {
  readonly worker: { readonly faults: number; readonly heldMicro: string; readonly blocked: boolean; readonly reputation: number };
}

const recordOf = async (key: string): Promise<StandingView> =>
  (await (await world.coordinator!.http(new Request(`http://sim/api/standing/${key}`)))!.json()) as StandingView;

test('a turncoat is found by several, loses what was held of it, and spoils no pixel', async () => {
  await begin(31);
  const { tab, role: liar } = await worker(turning(4));
  for (let i = 0; i < 3; i++) await checker();
  const { role, job } = await submitted(await world.tab());
  await world.until('it lies and is told so', () => liar.status.leasesVoided > 0);
  expect(liar.status.voided[0]!.reason).toBe('check-signatures');
  const { role: other } = await worker();
  await expectWell(role, job);
  const record = await world.wait(recordOf(tab.identity.key));
  expect(record.worker).toMatchObject({ heldMicro: '0', reputation: 0 });
  expect(record.worker.faults).toBeGreaterThan(0);
  expect(other.status.leasesVoided).toBe(0);
  const entries = (await (await world.coordinator!.http(new Request(`http://sim/api/entries?q=${heldOf(tab.identity.key)}`)))!.json()) as {
    entries: { kind: string }[];
  };
  expect(entries.entries.map(({ kind }) => kind)).toContain('forfeit');
});
