/** Logs under rules of trust: draws by record, majorities, hold-back and forfeits, each lie beside the honest log it was made from. */
import { describe, expect, test } from 'vitest';
import { CHECKERS, escrowOf, heldOf, TREASURY, type Leaf } from '#lib/ledger/leaf.ts';
import { evenParts, splitPrice } from '#lib/market/price.ts';
import { DEFAULT_RULES } from '#lib/trust/rules.ts';
import { packClasses } from '#lib/trust/weights.ts';
import { checkers, creator, falls, Forge, sound, worker } from './forge.ts';

const [first, second] = checkers as [(typeof checkers)[0], (typeof checkers)[0]];
/** Nobody traces these films; what passes must show is tested by itself (retraces.test.ts). */
const RULES = { ...DEFAULT_RULES, secondAuditPpm: 0, holdHundredths: 200, auditPay: 0, unprovenPay: 1000, shownPasses: 0 };
const WEIGHTS = packClasses(new Array<number>(16).fill(3));
/** Leases of this forge have 101 segments at a micro-token each. */
const SPLIT = splitPrice(101n, { checkerShare: 80, feeShare: 20 });

async function ruled(): Promise<Forge> {
  const forge = await Forge.opened();
  forge.leaves.push({ type: 'rules', ...RULES, atMs: 2 });
  return forge;
}
const commit = (forge: Forge, slot: number): Promise<Leaf<'commitment'>> => forge.commit(slot, { weights: WEIGHTS });

/** A verdict after a draw with this chance of an audit. */
async function check(
  forge: Forge,
  lease: Leaf<'commitment'>,
  by = first,
  verdict: 'pass' | 'fail' = 'pass',
  auditPpm = 1_000_000,
): Promise<void> {
  const nonce = forge.commitNonce(by);
  await forge.verdict(lease, by, nonce, forge.draw(lease, by, nonce, { auditPpm }), verdict);
}

/** Postings of a lease passed by newcomers, with so much of the worker's part held back. */
function settlement(forge: Forge, lease: Leaf<'commitment'>, kept: bigint, passed = [first], factor = 900n): Leaf<'entry'> {
  const parts = evenParts(SPLIT.checkerMicro, passed.length).map((part) => (part * factor) / 1000n);
  const rest = SPLIT.checkerMicro - parts.reduce((sum, part) => sum + part, 0n);
  const lines: (readonly [string, bigint])[] = [
    [escrowOf(forge.job), -101n],
    [heldOf(worker.key), kept],
    [worker.key, SPLIT.workerMicro - kept],
    ...passed.map(({ key }, i) => [key, parts[i]!] as const),
    [CHECKERS, rest],
    [TREASURY, SPLIT.feeMicro],
  ];
  const postings = lines.filter(([, micro]) => micro !== 0n).map(([account, micro]): [string, string] => [account, String(micro)]);
  return { ...forge.settlement(lease, passed), postings };
}

async function settled(forge: Forge, slot: number, kept: bigint, auditPpm = 1_000_000): Promise<void> {
  const lease = await commit(forge, slot);
  await check(forge, lease, first, 'pass', auditPpm);
  await forge.receipt(lease);
  forge.leaves.push(settlement(forge, lease, kept));
}

