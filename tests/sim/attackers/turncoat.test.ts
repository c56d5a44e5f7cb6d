/**
 * A worker among others that is honest until it is paid, and then sells half its paths: against the
 * real coordinator, with real roles. It is found by a majority, loses what was held, its leases are
 * rendered again, and the picture is the honest one, bit for bit.
 */
import { expect, test } from 'vitest';
import type { Engine } from '#lib/gpu/engine.ts';
import { heldOf } from '#lib/ledger/leaf.ts';
import { ArithmeticEngine } from '../arithmetic-engine.ts';
import { begin, checker, expectWell, lying, submitted, worker, world } from '../story.ts';

/** Honest for so many films. */
function turning(after: number): Engine {
  const honest = new ArithmeticEngine(world.clock);
  const liar = lying(honest);
  let traced = 0;
  return {
    shader: honest.shader,
    probe: () => honest.probe(),
    compile: (signal, files) => honest.compile(signal, files),
    denoise: () => honest.denoise(),
    setPace: () => honest.setPace(),
    dispose: () => honest.dispose(),
    trace: (signal, request, onProgress) => (traced++ < after ? honest : liar).trace(signal, request, onProgress),
  };
}

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
