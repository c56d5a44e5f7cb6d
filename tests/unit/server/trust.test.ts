/** What the coordinator does with the rules of trust: draws by record, hold-back, forfeits, grades; and that the log replays to the same. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fetchLog } from '#lib/ledger/client.ts';
import { decodeLeaf, heldOf, type Leaf, type LogLeaf } from '#lib/ledger/leaf.ts';
import { verifyLog } from '#lib/ledger/verify.ts';
import { CHECK_DEADLINE_MS } from '#lib/protocol/limits.ts';
import { nodeVerify } from '#lib/server/keys.ts';
import { DEFAULT_RULES } from '#lib/trust/rules.ts';
import { road, testOrder, world, type Client, type Message, type World } from './harness.ts';

let w: World;
beforeAll(async () => {
  w = await world({
    rules: {
      ...DEFAULT_RULES,
      secondAuditPpm: 0,
      drillPpm: 0,
      auditPay: 0,
      unprovenPay: 1000,
      holdHundredths: 200,
      probationLeases: 3,
      pairMs: 600_000,
      shownPasses: 0,
    },
  });
}, 120_000);
afterEach(() => w.leave());
afterAll(() => w.coordinator.close());

const balance = async (account: string): Promise<bigint> =>
  BigInt(
    ((await (await w.coordinator.http(new Request(`http://c/api/balance/${account}`)))!.json()) as { balanceMicro: string }).balanceMicro,
  );

const ASK = new AbortController().signal;
async function log(): Promise<LogLeaf[]> {
  const fetched = await fetchLog(ASK, 'http://c', async (url) => (await w.coordinator.http(new Request(url)))!);
  if (!fetched.ok) throw new Error(fetched.reason);
  expect(await verifyLog(fetched.checkpoint, w.coordinator.key, fetched.leaves, nodeVerify)).toMatchObject({ ok: true });
  return fetched.leaves.map((bytes) => decodeLeaf(bytes)!);
}
const entriesOf = async (kind: Leaf<'entry'>['kind'], account: string): Promise<Leaf<'entry'>[]> =>
  (await log()).filter(
    (leaf): leaf is Leaf<'entry'> => leaf.type === 'entry' && leaf.kind === kind && leaf.postings.some(([of]) => of === account),
  );

const MANY = testOrder({ samples: 16, passSamples: 1, capMicro: '100000' });

/** One lease to its commitment and receipt. */
async function commit(creator: Client, worker: Client): Promise<Message<'grant'>> {
  await worker.ask(1);
  const grant = worker.last('grant')!;
  await worker.commit(grant);
  await creator.receipt(creator.last('committed')!);
  return grant;
}

/** Checks that somebody was asked for by `asked`. */
const answered = new Set<string>();

/** Who is drawn for this lease and has not answered. */
const asked = (checkers: readonly Client[], lease: string): Client => {
  const open = (one: Client): string | null => {
    const check = one.last('check');
    return check?.lease.lease === lease && !answered.has(check.nonceCommitment) ? check.nonceCommitment : null;
  };
  const found = checkers.find((one) => open(one) !== null);
  if (!found) throw new Error('nobody was drawn');
  answered.add(open(found)!);
  return found;
};