describe('under rules', () => {
  test('a first lease is held back, and paying it out instead is false', async () => {
    const forge = await ruled();
    await settled(forge, 0, SPLIT.workerMicro);
    await sound(forge);
    const lie = await ruled();
    await settled(lie, 0, 0n);
    await falls(lie, 'A lease is settled for another amount, or to others, than its work and terms imply.');
  });

  test('a checker of whom nothing is known has nine tenths of its fee, and no more', async () => {
    const forge = await ruled();
    const lease = await commit(forge, 0);
    await check(forge, lease);
    await forge.receipt(lease);
    forge.leaves.push(settlement(forge, lease, SPLIT.workerMicro, [first], 1000n));
    await falls(forge, 'A lease is settled for another amount, or to others, than its work and terms imply.');
  });

  test('a draw is as the worker’s record asks, no rarer and no smaller', async () => {
    for (const [over, good] of [
      [{ auditPpm: 1_000_000 }, true],
      [{ auditPpm: 5_000 }, false],
      [{ auditPpm: 1_000_000, count: 2 }, false],
    ] as const) {
      const forge = await ruled();
      const lease = await commit(forge, 0);
      forge.draw(lease, first, forge.commitNonce(first), over);
      if (good) await sound(forge);
      else await falls(forge, 'A check draws more or fewer leaves than its worker’s record asks for.');
    }
  });

  test('a commitment says what its leaves can tell', async () => {
    const forge = await ruled();
    await forge.commit(0);
    await falls(forge, 'A commitment does not say what its leaves can tell.');
    const short = await ruled();
    await short.commit(0, { weights: 'AA' });
    await falls(short, 'A commitment does not say of each leaf what it can tell.');
  });

  test('a fault is voided and its hold-back forfeited at once, to the creator and the finders', async () => {
    const held = async (): Promise<{ forge: Forge; lease: string }> => {
      const forge = await ruled();
      await settled(forge, 0, SPLIT.workerMicro);
      const lease = await commit(forge, 1);
      for (const by of [first, second]) await check(forge, lease, by, 'fail');
      return { forge, lease: lease.lease };
    };
    const voids = (forge: Forge, lease: string): void => void forge.leaves.push({ type: 'void', lease, reason: 'check-light', atMs: 6 });
    const forfeit = (forge: Forge, lease: string, ...lines: [string, bigint][]): void =>
      void forge.leaves.push({
        ...{ type: 'entry', kind: 'forfeit', job: forge.job, lease, request: null, signed: null, atMs: 7 },
        postings: lines.map(([account, micro]) => [account, String(micro)]),
      });
    const all = SPLIT.workerMicro;
    const part = (all * 250n) / 1000n / 2n;
    const fair: [string, bigint][] = [
      [heldOf(worker.key), -all],
      [creator.key, all - 2n * part],
      [first.key, part],
      [second.key, part],
    ];
    const good = await held();
    voids(good.forge, good.lease);
    forfeit(good.forge, good.lease, ...fair);
    await sound(good.forge);
    forfeit(good.forge, good.lease, ...fair);
    expect(await good.forge.judge()).toMatchObject({ ok: false });

    const spared = await held();
    spared.forge.commitNonce(first);
    await falls(spared.forge, 'A lease that was found faulty is not voided at once.');

    const kept = await held();
    voids(kept.forge, kept.lease);
    kept.forge.commitNonce(first);
    await falls(kept.forge, 'What was held back of a worker at fault is not forfeited at once.');

    const grabbed = await held();
    voids(grabbed.forge, grabbed.lease);
    forfeit(grabbed.forge, grabbed.lease, [heldOf(worker.key), -all], [TREASURY, all]);
    await falls(grabbed.forge, 'A forfeit is not all that was held, or goes to others than creator and finders.');
  });

  test('one failing verdict is a doubt: no forfeit, and the next lease is drawn whole again', async () => {
    const forge = await ruled();
    await settled(forge, 0, SPLIT.workerMicro);
    await settled(forge, 1, SPLIT.workerMicro);
    const { lease } = await commit(forge, 2);
    await check(forge, forge.leaves.at(-1) as Leaf<'commitment'>, first, 'fail', 500_000);
    forge.leaves.push({ type: 'void', lease, reason: 'check-light', atMs: 6 });
    await sound(forge);
    const before = forge.leaves.length;
    const next = await commit(forge, 3);
    forge.draw(next, first, forge.commitNonce(first), { auditPpm: 500_000 });
    await falls(forge, 'A check draws more or fewer leaves than its worker’s record asks for.');
    forge.leaves.length = before;
    await check(forge, await commit(forge, 3));
    await sound(forge);
  });

  test('what is held is paid out after its time, all of it, and not before', async () => {
    for (const [atMs, lessMicro, reason] of [
      [7 + RULES.holdReleaseMs, 0n, null],
      [6 + RULES.holdReleaseMs, 0n, 'A release before its time.'],
      [7 + RULES.holdReleaseMs, 1n, 'A release that does not pay one worker all that was held of it.'],
    ] as const) {
      const forge = await ruled();
      await settled(forge, 0, SPLIT.workerMicro);
      const micro = SPLIT.workerMicro - lessMicro;
      forge.leaves.push({
        ...{ type: 'entry', kind: 'release', job: null, lease: null, request: null, signed: null, atMs },
        postings: [
          [heldOf(worker.key), String(-micro)],
          [worker.key, String(micro)],
        ],
      });
      if (reason === null) await sound(forge);
      else await falls(forge, reason);
    }
  });

  test('a disputed lease is drawn whole, whatever the record', async () => {
    const forge = await ruled();
    await settled(forge, 0, SPLIT.workerMicro);
    await settled(forge, 1, SPLIT.workerMicro);
    const lease = await commit(forge, 2);
    await check(forge, lease, first, 'fail', 500_000);
    forge.draw(lease, second, forge.commitNonce(second), { auditPpm: 500_000 });
    await falls(forge, 'A check draws more or fewer leaves than its worker’s record asks for.');
  });
});
