/** Logs in which checkers trace before they see: the honest one is sound, and each pass that shows nothing is a false line. */
import { beforeAll, expect, test } from 'vitest';
import type { Leaf } from '#lib/ledger/leaf.ts';
import { impliedLeaves } from '#lib/ledger/draws.ts';
import { sha256, toHex } from '#lib/protocol/bytes.ts';
import { DEFAULT_RULES } from '#lib/trust/rules.ts';
import type { Shown } from '#lib/trust/retrace.ts';
import { packClasses } from '#lib/trust/weights.ts';
import { PretendFilm } from '../trust/pretend-film.ts';
import { checkers, falls, Forge, sound, worker } from './forge.ts';

const [first, second] = checkers as [(typeof checkers)[0], (typeof checkers)[0]];
const RULES = { ...DEFAULT_RULES, secondAuditPpm: 1_000_000, drillPpm: 0 };
const WEIGHTS = packClasses(new Array<number>(16).fill(3));
const NOTHING = 'A checker passes what it had to trace first, and shows nothing of it.';

interface Lie {
  /** Nothing is promised before the verdict. */
  readonly unpromised?: true;
  /** The verdict shows this in place of what it should. */
  readonly shown?: (honest: Shown) => Shown | undefined;
}

let film: PretendFilm;
beforeAll(async () => {
  film = new PretendFilm((await Forge.opened()).order, 0, { differing: 2 });
});

/** A checker says yes, as `lie` has it. */
async function says(forge: Forge, lease: Leaf<'commitment'>, by: (typeof checkers)[0], { unpromised, shown }: Lie = {}): Promise<void> {
  const nonce = forge.commitNonce(by);
  const draw = forge.draw(lease, by, nonce, { auditPpm: 1_000_000 });
  const tracer = { checker: by.key, nonceCommitment: toHex(sha256(nonce)) };
  const drawn = impliedLeaves(draw, toHex(nonce), lease);
  const root = film.promise(tracer, drawn);
  const beacon = unpromised ? forge.links[0]! : (await forge.retraced(lease, by, nonce, root)).beacon;
  const honest = film.shown(tracer, drawn, beacon);
  await forge.verdict(lease, by, nonce, draw, 'pass', 'agrees', shown ? shown(honest) : honest);
}

/** A lease whose checkers say yes, the last of them as `lie` has it. */
async function passed(by = [first], lie: Lie = {}): Promise<Forge> {
  const forge = await Forge.opened();
  forge.leaves.push({ type: 'rules', ...RULES, atMs: 2 });
  const lease = await forge.commit(0, { weights: WEIGHTS, root: film.commitment.root });
  for (const checker of by) await says(forge, lease, checker, checker === by.at(-1) ? lie : {});
  return forge;
}

test('a pass of all leaves, and a second opinion, that show what was promised (control)', async () => {
  await sound(await passed());
  await sound(await passed([first, second]));
});

test('a pass of all leaves that shows nothing, or that nothing was promised for', async () => {
  await falls(await passed([first], { shown: () => undefined }), NOTHING);
  await falls(await passed([first], { unpromised: true }), NOTHING);
  await falls(await passed([first, second], { shown: () => undefined }), NOTHING);
});

test('a pass that shows another leaf than the one it promised', async () => {
  const other = (honest: Shown): Shown => ({ ...honest, signatures: honest.signatures.map((byte) => byte ^ 1) });
  await falls(await passed([first], { shown: other }), 'The leaf that is shown is not under the root that its checker committed to.');
});

test('a trace promised twice, or for another’s draw, or with a beacon that is not the next', async () => {
  const forge = await Forge.opened();
  const lease = await forge.commit(0, { root: film.commitment.root });
  const nonce = forge.commitNonce(first);
  forge.draw(lease, first, nonce);
  const honest = async (): Promise<Leaf<'retraced'>> => forge.retraced(lease, first, nonce, 'aa'.repeat(32));
  await honest();
  await sound(forge);
  await honest();
  await falls(forge, 'A checker commits to two traces for one draw.');
  forge.leaves.pop();
  await forge.retraced(lease, worker, nonce, 'aa'.repeat(32));
  await falls(forge, 'A checker traced what it was not drawn for.');
  forge.leaves.pop();
  forge.leaves.pop();
  const last = await honest();
  forge.leaves.pop();
  forge.add({ ...last, beacon: forge.links[5]! });
  await falls(forge, 'The beacon of a check is not the next link of its chain.');
  expect(last.beacon).toBe(forge.links[2]);
});

test('a checker that promised a trace and said nothing, drawn for the same film again', async () => {
  const forge = await Forge.opened();
  forge.leaves.push({ type: 'rules', ...RULES, atMs: 2 });
  const lease = await forge.commit(0, { weights: WEIGHTS, root: film.commitment.root });
  const draw = async (promised: boolean): Promise<void> => {
    const nonce = forge.commitNonce(first);
    forge.draw(lease, first, nonce, { auditPpm: 1_000_000 });
    if (promised) await forge.retraced(lease, first, nonce, 'aa'.repeat(32));
    forge.add({ type: 'missed', lease: lease.lease, checker: first.key, nonceCommitment: toHex(sha256(nonce)), atMs: 5 });
  };
  await draw(false);
  await draw(true);
  await sound(forge);
  forge.draw(lease, first, forge.commitNonce(first), { auditPpm: 1_000_000 });
  await falls(forge, 'A checker is drawn again for a film that was opened to it.');
});

test('a checker that was drawn before another spoke, drawn again after that', async () => {
  const forge = await Forge.opened();
  forge.leaves.push({ type: 'rules', ...RULES, atMs: 2 });
  const lease = await forge.commit(0, { weights: WEIGHTS, root: film.commitment.root });
  const missed = forge.commitNonce(second);
  forge.draw(lease, second, missed, { auditPpm: 1_000_000 });
  forge.add({ type: 'missed', lease: lease.lease, checker: second.key, nonceCommitment: toHex(sha256(missed)), atMs: 5 });
  await says(forge, lease, first);
  await sound(forge);
  forge.draw(lease, second, forge.commitNonce(second), { auditPpm: 1_000_000 });
  await falls(forge, 'A checker is drawn after another’s word for a film that it was drawn for before.');
});

test('a trace promised when the check is over, and a failing word that shows a leaf', async () => {
  const forge = await Forge.opened();
  forge.leaves.push({ type: 'rules', ...RULES, atMs: 2 });
  const lease = await forge.commit(0, { weights: WEIGHTS, root: film.commitment.root });
  const nonce = forge.commitNonce(first);
  const draw = forge.draw(lease, first, nonce, { auditPpm: 1_000_000 });
  const tracer = { checker: first.key, nonceCommitment: toHex(sha256(nonce)) };
  const drawn = impliedLeaves(draw, toHex(nonce), lease);
  const { beacon } = await forge.retraced(lease, first, nonce, film.promise(tracer, drawn));
  await forge.verdict(lease, first, nonce, draw, 'fail', 'light', film.shown(tracer, drawn, beacon));
  await falls(forge, 'A verdict that is no pass shows a leaf.');
  forge.leaves.pop();
  forge.leaves.pop();
  forge.add({ type: 'missed', lease: lease.lease, ...tracer, atMs: 5 });
  await forge.retraced(lease, first, nonce, 'aa'.repeat(32));
  await falls(forge, 'A checker commits to a trace after its verdict.');
});
