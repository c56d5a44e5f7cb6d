/** Every lie is a well-formed film that differs from the honest one, and the leaf test says so where the lie is thick enough. */
import { describe, expect, it } from 'vitest';
import { filmIsFinite, type Film } from '#lib/job/film.ts';
import { leafRects, segmentsPerPathMax } from '#lib/job/plan.ts';
import { cutLeaf } from '#lib/trust/commitment.ts';
import { compareLeaf } from '#lib/trust/compare.ts';
import { CORRUPTIONS } from '#lib/protocol/schema.ts';
import { corrupted, sparedBy, type Corruption, type TraceSpec } from '#lib/trust/corruption.ts';
import { arithmeticFilm } from '../../sim/arithmetic-engine.ts';
import { seededRandom } from '../../sim/virtual-clock.ts';

const spec: TraceSpec = { rect: { x: 32, y: 0, width: 32, height: 32 }, pass: { first: 8, count: 8 }, bounces: 4 };
const trace = ({ rect, pass, bounces }: TraceSpec): Promise<Film> =>
  Promise.resolve(arithmeticFilm({ sceneRoot: 'ab'.repeat(32), frame: { seed: 1, bounces } as never, rect, pass }));
const THICK: Record<Corruption, number> = {
  ...{ depth: 1, samples: 0.5, neighbour: 1, denoised: 0.5, upscaled: 0.25 },
  ...{ skim: 0.5, random: 1, brighter: 0.5, segments: 1, forged: 0.3, replayed: 1 },
};

/** Share of leaves that a re-trace refuses. */
async function caught(kind: Corruption, strength: number): Promise<number> {
  const lie = (await corrupted(trace, spec, { kind, strength, random: seededRandom(4) }))!;
  const truth = await trace(spec);
  const origin = { x: spec.rect.x, y: spec.rect.y };
  const leaves = leafRects(spec.rect);
  const paths = { samples: spec.pass.count, segmentsMax: segmentsPerPathMax(spec.bounces) };
  const refused = leaves.filter((leaf) => !compareLeaf(cutLeaf(lie, origin, leaf), cutLeaf(truth, origin, leaf), paths).agrees);
  return refused.length / leaves.length;
}

describe('a lie', () => {
  it.each(CORRUPTIONS)('%s has the form of a film, and every leaf of it is refused', async (kind) => {
    const film = (await corrupted(trace, spec, { kind, strength: THICK[kind], random: seededRandom(4) }))!;
    const truth = await trace(spec);
    expect({ ...film, light: film.light.length, signatures: film.signatures.length }).toEqual({
      ...truth,
      light: truth.light.length,
      signatures: truth.signatures.length,
    });
    expect(filmIsFinite(film.light)).toBe(true);
    expect(await caught(kind, THICK[kind])).toBe(1);
  });

  it('that is thin passes the leaf test: the sequential test is for it', async () => {
    expect(await caught('skim', 0.02)).toBeLessThan(0.2);
    expect(await caught('skim', 0.3)).toBe(1);
  });

  it('spares what it does not trace', () => {
    expect(sparedBy({ kind: 'skim', strength: 0.05 }, 4)).toBe(0.05);
    expect(sparedBy({ kind: 'depth', strength: 1 }, 4)).toBeCloseTo(0.2);
    expect(sparedBy({ kind: 'random', strength: 1 }, 4)).toBe(1);
  });
});
