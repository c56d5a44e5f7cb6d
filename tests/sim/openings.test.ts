/**
 * Films that are opened for a check: requests and answers that are malformed, too late, said twice, in another
 * order or of another film, drawn at random. A worker serves what was drawn or names a fault, and what it keeps
 * does not change; a checker judges only what hashes to the committed root, and says why when it can't.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { SIGNATURE_BYTES_PER_PATH, filmSegments } from '#lib/job/film.ts';
import { leafRects, passes, tileRect } from '#lib/job/plan.ts';
import type { PeerAnswer, PeerNet, PeerOutcome } from '#lib/p2p/peer-net.ts';
import { concat, equalBytes, randomBytes, sha256, toHex, type Bytes } from '#lib/protocol/bytes.ts';
import { PEER_FAULTS, type PeerFault, type PeerRequest } from '#lib/protocol/peer.ts';
import { CheckRun, type Finding } from '#lib/roles/check-run.ts';
import { FilmShelf } from '#lib/roles/film-shelf.ts';
import { sharedOf } from '#lib/roles/shared.ts';
import type { ControlEvent } from '#lib/roles/types.ts';
import { commit } from '#lib/trust/commitment.ts';
import { leafClasses, packClasses } from '#lib/trust/weights.ts';
import { arithmeticFilm } from './arithmetic-engine.ts';
import { begin, checker, expectWell, never, submitted, worker, world } from './story.ts';
import type { Tab } from './world.ts';

type Check = Extract<ControlEvent, { type: 'check' }>;
type Opening = Extract<PeerRequest, { type: 'film.open' }>;

/** Refusals that are none: want of time or room. */
const PATIENCE: readonly PeerFault[] = ['busy', 'stopped'];
const NO_NET: PeerNet = {
  id: `${'0'.repeat(64)}-00000000`,
  request: async () => ({ status: 'unreachable' }),
  serve: () => {},
  traffic: { bytesIn: 0, bytesOut: 0, peers: 0 },
  close: async () => {},
};

/** A checker's tab that has the scene, and a check of an honest film. */
async function drawn(): Promise<{ tab: Tab; check: Check; shelf: FilmShelf; leaves: number }> {
  const eye = await checker();
  const checks: Check[] = [];
  eye.tab.control.on((event) => void (event.type === 'check' && checks.push(event)));
  await worker();
  const { role, job } = await submitted(await world.tab());
  await expectWell(role, job);
  const told = checks.at(-1)!;
  const rect = tileRect(told.order, told.lease.tile);
  const pass = passes(told.order)[told.lease.pass]!;
  const film = arithmeticFilm({ sceneRoot: told.order.sceneRoot, frame: told.order, rect, pass });
  const commitment = commit(film, rect);
  const shelf = new FilmShelf({ net: NO_NET, clock: world.clock }, () => {});
  shelf.put({ lease: told.lease, rect, film, commitment });
  const weights = packClasses(leafClasses(film.light, rect, pass.count));
  const check = {
    ...told,
    root: commitment.root,
    segments: filmSegments(film.light),
    weights,
    auditPpm: 0,
    traceFirst: 'whole' as const,
    permit: 'for some',
  };
  return { tab: eye.tab, check, shelf, leaves: leafRects(rect).length };
}

let at: Awaited<ReturnType<typeof drawn>>;

const opening = (leaves: readonly number[], over: Partial<Opening> = {}): Opening => {
  const { lease, root, capability } = at.check;
  return { type: 'film.open', lease: lease.lease, root, job: lease.job, capability, permit: null, leaves: [...leaves], ...over };
};

/** One check, whose worker answers like this. @returns what was asked of it as well. */
async function run(answer: (request: Opening, attempt: number) => PeerOutcome): Promise<{ finding: Finding; asked: Opening[] }> {
  const asked: Opening[] = [];
  const net: PeerNet = {
    ...NO_NET,
    request: async (_signal, _peer, request) => answer(request as Opening, asked.push(request as Opening) - 1),
  };
  // A nonce of its own each time: other leaves are drawn.
  const one = new CheckRun(
    { ...at.tab, net },
    sharedOf(at.tab),
    at.check,
    toHex(randomBytes(32)),
    () => {},
    () => undefined,
  );
  return { finding: (await world.wait(one.run(never)))!, asked };
}