describe('a worker', () => {
  test('has its first earnings held back until two leases are covered, and then is paid', async () => {
    const { creator, worker, checker } = await road(w, MANY);
    const earned: bigint[] = [];
    for (let i = 0; i < 4; i++) {
      await commit(creator, worker);
      await checker.verdict(checker.last('check')!);
      earned.push(await balance(worker.key));
    }
    expect(earned).toEqual([0n, 0n, 5n, 10n]);
    expect(await balance(heldOf(worker.key))).toBe(10n);
    await w.pass(500);
    expect(worker.last('balance')).toMatchObject({ balanceMicro: '10', pendingMicro: '10' });
    await log();
  }, 60_000);

  test('is challenged less as its record grows: whole films first, then the job’s leaves, then two', async () => {
    const { creator, worker, checker } = await road(w, MANY);
    const draws: Pick<Message<'check'>, 'leaves' | 'auditPpm'>[] = [];
    for (let i = 0; i < 5; i++) {
      await commit(creator, worker);
      draws.push(checker.last('check')!);
      await checker.verdict(checker.last('check')!);
    }
    expect(draws.map(({ auditPpm }) => auditPpm)).toEqual([1_000_000, 1_000_000, 500_000, 333_333, 250_000]);
    expect(draws.map(({ leaves }) => leaves)).toEqual([4, 4, 4, 2, 2]);
  }, 60_000);

  test('that two checkers fail loses all that was held, to the creator and to them, and begins anew', async () => {
    const { creator, worker, checker } = await road(w, MANY);
    const second = await w.join(['checker']);
    await second.checkReady(4);
    for (let i = 0; i < 3; i++) {
      const { lease } = await commit(creator, worker);
      const one = asked([checker, second], lease.lease);
      await one.verdict(one.last('check')!);
    }
    expect(await balance(heldOf(worker.key))).toBe(10n);
    const before = await balance(creator.key);
    const { lease } = await commit(creator, worker);
    for (let i = 0; i < 2; i++) {
      const one = asked([checker, second], lease.lease);
      await one.verdict(one.last('check')!, 'fail');
    }
    expect(worker.last('voided')).toMatchObject({ lease: lease.lease, reason: 'check-signatures' });
    expect(await balance(heldOf(worker.key))).toBe(0n);
    // A quarter of 10 in two even parts is one each.
    expect((await balance(creator.key)) - before).toBe(8n);
    const [forfeit] = await entriesOf('forfeit', heldOf(worker.key));
    expect(forfeit!.postings.toSorted()).toEqual(
      [
        [heldOf(worker.key), '-10'],
        [creator.key, '8'],
        [checker.key, '1'],
        [second.key, '1'],
      ].toSorted(),
    );
    // What it earned before is its own; what comes next is held again, and drawn whole.
    expect(await balance(worker.key)).toBe(5n);
    await w.pass(500);
    await commit(creator, worker);
    const next = asked([checker, second], worker.last('grant')!.lease.lease);
    expect(next.last('check')).toMatchObject({ auditPpm: 1_000_000, leaves: 4 });
  }, 60_000);

  test('that one checker alone fails loses the lease and its record, and not a token', async () => {
    const { creator, worker, checker } = await road(w, MANY);
    for (let i = 0; i < 3; i++) {
      await commit(creator, worker);
      await checker.verdict(checker.last('check')!);
    }
    await commit(creator, worker);
    await checker.verdict(checker.last('check')!, 'fail');
    expect(worker.last('voided')).toMatchObject({ reason: 'check-signatures' });
    expect(await balance(heldOf(worker.key))).toBe(10n);
    expect(await entriesOf('forfeit', heldOf(worker.key))).toHaveLength(0);
    await commit(creator, worker);
    expect(checker.last('check')).toMatchObject({ auditPpm: 1_000_000, leaves: 4 });
  }, 60_000);

  test('found at fault twice gets no lease any more, and another has it', async () => {
    const { creator, worker, checker } = await road(w, MANY);
    const second = await w.join(['checker']);
    await second.checkReady(4);
    for (let i = 0; i < 2; i++) {
      const { lease } = await commit(creator, worker);
      for (let k = 0; k < 2; k++) {
        const one = asked([checker, second], lease.lease);
        await one.verdict(one.last('check')!, 'fail');
      }
      await w.pass(500);
    }
    const record = await (await w.coordinator.http(new Request(`http://c/api/standing/${worker.key}`)))!.json();
    expect(record).toMatchObject({ worker: { faults: 2, blocked: true, reputation: 0, heldMicro: '0' } });
    await worker.ask(1);
    expect(worker.all('grant')).toHaveLength(2);
    const other = await w.join(['worker']);
    await other.ask(1);
    expect(other.last('grant')).toBeDefined();
    await log();
  }, 60_000);

  test('says what its leaves can tell, or is not heard', async () => {
    const { worker } = await road(w, MANY);
    await worker.ask(1);
    const grant = worker.last('grant')!;
    for (const weights of [undefined, '', 'AAAA', '!'])
      expect((await worker.commit(grant, { weights })).type, String(weights)).toBe('refused');
    expect((await worker.commit(grant)).type).toBe('ack');
  });
});

