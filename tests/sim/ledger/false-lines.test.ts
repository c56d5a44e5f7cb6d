/**
 * What `pictor ledger verify` finds: an honest history with everything in it, and copies in which one thing is
 * false, hashed and signed anew. The first false line is named; only what is somebody's word may be another,
 * and each of these is listed with whose word it is.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import type { LogVerdict } from '#lib/ledger/verify.ts';
import { DEFAULT_RULES } from '#lib/trust/rules.ts';
import { Liar, type Falsehood } from './falsehoods.ts';
import { honestLog, kindOf, type Story } from './honest-log.ts';
import { judge } from './judge.ts';

const KINDS = [
  ...['alone', 'appeal', 'appealed', 'beacon', 'closed', 'commitment', 'draw', 'drill', 'escrow', 'forfeit', 'genesis', 'grant', 'job'],
  ...[
    'missed',
    'nonces',
    'quiet',
    'receipt',
    'refund',
    'release',
    'restore',
    'retraced',
    'round',
    'rules',
    'seal',
    'settle',
    'verdict',
    'void',
    'waiver',
    'word',
  ],
];

const WHEN = 'when something happened, the coordinator says';
const TERMS = 'the operator sets it, and the log shows it';
const BOOK = 'which book stood, and whose, the coordinator says (decision 25)';
const SEEN = 'what a checker saw on its own device it says alone; other checkers contradict it';
const MADE = 'what it rendered with a worker says alone; re-traces contradict it';

/** Whose word it is, of what may be another without anything false in the log. */
const WORDS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(KINDS.filter((kind) => kind !== 'beacon' && kind !== 'nonces').map((kind) => [`${kind}.atMs`, WHEN])),
  'beacon.length': 'counts once a chain is used up',
  'nonces.commitments': 'of nonces that are never drawn nothing follows',
  'nonces twice': 'said again, an unspent commitment is the same one',
  'rules twice': 'the same rules again',
  'grant.postings': TERMS,
  'job.pricePerWorkUnitMicro': 'counts where no round of the market made a price',
  'job.leaves': TERMS,
  // One more or less: a threshold that this history does not touch.
  ...Object.fromEntries(Object.keys(DEFAULT_RULES).map((rule) => [`rules.${rule}`, TERMS])),
  ...Object.fromEntries(
    ['floorMicro', 'askOwners', 'bidOwners', 'askTopPpm', 'bidTopPpm', 'asks', 'bids', 'ownUnits'].map((field) => [`round.${field}`, BOOK]),
  ),
  'commitment.round': 'of rounds at one price, not long before, none changes what is paid',
  'commitment.slot': 'which slot a lease is for the coordinator says, while another slot of the same size is free',
  'commitment.shader': MADE,
  'commitment.adapterClass': MADE,
  'commitment.weights': MADE,
  'draw.sealed': 'of what is no drill it is random',
  'verdict.reason': SEEN,
  'verdict.paths': SEEN,
  'verdict.pathsEqual': SEEN,
  'verdict.pixelsWrong': SEEN,
  'verdict.biasPpm': SEEN,
  'verdict.adapterClass': SEEN,
  'void.reason': 'that a worker was gone the coordinator says',
  'missed gone': 'a check that nobody answers may stay open',
  'release gone': 'what is held may be paid out later',
  'closed.state': 'that its creator cancelled a job the coordinator says',
};

/** What anybody can compute, wherever it stands: false at its own line. */
const HERE = new Set([
  ...['draw.lease', 'draw.checker', 'draw.nonceCommitment', 'draw.chain', 'draw.beacon', 'draw.count', 'draw.auditPpm'],
  ...['retraced.lease', 'retraced.checker', 'retraced.nonceCommitment', 'retraced.chain', 'retraced.beacon', 'retraced twice'],
  ...['verdict.lease', 'verdict.checker', 'verdict.root', 'verdict.nonce', 'verdict.drawn'],
  ...['escrow', 'settle', 'forfeit', 'drill', 'refund', 'release', 'restore'].flatMap((kind) => [
    `${kind}.postings`,
    `${kind}.kind`,
    `${kind} twice`,
  ]),
  ...[
    'settle gone',
    'forfeit gone',
    'refund gone',
    'restore gone',
    'void gone',
    'closed gone',
    'waiver gone',
    'alone gone',
    'appealed gone',
  ],
  ...['commitment.sceneRoot', 'commitment.paths', 'commitment.leaves', 'receipt.root', 'receipt.lease'],
  ...['missed.checker', 'missed.lease', 'missed.nonceCommitment', 'missed twice', 'appealed.outcome', 'alone.lease', 'word twice'],
  ...['round.round', 'round.referenceMicro', 'round.rule', 'round.buyMicro', 'round.sellMicro', 'round.units'],
]);

