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
  /** Chance that all leaves are drawn. */
  readonly auditPpm?: number;
}

let film: PretendFilm;
beforeAll(async () => {
  film = new PretendFilm((await Forge.opened()).order, 0, { differing: 2 });
});

/** A lease whose checkers say yes, the last of them as `lie` has it. */
async function passed(by = [first], lie: Lie = {}): Promise<Forge> {
  const forge = await Forge.opened();
  forge.leaves.push({ type: 'rules', ...RULES, atMs: 2 });
  const lease = await forge.commit(0, { weights: WEIGHTS, root: film.commitment.root });
  for (const [i, checker] of by.entries()) {
    const { unpromised, shown, auditPpm = 1_000_000 } = i === by.length - 1 ? lie : {};
    const nonce = forge.commitNonce(checker);
    const draw = forge.draw(lease, checker, nonce, { auditPpm });
    const tracer = { checker: checker.key, nonceCommitment: toHex(sha256(nonce)) };
    const drawn = impliedLeaves(draw, toHex(nonce), lease);
    const root = film.promise(tracer, drawn);
    const beacon = unpromised ? forge.links[0]! : (await forge.retraced(lease, checker, nonce, root)).beacon;
    const honest = film.shown(tracer, drawn, beacon);
    const shows = shown ? shown(honest) : honest;
    await forge.verdict(lease, checker, nonce, draw, 'pass', 'agrees', shows);
  }
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