describe('a checker', () => {
  test('that misses its checks is paid less, and the log says why', async () => {
    const { creator, worker, checker } = await road(w, MANY);
    await commit(creator, worker);
    await w.pass(CHECK_DEADLINE_MS + 3_000);
    expect((await log()).filter((leaf) => leaf.type === 'missed' && leaf.checker === checker.key)).toHaveLength(1);
    await checker.verdict(checker.last('check')!);
    expect(worker.last('settled')).toBeDefined();
    await log();
  }, 120_000);

  test('is not drawn for the lease of one that checks its own', async () => {
    const creator = await w.join(['creator']);
    await creator.grant();
    await creator.order(MANY);
    const both = [await w.join(['worker', 'checker']), await w.join(['worker', 'checker'])] as const;
    for (const one of both) await one.checkReady(4);
    await commit(creator, both[0]);
    expect(both[1].last('check')).toBeDefined();
    await both[1].verdict(both[1].last('check')!);
    await commit(creator, both[1]);
    await w.pass(1_000);
    expect(both[0].last('check')).toBeUndefined();
    const third = await w.join(['checker']);
    await third.checkReady(4);
    expect(third.last('check')).toBeDefined();
    await log();
  }, 60_000);

  test('with one place left is drawn for whom it may judge, though one it may not judge waits longer', async () => {
    const creator = await w.join(['creator']);
    await creator.grant();
    await creator.order(MANY);
    const checker = await w.join(['worker', 'checker']);
    const rival = await w.join(['worker', 'checker']);
    await rival.checkReady(1);
    await commit(creator, checker);
    await rival.verdict(rival.last('check')!);
    await rival.hello(['worker']);
    await commit(creator, rival);
    const worker = await w.join(['worker']);
    const { lease } = await commit(creator, worker);
    await checker.checkReady(1);
    expect(checker.all('check').map((check) => check.lease.lease)).toEqual([lease.lease]);
    await log();
  }, 60_000);

  test('can’t find more paths equal than it traced', async () => {
    const { creator, worker, checker } = await road(w, MANY);
    await commit(creator, worker);
    const body = checker.verdictBody(checker.last('check')!, 'pass');
    expect(await checker.submit('check.verdict', { ...body, pathsEqual: 257 })).toMatchObject({ reason: 'verdict-counts' });
  });
});

describe('many thin lies', () => {
  test('that every leaf passes are a fault by what several checkers found', async () => {
    const { creator, worker, checker } = await road(w, testOrder({ samples: 64, passSamples: 1, capMicro: '1000000' }));
    const second = await w.join(['checker']);
    await second.checkReady(4, 64);
    await checker.checkReady(4, 64);
    let leases = 0;
    while (!worker.last('voided') && leases++ < 60) {
      const { lease } = await commit(creator, worker);
      const one = asked([checker, second], lease.lease);
      const body = one.verdictBody(one.last('check')!, 'pass');
      await one.submit('check.verdict', { ...body, paths: 8192, pathsEqual: 7700 });
    }
    expect(worker.last('voided')).toMatchObject({ reason: 'check-aggregate' });
    expect(leases).toBeLessThan(45);
    expect(await entriesOf('forfeit', heldOf(worker.key))).toHaveLength(1);
    expect(await balance(heldOf(worker.key))).toBe(0n);
  }, 300_000);
});