interface Told extends Falsehood {
  readonly verdict: LogVerdict;
}

let story: Story;
let told: Told[];
beforeAll(async () => {
  story = await honestLog(71);
  const liar = new Liar(story);
  told = [];
  for (const at of chosen(story))
    for (const lie of await liar.about(at)) told.push({ ...lie, leaves: [], verdict: await judge(story, lie.leaves) });
}, 600_000);

/** Of every kind one of the first and the last; of what is said of leases, where they were paid: from a void one nothing follows. */
function chosen({ leaves }: Story): number[] {
  const paid = new Set(leaves.flatMap((leaf) => (leaf.type === 'entry' && leaf.kind === 'settle' ? [leaf.lease] : [])));
  const of = new Map<string, number[]>();
  leaves.forEach((leaf, at) => of.set(kindOf(leaf), [...(of.get(kindOf(leaf)) ?? []), at]));
  return [...of.values()].flatMap((all) => {
    const matter = all.filter((at) => paid.has((leaves[at] as { lease?: string }).lease ?? ''));
    const from = matter.length > 0 ? matter : all;
    return [...new Set([Math.floor(from.length / 3), from.length - 1])].map((i) => from[i]!);
  });
}

const nameOf = ({ what, at, signed, verdict }: Told): string =>
  `${what} at ${at}${signed ? ', signed' : ''}: ${verdict.ok ? 'nothing is false' : `${verdict.line}, ${verdict.reason}`}`;

describe('a log', () => {
  test('that is honest is true, and has every kind of leaf in it', async () => {
    expect(await judge(story, story.leaves)).toMatchObject({ ok: true });
    expect([...new Set(story.leaves.map(kindOf))].toSorted()).toEqual(KINDS.toSorted());
  });

  test('in which something false stands that is nobody’s word is never true', () => {
    const survived = told.filter(({ verdict }) => verdict.ok);
    expect(survived.filter(({ what }) => WORDS[what] === undefined).map(nameOf)).toEqual([]);
  });

  test('names no line before the false one', () => {
    const early = told.filter(({ verdict, at }) => !verdict.ok && (verdict.line === null || verdict.line < at));
    expect(early.map(nameOf)).toEqual([]);
  });

  test('names the very line where what stands can be computed', () => {
    const here = told.filter(({ what }) => HERE.has(what));
    expect(new Set(here.map(({ what }) => what))).toEqual(HERE);
    expect(here.filter(({ verdict, at }) => verdict.ok || verdict.line !== at).map(nameOf)).toEqual([]);
  });

  test('names the very line where the coordinator alone changed what somebody signed', () => {
    const again = new Set(told.filter(({ signed }) => signed).map(({ what, at }) => `${what} ${at}`));
    const alone = told.filter(({ signed, what, at }) => !signed && again.has(`${what} ${at}`));
    expect(alone.length).toBeGreaterThan(30);
    expect(alone.filter(({ verdict, at }) => verdict.ok || verdict.line !== at).map(nameOf)).toEqual([]);
  });

  test('in which a checker’s word is turned round is false before its lease is over', () => {
    const turned = told.filter(({ what, signed }) => what === 'verdict.verdict' && signed);
    expect(turned.length).toBeGreaterThan(0);
    const late = turned.filter(({ verdict, at }) => {
      const { lease } = story.leaves[at] as { lease: string };
      const end = story.leaves.findIndex(
        (leaf) => (kindOf(leaf) === 'settle' || leaf.type === 'void') && 'lease' in leaf && leaf.lease === lease,
      );
      return verdict.ok || verdict.line! > end;
    });
    expect(late.map(nameOf)).toEqual([]);
  });
});
