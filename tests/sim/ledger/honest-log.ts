/**
 * One history with everything in it that a log can hold: whole jobs, second audits with and without
 * somebody to make them, drills, a missed check, a turncoat that loses what was held of it and has its
 * appeal granted, quiet tiles, a cancelled job, own work, held earnings that are paid out. Played by the
 * real roles against the real coordinator. It tells no lie; who wants one takes a copy.
 */
import { eq } from 'drizzle-orm';
import type { LogLeaf } from '#lib/ledger/leaf.ts';
import { fromHex } from '#lib/protocol/bytes.ts';
import { identityFromSecret, type Identity } from '#lib/protocol/envelope.ts';
import { WorkerRole } from '#lib/roles/worker.ts';
import { meta } from '#lib/server/store/schema.ts';
import { begin, checker, submitted, trusted, turning, verifiedLog, viewOf, worker, world } from '../story.ts';
import type { Tab } from '../world.ts';

const HOLD_RELEASE_MS = 120_000;
const RULES = { drillPpm: 250_000, drillAuditShare: 0, secondAuditPpm: 600_000, holdHundredths: 200, holdReleaseMs: HOLD_RELEASE_MS };

export interface Story {
  readonly leaves: readonly LogLeaf[];
  readonly network: string;
  readonly coordinator: Identity;
  /** Everybody whose key is in it. */
  readonly parties: ReadonlyMap<string, Identity>;
}

export async function honestLog(seed: number): Promise<Story> {
  await begin(seed, RULES, { pricePerWorkUnitMicro: '1000000000' });
  const reviewer = await trusted();
  const creators = [await world.tab(), await world.tab(), await world.tab(), await world.tab()] as const;
  const hands = [await worker(), await checker()] as const;
  const tabs: Tab[] = [reviewer, ...creators, ...hands.map(({ tab }) => tab)];

  // A checker alone, then others beside it.
  const first = await submitted(creators[0]);
  await world.until('some is settled', () => viewOf(first.role, first.job).view.settled > 7);
  const eyes = [await checker(), await checker(), await checker(), await checker()] as const;
  tabs.push(...eyes.map(({ tab }) => tab));
  await world.until('the first job is done', () => viewOf(first.role, first.job).view.state === 'done');

  const liar = await worker(turning(3));
  tabs.push(liar.tab);
  const second = await submitted(creators[1]);
  await world.until('a check is under way', () => eyes[3].role.status.state === 'checking');
  await eyes[3].tab.kill();
  await world.until('a lie is found', () => liar.role.status.leasesVoided > 0);
  await world.wait(liar.role.stop());
  await world.until('the second job is done', () => viewOf(second.role, second.job).view.state === 'done');
  await appealed(liar.tab, liar.role.status.voided.at(-1)!.lease, reviewer);

  const own = new WorkerRole(creators[2]);
  await own.start();
  const third = await submitted(creators[2]);
  await world.until('own work is settled', () => own.status.leasesSettled > 0);
  await world.wait(own.stop());
  await world.wait(creators[2].control.submit('job.quiet', { job: third.job, tiles: [1, 2] }));
  await world.until('the third job is done', () => viewOf(third.role, third.job).view.state === 'done');

  const fourth = await submitted(creators[3]);
  await world.until('some is rendered', () => viewOf(fourth.role, fourth.job).view.committed > 1);
  await creators[3].kill();
  const back = await world.tab({ disk: creators[3].disk });
  await world.pass(3_000);
  await world.wait(back.control.submit('job.cancel', { job: fourth.job }));
  await world.pass(HOLD_RELEASE_MS + 90_000);
  return told(tabs);
}

async function appealed(liar: Tab, lease: string, reviewer: Tab): Promise<void> {
  await world.wait(liar.control.submit('lease.appeal', { lease, text: 'My driver is new.' }));
  const response = await world.wait(world.coordinator!.http(new Request('http://sim/api/review')));
  const { cases } = (await response!.json()) as { cases: { lease: { lease: string }; root: string }[] };
  const { root } = cases.find((one) => one.lease.lease === lease)!;
  await world.wait(reviewer.control.submit('review.word', { lease, root, word: 'accept', reason: 'It looks right.' }));
}

async function told(tabs: readonly Tab[]): Promise<Story> {
  const leaves = await verifiedLog();
  const [row] = await world.wait(
    world.db
      .select()
      .from(meta)
      .where(eq(meta.key, 'secret'))
      .then((rows) => rows),
  );
  const coordinator = await identityFromSecret(fromHex(row!.value));
  const [genesis] = leaves;
  if (genesis?.type !== 'genesis') throw new Error('a log begins with its founding');
  const parties = new Map(tabs.map(({ identity }) => [identity.key, identity]));
  return { leaves, network: genesis.network, coordinator, parties };
}

/** What a leaf is, for a list of them: entries by what they are for, and the opening of a drill by its seal. */
export const kindOf = (leaf: LogLeaf): string => (leaf.type === 'entry' ? leaf.kind : leaf.type === 'drill' ? 'seal' : leaf.type);