/** An answer in short. */
const told = (answer: PeerAnswer): string => (answer.ok ? toHex(sha256(answer.body)) : answer.fault);
const answered = (answer: PeerAnswer): PeerOutcome =>
  answer.ok ? { status: 'answered', body: answer.body } : { status: 'refused', fault: answer.fault };
/** For a draw of everything. */
const open = (request: Opening): PeerAnswer => at.shelf.open(request, { draw: 'a'.repeat(64), leaves: at.leaves });
const honestly = (request: Opening): PeerOutcome => answered(open(request));

beforeAll(async () => {
  await begin(81);
  at = await drawn();
  // What comes needs no more of this world than its clock and the checker's engine, which has the scene.
}, 120_000);

describe('a worker', () => {
  const indices = fc.array(fc.integer({ min: 0, max: 24 }), { maxLength: 24 });

  test('opens leaves that ascend, each once, and names the fault of any other request; it keeps what it had', () => {
    const whole = told(open(opening([])));
    fc.assert(
      fc.property(indices, fc.boolean(), (some, sorted) => {
        const leaves = sorted ? [...new Set(some)].toSorted((a, b) => a - b) : some;
        const right = leaves.every((leaf, i) => leaf < at.leaves && (i === 0 || leaf > leaves[i - 1]!));
        const answer = open(opening(leaves));
        if (!right) expect(answer).toEqual({ ok: false, fault: 'malformed' });
        else expect(answer.ok && answer.body.length).toBe(bodyBytes(leaves.length));
        expect(told(open(opening(leaves)))).toBe(told(answer));
      }),
    );
    expect(told(open(opening([])))).toBe(whole);
    expect(at.shelf.size).toBe(1);
  });

  test('opens no more leaves for one draw than are permitted, however these are asked for, and the light to whoever may fetch the scene', () => {
    const some = fc.uniqueArray(fc.integer({ min: 0, max: at.leaves - 1 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(some, { minLength: 1, maxLength: 6 }), fc.integer({ min: 0, max: at.leaves }), (asks, permitted) => {
        const permit = { draw: toHex(randomBytes(32)), leaves: permitted };
        const seen = new Set<number>();
        for (const leaves of asks) {
          const wanted = new Set([...seen, ...leaves]);
          const answer = at.shelf.open(opening(leaves.toSorted((a, b) => a - b)), permit);
          expect(answer).toMatchObject(wanted.size > permitted ? { ok: false, fault: 'not-yours' } : { ok: true });
          if (answer.ok) for (const leaf of leaves) seen.add(leaf);
        }
        expect(at.shelf.open(opening([]), null).ok).toBe(true);
        expect(at.shelf.open(opening([0]), null)).toEqual({ ok: false, fault: 'not-yours' });
        // Whoever is drawn again begins anew.
        expect(at.shelf.open(opening([0]), { draw: toHex(randomBytes(32)), leaves: 1 }).ok).toBe(true);
      }),
    );
  });

  test('knows no film of another lease or root, nor one that is over', () => {
    expect(open(opening([0], { lease: '0'.repeat(32) }))).toEqual({ ok: false, fault: 'unknown-lease' });
    expect(open(opening([0], { root: '0'.repeat(64) }))).toEqual({ ok: false, fault: 'unknown-lease' });
    const { lease } = at.check.lease;
    const film = at.shelf.get(lease)!;
    at.shelf.drop(lease);
    expect(open(opening([0]))).toEqual({ ok: false, fault: 'unknown-lease' });
    at.shelf.put(film);
    expect(open(opening([0])).ok).toBe(true);
  });
});

const sideBytes = (): { light: number; hashes: number; part: number } => {
  const { film } = at.shelf.get(at.check.lease.lease)!;
  const part = (film.signatures.length / at.leaves) * SIGNATURE_BYTES_PER_PATH;
  return { light: film.light.length, hashes: at.leaves * 32, part };
};
const bodyBytes = (leaves: number): number => {
  const { light, hashes, part } = sideBytes();
  return light + hashes + leaves * part;
};

/** Ways in which an answer is wrong. @param where in [0, 1), of the place. */
const WRONG: Readonly<Record<string, (body: Bytes, where: number) => Bytes>> = {
  'a byte is another': (body, where) => body.map((byte, i) => (i === Math.floor(where * body.length) ? byte ^ 1 : byte)),
  'it ends early': (body, where) => body.slice(0, Math.floor(where * body.length)),
  'it goes on': (body, where) => concat(body, new Uint8Array(1 + Math.floor(where * 64))),
  'two parts change places': (body) => swapped(body, 0, 1),
  'a part comes twice': (body) => concat(body.slice(0, bodyBytes(1)), body.slice(bodyBytes(0), bodyBytes(1)), body.slice(bodyBytes(2))),
  'a part is missing': (body) => body.slice(0, -sideBytes().part),
  'it is nothing': () => new Uint8Array(),
};

function swapped(body: Bytes, a: number, b: number): Bytes {
  const { part } = sideBytes();
  const piece = (i: number): Bytes => body.slice(bodyBytes(i), bodyBytes(i) + part);
  const out = body.slice();
  out.set(piece(b), bodyBytes(a));
  out.set(piece(a), bodyBytes(b));
  return out;
}

describe('a checker', () => {
  test('passes an honest film, asking for what was drawn, ascending and once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constant(null), async () => {
        const { finding, asked } = await run(honestly);
        expect(finding).toMatchObject({ verdict: 'pass', reason: 'agrees' });
        expect(asked).toHaveLength(1);
        expect(asked[0]!.leaves).toEqual([...new Set(asked[0]!.leaves)].toSorted((a, b) => a - b));
      }),
      { numRuns: 20 },
    );
  });

  test('fails whatever does not hash to the committed root, as not opened, and counts nothing of it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.keys(WRONG)), fc.double({ min: 0, max: 0.999, noNaN: true }), async (how, where) => {
        let same = false;
        const { finding } = await run((request) => {
          const answer = open(request);
          if (!answer.ok) throw new Error('an honest shelf opens what was drawn');
          const body = WRONG[how]!(answer.body, where);
          same = equalBytes(body, answer.body);
          return { status: 'answered', body };
        });
        const wrong = { verdict: 'fail', reason: 'opening', paths: 0, pathsEqual: 0, pixelsWrong: 0 };
        expect(finding, how).toMatchObject(same ? { verdict: 'pass' } : wrong);
      }),
      { numRuns: 150 },
    );
  });

  test('fails an answer to another request: other leaves, said before', async () => {
    const { finding } = await run((request) =>
      honestly({ ...request, leaves: request.leaves.map((leaf) => (leaf + 1) % at.leaves).toSorted((a, b) => a - b) }),
    );
    expect(finding).toMatchObject({ verdict: 'fail', reason: 'opening' });
  });

  test('waits for one that is busy or away, and tells who refuses from who can’t be reached', async () => {
    const tries = 4;
    const outcome = fc.oneof(
      fc.constantFrom<PeerOutcome>({ status: 'timeout' }, { status: 'disconnected' }, { status: 'unreachable' }),
      fc.constantFrom(...PEER_FAULTS).map((fault): PeerOutcome => ({ status: 'refused', fault })),
      fc.constant<PeerOutcome | null>(null),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(outcome, { minLength: tries, maxLength: tries }), async (says) => {
        const { finding, asked } = await run((request, attempt) => says[attempt] ?? honestly(request));
        const opens = says.indexOf(null);
        expect(asked).toHaveLength(opens < 0 ? tries : opens + 1);
        // Said again in the same words: who asks for other leaves the second time could choose.
        for (const again of asked) expect(again).toEqual(asked[0]);
        const last = says.at(-1);
        const refuses = last?.status === 'refused' && !PATIENCE.includes(last.fault);
        const without = refuses ? { verdict: 'fail', reason: 'refused' } : { verdict: 'unavailable', reason: 'unreachable' };
        expect(finding).toMatchObject(opens >= 0 ? { verdict: 'pass' } : without);
      }),
      { numRuns: 60 },
    );
  });
});
