/** What a passing verdict shows: its checker's own trace of a leaf, promised before the film was opened to it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeLeaf } from '#lib/ledger/leaf.ts';
import { toBase64Url, toHex } from '#lib/protocol/bytes.ts';
import { encodeCanonical } from '#lib/protocol/canonical.ts';
import {
  CONTROL_MESSAGE_BYTES_MAX,
  LEAF_SIDE_PX,
  LEAVES_PER_TILE_MAX,
  LOG_ENTRY_BYTES_MAX,
  PASS_SAMPLES_MAX,
  SHOWN_DIFFERING_BYTES_MAX,
  SHOWN_PROOF_BYTES_MAX,
  SHOWN_SIGNATURES_BYTES_MAX,
} from '#lib/protocol/limits.ts';
import type { JobOrder } from '#lib/protocol/order.ts';
import { differingMax } from '#lib/trust/compare.ts';
import { mustShow, shownFault, shownPlace, type Showing, type Shown } from '#lib/trust/retrace.ts';
import { PretendFilm } from './pretend-film.ts';

/** Two tiles of 40 × 24 pixels; slot 5 is the second one's third pass, of two samples. */
const order = { width: 80, height: 24, tileSide: 40, samples: 4, passSamples: 2 } as JobOrder;
const SLOT = 5;
const SAMPLES = 2;
const TRACER = { checker: 'c1'.repeat(32), nonceCommitment: 'd2'.repeat(32) };
const BEACON = 'e3'.repeat(32);

function shownOf(differing: number): { film: PretendFilm; shown: Shown; of: Showing } {
  const film = new PretendFilm(order, SLOT, { differing });
  const drawn = film.leaves.map((_, leaf) => leaf);
  const root = film.promise(TRACER, drawn);
  const of = { ...TRACER, root, beacon: BEACON, order, slot: SLOT, filmRoot: film.commitment.root, classes: null, drawn };
  return { film, shown: film.shown(TRACER, drawn, BEACON), of };
}
const DRAWN = shownOf(0).of.drawn;

describe('a leaf that is shown', () => {
  it('is as it should be where its checker traced it, also where a few paths fell another way (control)', () => {
    for (const differing of [0, 1, 5]) {
      const { shown, of } = shownOf(differing);
      expect(shownFault(shown, of)).toBeNull();
      expect(shown.differing).toHaveLength(4 * differing);
    }
  });

  it('shows nothing when a bit of it is another, or a byte is missing', () => {
    const { shown, of } = shownOf(3);
    const names = Object.keys(shown) as (keyof Shown)[];
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.nat(), fc.nat(7), (name, where, bit) => {
        const bytes = shown[name].slice();
        bytes[where % bytes.length]! ^= 1 << bit;
        expect(shownFault({ ...shown, [name]: bytes }, of)).not.toBeNull();
        expect(shownFault({ ...shown, [name]: shown[name].slice(0, -1) }, of)).not.toBeNull();
      }),
      { numRuns: 400 },
    );
  });

  it('shows nothing of a trace of another key, or of another draw, or that was promised for another film or beacon', () => {
    const { shown, of } = shownOf(0);
    const reason = (over: Partial<Showing>): string | undefined => shownFault(shown, { ...of, ...over })?.reason;
    expect(reason({ checker: 'c2'.repeat(32) })).toBe('shown-unpromised');
    expect(reason({ nonceCommitment: 'd3'.repeat(32) })).toBe('shown-unpromised');
    expect(reason({ filmRoot: 'f4'.repeat(32) })).toBe('shown-film');
    expect(reason({ slot: 1 })).toBe('shown-size');
    const elsewhere = Array.from({ length: 64 }, (_, i) => toHex(new Uint8Array(32).fill(i))).find(
      (beacon) => shownPlace(beacon, of.root, DRAWN, null) !== shownPlace(BEACON, of.root, DRAWN, null),
    )!;
    expect(reason({ beacon: elsewhere })).toBe('shown-unpromised');
  });

  it('shows nothing when what was promised is the film’s own root, which binds nobody', () => {
    const { shown, of } = shownOf(0);
    expect(shownFault(shown, { ...of, root: of.filmRoot })?.reason).toBe('shown-unpromised');
  });

  it('shows nothing when more paths differ than those of honest devices', () => {
    const most = Math.floor(differingMax(64 * SAMPLES));
    const [honest, other] = [shownOf(most), shownOf(most + 1)];
    expect(shownFault(honest.shown, honest.of)).toBeNull();
    expect(shownFault(other.shown, other.of)?.reason).toBe('shown-differs');
  });

  it('is one that can tell anything, where there is one, and each of those in its turn', () => {
    const classes = DRAWN.map((leaf) => (leaf % 3 === 1 ? 4 : 0));
    const places = new Set(
      Array.from({ length: 400 }, (_, i) =>
        shownPlace(toHex(Uint8Array.from({ length: 32 }, () => i % 251)), 'aa'.repeat(32), DRAWN, classes),
      ),
    );
    expect([...places].toSorted((a, b) => a - b)).toEqual(DRAWN.filter((leaf) => classes[leaf]! > 0));
    expect(shownPlace(BEACON, 'aa'.repeat(32), [0, 2], classes)).toBeLessThan(2);
  });

  it('must be there for a pass of all leaves, or after another’s word', () => {
    expect(mustShow([0, 1], 16, 0)).toBe(false);
    expect(mustShow(DRAWN, DRAWN.length, 0)).toBe(true);
    expect(mustShow([0, 1], 16, 1)).toBe(true);
  });

  it('has room in a verdict, a message and a line of the log, for the largest tile and pass', () => {
    const paths = LEAF_SIDE_PX ** 2 * PASS_SAMPLES_MAX;
    expect(SHOWN_DIFFERING_BYTES_MAX).toBeGreaterThanOrEqual(4 * Math.floor(differingMax(paths)));
    const of = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(255);
    const shown = {
      ...{ signatures: of(SHOWN_SIGNATURES_BYTES_MAX), path: of(SHOWN_PROOF_BYTES_MAX), differing: of(SHOWN_DIFFERING_BYTES_MAX) },
      ...{ light: of(32), filmPath: of(SHOWN_PROOF_BYTES_MAX) },
    };
    const most = Number.MAX_SAFE_INTEGER;
    const said = { lease: 'f'.repeat(32), root: 'f'.repeat(64), nonce: 'f'.repeat(64), verdict: 'pass', reason: 'agrees' } as const;
    const counts = { paths: most, pathsEqual: most, pixelsWrong: most, biasPpm: -1_000_000, adapterClass: 'x'.repeat(200) };
    const body = {
      network: 'x'.repeat(64),
      purpose: 'check.verdict',
      nonce: 'f'.repeat(32),
      at: most,
      body: { ...said, ...counts, shown },
    };
    const payload = toBase64Url(encodeCanonical(body));
    const key = 'f'.repeat(64);
    const signed = { payload, key, sig: 'f'.repeat(128) };
    const drawn = Array.from({ length: LEAVES_PER_TILE_MAX }, (_, i) => i);
    const leaf = encodeLeaf({ type: 'verdict', ...said, ...counts, checker: key, drawn, shows: true, request: key, signed, atMs: most });
    expect(leaf.length).toBeLessThan(LOG_ENTRY_BYTES_MAX);
    expect(JSON.stringify(signed).length).toBeLessThan(CONTROL_MESSAGE_BYTES_MAX);
  });
});
